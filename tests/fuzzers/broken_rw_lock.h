// Reader/writer locks with one mistake each, for the tests: the fuzzer must find them.
#ifndef JACQUARD_TESTS_FUZZERS_BROKEN_RW_LOCK_H_
#define JACQUARD_TESTS_FUZZERS_BROKEN_RW_LOCK_H_

#include <atomic>

namespace jacquard::tests {

// Looks, and takes the lock in a second step: a thread can come between.
class CheckThenActRwLock {
 public:
  void lock_shared() {
    for (;;) {
      const int word = word_.load();
      if (word < 0) {
        word_.wait(word);
      } else {
        word_.store(word + 1);  // the mistake
        return;
      }
    }
  }
  void unlock_shared() {
    word_.fetch_sub(1);
    word_.notify_all();
  }
  bool try_lock() {
    int expected = 0;
    return word_.compare_exchange_strong(expected, -1);
  }
  void lock() {
    while (!try_lock()) {
      const int word = word_.load();
      if (word != 0) word_.wait(word);
    }
  }
  void unlock() {
    word_.store(0);
    word_.notify_all();
  }
  const std::atomic<int>& word() const { return word_; }

 private:
  std::atomic<int> word_ = 0;
};

// Readers leave without waking a writer that sleeps.
class SilentReaderRwLock {
 public:
  void lock_shared() {
    for (;;) {
      int word = word_.load();
      if (word < 0) {
        word_.wait(word);
      } else if (word_.compare_exchange_strong(word, word + 1)) {
        return;
      }
    }
  }
  void unlock_shared() { word_.fetch_sub(1); }  // the mistake
  bool try_lock() {
    int expected = 0;
    return word_.compare_exchange_strong(expected, -1);
  }
  void lock() {
    while (!try_lock()) {
      const int word = word_.load();
      if (word != 0) word_.wait(word);
    }
  }
  void unlock() {
    word_.store(0);
    word_.notify_all();
  }
  const std::atomic<int>& word() const { return word_; }

 private:
  std::atomic<int> word_ = 0;
};

}  // namespace jacquard::tests

#endif  // JACQUARD_TESTS_FUZZERS_BROKEN_RW_LOCK_H_
