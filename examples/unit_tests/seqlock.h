// A sequence lock: readers never wait for each other, and try again when a writer was there. After
// Hans Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?" (2012).
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_SEQLOCK_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_SEQLOCK_H_

#include <atomic>
#include <utility>

namespace examples {

class Seqlock {
 public:
  // One writer at a time.
  void Write(int first, int second) {
    const unsigned number = number_.load(std::memory_order_relaxed);
    number_.store(number + 1, std::memory_order_relaxed);
    // Release: who sees the data below sees that they are being written. Pairs with the fence in
    // Read().
    std::atomic_thread_fence(std::memory_order_release);
    first_.store(first, std::memory_order_relaxed);
    second_.store(second, std::memory_order_relaxed);
    number_.store(number + 2, std::memory_order_release);  // pairs with the load in Read()
  }

  std::pair<int, int> Read() const {
    for (;;) {
      const unsigned before = number_.load(std::memory_order_acquire);
      const std::pair values(first_.load(std::memory_order_relaxed),
                             second_.load(std::memory_order_relaxed));
      std::atomic_thread_fence(std::memory_order_acquire);  // pairs with the fence in Write()
      if (before % 2 == 0 && number_.load(std::memory_order_relaxed) == before) return values;
    }
  }

 protected:
  std::atomic<unsigned> number_ = 0;  // odd: a writer is there
  std::atomic<int> first_ = 0;
  std::atomic<int> second_ = 0;
};

// Broken: without the fence the number may be read again before the data are.
class BrokenSeqlock : public Seqlock {
 public:
  std::pair<int, int> Read() const {
    for (;;) {
      const unsigned before = number_.load(std::memory_order_acquire);
      const std::pair values(first_.load(std::memory_order_relaxed),
                             second_.load(std::memory_order_relaxed));
      if (before % 2 == 0 && number_.load(std::memory_order_relaxed) == before) return values;
    }
  }
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_SEQLOCK_H_
