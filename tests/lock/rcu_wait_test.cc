#include "lock/rcu_wait.h"

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include "gtest/gtest.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

using std::chrono::milliseconds;

const auto kNever = [] { return false; };
const auto kAlways = [] { return true; };

TEST(RcuWait, DoesNotSleepIfTheConditionHolds) {
  RcuWait wait;
  int calls = 0;
  wait.WaitUntil([&] { return ++calls == 1; });
  EXPECT_EQ(calls, 1);
}

TEST(RcuWait, WakingNobodyIsHarmless) {
  RcuWait wait;
  wait.Wake();
  EXPECT_EQ(wait.WaitUntilFor(kNever, milliseconds(1)), WaitResult::kTimedOut);
  wait.Wake();
  EXPECT_EQ(wait.WaitUntilFor(kNever, milliseconds(1)), WaitResult::kTimedOut);
}

TEST(RcuWait, SleepsUntilWokenWithTheConditionTrue) {
  RcuWait wait;
  std::atomic<bool> condition{false};
  std::atomic<bool> done{false};
  std::thread sleeper([&] {
    wait.WaitUntil([&] { return condition.load(); });
    done = true;
  });
  EXPECT_TRUE(NotSoon([&] { return done.load(); }));
  wait.Wake();  // a hint that is not true
  EXPECT_TRUE(NotSoon([&] { return done.load(); }));
  condition = true;
  wait.Wake();
  EXPECT_TRUE(Eventually([&] { return done.load(); }));
  sleeper.join();
}

TEST(RcuWait, TimesOutNotBeforeItsTime) {
  RcuWait wait;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(wait.WaitUntilFor(kNever, milliseconds(10)), WaitResult::kTimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(10));
}

TEST(RcuWait, TakesTimeoutsOfAnyLength) {
  RcuWait wait;
  EXPECT_EQ(wait.WaitUntilFor(kNever, milliseconds(0)), WaitResult::kTimedOut);
  EXPECT_EQ(wait.WaitUntilFor(kNever, std::chrono::nanoseconds::min()), WaitResult::kTimedOut);
  int calls = 0;
  std::atomic<bool> condition{false};
  std::thread waker([&] {
    condition = true;
    wait.Wake();
  });
  EXPECT_EQ(wait.WaitUntilFor(
                [&] {
                  ++calls;
                  return condition.load();
                },
                std::chrono::nanoseconds::max()),
            WaitResult::kConditionHeld);
  EXPECT_GE(calls, 1);
  waker.join();
}

TEST(RcuWait, IsKilledInItsSleep) {
  RcuWait wait;
  std::stop_source killer;
  std::atomic<bool> done{false};
  std::thread sleeper([&] {
    EXPECT_EQ(wait.WaitUntilKillable(kNever, killer.get_token()), WaitResult::kKilled);
    done = true;
  });
  EXPECT_TRUE(NotSoon([&] { return done.load(); }));
  killer.request_stop();
  EXPECT_TRUE(Eventually([&] { return done.load(); }));
  sleeper.join();
}

TEST(RcuWait, IsKilledIfTheRequestCameFirst) {
  RcuWait wait;
  std::stop_source killer;
  killer.request_stop();
  EXPECT_EQ(wait.WaitUntilKillable(kNever, killer.get_token()), WaitResult::kKilled);
}

TEST(RcuWait, AConditionThatHoldsWinsOverEverything) {
  RcuWait wait;
  std::stop_source killer;
  killer.request_stop();
  EXPECT_EQ(wait.WaitUntilKillable(kAlways, killer.get_token()), WaitResult::kConditionHeld);
  EXPECT_EQ(wait.WaitUntilFor(kAlways, milliseconds(0)), WaitResult::kConditionHeld);
  // Also in the second round, after having slept, or nearly.
  int calls = 0;
  const auto second_time = [&] { return ++calls == 2; };
  EXPECT_EQ(wait.WaitUntilKillable(second_time, killer.get_token()), WaitResult::kConditionHeld);
}

TEST(RcuWait, CanBeUsedAgainAfterEachEnding) {
  RcuWait wait;
  std::stop_source killer;
  killer.request_stop();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(wait.WaitUntilKillable(kNever, killer.get_token()), WaitResult::kKilled);
    EXPECT_EQ(wait.WaitUntilFor(kNever, milliseconds(1)), WaitResult::kTimedOut);
    wait.WaitUntil(kAlways);
  }
}

// Each round's condition is made true once, at about the time when the other is going to sleep: one
// lost wake-up and the test hangs.
TEST(RcuWait, LosesNoWakeUp) {
  constexpr int kRounds = 3000;
  RcuWait ping_wait;
  RcuWait pong_wait;
  std::atomic<int> ping{0};
  std::atomic<int> pong{0};
  std::thread other([&] {
    for (int round = 1; round <= kRounds; ++round) {
      ping_wait.WaitUntil([&] { return ping.load(std::memory_order_acquire) >= round; });
      pong.store(round, std::memory_order_release);
      pong_wait.Wake();
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    ping.store(round, std::memory_order_release);
    ping_wait.Wake();
    pong_wait.WaitUntil([&] { return pong.load(std::memory_order_acquire) >= round; });
  }
  other.join();
  EXPECT_EQ(pong.load(), kRounds);
}

TEST(RcuWaitDeathTest, HasRoomForOneSleeper) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        RcuWait wait;
        std::atomic<bool> first_is_there{false};
        std::thread first([&] {
          wait.WaitUntil([&] {
            first_is_there = true;
            return false;
          });
        });
        while (!first_is_there) std::this_thread::yield();
        // The first test of the condition comes before the slot is taken: try until it is.
        for (;;) static_cast<void>(wait.WaitUntilFor(kNever, milliseconds(1)));
      },
      "room for one sleeper");
}

}  // namespace
}  // namespace jacquard::lock
