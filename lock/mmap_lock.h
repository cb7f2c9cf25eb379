// The mmap lock: the lock of a whole address space, to which the VMA locks belong.
//
// A reader-writer semaphore, a sequence counter that tells the write sections apart, and the place
// where a writer sleeps who waits for the readers of one VMA. (One place is enough: only the owner
// for writing ever sleeps there.)
//
// It also counts those who hold on to the structure that it is part of (struct_count.h): a reader
// of a recycled VMA touches the mm of a stranger.
//
// A validator (validator.h) hears of each acquisition: as one that may wait before the wait, as a
// try after its success.
//
// Between taking the lock for writing and the first step of the section the counter is still even:
// "odd" implies "held for writing", but not the other way round.
#ifndef JACQUARD_LOCK_MMAP_LOCK_H_
#define JACQUARD_LOCK_MMAP_LOCK_H_

#include <cstdint>
#include <optional>
#include <stop_token>

#include "lock/check.h"
#include "lock/rcu_wait.h"
#include "lock/rw_semaphore.h"
#include "lock/sequence.h"
#include "lock/struct_count.h"
#include "lock/thread_annotations.h"
#include "lock/validator.h"
#include "lock/widths.h"

namespace jacquard::lock {

template <LockWidths Widths, LockValidator Validator = NoValidator>
class JACQUARD_CAPABILITY("mmap_lock") BasicMmapLock {
 public:
  using Counter = SequenceCounter<Widths::kSequenceBits>;
  using SequenceValue = typename Counter::Value;
  // Destroys what the lock is part of.
  using Destroy = void (*)(BasicMmapLock& mm);

  // An mm that its owner destroys; nobody may hold on to it then.
  BasicMmapLock() : BasicMmapLock(nullptr) {}
  // An mm that is destroyed by whoever lets go of it last: the creator, too, calls Drop once. So it
  // must be if VMAs are recycled.
  explicit BasicMmapLock(Destroy destroy) : destroy_(destroy) {}
  BasicMmapLock(const BasicMmapLock&) = delete;
  BasicMmapLock& operator=(const BasicMmapLock&) = delete;

  // --- Reading: as RwSemaphore ---

  void LockShared() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    Validator::Acquire(map_, {.mode = AcquireMode::kShared});
    semaphore_.LockShared();
  }
  [[nodiscard]] bool LockSharedKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    Validator::Acquire(map_, {.mode = AcquireMode::kShared});
    if (semaphore_.LockSharedKillable(stop)) return true;
    Validator::Release(map_);
    return false;
  }
  [[nodiscard]] bool TryLockShared()
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!semaphore_.TryLockShared()) return false;
    Validator::Acquire(map_, {.mode = AcquireMode::kShared, .try_lock = true});
    return true;
  }
  void UnlockShared() JACQUARD_RELEASE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    Validator::Release(map_);
    semaphore_.UnlockShared();
  }

  // --- Writing: as RwSemaphore, and a write section from beginning to end ---

  void Lock() JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS { LockNested(0); }
  // The same for who has another mm locked already, and tells the two apart by `subclass`. The
  // kernel's mmap_write_lock_nested.
  void LockNested(int subclass) JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    Validator::Acquire(map_, {.mode = AcquireMode::kExclusive, .subclass = subclass});
    semaphore_.Lock();
    counter_.BeginWriteSection();
  }
  [[nodiscard]] bool LockKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    Validator::Acquire(map_, {.mode = AcquireMode::kExclusive});
    if (!semaphore_.LockKillable(stop)) {
      Validator::Release(map_);
      return false;
    }
    counter_.BeginWriteSection();
    return true;
  }
  [[nodiscard]] bool TryLock() JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!semaphore_.TryLock()) return false;
    Validator::Acquire(map_, {.mode = AcquireMode::kExclusive, .try_lock = true});
    counter_.BeginWriteSection();
    return true;
  }

  // Ends the write section, and with it all write locks of VMAs, and drops the lock.
  void Unlock() JACQUARD_RELEASE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    counter_.EndWriteSection();
    Validator::Release(map_);
    semaphore_.Unlock();
  }

  // Ends the write section, and with it all write locks of VMAs, and goes on reading: other writers
  // stay out, readers may come in at once, of the mm and of its VMAs.
  void Downgrade() JACQUARD_RELEASE() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    counter_.EndWriteSection();
    Validator::Downgrade(map_);
    semaphore_.Downgrade();
  }

  // --- Reading without the lock: see SequenceCounter ---

  [[nodiscard]] std::optional<SequenceValue> SpeculateTryBegin() const {
    return counter_.SpeculateTryBegin();
  }
  [[nodiscard]] bool SpeculateRetry(SequenceValue begin) const {
    return counter_.SpeculateRetry(begin);
  }

  // --- Life ---

  // Holds on to the structure. The caller must know that it is not destroyed yet: by a hold of its
  // own, or by a reference to one of the mm's VMAs, which keeps that from being detached. The
  // kernel's mmgrab.
  void Grab() { structs_.Grab(); }
  // Lets go; with the last one the structure is destroyed. The kernel's mmdrop.
  void Drop() {
    if (!structs_.Drop()) return;
    JACQUARD_LOCK_CHECK(destroy_ != nullptr, "mm dropped that its owner destroys");
    destroy_(*this);
  }

  // --- Assertions ---

  // Abort unless the caller holds the lock so. Precise if the validator keeps books. Without, they
  // pass if *somebody* does, for the word does not know who: wrong if that is another thread. They
  // never abort wrongly.
  void AssertWriteLocked() const JACQUARD_ASSERT_HELD(this) {
    JACQUARD_LOCK_CHECK(MayBeWriteLockedByMe(), "mmap lock not held for writing");
  }
  void AssertLocked() const JACQUARD_ASSERT_HELD_SHARED(this) {
    JACQUARD_LOCK_CHECK(MayBeLockedByMe(), "mmap lock not held");
  }
  // What they go by: false is sure.
  bool MayBeWriteLockedByMe() const {
    return Validator::IsHeld(map_, AcquireMode::kExclusive) != Held::kNo &&
           (kKeepsBooks<Validator> || semaphore_.IsWriteLocked());
  }
  bool MayBeLockedByMe() const {
    return Validator::IsHeld(map_) != Held::kNo &&
           (kKeepsBooks<Validator> || semaphore_.IsLocked());
  }

  // --- The parts, for the VMA locks and for observers ---

  const RwSemaphore& semaphore() const { return semaphore_; }
  const Counter& counter() const { return counter_; }
  RcuWait& writer_wait() { return writer_wait_; }
  std::uint32_t holders() const { return structs_.LoadRelaxed(); }

 private:
  RwSemaphore semaphore_;
  Counter counter_;
  RcuWait writer_wait_;
  StructCount structs_;
  const Destroy destroy_;
  [[no_unique_address]] typename Validator::Map map_{"mmap_lock"};
};

using MmapLock = BasicMmapLock<KernelWidths>;

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_MMAP_LOCK_H_
