// The order in which locks are taken: what is a deadlock that has not happened, and what is none.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/byte_string.h"
#include "sim/lock_nesting.h"
#include "sim/runtime.h"
#include "tests/sim/lock_pairs.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr const char* kSignature = "lock order|threads could wait for each other";

void ExpectLockOrder(const std::function<void()>& body) {
  const Verdict verdict = RunBenign(body);
  EXPECT_EQ(verdict.kind, VerdictKind::kLockOrder) << verdict.message;
  EXPECT_EQ(verdict.signature, kSignature);
}

void InOppositeOrder() {
  std::mutex a, b;
  std::thread one([&] { LockBoth(a, b); });
  std::thread other([&] { LockBoth(b, a); });
  one.join();
  other.join();
}

// ---- what is one

TEST(LockOrder, TwoMutexes) { ExpectLockOrder(InOppositeOrder); }

TEST(LockOrder, OfTheFirstThreadToo) {
  ExpectLockOrder([] {
    std::mutex a, b;
    std::thread other([&] { LockBoth(b, a); });
    LockBoth(a, b);
    other.join();
  });
}

TEST(LockOrder, ThreeThreads) {
  ExpectLockOrder([] {
    std::mutex a, b, c;
    std::thread one([&] { LockBoth(a, b); });
    std::thread two([&] { LockBoth(b, c); });
    std::thread three([&] { LockBoth(c, a); });
    one.join();
    two.join();
    three.join();
  });
}

TEST(LockOrder, ThroughAThirdLock) {
  ExpectLockOrder([] {
    std::mutex a, b, c;
    std::thread one([&] {
      const std::lock_guard first(a);
      LockBoth(c, b);
    });
    std::thread other([&] { LockBoth(b, a); });
    one.join();
    other.join();
  });
}

// Each takes the other's outer lock on its way, once.
TEST(LockOrder, WhereTheWayIsBlocked) {
  ExpectLockOrder([] {
    std::mutex a, b;
    const auto use = [](std::mutex& mutex) { const std::lock_guard lock(mutex); };
    std::thread one([&] {
      use(b);
      LockBoth(a, b);
    });
    std::thread other([&] {
      use(a);
      LockBoth(b, a);
    });
    one.join();
    other.join();
  });
}

TEST(LockOrder, MutexAndSpinLock) {
  ExpectLockOrder([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_spinlock_t spin;
    pthread_spin_init(&spin, 0);
    std::thread one([&] {
      pthread_mutex_lock(&mutex);
      pthread_spin_lock(&spin);
      pthread_spin_unlock(&spin);
      pthread_mutex_unlock(&mutex);
    });
    std::thread other([&] {
      pthread_spin_lock(&spin);
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
      pthread_spin_unlock(&spin);
    });
    one.join();
    other.join();
  });
}

TEST(LockOrder, ReaderAgainstWriter) {
  ExpectLockOrder([] {
    std::shared_mutex shared;
    std::mutex mutex;
    std::thread reader([&] {
      const std::shared_lock outer(shared);
      const std::lock_guard inner(mutex);
    });
    std::thread writer([&] { LockBoth(mutex, shared); });
    reader.join();
    writer.join();
  });
}

// A wait for a condition gives its own mutex free, and no other one.
TEST(LockOrder, RegainedAfterAWait) {
  const ExploreResult result = Walk([] {
    std::mutex outer, inner;
    std::condition_variable changed;
    bool ready = false;
    std::thread waiter([&] {
      const std::lock_guard first(outer);
      std::unique_lock lock(inner);
      while (!ready) changed.wait(lock);
    });
    {
      const std::lock_guard lock(inner);
      ready = true;
      changed.notify_one();
      const std::lock_guard second(outer);
    }
    waiter.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

TEST(LockOrder, DiningPhilosophers) {
  ExpectLockOrder([] {
    std::array<std::mutex, 3> forks;
    std::vector<std::thread> philosophers;
    for (size_t i = 0; i < 3; ++i)
      philosophers.emplace_back([&, i] { LockBoth(forks[i], forks[(i + 1) % 3]); });
    for (std::thread& philosopher : philosophers) philosopher.join();
  });
}

// What the harness has chosen stays chosen.
TEST(LockOrder, WithValuesThatTheHarnessAskedFor) {
  const Exception second_value = {.gap = 0, .choice = 0};
  const auto body = [] {
    const bool opposite = PickData(2) == 1;
    std::mutex a, b;
    std::thread one([&] { LockBoth(a, b); });
    std::thread other([&] { opposite ? LockBoth(b, a) : LockBoth(a, b); });
    one.join();
    other.join();
  };
  EXPECT_TRUE(RunBenign(body).passed());
  Closure program(body);
  ByteString choices;
  choices.Set({&second_value, 1});
  choices.BeginExecution();
  EXPECT_EQ(Execute(program, choices, TestOptions()).signature, kSignature);
}

// ---- what is said

TEST(LockOrder, SaysWhoTookWhatWhere) {
  Trace trace;
  const Verdict verdict = RunBenign(InOppositeOrder, &trace);
  ASSERT_EQ(verdict.signature, kSignature) << verdict.message;
  for (const char* part : {"thread 1 took 0x", "thread 2 took 0x", " while it held 0x",
                           " since step ", "ends in a deadlock"}) {
    EXPECT_NE(verdict.message.find(part), std::string::npos) << part << ": " << verdict.message;
  }
  ASSERT_EQ(trace.places.size(), 4u);
  EXPECT_EQ(trace.places[0].thread, 1);
  EXPECT_EQ(trace.places[3].thread, 2);
  EXPECT_EQ(trace.places[3].step, verdict.step);
  EXPECT_NE(trace.places[0].pc, trace.places[1].pc);
}

TEST(LockOrder, SaysWhereLocksOnTheHeapComeFrom) {
  Trace trace;
  const Verdict verdict = RunBenign(
      [] {
        const auto a = std::make_unique<std::mutex>();
        const auto b = std::make_unique<std::mutex>();
        std::thread one([&] { LockBoth(*a, *b); });
        std::thread other([&] { LockBoth(*b, *a); });
        one.join();
        other.join();
      },
      &trace);
  ASSERT_EQ(verdict.signature, kSignature) << verdict.message;
  ASSERT_EQ(trace.places.size(), 6u);
  EXPECT_NE(trace.places[4].what.find(" allocated"), std::string::npos) << trace.places[4].what;
  EXPECT_NE(trace.places[4].pc, trace.places[5].pc);
}

TEST(LockOrder, IsTheSameEveryTime) {
  const Counters before = RuntimeCounters();
  const Verdict first = RunBenign(InOppositeOrder);
  EXPECT_EQ(RuntimeCounters().executions, before.executions + 1);  // trials do not count
  const uint64_t schedule = LastSchedule();
  for (int i = 0; i < 100; ++i) {
    const Verdict again = RunBenign(InOppositeOrder);
    ASSERT_EQ(again.message, first.message);
    ASSERT_EQ(LastSchedule(), schedule);
  }
}

TEST(LockOrder, LeadsToTheDeadlock) {
  ASSERT_EQ(RunBenign(InOppositeOrder).signature, kSignature);
  const DeadlockChoices choices = LastDeadlockChoices();
  Closure program(InOppositeOrder);
  ByteString deadlock;
  deadlock.Set(choices.exceptions, choices.memory_exceptions);
  deadlock.BeginExecution();
  const Verdict verdict = Execute(program, deadlock, TestOptions());
  EXPECT_EQ(verdict.signature, "deadlock|threads wait for each other") << verdict.message;
}

TEST(LockOrder, IsFoundInTheFirstExecution) {
  const ExploreResult result = Walk(InOppositeOrder);
  EXPECT_EQ(result.executions, 1u);
  EXPECT_EQ(result.verdict.signature, "deadlock|threads wait for each other");
  EXPECT_FALSE(result.not_deterministic) << result.verdict.message;
}

TEST(LockOrder, CanBeIgnored) {
  ExecutionOptions options = TestOptions();
  options.lock_order = false;
  EXPECT_TRUE(RunBenign(InOppositeOrder, nullptr, options).passed());
}

TEST(LockOrder, NestingsAreTold) {
  RunBenign([] {
    std::mutex a, b;
    LockBoth(a, b);
    LockBoth(a, b);
  });
  const LockNestings nestings = LastLockNestings();
  ASSERT_EQ(nestings.all.size(), 1u);
  EXPECT_EQ(nestings.all[0].thread, 0);
  EXPECT_EQ(nestings.all[0].held_count, 1);
  EXPECT_NE(LockNestings::FixedIdentity(nestings.all[0].outer.lock), 0u);
}

// ---- what is none

TEST(NoLockOrder, OneOrder) {
  ExpectNone([] {
    std::mutex a, b, c;
    const auto work = [&] {
      const std::lock_guard first(a);
      LockBoth(b, c);
    };
    std::thread one(work), other(work);
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, OneThread) {
  ExpectNone([] {
    std::mutex a, b;
    std::thread one([&] {
      LockBoth(a, b);
      LockBoth(b, a);
    });
    one.join();
    LockBoth(b, a);
    LockBoth(a, b);
  });
}

TEST(NoLockOrder, CommonGate) {
  ExpectNone([] {
    std::mutex gate, a, b;
    const auto work = [&](std::mutex& first, std::mutex& second) {
      const std::lock_guard lock(gate);
      LockBoth(first, second);
    };
    std::thread one([&] { work(a, b); });
    std::thread other([&] { work(b, a); });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, AGateThatBothShareIsNone) {
  ExpectLockOrder([] {
    std::shared_mutex gate;
    std::mutex a, b;
    const auto work = [&](std::mutex& first, std::mutex& second) {
      const std::shared_lock lock(gate);
      LockBoth(first, second);
    };
    std::thread one([&] { work(a, b); });
    std::thread other([&] { work(b, a); });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, Tried) {
  ExpectNone([] {
    std::mutex a, b;
    std::thread one([&] { LockBoth(a, b); });
    std::thread other([&] {
      const std::lock_guard outer(b);
      if (a.try_lock()) a.unlock();
    });
    one.join();
    other.join();
  });
}

// What was tried and taken is held like any other lock.
TEST(NoLockOrder, TriedOuterLocksCount) {
  ExpectLockOrder([] {
    std::mutex a, b;
    std::thread one([&] { LockBoth(a, b); });
    std::thread other([&] {
      if (!b.try_lock()) return;
      const std::lock_guard outer(b, std::adopt_lock);
      const std::lock_guard inner(a);
    });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, Timed) {
  ExpectNone([] {
    std::timed_mutex a, b;
    std::thread one([&] { LockBoth(a, b); });
    std::thread other([&] {
      const std::lock_guard outer(b);
      if (a.try_lock_for(std::chrono::seconds(1))) a.unlock();
    });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, ScopedLock) {
  ExpectNone([] {
    std::mutex a, b, c;
    std::thread one([&] { const std::scoped_lock all(a, b, c); });
    std::thread other([&] { const std::scoped_lock all(c, b, a); });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, JoinedBetween) {
  ExpectNone([] {
    std::mutex a, b;
    std::thread([&] { LockBoth(a, b); }).join();
    std::thread([&] { LockBoth(b, a); }).join();
    LockBoth(a, b);
  });
}

TEST(NoLockOrder, BeforeCreation) {
  ExpectNone([] {
    std::mutex a, b;
    LockBoth(b, a);
    std::thread([&] { LockBoth(a, b); }).join();
  });
}

TEST(NoLockOrder, Readers) {
  ExpectNone([] {
    std::shared_mutex a, b;
    const auto read = [](std::shared_mutex& first, std::shared_mutex& second) {
      const std::shared_lock outer(first);
      const std::shared_lock inner(second);
    };
    std::thread one([&] { read(a, b); });
    std::thread other([&] { read(b, a); });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, Recursive) {
  ExpectNone([] {
    std::recursive_mutex a;
    std::mutex b;
    const auto work = [&] {
      const std::lock_guard first(a);
      const std::lock_guard second(b);
      const std::lock_guard third(a);
    };
    std::thread one(work), other(work);
    one.join();
    other.join();
  });
}

}  // namespace
}  // namespace jacquard
