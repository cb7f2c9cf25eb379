// The watchdog ends a process in which an execution computes for ever without a step, and no other.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>

#include "sim/execute.h"
#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {

// Not in an anonymous namespace: the report is to name it.
__attribute__((noinline)) void ComputeForEver() {
  for (volatile unsigned i = 0;; i = i + 1) {
  }
}

namespace {

constexpr double kLimit = 0.3;

double CpuSeconds() {
  timespec time;
  syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void ComputeFor(double seconds) {
  const double end = CpuSeconds() + seconds;
  while (CpuSeconds() < end) {
  }
}

void RunIntoALoop() {
  Walk([] {
    std::thread other([] { TakeStep(); });
    TakeStep();
    ComputeForEver();
    other.join();
  });
}

// The process that dies begins anew, so that its watchdog is its own.
class WatchdogDeathTest : public testing::Test {
 protected:
  WatchdogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(WatchdogDeathTest, EndsTheProcessAndSaysWhere) {
  EXPECT_EXIT(
      {
        SetWatchdog(kLimit, nullptr);
        RunIntoALoop();
      },
      testing::ExitedWithCode(kNoStepExitStatus),
      "no step in [0-9]+\\.[0-9] seconds of CPU time(.|\n)*running in jacquard::ComputeForEver");
}

TEST_F(WatchdogDeathTest, CallsTheReport) {
  EXPECT_EXIT(
      {
        SetWatchdog(kLimit, [](const std::string& text) {
          std::fprintf(stderr, "reported, %d lines\n",
                       static_cast<int>(std::count(text.begin(), text.end(), '\n')));
        });
        RunIntoALoop();
      },
      testing::ExitedWithCode(kNoStepExitStatus), "(^|\n)reported, 3 lines");
}

TEST_F(WatchdogDeathTest, ComesInTime) {
  EXPECT_EXIT(
      {
        SetWatchdog(kLimit, [](const std::string&) {
          timespec time;
          syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
          const double used =
              static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
          std::fprintf(stderr, used < 3 ? "in time" : "too late");
        });
        RunIntoALoop();
      },
      testing::ExitedWithCode(kNoStepExitStatus), "in time");
}

TEST(Watchdog, CanBeSwitchedOff) {
  SetWatchdog(0, nullptr);
  const ExploreResult result = Walk(
      [] {
        TakeStep();
        ComputeFor(3 * kLimit);
      },
      1);
  EXPECT_TRUE(result.verdict.passed());
}

TEST(Watchdog, LongExecutionsWithStepsAreLeftAlone) {
  SetWatchdog(kLimit, nullptr);
  const ExploreResult result = Walk(
      [] {
        for (int i = 0; i < 20; ++i) {
          ComputeFor(kLimit / 6);
          TakeStep();
        }
      },
      1);
  EXPECT_TRUE(result.verdict.passed());
}

TEST(Watchdog, ManyShortExecutionsAreLeftAlone) {
  SetWatchdog(kLimit, nullptr);
  const double end = CpuSeconds() + 2 * kLimit;
  while (CpuSeconds() < end) EXPECT_TRUE(Walk(TakeStep, 1000).verdict.passed());
}

TEST(Watchdog, TimeBetweenExecutionsDoesNotCount) {
  SetWatchdog(kLimit, nullptr);
  EXPECT_TRUE(Walk(TakeStep, 1).verdict.passed());
  ComputeFor(2 * kLimit);
  EXPECT_TRUE(Walk(TakeStep, 1).verdict.passed());
}

TEST(Watchdog, WaitingIsNotComputing) {
  SetWatchdog(kLimit, nullptr);
  std::atomic<bool> stop{false};
  std::thread busy([&] {  // beside the execution: not its time
    while (!stop.load()) {
    }
  });
  const ExploreResult result = Walk(
      [] {
        TakeStep();
        const timespec time = {1, 0};
        syscall(SYS_nanosleep, &time, nullptr);  // a real one: unlike nanosleep(), not simulated
      },
      1);
  stop.store(true);
  busy.join();
  EXPECT_TRUE(result.verdict.passed());
}

// A stream's function waits for a mutex while the C library's lock of the stream is held.
void RunIntoALibrarysLock() {
  Walk([] {
    static std::mutex mutex;
    cookie_io_functions_t functions = {};
    functions.write = [](void*, const char*, size_t size) {
      const std::lock_guard lock(mutex);
      return static_cast<ssize_t>(size);
    };
    FILE* const stream = fopencookie(nullptr, "w", functions);
    setvbuf(stream, nullptr, _IONBF, 0);
    const auto print = [stream] { std::fputs("text", stream); };
    mutex.lock();
    std::thread a(print), b(print);
    std::this_thread::yield();
    mutex.unlock();
    a.join();
    b.join();
    std::fclose(stream);
  });
}

TEST_F(WatchdogDeathTest, NoticesAThreadThatSleepsInTheKernel) {
  EXPECT_EXIT(
      {
        SetWatchdog(kLimit, nullptr);
        RunIntoALibrarysLock();
      },
      testing::ExitedWithCode(kNoStepExitStatus), "thread . sleeps in the kernel, after .* steps");
}

// What waits for a while only is not disturbed.
TEST(Watchdog, LetsAThreadSleepInTheKernel) {
  SetWatchdog(kLimit, nullptr);
  ExpectPass(Walk(
      [] {
        TakeStep();
        const timespec time = {0, static_cast<long>(kLimit * 1e9)};
        syscall(SYS_nanosleep, &time, nullptr);
      },
      3));
  SetWatchdog(0, nullptr);
}

}  // namespace
}  // namespace jacquard
