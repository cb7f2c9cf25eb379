// Short names for the two searches that tests of the runtime use.
#ifndef JACQUARD_TESTS_SIM_SEARCHES_H_
#define JACQUARD_TESTS_SIM_SEARCHES_H_

#include <cstdint>
#include <functional>

#include "sim/depth_first.h"
#include "sim/explore.h"
#include "sim/random_walk.h"

namespace jacquard {

// The memory of both; a test that is built for sequential consistency says so by a define.
#ifdef JACQUARD_TEST_SC
inline constexpr MemoryMode kTestMemory = MemoryMode::kSc;
#else
inline constexpr MemoryMode kTestMemory = MemoryMode::kRc11;
#endif

inline ExecutionOptions TestOptions() { return {.memory = kTestMemory}; }
// For programs that count on every wake-up having a reason.
inline ExecutionOptions WithoutSpuriousWakeUps() {
  return {.memory = kTestMemory, .spurious_wake_ups = kNever};
}

// So many executions of `body`, or as many as it takes to find a bug, with random choices.
inline ExploreResult Walk(const std::function<void()>& body, uint64_t executions = 1000,
                          const ExecutionOptions& execution = TestOptions()) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = executions;
  options.execution = execution;
  return Explore(body, walk, options);
}

// All executions of `body`, or as many as it takes to find a bug.
inline ExploreResult SearchAll(const std::function<void()>& body,
                               int preemption_bound = DepthFirst::kUnbounded,
                               const ExecutionOptions& execution = TestOptions()) {
  DepthFirst search(preemption_bound);
  ExploreOptions options;
  options.execution = execution;
  return Explore(body, search, options);
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_SEARCHES_H_
