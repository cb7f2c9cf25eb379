// The peers' wrappers: writers exclude writers and readers, readers do not exclude readers.
#include "stress/benchmarks/peers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace jacquard::benchmarks {
namespace {

using Locks = ::testing::Types<Vma, PthreadRwlock, SharedMutex, AbslMutex, BoostSharedMutex,
                               NsyncMu, CkRwlock, CkPflock>;

template <class Lock>
class PeersTest : public ::testing::Test {};

class NameOfLock {
 public:
  template <class Lock>
  static std::string GetName(int) {
    return Lock::kName;
  }
};
TYPED_TEST_SUITE(PeersTest, Locks, NameOfLock);

TYPED_TEST(PeersTest, TwoReadersAreInsideTogether) {
  TypeParam lock;
  lock.lock_shared();
  // Comes in and leaves while we are inside; a lock that excludes readers would never end.
  std::thread([&lock] {
    lock.lock_shared();
    lock.unlock_shared();
  }).join();
  lock.unlock_shared();
}

// Two words that a writer changes one after the other: relaxed atomics, so that a lock that lets
// two in shows a wrong count and not undefined behaviour.
TYPED_TEST(PeersTest, WritersExclude) {
  // Few: in a spin lock's queue, who is not running keeps all others from running.
  constexpr int kRounds = 300;
  TypeParam lock;
  std::atomic<int> first = 0;
  std::atomic<int> second = 0;
  std::atomic<int> torn = 0;
  const auto add = [](std::atomic<int>& word) {
    word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  };
  const auto work = [&] {
    for (int i = 0; i < kRounds; ++i) {
      lock.lock();
      add(first);
      if (i % 8 == 0) std::this_thread::yield();  // whoever could come in does
      add(second);
      lock.unlock();
      lock.lock_shared();
      if (first.load(std::memory_order_relaxed) != second.load(std::memory_order_relaxed)) ++torn;
      lock.unlock_shared();
    }
  };
  std::thread other(work);
  work();
  other.join();
  EXPECT_EQ(first, 2 * kRounds);
  EXPECT_EQ(second, 2 * kRounds);
  EXPECT_EQ(torn, 0);
}

// The same test must fire on what does not exclude: the limit says so by having no lock().
template <class Lock>
concept HasWriters = requires(Lock& lock) { lock.lock(); };
static_assert(HasWriters<Vma> && !HasWriters<CounterPair>);

}  // namespace
}  // namespace jacquard::benchmarks
