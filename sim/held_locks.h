// The locks that a simulated thread holds: for the oracles that ask who holds what.
#ifndef JACQUARD_SIM_HELD_LOCKS_H_
#define JACQUARD_SIM_HELD_LOCKS_H_

#include <cstdint>

namespace jacquard::sim {

enum class HeldKind : uint8_t {
  kMutex,
  kShared,     // a reader/writer lock, as a reader
  kExclusive,  // the same, as the writer
  kSpinLock,
  kOnce,    // runs an initialisation that others wait for
  kStream,  // flockfile
};

struct HeldLock {
  const void* lock;
  HeldKind kind;
  uint32_t number;  // the how manieth that the thread has taken, from 1
  uint64_t step;    // how many steps had been taken
  uintptr_t pc;     // the call that took it
};

// One thread's locks, in the order in which it took them. A reader that has locked twice is in it
// twice; a recursive mutex once.
class HeldLocks {
 public:
  void Clear() { count_ = untracked_ = 0; }

  void Add(const HeldLock& lock) {
    if (count_ == kMost) {
      ++untracked_;
      return;
    }
    locks_[count_++] = lock;
  }

  // Forgets the last one of that lock and kind. False: there was none.
  bool Remove(const void* lock, HeldKind kind) {
    for (int i = count_; i-- > 0;) {
      if (locks_[i].lock != lock || locks_[i].kind != kind) continue;
      --count_;
      for (; i < count_; ++i) locks_[i] = locks_[i + 1];
      return true;
    }
    if (untracked_ == 0) return false;
    --untracked_;
    return true;
  }

  // Null if it is not in the list.
  const HeldLock* Find(const void* lock) const {
    for (int i = count_; i-- > 0;) {
      if (locks_[i].lock == lock) return &locks_[i];
    }
    return nullptr;
  }

  bool AreMany() const { return count_ > 1; }
  const HeldLock* begin() const { return locks_; }
  const HeldLock* end() const { return locks_ + count_; }
  // Whether there were too many: then Find and the list may not know all.
  bool IsIncomplete() const { return untracked_ != 0; }

 private:
  static constexpr int kMost = 64;
  int count_ = 0;
  int untracked_ = 0;
  HeldLock locks_[kMost] = {};
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_HELD_LOCKS_H_
