// A spin lock: one flag.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_SPIN_LOCK_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_SPIN_LOCK_H_

#include <atomic>

namespace examples {

class SpinLock {
 public:
  void lock() {
    // Acquire: pairs with the release in unlock().
    while (taken_.exchange(true, std::memory_order_acquire)) {
    }
  }
  void unlock() { taken_.store(false, std::memory_order_release); }

 protected:
  std::atomic<bool> taken_ = false;
};

// Broken: what was written under the lock need not be there for the next owner.
class BrokenSpinLock : public SpinLock {
 public:
  void unlock() { taken_.store(false, std::memory_order_relaxed); }
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_SPIN_LOCK_H_
