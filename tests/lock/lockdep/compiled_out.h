#ifndef JACQUARD_TESTS_LOCK_LOCKDEP_COMPILED_OUT_H_
#define JACQUARD_TESTS_LOCK_LOCKDEP_COMPILED_OUT_H_

#include <atomic>

#include "lock/lockdep/checked.h"

namespace jacquard::lock::lockdep {

// Calls nothing, so that its code is the same wherever it lies.
class SpinLock {
 public:
  void lock() {
    // Acquire: pairs with unlock and unlock_shared.
    for (int free = 0; !word_.compare_exchange_weak(free, -1, std::memory_order_acquire); free = 0)
      continue;
  }
  // Release: pairs with the acquires.
  void unlock() { word_.store(0, std::memory_order_release); }
  void lock_shared() {
    // Acquire: pairs with unlock. Relaxed: a guess.
    for (int readers = word_.load(std::memory_order_relaxed);
         readers < 0 ||
         !word_.compare_exchange_weak(readers, readers + 1, std::memory_order_acquire);)
      readers = word_.load(std::memory_order_relaxed);
  }
  // Release: pairs with lock.
  void unlock_shared() { word_.fetch_sub(1, std::memory_order_release); }

 private:
  std::atomic<int> word_ = 0;
};

void PlainSections(SpinLock& lock, int& count);
void HookedSections(Checked<SpinLock, AcquireMode::kShared, NoValidator>& lock, int& count);
void CheckedSections(Checked<SpinLock>& lock, int& count);

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_TESTS_LOCK_LOCKDEP_COMPILED_OUT_H_
