// The leaderboard's programs are what they are said to be, in short.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "jacquard/jacquard.h"
#include "tests/leaderboard/programs.h"

namespace jacquard::leaderboard {
namespace {

Result Search(void (*body)(), const std::string& strategy, uint64_t executions) {
  Options options;
  options.strategy = strategy;
  options.executions = executions;
  return Explore(body, options);
}

bool HasManyThreads(const BuggyProgram& program) {
  const std::string name = program.name;
  return name.ends_with("10") || name.ends_with("20") || name.ends_with("50") ||
         name.ends_with("100");
}

class Leaderboard : public testing::TestWithParam<BuggyProgram> {};

// All but one are found within few executions; that one is for the figures.
TEST_P(Leaderboard, BugIsFoundByThePortfolio) {
  const BuggyProgram& program = GetParam();
  if (std::string(program.name) == "safe_stack") GTEST_SKIP() << "takes long";
  const Result result = Search(program.broken, "portfolio", 5000);
  ASSERT_FALSE(result.findings.empty()) << "not found in " << result.executions << " executions";
  EXPECT_STREQ(VerdictKindName(result.findings[0].verdict.kind), program.finding)
      << result.report();
}

TEST_P(Leaderboard, TwinIsCorrect) {
  const BuggyProgram& program = GetParam();
  for (const char* const strategy : {"portfolio", "random", "random:0.1", "pct", "pctwm", "pos",
                                     "urw", "surw", "turns", "rff", "dfs:2", "delays", "sleep"}) {
    const Result result = Search(program.correct, strategy, HasManyThreads(program) ? 5 : 200);
    EXPECT_TRUE(result.ok()) << strategy << ": " << result.report();
  }
}

// No execution with fewer preemptions fails, and one with as many does. Many threads have too many
// executions, and one program is left to the figures.
TEST_P(Leaderboard, NeedsItsPreemptions) {
  const BuggyProgram& program = GetParam();
  if (HasManyThreads(program) || std::string(program.name) == "safe_stack")
    GTEST_SKIP() << "has too many executions";
  constexpr uint64_t kMost = 100'000;
  Options options;
  options.execution.memory = MemoryMode::kSc;
  options.execution.spurious_wake_ups = kNever;
  options.execution.lock_order = false;  // finds deadlocks in executions that need more
  options.executions = kMost;
  for (int bound = 0; bound <= program.preemptions; ++bound) {
    options.strategy = "dfs:" + std::to_string(bound);
    const Result result = Explore(program.broken, options);
    ASSERT_EQ(result.problem, "");
    ASSERT_LT(result.executions, kMost);
    EXPECT_EQ(result.findings.empty(), bound < program.preemptions)
        << bound << " preemptions: " << result.report();
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, Leaderboard, testing::ValuesIn(BuggyPrograms()),
                         [](const testing::TestParamInfo<BuggyProgram>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace jacquard::leaderboard
