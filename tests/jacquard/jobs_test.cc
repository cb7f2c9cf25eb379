// Explorations by several processes.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "jacquard/jacquard.h"

// As sanitizer/tsan_interface.h declares it.
extern "C" void __tsan_acquire(void* object);

namespace jacquard {
namespace {

void LoseAnUpdate() {
  std::atomic<int> x{0};
  const auto add = [&x] { x = x + 1; };
  std::thread a(add);
  std::thread b(add);
  a.join();
  b.join();
  EXPECT_EQ(x, 2);
}

void Add() {
  std::atomic<int> x{0};
  std::thread a([&x] { ++x; });
  std::thread b([&x] { ++x; });
  a.join();
  b.join();
  EXPECT_EQ(x, 2);
}

// One test, since its order matters: others must not have been executed here before.
TEST(Jobs, ShareWhatTheyFind) {
  Options options;
  options.jobs = 3;
  options.executions = 3001;
  options.stop_at_first_bug = false;
  const Result right = Explore(Add, options);
  EXPECT_TRUE(right.ok()) << right.report();
  EXPECT_EQ(right.executions, 3001U);
  EXPECT_GT(right.steps, right.executions);
  EXPECT_GT(right.distinct_schedules, 1U);
  EXPECT_EQ(right.strategies.size(), 10U);
  EXPECT_EQ(right.long_executions, 0U);
  Options fair = options;
  fair.execution.unfair_steps = 1;
  EXPECT_EQ(Explore(Add, fair).long_executions, 3001U);
  static int object;
  const auto say = [] { std::thread([] { __tsan_acquire(&object); }).join(); };
  EXPECT_GE(Explore(say, options).annotations, 3001U);  // and what is repeated

  const Result wrong = Explore(LoseAnUpdate, options);
  ASSERT_EQ(wrong.findings.size(), 1U) << wrong.problem;
  const Finding& finding = wrong.findings.front();
  EXPECT_EQ(wrong.executions, 3001U);
  EXPECT_EQ(finding.verdict.kind, VerdictKind::kExpectation);
  EXPECT_GT(finding.count, 1U);
  EXPECT_EQ(finding.first, wrong.first_failure);
  EXPECT_NE(finding.report.find("Timeline"), std::string::npos);
  const Result again = Explore(LoseAnUpdate, options);
  ASSERT_EQ(again.findings.size(), 1U);
  EXPECT_EQ(again.findings.front().first, finding.first);
  EXPECT_EQ(again.findings.front().kept, finding.kept);
  EXPECT_EQ(again.findings.front().count, finding.count);
  EXPECT_EQ(again.distinct_schedules, wrong.distinct_schedules);

  // Whoever gets no part of a few has none to do.
  Options few = options;
  few.executions = 2;
  EXPECT_EQ(Explore(Add, few).executions, 2U);

  // A search that has an end is done by one process, and not by this one.
  Options whole = options;
  whole.strategy = "dfs";
  whole.executions = 0;
  const Result all = Explore(Add, whole);
  EXPECT_TRUE(all.ok()) << all.report();
  EXPECT_TRUE(all.exhausted);
  EXPECT_EQ(all.share_done, 1);
  EXPECT_GT(all.executions, 1U);
  EXPECT_EQ(Explore(Add, options).problem, "");

  // The token replays it, in this process.
  Options replay;
  replay.replay = finding.token;
  const Result replayed = Explore(LoseAnUpdate, replay);
  ASSERT_EQ(replayed.findings.size(), 1U);
  EXPECT_EQ(replayed.findings.front().verdict.signature, finding.verdict.signature);

  // And now there have been executions here.
  EXPECT_NE(Explore(Add, options).problem, "");
}

}  // namespace
}  // namespace jacquard
