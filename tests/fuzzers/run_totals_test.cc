// What several processes have done adds up, and what they have seen is united.
#include "fuzzers/run_totals.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "jacquard/schedule_counter.h"

namespace jacquard::fuzzers {
namespace {

// As the process that the calling one has started: what it returns is whether it went well.
bool InChild(auto body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Adds 10 executions with 7 steps each, which have seen one state and the schedules
// [first, first + 1000).
bool AddSome(size_t state, uint64_t first) {
  const std::unique_ptr<RunTotals> totals = RunTotals::Join();
  if (totals == nullptr) return false;
  std::vector<uint8_t> states(100);
  states[state] = 1;
  call::ScheduleCounter schedules(/*most_exact=*/0);
  for (uint64_t i = 0; i < 1000; ++i) schedules.Add(first + i);
  totals->Add(10, 70, states, schedules.Registers());
  return true;
}

TEST(RunTotals, BelongToARun) {
  ASSERT_EQ(unsetenv("JACQUARD_RUN_TOTALS"), 0);
  EXPECT_EQ(RunTotals::Join(), nullptr);
  {
    const std::unique_ptr<RunTotals> totals = RunTotals::Make();
    ASSERT_NE(totals, nullptr);
    EXPECT_NE(RunTotals::Join(), nullptr);
  }
  EXPECT_EQ(RunTotals::Join(), nullptr);  // the run is over
  setenv("JACQUARD_RUN_TOTALS", "/dev/null", 1);
  EXPECT_EQ(RunTotals::Join(), nullptr);
}

TEST(RunTotals, OfProcessesAddUp) {
  const std::unique_ptr<RunTotals> totals = RunTotals::Make();
  ASSERT_NE(totals, nullptr);
  EXPECT_EQ(totals->Read().executions, 0u);
  EXPECT_EQ(totals->Read().schedules, 0u);
  ASSERT_TRUE(InChild([] { return AddSome(3, 0) && AddSome(4, 500); }));
  ASSERT_TRUE(InChild([] { return AddSome(4, 1000); }));
  const TargetProgress progress = totals->Read();
  EXPECT_EQ(progress.executions, 30u);
  EXPECT_EQ(progress.steps, 210u);
  EXPECT_EQ(progress.states, 2u);
  EXPECT_NEAR(static_cast<double>(progress.schedules), 2000, 100);  // 0.8 % is usual
  EXPECT_TRUE(progress.schedules_estimated);
}

}  // namespace
}  // namespace jacquard::fuzzers
