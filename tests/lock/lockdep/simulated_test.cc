// The validator in the simulation: an oracle that takes no steps, decides nothing and forgets all
// between executions.
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "jacquard/jacquard.h"
#include "lock/lockdep/checked.h"
#include "lock/lockdep/validator.h"
#include "tests/lock/lockdep/example.h"

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard {
namespace {

using lock::AcquireMode;
using lock::Held;
using lock::NoValidator;
using lock::lockdep::Checked;
using lock::lockdep::Validator;

// Without the findings that the runtime has of its own.
Options OfValidatorOnly() {
  Options options;
  options.strategy = "dfs";
  options.executions = 2000;
  options.execution.lock_order = false;
  options.lock_order_across_executions = false;
  return options;
}

template <class Lock>
void Nest(Lock& outer, Lock& inner) {
  const std::lock_guard hold_outer(outer);
  const std::lock_guard hold_inner(inner);
}

TEST(Simulated, MakesTwoOrdersAVerdict) {
  const Result result = Explore(
      [] {
        Checked<std::mutex> one("one"), two("two");
        std::thread([&] { Nest(one, two); }).join();
        std::thread([&] { Nest(two, one); }).join();
      },
      OfValidatorOnly());
  ASSERT_EQ(result.findings.size(), 1u) << result.problem;
  EXPECT_EQ(result.first_failure, 1u);
  const Verdict& verdict = result.findings[0].verdict;
  EXPECT_EQ(verdict.kind, VerdictKind::kInvariant);
  EXPECT_EQ(verdict.signature,
            "invariant|lockdep: possible circular locking dependency detected: one, two");
  EXPECT_NE(verdict.message.find("*** DEADLOCK ***"), std::string::npos) << verdict.message;
  EXPECT_NE(verdict.message.find("simulated_test.cc:"), std::string::npos) << verdict.message;
  EXPECT_FALSE(result.token().empty());
}

TEST(Simulated, IsSilentOnOneOrder) {
  ExpectNoBug(
      [] {
        Checked<std::mutex> one("one"), two("two");
        std::thread a([&] { Nest(one, two); });
        std::thread b([&] { Nest(one, two); });
        a.join();
        b.join();
        EXPECT_EQ(one.IsHeld(), Held::kNo);
      },
      OfValidatorOnly());
}

template <class Lock>
Result ExploreALock() {
  return Explore(
      [] {
        Lock outer("outer"), inner("inner");
        std::thread a([&] { Nest(outer, inner); });
        std::thread b([&] {
          Nest(outer, inner);
          if (inner.try_lock()) inner.unlock();
        });
        a.join();
        b.join();
      },
      OfValidatorOnly());
}

// As if it were not there, but for what it finds.
TEST(Simulated, AddsNoStepAndNoDecision) {
  const Result with = ExploreALock<Checked<std::mutex>>();
  const Result without = ExploreALock<Checked<std::mutex, AcquireMode::kShared, NoValidator>>();
  EXPECT_TRUE(with.ok()) << with.report();
  EXPECT_TRUE(without.ok()) << without.report();
  EXPECT_EQ(with.executions, without.executions);
  EXPECT_EQ(with.steps, without.steps);
  EXPECT_EQ(with.distinct_schedules, without.distinct_schedules);
}

// One execution has one order, another one the other.
TEST(Simulated, ForgetsTheOrderOfOtherExecutions) {
  const Result result = Explore(
      [] {
        Checked<std::mutex> one("one"), two("two");
        std::thread([&] { PickData(2) == 0 ? Nest(one, two) : Nest(two, one); }).join();
      },
      OfValidatorOnly());
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_EQ(result.executions, 2u);
}

Checked<std::mutex> global_one("global one"), global_two("global two");

TEST(Simulated, KnowsLocksThatAreGlobal) {
  const Result result = Explore(
      [] {
        std::thread([&] {
          const std::lock_guard hold(global_one);
          if (PickData(2) == 1) global_two.lock();
          EXPECT_EQ(global_one.IsHeld(), Held::kYes);
          if (PickData(2) == 1) Nest(global_two, global_one);
          if (global_two.IsHeld() == Held::kYes) global_two.unlock();
        }).join();
      },
      OfValidatorOnly());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kInvariant);
  EXPECT_NE(result.findings[0].verdict.signature.find("recursive locking"), std::string::npos);
}

TEST(Simulated, SaysWhenAThreadEndsWithALock) {
  const Result result = Explore(
      [] {
        Validator::Map map("forgotten");
        Checked<std::mutex> other("other");
        std::thread([&] {
          const std::lock_guard hold(other);
          Validator::Acquire(map, {});
        }).join();
      },
      OfValidatorOnly());
  ASSERT_EQ(result.findings.size(), 1u) << result.problem;
  EXPECT_EQ(result.findings[0].verdict.signature,
            "invariant|lockdep: lock held at exit!: forgotten");
}

TEST(Simulated, SaysWhenAHeldLockIsFreed) {
  const Result result = Explore(
      [] {
        auto map = std::make_unique<Validator::Map>("dynamic");
        Checked<std::mutex> other("other");
        const std::lock_guard hold(other);
        Validator::Acquire(*map, {});
        map.reset();
      },
      OfValidatorOnly());
  ASSERT_EQ(result.findings.size(), 1u) << result.problem;
  EXPECT_EQ(result.findings[0].verdict.signature, "invariant|lockdep: held lock freed!: dynamic");
}

// A thread gets the number of one that has ended, but not its books.
TEST(Simulated, TellsThreadsApartThatHaveTheSameNumber) {
  Options options = OfValidatorOnly();
  options.executions = 2;
  ExpectNoBug(
      [] {
        Checked<std::mutex> one("one"), two("two");
        for (int i = 0; i < 200; ++i) std::thread([&] { Nest(one, two); }).join();
      },
      options);
}

// The page shows a report as it is.
TEST(Simulated, ReportsAsThePageShows) {
  const Result result = Explore(TransferBothWays, OfValidatorOnly());
  ASSERT_EQ(result.findings.size(), 1u) << result.problem;
  std::string report = result.findings[0].verdict.message;
  report = report.substr(report.find("====="));
  std::ifstream file("docs/lockdep.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(page.find("```\n" + report + "```\n"), std::string::npos)
      << "docs/lockdep.md has not got this report:\n"
      << report;
}

}  // namespace
}  // namespace jacquard

#pragma clang attribute pop
