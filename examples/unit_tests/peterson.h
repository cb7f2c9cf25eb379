// Peterson's mutual exclusion for two threads (1981), with loads and stores only.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_PETERSON_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_PETERSON_H_

#include <atomic>

namespace examples {

template <std::memory_order kStore, std::memory_order kLoad>
class PetersonLock {
 public:
  // `me` is 0 or 1.
  void Lock(int me) {
    wants_[me].store(true, kStore);
    turn_.store(1 - me, kStore);
    while (wants_[1 - me].load(kLoad) && turn_.load(kLoad) == 1 - me) {
    }
  }
  void Unlock(int me) { wants_[me].store(false, kStore); }

 private:
  std::atomic<bool> wants_[2] = {};
  std::atomic<int> turn_ = 0;
};

using Peterson = PetersonLock<std::memory_order_seq_cst, std::memory_order_seq_cst>;

// Broken: each thread may read the other's flag before its own is seen. x86 does so, too.
using BrokenPeterson = PetersonLock<std::memory_order_release, std::memory_order_acquire>;

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_PETERSON_H_
