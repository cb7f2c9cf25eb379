#include "tests/vma_lock/transition_table.h"

#include <initializer_list>
#include <sstream>
#include <utility>
#include <vector>

#include "fuzzers/transitions.h"
#include "fuzzers/vma_lock_scenario.h"
#include "sim/depth_first.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

std::string Row(Transition t) {
  return std::string("| ") + lock::SituationName(t.from) + " | " + ChangeName(t.change) + " | `" +
         DoingName(t.doing) + "` | " + lock::SituationName(t.to) + " |";
}

// The operations that readers, writers and detachers of one VMA consist of; a random walk over all
// operations meets their rarer encounters too seldom.
constexpr const char* kEncounters[] = {
    // Two temporary readers and a detacher.
    "thread 0: start_read vma=0\n"
    "thread 1: start_read vma=0\n"
    "thread 2: lock; start_write vma=0; mark_detached vma=0; start_write vma=0; mark_attached "
    "vma=0; unlock\n",
    // Readers come and go under a writer that is killed, and one that is not.
    "thread 0: start_read vma=0; end_read vma=0; kill thread=2\n"
    "thread 1: start_read vma=0; kill thread=2; end_read vma=0\n"
    "thread 2: lock; start_write_killable vma=0; start_write vma=0; downgrade; unlock\n",
    // Readers that turn back so late that the next writer waits for them.
    "thread 0: start_read vma=0\n"
    "thread 1: start_read vma=0; end_read vma=0\n"
    "thread 2: lock; start_write vma=0; unlock; lock; start_write vma=0; unlock\n",
    // A detacher, and readers that begin in the section before.
    "thread 0: start_read vma=0; start_read vma=0; end_read vma=0; end_read vma=0\n"
    "thread 1: lock; start_write vma=0; downgrade; unlock; try_lock; start_write_killable vma=0; "
    "mark_detached vma=0\n"
    "thread 2: start_read vma=0; end_read vma=0; kill thread=1\n",
    // A writer that reads its own VMA, next to temporary readers.
    "thread 0: lock; start_write vma=0; start_read_locked vma=0; start_read_locked vma=0; end_read "
    "vma=0; downgrade; start_read_locked vma=0; unlock\n"
    "thread 1: start_read vma=0; end_read vma=0; lock_shared; start_read_locked vma=0\n"
    "thread 2: start_read vma=0; end_read vma=0\n",
};

}  // namespace

std::vector<std::string> ExploreTransitions(std::string* error) {
  static Transitions transitions;
  transitions.Clear();
  Transitions::log = &transitions;
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  const auto note = [error](const InputsResult& result) {
    if (result.verdict.passed()) return true;
    *error = result.verdict.message + "\n" + result.input;
    return false;
  };
  bool passed = note(ExploreRandomInputs(codec, 7, 20'000, 10, 4, 12));
  for (const char* const encounter : kEncounters) {
    const StoredInput input =
        ParseStoredInput(codec, "jacquard scenario 1 vma_lock\n" + std::string(encounter));
    if (!input.error.empty()) *error = input.error;
    DepthFirst search(2);
    passed = passed && note(ExploreInput(codec, input.input, search, 30'000));
    passed = passed && note(WalkInput(codec, input.input, 11, 60'000));
  }
  Transitions::log = nullptr;
  std::vector<std::string> rows;
  transitions.ForEach([&rows](Transition t) { rows.push_back(Row(t)); });
  return rows;
}

std::string FormatTable(const std::vector<std::string>& rows) {
  std::string table = "| from | change | operation | to |\n|---|---|---|---|\n";
  for (const std::string& row : rows) table += row + "\n";
  return table;
}

std::optional<std::vector<std::string>> RowsOf(const std::string& page) {
  std::istringstream lines(page);
  std::vector<std::string> rows;
  bool inside = false;
  int head = 2;
  for (std::string line; std::getline(lines, line);) {
    if (line == kTableEnd && inside) return rows;
    if (inside && !line.empty() && head-- <= 0) rows.push_back(line);
    if (line == kTableBegin) inside = true;
  }
  return std::nullopt;
}

std::optional<std::string> ReplaceTable(const std::string& page,
                                        const std::vector<std::string>& rows) {
  const std::string::size_type begin = page.find(kTableBegin);
  const std::string::size_type end = page.find(kTableEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const std::string::size_type after = begin + std::string(kTableBegin).size();
  return page.substr(0, after) + "\n" + FormatTable(rows) + page.substr(end);
}

}  // namespace jacquard::fuzzers
