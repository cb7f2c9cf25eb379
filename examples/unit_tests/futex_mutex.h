// The three mutexes of Ulrich Drepper's "Futexes Are Tricky" (2011), and what goes wrong when a
// line of each is left out.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_FUTEX_MUTEX_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_FUTEX_MUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace examples {

class Futex {
 protected:
  void Wait(uint32_t expected) {
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, expected, nullptr);
  }
  void WakeOne() { syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1); }
  // Returns what the word was.
  uint32_t Exchange(uint32_t expected, uint32_t desired) {
    word_.compare_exchange_strong(expected, desired);
    return expected;
  }

  std::atomic<uint32_t> word_ = 0;  // 0: free
};

// The first one: counts who wants it. Everybody who comes wakes nobody, and each unlock makes a
// system call.
class FutexMutex1 : public Futex {
 public:
  void lock() {
    for (uint32_t before; (before = word_.fetch_add(1)) != 0;) Wait(before + 1);
  }
  void unlock() {
    word_.store(0);
    WakeOne();
  }
};

// The second one: 1 is locked, 2 is locked and somebody may wait.
class FutexMutex2 : public Futex {
 public:
  void lock() {
    uint32_t before = Exchange(0, 1);
    while (before != 0) {
      if (before == 2 || Exchange(1, 2) != 0) Wait(2);
      before = Exchange(0, 2);  // 2: others may wait as well
    }
  }
  void unlock() {
    if (word_.fetch_sub(1) == 1) return;
    word_.store(0);
    WakeOne();
  }
};

// The third one: an exchange in place of two compare-exchanges.
class FutexMutex3 : public Futex {
 public:
  void lock() {
    uint32_t before = Exchange(0, 1);
    if (before == 0) return;
    if (before != 2) before = word_.exchange(2);
    while (before != 0) {
      Wait(2);
      before = word_.exchange(2);
    }
  }
  void unlock() {
    if (word_.fetch_sub(1) == 1) return;
    word_.store(0);
    WakeOne();
  }
};

// Broken: wakes before the word says that it is free. Who is woken sleeps again.
class BrokenFutexMutex1 : public FutexMutex1 {
 public:
  void unlock() {
    WakeOne();
    word_.store(0);
  }
};

// Broken: who was woken forgets that others may wait as well.
class BrokenFutexMutex2 : public FutexMutex2 {
 public:
  void lock() {
    uint32_t before = Exchange(0, 1);
    while (before != 0) {
      if (before == 2 || Exchange(1, 2) != 0) Wait(2);
      before = Exchange(0, 1);
    }
  }
};

// Broken: takes a step down from 2 for free.
class BrokenFutexMutex3 : public FutexMutex3 {
 public:
  void unlock() {
    if (word_.fetch_sub(1) != 1) WakeOne();
  }
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_FUTEX_MUTEX_H_
