// Programs that race on purpose: with ExecutionOptions::races off, plain accesses are steps.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

ExecutionOptions Racing() {
  ExecutionOptions options = TestOptions();
  options.races = false;
  return options;
}

void ExpectFailure(const std::function<void()>& body, std::string_view what) {
  const ExploreResult some = Walk(body, 10'000, Racing());
  EXPECT_EQ(some.verdict.kind, VerdictKind::kInvariant) << some.verdict.message;
  EXPECT_NE(some.verdict.message.find(what), std::string::npos) << some.verdict.message;
  EXPECT_FALSE(some.not_deterministic);
}

void ExpectAllPass(const std::function<void()>& body, int preemptions = 2) {
  const ExploreResult all = SearchAll(body, preemptions, Racing());
  EXPECT_TRUE(all.verdict.passed()) << all.verdict.message;
  EXPECT_TRUE(all.exhausted);
  EXPECT_GT(all.executions, 1u);
  const ExploreResult some = Walk(body, 1000, Racing());
  EXPECT_TRUE(some.verdict.passed()) << some.verdict.message;
}

template <class Work>
void OnTwoThreads(Work work) {
  std::thread a([&] { work(0); });
  std::thread b([&] { work(1); });
  a.join();
  b.join();
}

// ---- where it must fire

void LosesAnUpdate() {
  int x = 0;
  OnTwoThreads([&](int) { ++x; });
  Check(x == 2, "an update is lost");
}

TEST(Racing, FindsTheLostUpdate) { ExpectFailure(LosesAnUpdate, "an update is lost"); }

TEST(Racing, FindsTheLostUpdateOfAGlobal) {
  static int x = 0;
  ExpectFailure(
      [] {
        OnTwoThreads([](int) { ++x; });
        Check(x == 2, "an update is lost");
      },
      "an update is lost");
}

// The thread whose stack it is takes part itself.
TEST(Racing, FindsTheLostUpdateOnItsOwnStack) {
  ExpectFailure(
      [] {
        short x = 0;
        std::thread other([&] { ++x; });
        ++x;
        other.join();
        Check(x == 2, "an update is lost");
      },
      "an update is lost");
}

TEST(Racing, FindsTwoInTheCriticalSectionOfABrokenFlag) {
  ExpectFailure(
      [] {
        volatile bool wants[2] = {};
        int inside = 0;
        OnTwoThreads([&](int me) {
          if (wants[1 - me]) return;
          wants[me] = true;  // too late
          Check(++inside == 1, "two are inside");
          --inside;
          wants[me] = false;
        });
      },
      "two are inside");
}

TEST(Racing, SeesARangeBetweenTheHalvesOfAnother) {
  struct Pair {
    long a, b;
  };
  ExpectFailure(
      [] {
        Pair shared = {};
        std::thread writer([&] {
          shared.a = 1;
          shared.b = 1;
        });
        Pair copy;
        std::memcpy(&copy, &shared, sizeof(copy));
        Check(copy.a == copy.b, "torn");
        writer.join();
      },
      "torn");
}

TEST(Racing, TellsWhatWasReadAndWritten) {
  const ExploreResult result = Walk(LosesAnUpdate, 10'000, Racing());
  ASSERT_FALSE(result.verdict.passed());
  int reads = 0;
  int writes = 0;
  const void* x = nullptr;
  for (const TraceEvent& event : result.trace.events) {
    // Both read 0, and both write 1 to it.
    const Step& step = event.step;
    if (event.type != TraceEvent::Type::kStep || step.size != sizeof(int)) continue;
    if (step.kind == StepKind::kPlainWrite && step.old_value <= 1 && step.new_value == 1) {
      EXPECT_TRUE(x == nullptr || x == step.address);
      x = step.address;
      ++writes;
    }
    if (step.kind == StepKind::kPlainRead && step.new_value == 0) ++reads;
  }
  EXPECT_EQ(writes, 2);
  EXPECT_GE(reads, 2);
}

TEST(Racing, SpinningOnAPlainFlagThatNobodySetsIsADeadlock) {
  const auto body = [] {
    volatile int flag = 0;
    std::thread waiter([&] {
      while (flag == 0) {
      }
    });
    waiter.join();
  };
  // More than once: what is recorded while the thread is looked at again leaves the heap as it was.
  for (int i = 0; i < 3; ++i) {
    const ExploreResult result = Walk(body, 10, Racing());
    EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
    EXPECT_FALSE(result.not_deterministic);
  }
}

// ---- where it must not

TEST(Racing, PlainFlagsAreWaitedFor) {
  ExpectAllPass([] {
    volatile int flag = 0;
    volatile int data = 0;
    std::thread writer([&] {
      data = 1;
      flag = 1;
    });
    while (flag == 0) {
    }
    Check(data == 1, "published");
    writer.join();
  });
}

// Dekker's and Peterson's algorithms are right when every read sees the newest value.
TEST(Racing, PetersonWithPlainVariablesExcludes) {
  ExpectAllPass([] {
    volatile bool wants[2] = {};
    volatile int last = 0;
    int inside = 0;
    OnTwoThreads([&](int me) {
      wants[me] = true;
      last = me;
      while (wants[1 - me] && last == me) {
      }
      Check(++inside == 1, "excluded");
      --inside;
      wants[me] = false;
    });
  });
}

TEST(Racing, ACopyIsOneStep) {
  struct Pair {
    long a, b;
  };
  ExpectAllPass([] {
    Pair shared = {};
    std::thread writer([&] { std::memset(&shared, 1, sizeof(shared)); });
    Pair copy;
    asm volatile("" : : "r"(&copy) : "memory");  // else two loads are all that there is to it
    std::memcpy(&copy, &shared, sizeof(copy));
    asm volatile("" : : "r"(&copy) : "memory");
    Check(copy.a == copy.b, "whole");
    writer.join();
  });
}

TEST(Racing, MutexesExclude) {
  ExpectAllPass([] {
    std::mutex mutex;
    int x = 0;
    OnTwoThreads([&](int) {
      const std::lock_guard lock(mutex);
      ++x;
    });
    Check(x == 2, "both are counted");
  });
}

// What a plain read has seen, a later atomic read does not see less of.
TEST(Racing, NothingOlderComesAfterAPlainRead) {
  ExpectAllPass([] {
    int x = 0;
    std::atomic_ref<int> atomic(x);
    std::thread writer([&] { atomic.store(1, std::memory_order_relaxed); });
    const int first = x;
    const int second = atomic.load(std::memory_order_relaxed);
    Check(second >= first, "coherent");
    writer.join();
  });
}

TEST(Racing, OneThreadAloneTakesNoSteps) {
  const uint64_t before = RuntimeCounters().steps;
  Walk(
      [] {
        volatile int x = 0;
        for (int i = 0; i < 100; ++i) x = x + 1;
      },
      1, Racing());
  EXPECT_EQ(RuntimeCounters().steps - before, 0u);
}

TEST(Racing, WithoutTheOptionPlainAccessesAreNoSteps) {
  const auto steps = [](const ExecutionOptions& options) {
    const uint64_t before = RuntimeCounters().steps;
    Walk(
        [] {
          std::mutex mutex;
          volatile int x = 0;
          OnTwoThreads([&](int) {
            const std::lock_guard lock(mutex);
            for (int i = 0; i < 10; ++i) x = x + 1;
          });
        },
        1, options);
    return RuntimeCounters().steps - before;
  };
  EXPECT_LT(steps(TestOptions()), 20u);
  EXPECT_GE(steps(Racing()), 40u);
}

}  // namespace
}  // namespace jacquard
