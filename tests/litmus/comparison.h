// What the simulated memory does, against what a table allows.
#ifndef JACQUARD_TESTS_LITMUS_COMPARISON_H_
#define JACQUARD_TESTS_LITMUS_COMPARISON_H_

#include <string>
#include <vector>

#include "tests/litmus/explore.h"
#include "tests/litmus/program.h"

namespace jacquard::litmus {

struct Comparison {
  bool racy_expected = false;
  bool racy_found = false;
  std::vector<Outcome> missing;  // allowed, and never seen
  std::vector<Outcome> extra;    // seen, and not allowed

  bool agrees() const { return racy_expected == racy_found && missing.empty() && extra.empty(); }
};

// Where the table allows two sets, against the one that is met, or else the first.
Comparison Compare(const Program& program, const ExploreResult& result);

// One line: "ok", or what is missing and what should not be there.
std::string ComparisonText(const Comparison& comparison);

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_COMPARISON_H_
