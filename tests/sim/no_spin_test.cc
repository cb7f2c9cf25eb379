// Loops that look like spinning and end by themselves: calling one of them a deadlock would be the
// worst defect.
#include <errno.h>
#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/uninstrumented.h"

namespace jacquard {
namespace {

int global_counter = 0;
thread_local int counter_of_thread = 0;

// Runs `body` in all ways that matter: alone, beside a thread that blocks for ever unless the loop
// ends, and beside another one of its kind.
void ExpectItEnds(const std::function<void(std::atomic<int>& flag)>& body) {
  const ExploreResult alone = Walk([&] {
    std::atomic<int> flag{0};
    body(flag);
  });
  EXPECT_TRUE(alone.verdict.passed()) << "alone: " << alone.verdict.message;
  const ExploreResult beside_sleeper = Walk([&] {
    std::atomic<int> flag{0};
    std::atomic<int> done{0};
    std::thread sleeper([&] { done.wait(0); });
    body(flag);
    done.store(1);
    done.notify_all();
    sleeper.join();
  });
  EXPECT_TRUE(beside_sleeper.verdict.passed())
      << "beside a sleeper: " << beside_sleeper.verdict.message;
  const ExploreResult beside_spinner = Walk([&] {
    std::atomic<int> flag{0};
    std::atomic<int> done{0};
    std::thread spinner([&] {
      while (done.load() == 0) {
      }
    });
    body(flag);
    done.store(1);
    spinner.join();
  });
  EXPECT_TRUE(beside_spinner.verdict.passed())
      << "beside a spinner: " << beside_spinner.verdict.message;
  const ExploreResult twice = Walk([&] {
    std::atomic<int> flag{0};
    std::thread other([&] { body(flag); });
    body(flag);
    other.join();
  });
  EXPECT_TRUE(twice.verdict.passed()) << "twice: " << twice.verdict.message;
}

TEST(NoSpin, CounterInARegister) {
  ExpectItEnds([](std::atomic<int>& flag) {
    for (int i = 0; i < 200 && flag.load() == 0; ++i) {
    }
  });
}

TEST(NoSpin, CounterOnTheStack) {
  ExpectItEnds([](std::atomic<int>& flag) {
    volatile int i = 0;
    while (flag.load() == 0) {
      i = i + 1;
      if (i == 200) break;
    }
  });
}

TEST(NoSpin, CounterInThreadLocalStorage) {
  ExpectItEnds([](std::atomic<int>& flag) {
    counter_of_thread = 0;
    while (flag.load() == 0 && ++counter_of_thread < 200) {
    }
  });
}

TEST(NoSpin, CounterOnTheHeap) {
  ExpectItEnds([](std::atomic<int>& flag) {
    auto counter = std::make_unique<int>(0);
    while (flag.load() == 0 && ++*counter < 200) {
    }
  });
}

TEST(NoSpin, CounterInAGlobal) {
  ExpectItEnds([](std::atomic<int>& flag) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    global_counter = 0;
    while (flag.load() == 0 && ++global_counter < 200) {
    }
  });
}

TEST(NoSpin, CounterInAnAtomic) {
  ExpectItEnds([](std::atomic<int>& flag) {
    std::atomic<int> counter{0};
    while (flag.load() == 0 && counter.fetch_add(1) < 200) {
    }
  });
}

TEST(NoSpin, CounterInAnUninstrumentedLibrary) {
  ExpectItEnds([](std::atomic<int>& flag) {
    ResetHiddenCounter();
    while (flag.load() == 0 && CountHidden() < 1000) {
    }
  });
}

TEST(NoSpin, CounterInAnUninstrumentedLibrarysThreadLocalStorage) {
  ExpectItEnds([](std::atomic<int>& flag) {
    while (flag.load() == 0 && CountHiddenOfThread() < 1000) {
    }
  });
}

TEST(NoSpin, SeveralHiddenCountersOneAfterAnother) {
  ExpectItEnds([](std::atomic<int>& flag) {
    for (int stage = 0; stage < 5; ++stage) {
      ResetHiddenCounter();
      while (flag.load() == 0 && CountHidden() < 500) {
      }
    }
  });
}

TEST(NoSpin, RandomNumbers) {
  ExpectItEnds([](std::atomic<int>& flag) {
    while (flag.load() == 0 && std::rand() % 500 != 0) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    while (flag.load() == 0 && random() % 500 != 0) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    while (flag.load() == 0 && drand48() > 0.002) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    std::random_device device;
    while (flag.load() == 0 && device() % 500 != 0) {
    }
  });
}

TEST(NoSpin, Errno) {
  ExpectItEnds([](std::atomic<int>& flag) {
    errno = 0;
    while (flag.load() == 0 && ++errno < 200) {
    }
  });
}

TEST(NoSpin, TextInAStream) {
  ExpectItEnds([](std::atomic<int>& flag) {
    const auto stream = std::make_unique<std::ostringstream>();
    while (flag.load() == 0) {
      *stream << 'x';
      if (stream->tellp() >= 200) break;
    }
  });
}

TEST(NoSpin, Clocks) {
  ExpectItEnds([](std::atomic<int>& flag) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (flag.load() == 0 && std::chrono::steady_clock::now() < end) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    const auto end = std::chrono::system_clock::now() + std::chrono::milliseconds(1);
    while (flag.load() == 0 && std::chrono::system_clock::now() < end) std::this_thread::yield();
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    const time_t end = time(nullptr) + 3600;
    while (flag.load() == 0 && time(nullptr) < end) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    const clock_t end = clock() + CLOCKS_PER_SEC;
    while (flag.load() == 0 && clock() < end) {
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    timespec start, now;
    timespec_get(&start, TIME_UTC);
    do {
      timespec_get(&now, TIME_UTC);
    } while (flag.load() == 0 && now.tv_sec < start.tv_sec + 2);
  });
}

TEST(NoSpin, ClockBesideWrites) {
  // Every round writes, so that no round is like the one before.
  ExpectItEnds([](std::atomic<int>& flag) {
    std::atomic<int> attempts{0};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < end) {
      attempts.fetch_add(1);
      if (flag.load() != 0) break;
    }
  });
}

TEST(NoSpin, TryLockThatGivesUp) {
  ExpectItEnds([](std::atomic<int>& flag) {
    static std::mutex mutex;
    for (int i = 0; i < 200 && flag.load() == 0; ++i) {
      if (mutex.try_lock()) {
        mutex.unlock();
        break;
      }
    }
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    for (int i = 0; i < 200; ++i) {
      int expected = 1;
      if (flag.compare_exchange_strong(expected, 2)) break;
    }
  });
}

TEST(NoSpin, ThreeReadsBeforeGoingOn) {
  ExpectItEnds([](std::atomic<int>& flag) {
    for (int i = 0; i < 3; ++i) (void)flag.load();
  });
  ExpectItEnds([](std::atomic<int>& flag) {
    (void)flag.load();
    (void)flag.load();
    (void)flag.load();
  });
}

TEST(NoSpin, PollsManyPlacesThroughOneInstruction) {
  ExpectItEnds([](std::atomic<int>& /*flag*/) {
    std::vector<std::atomic<int>> words(500);
    words.back().store(1);
    size_t i = 0;
    while (words[i].load() == 0) ++i;
  });
}

TEST(NoSpin, PollsAPlaceThatChanceChooses) {
  ExpectItEnds([](std::atomic<int>& /*flag*/) {
    std::vector<std::atomic<int>> words(50);
    words[17].store(1);
    while (words[static_cast<size_t>(CountHidden()) % words.size()].load() == 0) {
    }
  });
}

TEST(NoSpin, SleeperWillWake) {
  const ExploreResult result = Walk([] {
    std::atomic<bool> done{false};
    std::thread sleeper([&] {
      std::this_thread::sleep_for(std::chrono::hours(1));
      done.store(true);
    });
    std::thread spinner([&] {
      while (!done.load()) std::this_thread::yield();
    });
    while (!done.load()) {
    }
    sleeper.join();
    spinner.join();
  });
  ExpectPass(result);
}

TEST(NoSpin, WaiterWithATimeOutWillWake) {
  const ExploreResult result = Walk([] {
    std::atomic<bool> done{false};
    std::atomic<int> never{0};
    std::thread waiter([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      (void)never.load();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      done.store(true);
    });
    while (!done.load()) {
    }
    waiter.join();
  });
  ExpectPass(result);
}

// Both values of the first read may come back at the second: each round is another one although the
// word ends as it was.
TEST(NoSpin, ValueThatComesAndGoes) {
  const ExploreResult result = SearchAll(
      [] {
        std::atomic<int> x{0};
        std::thread toggler([&] {
          x.store(1);
          x.store(0);
          x.store(1);
        });
        int a, b;
        do {
          a = x.load();
          b = x.load();
        } while (a != b);
        toggler.join();
      },
      4);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(NoSpin, ManyReadsInDeepRecursion) {
  struct Recursion {
    static int Read(const std::atomic<int>& flag, int depth) {
      return depth == 0 ? flag.load() : flag.load() + Read(flag, depth - 1);
    }
  };
  ExpectItEnds([](std::atomic<int>& flag) { (void)Recursion::Read(flag, 300); });
}

// What an earlier execution has left on a stack is nobody's affair: whether another thread's write
// there changes something must not decide when the thread in a loop is taken for spinning.
[[gnu::noinline]] void LeaveOnStack(int value) {
  volatile int left[256];
  for (volatile int& place : left) place = value;
}
[[gnu::noinline]] void WaitBesideAVariable() {
  std::atomic<int> go{0};
  int result;  // the other thread's to initialise
  std::thread other([&] {
    go.load();
    result = 7;
    go.store(1);
  });
  while (go.load() == 0) {
  }
  Check(result == 7, "written before");
  other.join();
}
// The thread that runs goes on, but for two choices.
class TwoSwitches : public Strategy {
 public:
  TwoSwitches(int first, int second) : first_(first), second_(second) {}
  bool BeginExecution() override { return true; }
  int Choose(const Pick& pick) override {
    if (pick.kind != PickKind::kSchedule) return 0;
    const int place = place_++;
    return place == first_ || place == second_ ? 1 : 0;
  }

 private:
  const int first_;
  const int second_;
  int place_ = 0;
};
TEST(NoSpin, WhatLiesOnTheStackFromBeforeDoesNotMatter) {
  const auto steps_of = [](int first, int second, int left) {
    Closure program([left] {
      LeaveOnStack(left);
      WaitBesideAVariable();
    });
    TwoSwitches strategy(first, second);
    const uint64_t before = RuntimeCounters().steps;
    const Verdict verdict = Execute(program, strategy, TestOptions(), nullptr);
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    return RuntimeCounters().steps - before;
  };
  for (int first = 0; first < 20; ++first) {
    for (int second = first; second < 20; ++second) {
      EXPECT_EQ(steps_of(first, second, 7), steps_of(first, second, 8))
          << "switched at " << first << " and " << second;
    }
  }
}

}  // namespace
}  // namespace jacquard
