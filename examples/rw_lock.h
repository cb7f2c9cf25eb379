// A reader/writer lock in one word, as somebody might write it: the example of the README.
#ifndef JACQUARD_EXAMPLES_RW_LOCK_H_
#define JACQUARD_EXAMPLES_RW_LOCK_H_

#include <atomic>

namespace examples {

// Readers are preferred; a steady stream of them starves writers. Not recursive.
class RwLock {
 public:
  // What the word says.
  static constexpr int kFree = 0;
  static constexpr int kWriter = -1;  // positive: so many readers

  void lock_shared() {
    int word = word_.load(std::memory_order_relaxed);  // the exchange below acquires
    for (;;) {
      if (word == kWriter) {
        word_.wait(word, std::memory_order_relaxed);
        word = word_.load(std::memory_order_relaxed);
        // Acquire: pairs with the release in unlock().
      } else if (word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        return;
      }
    }
  }

  void unlock_shared() {
    // Pairs with the acquire in try_lock(). Not only release, or notify_all() might overlook a
    // writer that is about to sleep. The last reader wakes the writers.
    if (word_.fetch_sub(1, std::memory_order_seq_cst) == 1) word_.notify_all();
  }

  bool try_lock() {
    int expected = kFree;
    // Acquire: pairs with the releases in unlock() and unlock_shared().
    return word_.compare_exchange_strong(expected, kWriter, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  void lock() {
    while (!try_lock()) {
      const int word = word_.load(std::memory_order_relaxed);  // try_lock() acquires
      if (word != kFree) word_.wait(word, std::memory_order_relaxed);
    }
  }

  void unlock() {
    // Pairs with the acquires in lock_shared() and try_lock(); seq_cst as in unlock_shared().
    word_.store(kFree, std::memory_order_seq_cst);
    word_.notify_all();
  }

  const std::atomic<int>& word() const { return word_; }

 protected:
  std::atomic<int> word_ = kFree;
};

// Broken: a writer may come between a reader's look at the word and its entry.
class BrokenRwLock : public RwLock {
 public:
  void lock_shared() {
    word_.wait(kWriter);
    word_.fetch_add(1);
  }
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_RW_LOCK_H_
