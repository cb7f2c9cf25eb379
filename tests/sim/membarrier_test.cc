// membarrier(2): a fence of all threads by one of them.
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Of two threads that each write and then read what the other one writes, one has a fence, or none.
std::function<void()> StoreBuffering(const std::function<void()>& fence) {
  return [fence] {
    std::atomic<int> words[2] = {0, 0};
    int seen[2] = {};
    std::thread quick([&] {
      words[0].store(1, std::memory_order_relaxed);
      seen[0] = words[1].load(std::memory_order_relaxed);
    });
    words[1].store(1, std::memory_order_relaxed);
    fence();
    seen[1] = words[0].load(std::memory_order_relaxed);
    quick.join();
    if (seen[0] == 0 && seen[1] == 0) std::abort();
  };
}

long Membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

// The other thread needs none.
TEST(Membarrier, IsAFenceOfAllThreads) {
  const ExploreResult result = SearchAll(StoreBuffering([] {
    if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) std::abort();
    if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) std::abort();
  }));
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(Membarrier, WithoutItNeitherMaySeeTheOther) {
  const ExploreResult fence_of_one =
      SearchAll(StoreBuffering([] { std::atomic_thread_fence(std::memory_order_seq_cst); }));
  EXPECT_EQ(fence_of_one.verdict.kind, VerdictKind::kAbort);
}

// A reader says that it is there and takes what has been published; the updater waits until nobody
// can have it any more. The reader has no fence.
std::function<void()> ReadCopyUpdate(bool before_the_look, bool after_it) {
  return [=] {
    std::atomic<int> reading = 0;
    std::atomic<int*> published = new int(1);
    if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) std::abort();
    int sum = 0;
    std::thread reader([&] {
      reading.store(1, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      if (const int* const value = published.load(std::memory_order_acquire)) sum = *value;
      std::atomic_signal_fence(std::memory_order_seq_cst);
      reading.store(0, std::memory_order_relaxed);
    });
    int* const old = published.exchange(nullptr);
    if (before_the_look) Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    while (reading.load(std::memory_order_relaxed) != 0) std::this_thread::yield();
    if (after_it) Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    delete old;
    reader.join();
  };
}

TEST(Membarrier, OrdersWhatWasDoneBeforeAStep) {
  const ExploreResult result = SearchAll(ReadCopyUpdate(true, true));
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(Membarrier, MayComeRightBehindAStep) {
  EXPECT_EQ(SearchAll(ReadCopyUpdate(false, true)).verdict.kind, VerdictKind::kRace);
  EXPECT_EQ(Walk(ReadCopyUpdate(false, true)).verdict.kind, VerdictKind::kRace);
}

TEST(Membarrier, MayBeMissingWhereReadersLeave) {
  EXPECT_EQ(SearchAll(ReadCopyUpdate(true, false)).verdict.kind, VerdictKind::kRace);
}

// Two in a row are no more than one while the other thread does not get on.
TEST(Membarrier, TwiceIsStillBehindTheSameStep) {
  const auto look = [](const std::function<void()>& fence) {
    return [fence] {
      std::atomic<int> begun = 0;
      int written = 0;
      if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) std::abort();
      std::thread writer([&] {
        begun.store(1, std::memory_order_relaxed);
        written = 1;
      });
      if (begun.load(std::memory_order_relaxed) != 0) {
        fence();
        written = 2;
      }
      writer.join();
    };
  };
  EXPECT_EQ(SearchAll(look([] {
              Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
              Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
            })).verdict.kind,
            VerdictKind::kRace);
}

// Who has not said that it is going to use it has no fence. What one execution has said the next
// has not.
TEST(Membarrier, WithoutRegistrationIsNone) {
  const ExploreResult of_threads = SearchAll(StoreBuffering([] {
    if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 || errno != EPERM) std::exit(1);
  }));
  EXPECT_EQ(of_threads.verdict.kind, VerdictKind::kAbort);
  const ExploreResult of_processes = SearchAll(StoreBuffering([] {
    if (Membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED) != 0) std::exit(1);
  }));
  EXPECT_EQ(of_processes.verdict.kind, VerdictKind::kAbort);
}

TEST(Membarrier, SaysWhatItKnows) {
  const ExploreResult result = Walk([] {
    if ((Membarrier(MEMBARRIER_CMD_QUERY) & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) std::abort();
    if (Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) std::abort();
    std::thread([] {}).join();  // steps
  });
  ExpectPass(result);
}

// Last: the process has it from now on.
TEST(Membarrier, RegistrationBeforeTheExecutionCounts) {
  ASSERT_EQ(Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), 0);
  ExpectPass(SearchAll(StoreBuffering([] {
    if (Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) std::abort();
  })));
  EXPECT_EQ(Walk(ReadCopyUpdate(false, true)).verdict.kind, VerdictKind::kRace);
}

}  // namespace
}  // namespace jacquard
