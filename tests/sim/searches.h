// Short names for the two searches that tests of the runtime use, and for what these expect.
#ifndef JACQUARD_TESTS_SIM_SEARCHES_H_
#define JACQUARD_TESTS_SIM_SEARCHES_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

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

// A step, without which an execution does not count as one. It orders nothing.
inline void TakeStep() {
  static std::atomic<int> word;
  word.fetch_add(1, std::memory_order_relaxed);
}

// Always the benign choice.
class BenignPicks : public Strategy {
 public:
  bool BeginExecution() override { return true; }
  int Choose(const Pick& /*pick*/) override { return 0; }
};

// One execution with nothing but benign choices: the threads run one after another.
inline Verdict RunBenign(const std::function<void()>& body, Trace* trace = nullptr,
                         const ExecutionOptions& options = TestOptions()) {
  Closure program(body);
  BenignPicks benign;
  return Execute(program, benign, options, trace);
}

inline void ExpectPass(const ExploreResult& result) {
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

// In a search, and in a walk.
inline void ExpectNoRace(const std::function<void()>& body) {
  const ExploreResult all = SearchAll(body, 2);
  ExpectPass(all);
  EXPECT_TRUE(all.exhausted);
  ExpectPass(Walk(body));
}

// In a walk, with a message that begins with `rule`.
inline ExploreResult ExpectRace(const std::function<void()>& body, std::string_view rule) {
  ExploreResult result = Walk(body);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
  EXPECT_EQ(result.verdict.message.substr(0, rule.size()), rule);
  EXPECT_FALSE(result.not_deterministic);
  return result;
}

// In a walk, with a message that contains `text`.
inline void ExpectVerdict(const std::function<void()>& body, const std::string& signature,
                          const std::string& text = "") {
  const ExploreResult result = Walk(body);
  EXPECT_EQ(result.verdict.signature, signature) << result.verdict.message;
  EXPECT_NE(result.verdict.message.find(text), std::string::npos) << result.verdict.message;
  EXPECT_FALSE(result.not_deterministic) << result.verdict.message;
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_SEARCHES_H_
