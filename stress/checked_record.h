// Data that a lock guards, and that shows whether it did: words that follow from the number of
// writes, and a checksum over them.
#ifndef JACQUARD_STRESS_CHECKED_RECORD_H_
#define JACQUARD_STRESS_CHECKED_RECORD_H_

#include <atomic>
#include <cstdint>

#include "sim/runtime.h"

namespace jacquard {

class CheckedRecord {
 public:
  // Under the lock, for reading: the number of writes. Fails if the record is not whole.
  std::uint64_t Check() const {
    std::uint64_t sum = writes_;
    for (const std::uint64_t word : words_) sum = Mixed(sum, word);
    jacquard::Check(sum == checksum_, "a record is not whole");
    return writes_;
  }

  // Under the lock, for writing.
  void Write() {
    Check();
    std::uint64_t sum = ++writes_;
    Speculative(first_).store(writes_, std::memory_order_relaxed);
    for (std::uint64_t& word : words_) {
      word = Mixed(word, writes_);
      sum = Mixed(sum, word);
    }
    checksum_ = sum;
    Speculative(last_).store(writes_, std::memory_order_relaxed);
  }

  // What who holds no lock has seen, which must be worth nothing unless the mm's sequence says so.
  struct Glimpse {
    std::uint64_t first;
    std::uint64_t last;
    bool IsWhole() const { return first == last; }
  };
  // Relaxed, here and above: pairs with nothing; the mm's sequence orders it.
  Glimpse Look() {
    return {Speculative(first_).load(std::memory_order_relaxed),
            Speculative(last_).load(std::memory_order_relaxed)};
  }

 private:
  using Speculative = std::atomic_ref<std::uint64_t>;

  static constexpr std::uint64_t Mixed(std::uint64_t one, std::uint64_t other) {
    return (one ^ other) * 0x9e3779b97f4a7c15 + 1;
  }
  static constexpr int kWords = 8;
  static constexpr std::uint64_t OfZeros() {
    std::uint64_t sum = 0;
    for (int i = 0; i < kWords; ++i) sum = Mixed(sum, 0);
    return sum;
  }

  std::uint64_t writes_ = 0;
  std::uint64_t words_[kWords] = {};
  std::uint64_t checksum_ = OfZeros();
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace jacquard

#endif  // JACQUARD_STRESS_CHECKED_RECORD_H_
