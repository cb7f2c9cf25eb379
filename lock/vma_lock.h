// The per-VMA lock: readers of one VMA need not touch the lock of the whole address space.
//
// A reader counts itself into the VMA's reference word and then looks whether the VMA is
// write-locked; if so it counts itself out and falls back to the mmap lock. Readers never wait
// here. A writer holds the mmap lock for writing, shuts out the readers of this VMA for a moment,
// waits for those inside to leave, and marks the VMA with the number of its write section: from
// then on every reader turns back. There is no unlocking of one VMA: the end of the write section
// makes the number out of date, for all VMAs at once.
//
//     operation       word                                      VMA's number
//     StartRead       +1 if not 0 and below the limit           compared; this section's: -1 again
//     EndRead         -1, and a hint to the writer
//     StartWrite      +FLAG, wait for FLAG + 1, -FLAG           set to this section's before -FLAG
//     MarkAttached    0 -> 1
//     MarkDetached    -1; if not 0: +FLAG, wait for FLAG, -FLAG
//
// A VMA may be freed and handed out again, as one of another mm, while a reader that found it
// before is about to count itself in (type_stable_pool.h). The reader notices *after* it has a
// reference: from then on the VMA cannot be detached, so its mm is alive. The reader counts itself
// out again, and holds on to that mm until it has woken its writer, if need be: the decrement may
// be what an exiting writer has waited for.
//
// The parts, each to be understood alone: reference_word.h (what the values mean), refcount.h,
// sequence.h, rcu_wait.h, exclude_readers.h (the two lines with "wait for"), mmap_lock.h.
//
// One thing does not hold at any width: StartWrite takes a VMA that carries this section's number
// for write-locked. When the sequence comes round, after 2^(bits-1) write sections, an old number
// deceives it, and readers may be inside.
#ifndef JACQUARD_LOCK_VMA_LOCK_H_
#define JACQUARD_LOCK_VMA_LOCK_H_

#include <atomic>
#include <stop_token>
#include <utility>

#include "lock/check.h"
#include "lock/exclude_readers.h"
#include "lock/mmap_lock.h"
#include "lock/refcount.h"
#include "lock/reference_word.h"
#include "lock/thread_annotations.h"
#include "lock/validator.h"
#include "lock/widths.h"

namespace jacquard::lock {

enum class ReadResult {
  kLocked,     // read-locked; EndRead must follow
  kDetached,   // the VMA is gone from the tree: look up again, there may be another one
  kContended,  // not now: write-locked, being write-locked, or full; fall back to the mmap lock
};

template <LockWidths Widths, LockValidator Validator = NoValidator>
class BasicVmaLock {
 public:
  using Mmap = BasicMmapLock<Widths, Validator>;
  using Values = ReferenceWord<Widths>;
  using Word = typename Values::Word;
  using SequenceValue = typename Values::SequenceValue;

  // A detached VMA of no mm: it has to be initialized.
  BasicVmaLock() = default;
  // A detached VMA of `mm`.
  explicit BasicVmaLock(Mmap& mm) : mm_(&mm) {}

  // The VMA must be detached by now (checked).
  ~BasicVmaLock() {
    JACQUARD_LOCK_CHECK(Values::IsDetached(references_.LoadRelaxed()),
                        "VMA destroyed while attached");
  }

  BasicVmaLock(const BasicVmaLock&) = delete;
  BasicVmaLock& operator=(const BasicVmaLock&) = delete;

  // Makes it a VMA of `mm`, which must outlive its being attached, and never write-locked. It must
  // be detached (checked) and the caller's alone, but for readers of its former life, who can raise
  // no count of 0. The kernel's vma_lock_init.
  void Initialize(Mmap& mm) {
    JACQUARD_LOCK_CHECK(Values::IsDetached(references_.LoadRelaxed()),
                        "VMA recycled while attached");
    // Relaxed, both: MarkAttached publishes them to whoever gets a reference. A reader of the
    // former life may see them earlier, in the check that decides nothing.
    mm_.store(&mm, std::memory_order_relaxed);
    lock_sequence_.store(Values::LockSequence::kNeverLocked, std::memory_order_relaxed);
  }

  // --- Readers ---

  // Tries to read-lock; `mm` is the mm in which the caller has found the VMA. Needs no lock, never
  // sleeps. One compare-exchange and five loads if nobody is in the way. The reader sees everything
  // that was written under the VMA's write lock. kContended may also be said of a detached VMA. The
  // kernel's vma_start_read.
  [[nodiscard]] ReadResult StartRead(Mmap& mm) {
    // Saves the round trip below in most cases where it would be in vain; decides nothing.
    if (Values::IsWriteLocked(LoadLockSequence(), mm.counter().LoadRelaxed())) {
      return ReadResult::kContended;
    }
    // Acquire inside, pairs with the end of ExcludeReaders and with MarkAttached: the number that
    // we look at below is at least as new as the word.
    const auto increment = references_.IncrementUnlessZeroAcquire(Values::kReaderLimit);
    if (!increment.incremented) {
      return Values::IsDetached(increment.before) ? ReadResult::kDetached : ReadResult::kContended;
    }
    Validator::Acquire(map_, kReaderTry);
    Mmap* const its_mm = LoadMm();
    if (its_mm != &mm) [[unlikely]] {
      PutForeign(*its_mm);
      return ReadResult::kContended;
    }
    // The mm's number is loaded with acquire, which pairs with the stores of BeginWriteSection and
    // EndWriteSection: if the section that locked the VMA is over, we see all that was written in
    // it.
    if (Values::IsWriteLocked(LoadLockSequence(), mm.counter().LoadAcquire())) {
      Put(mm);
      return ReadResult::kContended;
    }
    return ReadResult::kLocked;
  }

  // Read-locks under the mmap lock: no writer can be at work, so the numbers do not matter (one
  // that is met by accident would be fatal here, as there is nothing to fall back to). False only
  // if the word is full, or the VMA detached. Never sleeps. A writer that does this to a VMA it has
  // write-locked is both at once. The kernel's vma_start_read_locked.
  [[nodiscard]] bool StartReadLocked(Mmap& mm) JACQUARD_REQUIRES_SHARED(mm) {
    JACQUARD_LOCK_CHECK(LoadMm() == &mm, "VMA of another mm");
    // Acquire inside, pairs with MarkAttached; the writers' doings the mmap lock has brought us.
    if (!references_.IncrementUnlessZeroAcquire(Values::kReaderLimit).incremented) return false;
    Validator::Acquire(map_, kReaderTry);
    return true;
  }

  // Drops a read lock. One read-modify-write, and a system call if a writer sleeps and this may be
  // what it waits for. After it the VMA may be gone; the mm must not be yet. The kernel's
  // vma_end_read.
  void EndRead() {
    Mmap& mm = *LoadMm();  // before the decrement: after it the VMA belongs to whoever waits for it
    const Word word = Put(mm);
    // A reader keeps the tree's reference in place: whoever wants to detach waits for it first.
    JACQUARD_LOCK_CHECK(!Values::IsDetached(word),
                        "read lock dropped that nobody holds, or VMA detached under a reader");
  }

  // --- Writers ---

  // Write-locks until the mmap lock is released or downgraded. Sleeps until the readers have left.
  // Again in the same section it costs three loads. On a detached VMA there is nothing to wait for.
  // The kernel's vma_start_write.
  void StartWrite(Mmap& mm) JACQUARD_REQUIRES(mm) {
    static_cast<void>(StartWriteKillable(mm, std::stop_token()));
  }

  // The same, but gives up when a stop is requested before the readers have left: false then, and
  // the VMA is not write-locked; the mmap lock and the other VMAs stay as they are. The kernel's
  // vma_start_write_killable.
  [[nodiscard]] bool StartWriteKillable(Mmap& mm, const std::stop_token& stop)
      JACQUARD_REQUIRES(mm) {
    if (IsWriteLocked(mm)) return true;
    using Section = ExcludeReaders<Widths, Validator>;
    const Section section(references_, mm.writer_wait(), map_, Section::kToWrite, stop);
    if (section.state() == Section::State::kKilled) return false;
    // Relaxed, but inside the section: the release of its end pairs with the acquire of a reader's
    // increment, who then finds this number. A reader whose increment came before was waited for.
    lock_sequence_.store(mm.counter().LoadRelaxed(), std::memory_order_relaxed);
    return true;
  }

  // Whether the VMA is write-locked in the section that the caller has open. The kernel's
  // __is_vma_write_locked.
  [[nodiscard]] bool IsWriteLocked(const Mmap& mm) const JACQUARD_REQUIRES(mm) {
    const SequenceValue section = mm.counter().LoadRelaxed();
    JACQUARD_LOCK_CHECK(LoadMm() == &mm, "VMA of another mm");
    JACQUARD_LOCK_CHECK(Values::LockSequence::IsWriteSection(section),
                        "mmap lock not held for writing");
    return Values::IsWriteLocked(LoadLockSequence(), section);
  }

  // --- Life ---

  // Lets readers in, as soon as the write section ends. The VMA must be write-locked and detached,
  // and complete, but for what is written under the write lock. The kernel's vma_mark_attached.
  void MarkAttached(Mmap& mm) JACQUARD_REQUIRES(mm) {
    JACQUARD_LOCK_CHECK(IsWriteLocked(mm), "VMA attached without being write-locked");
    JACQUARD_LOCK_CHECK(Values::IsDetached(references_.LoadRelaxed()), "VMA attached twice");
    // Release inside, pairs with the acquire of a reader's increment: it sees a complete VMA.
    references_.StoreRelease(Values::kAttached);
  }

  // Refuses readers from now on, and sleeps until the temporary ones have left: nobody has a
  // reference afterwards. The VMA must be write-locked and attached. May be attached again. The
  // kernel's vma_mark_detached.
  void MarkDetached(Mmap& mm) JACQUARD_REQUIRES(mm) {
    JACQUARD_LOCK_CHECK(IsWriteLocked(mm), "VMA detached without being write-locked");
    JACQUARD_LOCK_CHECK(!Values::IsDetached(references_.LoadRelaxed()), "VMA detached twice");
    // Acquire inside if it reaches 0, pairs with the release of readers that left.
    const Word word = references_.SubtractRelease(Values::kAttached);
    if (Values::IsDetached(word)) return;
    // Temporary readers, who found the VMA attached and have not looked yet whether it is
    // write-locked.
    using Section = ExcludeReaders<Widths, Validator>;
    const Section section(references_, mm.writer_wait(), map_, Section::kToDetach);
  }

  // --- Assertions: lock/vma_assertions.h has what they mean, and when they are wrong ---

  void AssertLocked(const Mmap& mm) const { Complain(WhyNotLocked(mm)); }
  void AssertWriteLocked(const Mmap& mm) const { Complain(WhyNotWriteLocked(mm)); }
  void AssertStabilised(const Mmap& mm) const { Complain(WhyNotStabilised(mm)); }
  void AssertAttached() const { Complain(WhyNotAttached()); }
  void AssertDetached() const { Complain(WhyNotDetached()); }
  void AssertCanModify(const Mmap& mm) const { Complain(WhyNotCanModify(mm)); }

  // What each would complain of; null if nothing.
  [[nodiscard]] const char* WhyNotLocked(const Mmap& mm) const;
  [[nodiscard]] const char* WhyNotWriteLocked(const Mmap& mm) const;
  [[nodiscard]] const char* WhyNotStabilised(const Mmap& mm) const;
  [[nodiscard]] const char* WhyNotAttached() const;
  [[nodiscard]] const char* WhyNotDetached() const;
  [[nodiscard]] const char* WhyNotCanModify(const Mmap& mm) const;

  // --- For observers: the values at some moment, which order nothing ---

  Word LoadWord() const { return references_.LoadRelaxed(); }

  SequenceValue LoadLockSequence() const {
    // Pairs with nothing by itself. Atomic, as a reader without a reference may look while a writer
    // stores.
    return lock_sequence_.load(std::memory_order_relaxed);
  }

 private:
  static void Complain(const char* what) {
    if (what != nullptr) [[unlikely]]
      CheckFailed(__FILE__, __LINE__, "the assertion", what);
  }

  static constexpr Acquisition kReaderTry = {.mode = AcquireMode::kShared, .try_lock = true};

  // The mm, for who has a reference, or is a writer of it. Relaxed: the acquire of the increment,
  // or the mmap lock, has brought us what Initialize stored; while we have a reference, the VMA
  // cannot be detached, and so cannot become another mm's.
  Mmap* LoadMm() const { return mm_.load(std::memory_order_relaxed); }

  // Gives back a reference to a VMA of an mm that is not the caller's. That mm is alive as long as
  // we have the reference, for it cannot detach the VMA; afterwards its last user may be gone at
  // once. Waking is not optional: its writer may have found our reference.
  [[gnu::noinline, gnu::cold]] void PutForeign(Mmap& mm) {
    mm.Grab();
    Put(mm);
    mm.Drop();
  }

  // Gives back a reference and returns the new word. The VMA may be gone afterwards, so `mm` must
  // be a copy, and the validator hears of it before.
  Word Put(Mmap& mm) {
    Validator::Release(map_);
    // Release inside, pairs with the acquire of whoever waits for the readers to leave, or finds
    // the word 0.
    const Word word = references_.SubtractRelease(1);
    if (word >= Values::kFlag) [[unlikely]] {
      JACQUARD_LOCK_CHECK(!Values::IsCorrupt(word), "read lock dropped that nobody holds");
      if (Values::ReadersExcludedHint(word)) mm.writer_wait().Wake();
    }
    return word;
  }

  std::atomic<Mmap*> mm_{nullptr};
  std::atomic<SequenceValue> lock_sequence_{Values::LockSequence::kNeverLocked};
  Refcount<Word> references_{Values::kDetached};
  [[no_unique_address]] typename Validator::Map map_{"vm_lock"};
};

using VmaLock = BasicVmaLock<KernelWidths>;

}  // namespace jacquard::lock

#include "lock/vma_assertions.h"

#endif  // JACQUARD_LOCK_VMA_LOCK_H_
