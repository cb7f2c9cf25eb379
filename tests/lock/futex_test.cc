#include "lock/futex.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "gtest/gtest.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Futex, DoesNotSleepIfTheWordDiffers) {
  FutexWord word{1};
  EXPECT_TRUE(FutexWait(word, 0));
  EXPECT_TRUE(FutexWait(word, 0, steady_clock::now() + std::chrono::hours(1)));
}

TEST(Futex, SleepsUntilTheDeadline) {
  FutexWord word{0};
  const auto deadline = steady_clock::now() + milliseconds(20);
  while (FutexWait(word, 0, deadline)) {
  }
  EXPECT_GE(steady_clock::now(), deadline);
}

TEST(Futex, ADeadlineInThePastHasPassed) {
  FutexWord word{0};
  EXPECT_FALSE(FutexWait(word, 0, steady_clock::now() - milliseconds(1)));
}

TEST(Futex, WakesOneSleeper) {
  FutexWord word{0};
  std::atomic<bool> woken{false};
  std::thread sleeper([&] {
    while (word.load() == 0) FutexWait(word, 0);
    woken = true;
  });
  EXPECT_TRUE(NotSoon([&] { return woken.load(); }));
  word = 1;
  FutexWakeOne(&word);
  EXPECT_TRUE(Eventually([&] { return woken.load(); }));
  sleeper.join();
}

}  // namespace
}  // namespace jacquard::lock
