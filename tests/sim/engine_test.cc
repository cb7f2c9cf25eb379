// Ordinary C++ threads in the simulated runtime: what works, what is found, and what is left
// behind.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/depth_first.h"
#include "sim/explore.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

ExploreResult Walk(const std::function<void()>& body, uint64_t executions = 5000) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = executions;
  return Explore(body, walk, options);
}

ExploreResult SearchAll(const std::function<void()>& body) {
  DepthFirst search;
  return Explore(body, search);
}

thread_local int mine = 5;
thread_local std::string name = "n";
int global = 7;

TEST(Engine, RunsThreadsMutexesExceptionsAndThreadLocals) {
  const ExploreResult result = Walk([] {
    std::mutex mutex;
    int x = 0;
    auto work = [&] {
      mine += 1;
      name += "y";
      try {
        throw std::runtime_error(name);
      } catch (std::exception& e) {
        Check(std::string(e.what()).back() == 'y', "exceptions carry their text");
      }
      std::lock_guard lock(mutex);
      x++;
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
    Check(x == 2, "both threads have counted");
    Check(mine == 5, "thread-local variables are the thread's own");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_EQ(result.executions, 5000u);
  EXPECT_GT(result.steps, 20000u);
}

TEST(Engine, RunsAtomicWaitAndSemaphore) {
  const ExploreResult result = Walk([] {
    std::atomic<int> flag{0};
    std::counting_semaphore<4> semaphore(0);
    std::thread a([&] {
      flag.store(1);
      flag.notify_one();
      semaphore.release();
    });
    flag.wait(0);
    semaphore.acquire();
    a.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(Engine, FindsLostUpdate) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> count{0};
    auto work = [&] {
      int v = count.load();
      count.store(v + 1);
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
    Check(count == 2, "no update is lost");
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant);
  EXPECT_EQ(result.verdict.signature, "invariant|no update is lost");
  EXPECT_FALSE(result.trace.events.empty());
}

TEST(Engine, SearchOfTwoTimesTwoStepsIsExact) {
  // Interleavings of two threads with two steps each: 4! / (2! 2!) = 6.
  std::atomic<int> x{0};
  std::atomic<int> y{0};
  const ExploreResult result = SearchAll([&] {
    auto work = [&] {
      x.fetch_add(1);
      y.fetch_add(1);
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.executions, 6u);
}

// What it has done within a Ghost can be seen before it takes a step.
TEST(Engine, InterruptsAThreadBehindAGhostBeforeItsFirstStep) {
  DepthFirst search;
  ExploreOptions options;
  options.execution.memory = MemoryMode::kSc;  // nor because an old value is read
  const auto body = [] {
    std::atomic<int> done{0};
    int begun = 0;
    std::thread thread([&] {
      {
        const Ghost ghost;
        ++begun;
      }
      ++done;
    });
    const int seen = done;
    {
      const Ghost ghost;
      Check(begun <= seen, "it has begun, and not done");
    }
    thread.join();
  };
  EXPECT_FALSE(Explore(body, search, options).verdict.passed());
}

TEST(Engine, GlobalsAndThreadLocalsComeBack) {
  global = 7;
  const ExploreResult result = Walk([] {
    Check(global == 7, "the global has its initial value");
    global = 8;
    static int counter = 3;
    Check(counter == 3, "the static has its initial value");
    ++counter;
    static std::string text = "made at first use";
    Check(text.size() == 17, "the static object is made anew");
    text += "and changed, at some length, so that it has to move to the heap";
    std::thread a([] {
      Check(mine == 5, "the thread-local has its initial value");
      mine = 6;
    });
    a.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_EQ(global, 7);
}

TEST(Engine, FindsDeadlockOfTwoMutexes) {
  const ExploreResult result = Walk([] {
    std::mutex a, b;
    std::thread other([&] {
      std::lock_guard first(a);
      std::lock_guard second(b);
    });
    {
      std::lock_guard first(b);
      std::lock_guard second(a);
    }
    other.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

TEST(Engine, SpinLockCostsNoStepsWhileHeld) {
  const ExploreResult result = SearchAll([] {
    std::atomic<bool> lock{false};
    int x = 0;
    auto work = [&] {
      while (lock.exchange(true)) {
      }
      ++x;
      lock.store(false);
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
    Check(x == 2, "both threads have counted");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_TRUE(result.exhausted);
  EXPECT_LT(result.executions, 200u);
}

TEST(Engine, SpinForEverIsADeadlock) {
  const ExploreResult result = Walk([] {
    std::atomic<int> flag{0};
    std::thread a([&] {
      while (flag.load() == 0) std::this_thread::yield();
    });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_LT(result.verdict.step, 1000u);
}

TEST(Engine, BoundedSpinIsNoDeadlock) {
  const ExploreResult result = Walk(
      [] {
        std::atomic<int> flag{0};
        std::thread a([&] {
          for (int i = 0; i < 300; ++i) {
            if (flag.load() != 0) return;
          }
        });
        a.join();
      },
      200);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(Engine, SpinOnTheClockEnds) {
  const ExploreResult result = Walk(
      [] {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        std::thread a([&] {
          while (std::chrono::steady_clock::now() < end) {
          }
        });
        a.join();
      },
      200);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(Engine, SleepersAreWokenByTime) {
  const ExploreResult result = Walk(
      [] {
        std::atomic<bool> done{false};
        std::thread sleeper([&] {
          std::this_thread::sleep_for(std::chrono::hours(1));
          done = true;
        });
        while (!done) {
        }
        sleeper.join();
      },
      500);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(Engine, AbandonedExecutionsLeaveNothingBehind) {
  int in_execution = 0;
  RandomWalk walk(3);
  ExploreOptions options;
  options.executions = 2000;
  options.stop_at_first_bug = false;
  options.trace = false;
  const ExploreResult result = Explore(
      [&] {
        Check(global == 7, "the global has its initial value");
        global = 9;
        std::vector<std::string> strings(20, "a string that is too long to be kept in place");
        std::atomic<int> turn{0};
        std::thread a([&] {
          try {
            throw 1;
          } catch (int) {
            turn.store(1);
            if (turn.exchange(2) == 1) Fail("planted", "given up within a catch block");
          }
        });
        turn.store(3);
        a.join();
      },
      walk, options);
  (void)in_execution;
  EXPECT_GT(result.failures, 100u);
  EXPECT_LT(result.failures, 2000u);
  EXPECT_EQ(result.verdict.signature, "invariant|planted");
  EXPECT_EQ(global, 7);
}

TEST(Engine, UncaughtExceptionOfTheBodyIsAVerdict) {
  const ExploreResult result = Walk([] {
    std::atomic<int> x{0};
    x.store(1);
    throw std::runtime_error("planted");
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kException);
}

TEST(Engine, AbortIsAVerdict) {
  const ExploreResult result = Walk([] {
    std::thread a([] { std::abort(); });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kAbort);
}

TEST(Engine, NoInstrumentedStepIsAnError) {
  const ExploreResult result = Walk([] {}, 10);
  EXPECT_TRUE(result.no_step);
  EXPECT_FALSE(result.verdict.passed());
}

TEST(Engine, UnlockByAnotherThreadIsMisuse) {
  const ExploreResult result = Walk([] {
    std::mutex mutex;
    mutex.lock();
    std::thread a([&] { mutex.unlock(); });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kMisuse);
}

TEST(Engine, FindsTheLostWakeUpOfTheLibrarysSemaphore) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 1'000'000;
  options.execution.library_bugs = true;
  const ExploreResult result = Explore(
      [] {
        std::counting_semaphore<8> semaphore(1);
        auto work = [&] {
          semaphore.acquire();
          semaphore.release();
        };
        std::thread a(work), b(work), c(work);
        a.join();
        b.join();
        c.join();
      },
      walk, options);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock);
  printf("after %lu executions\n", static_cast<unsigned long>(result.executions));
}

}  // namespace
}  // namespace jacquard
