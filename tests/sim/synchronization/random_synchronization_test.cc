// The C library's primitives, as simulated threads use them, show what they may, and all of it: on
// random programs the runtime's executions end as those of a model do that tries everything.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/searches.h"
#include "tests/sim/synchronization/model.h"
#include "tests/sim/synchronization/perform.h"
#include "tests/sim/synchronization/program.h"

namespace jacquard::synchronization {
namespace {

// A program whose executions are more than that is looked at in part.
constexpr uint64_t kMostExecutions = 4'000;

ExecutionOptions Options(uint32_t spurious) {
  ExecutionOptions options = TestOptions();
  options.spurious_wake_ups = spurious;
  options.lock_order = false;  // here a deadlock is one that happens
  return options;
}

// One of `these` that is not among `those`; empty if there is none.
std::string FirstBeyond(const Outcomes& these, const Outcomes& those) {
  for (const std::vector<int>& results : these.results) {
    if (!those.results.contains(results)) return Text(results);
  }
  return "";
}

// What is performed, under `options`, has to be in `most`; and all of `least` has to be there if
// these were all executions.
Performed Compare(uint64_t seed, const Outcomes& least, const Outcomes& most,
                  const ExecutionOptions& options) {
  const Program program = RandomProgram(seed);
  Performed performed = Perform(program, kMostExecutions, options);
  const Outcomes& shown = performed.outcomes;
  EXPECT_EQ(performed.other_verdict, "") << seed << ": " << Text(program);
  EXPECT_EQ(FirstBeyond(shown, most), "") << "cannot be: " << seed << ": " << Text(program);
  EXPECT_LE(shown.misuse, most.misuse) << seed << ": " << Text(program);
  // A deadlock of some is told before others do what they must not, and the other way round.
  EXPECT_LE(shown.deadlock, most.deadlock || most.misuse) << seed << ": " << Text(program);
  if (performed.complete) {
    EXPECT_EQ(FirstBeyond(least, shown), "") << "is not shown: " << seed << ": " << Text(program);
    EXPECT_LE(least.deadlock, shown.deadlock || shown.misuse) << seed << ": " << Text(program);
    EXPECT_LE(least.misuse, shown.misuse || shown.deadlock) << seed << ": " << Text(program);
  }
  return performed;
}

Outcomes Solve(uint64_t seed, bool spurious) { return SolveByModel(RandomProgram(seed), spurious); }

TEST(RandomSynchronization, ShowsWhatTheModelDoes) {
  constexpr int kPrograms = 1200;
  int complete = 0;
  for (uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const Outcomes outcomes = Solve(seed, /*spurious=*/false);
    if (Compare(seed, outcomes, outcomes, Options(kNever)).complete) ++complete;
  }
  EXPECT_GT(complete, kPrograms * 2 / 3);
}

// A thread's waits for one object do not end for no reason twice in a row: some is not shown.
TEST(RandomSynchronization, ShowsWakeUpsForNoReason) {
  constexpr int kPrograms = 400;
  int complete = 0;
  int more = 0;
  for (uint64_t seed = 1'000'000; seed < 1'000'000 + kPrograms; ++seed) {
    const Outcomes without = Solve(seed, /*spurious=*/false);
    Outcomes with = Solve(seed, /*spurious=*/true);
    with.deadlock |= without.deadlock;  // none of them need happen
    const Performed performed = Compare(seed, without, with, Options(kAnyNumber));
    if (performed.complete) ++complete;
    if (!FirstBeyond(performed.outcomes, without).empty()) ++more;
  }
  EXPECT_GT(complete, kPrograms / 2);
  EXPECT_GT(more, kPrograms / 10);
}

}  // namespace
}  // namespace jacquard::synchronization
