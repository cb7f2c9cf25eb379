// Spinning that must be recognised: it costs nothing while the lock is held, and is a deadlock when
// nobody will ever release it.
#include <gtest/gtest.h>
#include <immintrin.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {

// Visible to others, as far as the compiler knows.
std::array<std::atomic<int>, 30> words_that_nobody_writes;

namespace {

struct TestAndSet {
  void lock() {
    while (taken.exchange(true, std::memory_order_acquire)) {
    }
  }
  void unlock() { taken.store(false, std::memory_order_release); }
  std::atomic<bool> taken{false};
};

struct TestAndSetFlag {
  void lock() {
    while (flag.test_and_set()) {
    }
  }
  void unlock() { flag.clear(); }
  std::atomic_flag flag;
};

struct TestAndTestAndSet {
  void lock() {
    for (;;) {
      while (taken.load(std::memory_order_relaxed) != 0) {
      }
      if (taken.exchange(1) == 0) return;
    }
  }
  void unlock() { taken.store(0); }
  std::atomic<int> taken{0};
};

struct CompareExchangeLoop {
  void lock() {
    uint64_t expected = 0;
    while (!owner.compare_exchange_weak(expected, 1)) expected = 0;
  }
  void unlock() { owner.store(0); }
  std::atomic<uint64_t> owner{0};
};

struct StrongCompareExchangeLoop {
  void lock() {
    for (;;) {
      uint16_t expected = 0;
      if (owner.compare_exchange_strong(expected, 1)) return;
    }
  }
  void unlock() { owner.store(0); }
  std::atomic<uint16_t> owner{0};
};

struct FetchOr {
  void lock() {
    while ((bits.fetch_or(4) & 4) != 0) {
    }
  }
  void unlock() { bits.fetch_and(~4u); }
  std::atomic<unsigned> bits{0};
};

struct Ticket {
  void lock() {
    const unsigned mine = next.fetch_add(1);
    while (serving.load() != mine) {
    }
  }
  void unlock() { serving.store(serving.load() + 1); }
  std::atomic<unsigned> next{0};
  std::atomic<unsigned> serving{0};
};

struct WithYield {
  void lock() {
    while (taken.exchange(true)) std::this_thread::yield();
  }
  void unlock() { taken.store(false); }
  std::atomic<bool> taken{false};
};

struct WithPause {
  void lock() {
    while (taken.exchange(true)) _mm_pause();
  }
  void unlock() { taken.store(false); }
  std::atomic<bool> taken{false};
};

// Waits longer and longer, up to a limit: the same state comes back once the limit is reached.
struct WithBackOff {
  void lock() {
    for (int pauses = 1; taken.exchange(true); pauses = pauses < 16 ? 2 * pauses : 16) {
      for (int i = 0; i < pauses; ++i) _mm_pause();
    }
  }
  void unlock() { taken.store(false); }
  std::atomic<bool> taken{false};
};

struct NestedCalls {
  __attribute__((noinline)) bool IsTaken(int depth) const {
    std::array<volatile int, 8> frame;
    frame.fill(depth);
    if (depth == 0) return taken.load();
    const bool result = IsTaken(depth - 1);
    return result && frame[0] == depth;
  }
  void lock() {
    for (;;) {
      while (IsTaken(5)) {
      }
      bool expected = false;
      if (taken.compare_exchange_strong(expected, true)) return;
    }
  }
  void unlock() { taken.store(false); }
  std::atomic<bool> taken{false};
};

// Held while either of two words says so.
struct TwoLocations {
  void lock() {
    for (;;) {
      while (first.load() != 0 || second.load() != 0) {
      }
      if (first.exchange(1) == 0) return;
    }
  }
  void unlock() {
    second.store(1);
    first.store(0);
    second.store(0);
  }
  std::atomic<int> first{0};
  std::atomic<int> second{0};
};

struct MutexTryLock {
  void lock() {
    while (!mutex.try_lock()) {
    }
  }
  void unlock() { mutex.unlock(); }
  std::mutex mutex;
};

struct MutexTryLockWithYield {
  void lock() {
    while (!mutex.try_lock()) std::this_thread::yield();
  }
  void unlock() { mutex.unlock(); }
  std::mutex mutex;
};

template <class Lock>
class SpinLockTest : public testing::Test {};

using Shapes =
    testing::Types<TestAndSet, TestAndSetFlag, TestAndTestAndSet, CompareExchangeLoop,
                   StrongCompareExchangeLoop, FetchOr, Ticket, WithYield, WithPause, WithBackOff,
                   NestedCalls, TwoLocations, MutexTryLock, MutexTryLockWithYield>;
TYPED_TEST_SUITE(SpinLockTest, Shapes);

template <class Lock>
void TwoThreadsCount() {
  Lock lock;
  int count = 0;
  auto work = [&] {
    lock.lock();
    ++count;
    lock.unlock();
  };
  std::thread a(work);
  work();
  a.join();
  Check(count == 2, "both threads have counted");
}

TYPED_TEST(SpinLockTest, IsSearchedInFewExecutions) {
  // The bound keeps the locks with many locations small; without disabled spinners even it is not
  // reached.
  const ExploreResult result = SearchAll(TwoThreadsCount<TypeParam>, 3);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_LT(result.executions, 5'000u);
  EXPECT_LT(result.steps / result.executions, 60u);
}

TYPED_TEST(SpinLockTest, WorksWithFourThreads) {
  const ExploreResult result = Walk([] {
    TypeParam lock;
    int count = 0;
    auto work = [&] {
      for (int i = 0; i < 2; ++i) {
        lock.lock();
        ++count;
        lock.unlock();
      }
    };
    std::thread a(work), b(work), c(work);
    work();
    a.join();
    b.join();
    c.join();
    Check(count == 8, "all threads have counted");
  });
  ExpectPass(result);
  EXPECT_LT(result.steps / result.executions, 500u);
}

TYPED_TEST(SpinLockTest, IsADeadlockWhenNeverReleased) {
  const ExploreResult result = Walk([] {
    TypeParam lock;
    auto work = [&] { lock.lock(); };
    std::thread a(work), b(work), c(work);
    a.join();
    b.join();
    c.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_EQ(result.executions, 1u);
  EXPECT_LT(result.verdict.step, 200u);
  EXPECT_LT(result.trace.events.size(), 400u);
}

TYPED_TEST(SpinLockTest, AllDeadlocksAreSearched) {
  DepthFirst search(1);
  ExploreOptions options;
  options.stop_at_first_bug = false;
  options.executions = 10'000;
  const ExploreResult result = Explore(
      [] {
        TypeParam lock;
        auto work = [&] { lock.lock(); };
        std::thread a(work);
        work();
        a.join();
      },
      search, options);
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.failures, result.executions);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

TEST(SpinTest, ReaderOfASequenceLockWaits) {
  const ExploreResult result = SearchAll([] {
    std::atomic<unsigned> sequence{0};
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    std::thread writer([&] {
      sequence.store(1);
      x.store(1);
      y.store(1);
      sequence.store(2);
    });
    unsigned before;
    int a, b;
    do {
      while (((before = sequence.load()) & 1) != 0) {
      }
      a = x.load();
      b = y.load();
    } while (sequence.load() != before);
    Check(a == b, "the reader has seen one state");
    writer.join();
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  // On weak memory there are more values to read.
  EXPECT_LT(result.executions, kTestMemory == MemoryMode::kSc ? 300u : 3'000u);
}

template <int kReads>
void WaitsForOneOfMany() {
  std::array<std::atomic<int>, kReads> words = {};
  std::thread writer([&] { words[kReads / 2].store(1); });
  for (;;) {
    int sum = 0;
    for (const std::atomic<int>& word : words) sum += word.load();
    if (sum != 0) break;
  }
  writer.join();
}

TEST(SpinTest, LongLoopsAreRecognised) {
  for (const ExploreResult& result :
       {Walk(WaitsForOneOfMany<3>), Walk(WaitsForOneOfMany<7>), Walk(WaitsForOneOfMany<8>),
        Walk(WaitsForOneOfMany<9>), Walk(WaitsForOneOfMany<16>), Walk(WaitsForOneOfMany<30>)}) {
    ExpectPass(result);
  }
}

template <int kReads>
void WaitsForNone() {
  for (;;) {
    int sum = 0;
    for (int i = 0; i < kReads; ++i) sum += words_that_nobody_writes[i].load();
    if (sum != 0) break;
  }
}

TEST(SpinTest, LongLoopsThatNothingEndsAreDeadlocks) {
  for (const ExploreResult& result :
       {Walk(WaitsForNone<1>), Walk(WaitsForNone<2>), Walk(WaitsForNone<5>), Walk(WaitsForNone<8>),
        Walk(WaitsForNone<9>), Walk(WaitsForNone<30>)}) {
    EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
    EXPECT_LT(result.verdict.step, 400u);
  }
}

TEST(SpinTest, LongLoopsThroughOneCallAreDeadlocksToo) {
  const ExploreResult result = Walk([] {
    for (;;) {
      int sum = 0;
#pragma clang loop unroll(disable)
      for (const std::atomic<int>& word : words_that_nobody_writes) sum += word.load();
      if (sum != 0) break;
    }
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_LT(result.verdict.step, 400u);
}

TEST(SpinTest, ThreadsThatWaitForEachOtherAreADeadlock) {
  const ExploreResult result = Walk([] {
    std::atomic<int> a{0};
    std::atomic<int> b{0};
    std::thread other([&] {
      while (a.load() == 0) {
      }
      b.store(1);
    });
    while (b.load() == 0) {
    }
    a.store(1);
    other.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

TEST(SpinTest, EveryWayToWriteEndsIt) {
  struct Words {
    alignas(8) std::atomic<uint32_t> low{0};
    std::atomic<uint32_t> high{0};
  };
  enum Way { kWide, kNarrow, kFill, kCopy, kPlain, kLast };
  for (int way = kWide; way != kLast; ++way) {
    // The plain ways are data races: the spinner is woken up to a verdict.
    const bool races = kTestMemory == MemoryMode::kRc11 && way >= kFill;
    const ExploreResult result = SearchAll([way] {
      Words words;  // on the stack of the thread that writes
      std::atomic<bool> seen{false};
      std::thread spinner([&] {
        while (words.high.load() == 0) {
        }
        seen.store(true);
      });
      switch (way) {
        case kWide:
          __atomic_store_n(reinterpret_cast<uint64_t*>(&words), uint64_t{1} << 32,
                           __ATOMIC_RELEASE);
          break;
        case kNarrow:
          __atomic_store_n(reinterpret_cast<uint8_t*>(&words.high) + 3, 1, __ATOMIC_RELEASE);
          break;
        case kFill:
          memset(reinterpret_cast<char*>(&words) + 4, 1, 4);
          break;
        case kCopy: {
          const uint32_t one = 1;
          memcpy(reinterpret_cast<char*>(&words) + 4, &one, 4);
          break;
        }
        case kPlain:
          *reinterpret_cast<volatile uint32_t*>(&words.high) = 1;
          break;
      }
      // Waits for the spinner: unless the write has woken it, both are stuck for a while.
      while (!seen.load()) {
      }
      spinner.join();
    });
    if (races) {
      EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << "way " << way;
      continue;
    }
    EXPECT_TRUE(result.verdict.passed()) << "way " << way << ": " << result.verdict.message;
    EXPECT_TRUE(result.exhausted);
    EXPECT_LT(result.executions, 100u) << "way " << way;
    EXPECT_LT(result.steps / result.executions, 40u) << "way " << way;
  }
}

// Looks again and again under a lock, and so is always about to take it or to release it.
TEST(SpinTest, PollingUnderALockIsInterruptedWhereItIsFreeToo) {
  BenignPicks strategy;
  ExploreOptions options;
  options.executions = 1;
  options.execution = TestOptions();
  const ExploreResult result = Explore(
      [] {
        std::mutex mutex;
        bool done = false;
        std::thread thread([&] {
          const std::lock_guard lock(mutex);
          done = true;
        });
        for (bool seen = false; !seen;) {
          const std::lock_guard lock(mutex);
          seen = done;
        }
        thread.join();
      },
      strategy, options);
  ExpectPass(result);
  EXPECT_LT(result.steps, 10'000u);
}

TEST(SpinTest, IsSearchedBesideItself) {
  // Two spinners and one writer: each order of what they do next is reached.
  const ExploreResult result = SearchAll([] {
    std::atomic<int> go{0};
    std::atomic<int> order{0};
    auto spin = [&](int digit) {
      while (go.load() == 0) {
      }
      int old = order.load();
      while (!order.compare_exchange_weak(old, 10 * old + digit)) {
      }
    };
    std::thread a(spin, 1), b(spin, 2);
    go.store(1);
    a.join();
    b.join();
    Check(order.load() != 21, "the second spinner never comes first (planted)");
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
