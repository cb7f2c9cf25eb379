// A test-and-set spin lock.
#ifndef SPIN_LOCK_H_
#define SPIN_LOCK_H_

#include <atomic>

class SpinLock {
 public:
  void lock() {
    // Pairs with unlock: what the last owner wrote is visible.
    while (locked_.exchange(true, std::memory_order_acquire)) {
    }
  }

  // `order` is for the test that shows what a weaker one does.
  void unlock(std::memory_order order = std::memory_order_release) { locked_.store(false, order); }

 private:
  std::atomic<bool> locked_{false};
};

#endif  // SPIN_LOCK_H_
