// Explore: executes a program again and again until a strategy has nothing left, a budget is used
// up, or a bug is found.
#ifndef JACQUARD_SIM_EXPLORE_H_
#define JACQUARD_SIM_EXPLORE_H_

#include <cstdint>
#include <functional>

#include "sim/execute.h"

namespace jacquard {

struct ExploreOptions {
  uint64_t executions = 1'000'000;  // budget; budgets count executions, no clock steers a run
  bool stop_at_first_bug = true;
  bool trace = true;  // execute a failing one again to record it
  ExecutionOptions execution;
};

struct ExploreResult {
  uint64_t executions = 0;
  uint64_t steps = 0;
  uint64_t failures = 0;
  bool exhausted = false;  // the strategy has nothing left: everything it can reach was executed
  Verdict verdict;         // the first failure; kPass if there was none
  Trace trace;             // of the first failure; empty if that could not be repeated
  // The first failure, executed again with the same choices, ended in another way: something that
  // decides is not under the runtime's control. `verdict` is that of the first time, and says so.
  bool not_deterministic = false;
  // Nothing was ever instrumented: neither pass nor failure. `verdict` is kUnsupported and says
  // what to do.
  bool no_step = false;
};

ExploreResult Explore(Program& program, Strategy& strategy, const ExploreOptions& options = {});

// The same for a closure: it is thread 0, and may make threads.
ExploreResult Explore(const std::function<void()>& body, Strategy& strategy,
                      const ExploreOptions& options = {});

}  // namespace jacquard

#endif  // JACQUARD_SIM_EXPLORE_H_
