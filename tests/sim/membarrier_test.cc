// membarrier(2): a fence of all threads by one of them.
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

// The other thread needs none.
TEST(Membarrier, IsAFenceOfAllThreads) {
  const ExploreResult result = SearchAll(StoreBuffering([] {
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0) std::abort();
  }));
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(Membarrier, WithoutItNeitherMaySeeTheOther) {
  const ExploreResult fence_of_one =
      SearchAll(StoreBuffering([] { std::atomic_thread_fence(std::memory_order_seq_cst); }));
  EXPECT_EQ(fence_of_one.verdict.kind, VerdictKind::kAbort);
}

TEST(Membarrier, SaysWhatItKnows) {
  const ExploreResult result = Walk([] {
    const long known = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if ((known & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) std::abort();
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) std::abort();
    std::thread([] {}).join();  // steps
  });
  ExpectPass(result);
}

}  // namespace
}  // namespace jacquard
