// The known bugs of tests/known_bugs, as the figures need them.
#ifndef JACQUARD_TOOLS_FIGURES_KNOWN_BUG_LIST_H_
#define JACQUARD_TOOLS_FIGURES_KNOWN_BUG_LIST_H_

#include <string>
#include <vector>

#include "fuzzers/child_process.h"

namespace jacquard::figures {

inline constexpr const char* kKnownBugsFolder = "tests/known_bugs";

struct KnownBug {
  std::string name;
  std::string title;
  std::string history;   // when it was
  std::string verdict;   // that its stored input leads to; for a cell of a table
  std::string scenario;  // whose fuzz target catches it
};

// From now on ListKnownBugs tells these only; all if there is no name.
void OnlyKnownBugs(std::vector<std::string> names);

// By name. Throws std::runtime_error if there is none of a name that was asked for.
std::vector<KnownBug> ListKnownBugs();

// "" or the flag that asks for those of OnlyKnownBugs, with a blank before it.
std::string OnlyKnownBugsFlag();

// An empty folder for what libFuzzer keeps, to stand before the seeds: it writes to the first one
// that it is given.
std::string NewCorpus(const ScratchFolder& scratch);

// The first cell of a row: the title, with a link from docs/ to what is written about it.
std::string LinkTo(const KnownBug& bug);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_KNOWN_BUG_LIST_H_
