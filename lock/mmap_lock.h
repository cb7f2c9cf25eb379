// The mmap lock: the lock of a whole address space, to which the VMA locks belong.
//
// A reader-writer semaphore, a sequence counter that tells the write sections apart, and the place
// where a writer sleeps who waits for the readers of one VMA. (One place is enough: only the owner
// for writing ever sleeps there.)
//
// Between taking the lock for writing and the first step of the section the counter is still even:
// "odd" implies "held for writing", but not the other way round.
#ifndef JACQUARD_LOCK_MMAP_LOCK_H_
#define JACQUARD_LOCK_MMAP_LOCK_H_

#include <optional>
#include <stop_token>

#include "lock/check.h"
#include "lock/rcu_wait.h"
#include "lock/rw_semaphore.h"
#include "lock/sequence.h"
#include "lock/thread_annotations.h"
#include "lock/widths.h"

namespace jacquard::lock {

template <LockWidths Widths>
class JACQUARD_CAPABILITY("mmap_lock") BasicMmapLock {
 public:
  using Counter = SequenceCounter<Widths::kSequenceBits>;
  using SequenceValue = typename Counter::Value;

  BasicMmapLock() = default;
  BasicMmapLock(const BasicMmapLock&) = delete;
  BasicMmapLock& operator=(const BasicMmapLock&) = delete;

  // --- Reading: as RwSemaphore ---

  void LockShared() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    semaphore_.LockShared();
  }
  [[nodiscard]] bool LockSharedKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return semaphore_.LockSharedKillable(stop);
  }
  [[nodiscard]] bool TryLockShared()
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return semaphore_.TryLockShared();
  }
  void UnlockShared() JACQUARD_RELEASE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    semaphore_.UnlockShared();
  }

  // --- Writing: as RwSemaphore, and a write section from beginning to end ---

  void Lock() JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    semaphore_.Lock();
    counter_.BeginWriteSection();
  }
  [[nodiscard]] bool LockKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!semaphore_.LockKillable(stop)) return false;
    counter_.BeginWriteSection();
    return true;
  }
  [[nodiscard]] bool TryLock() JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!semaphore_.TryLock()) return false;
    counter_.BeginWriteSection();
    return true;
  }

  // Ends the write section, and with it all write locks of VMAs, and drops the lock.
  void Unlock() JACQUARD_RELEASE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    counter_.EndWriteSection();
    semaphore_.Unlock();
  }

  // Ends the write section, and with it all write locks of VMAs, and goes on reading: other writers
  // stay out, readers may come in at once, of the mm and of its VMAs.
  void Downgrade() JACQUARD_RELEASE() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    counter_.EndWriteSection();
    semaphore_.Downgrade();
  }

  // --- Reading without the lock: see SequenceCounter ---

  [[nodiscard]] std::optional<SequenceValue> SpeculateTryBegin() const {
    return counter_.SpeculateTryBegin();
  }
  [[nodiscard]] bool SpeculateRetry(SequenceValue begin) const {
    return counter_.SpeculateRetry(begin);
  }

  // --- Assertions ---

  // Abort unless *somebody* holds the lock so; the word does not know who.
  void AssertWriteLocked() const JACQUARD_ASSERT_HELD(this) {
    JACQUARD_LOCK_CHECK(semaphore_.IsWriteLocked(), "mmap lock not held for writing");
  }
  void AssertLocked() const JACQUARD_ASSERT_HELD_SHARED(this) {
    JACQUARD_LOCK_CHECK(semaphore_.IsLocked(), "mmap lock not held");
  }

  // --- The parts, for the VMA locks and for observers ---

  const RwSemaphore& semaphore() const { return semaphore_; }
  const Counter& counter() const { return counter_; }
  RcuWait& writer_wait() { return writer_wait_; }

 private:
  RwSemaphore semaphore_;
  Counter counter_;
  RcuWait writer_wait_;
};

using MmapLock = BasicMmapLock<KernelWidths>;

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_MMAP_LOCK_H_
