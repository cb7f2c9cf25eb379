// What the assertions of a VMA lock mean, and how far they can be trusted.
//
// An assertion asks about the *caller*: do I hold this VMA? The word says only that somebody does.
// So with a validator that keeps books the answer is the validator's, and precise; without one, the
// assertion takes what the word says for an answer, and *passes* where the truth is that another
// thread holds the VMA. It never complains wrongly, of a caller who is in the right. Once a
// validator has reported something and stopped, all that ask it are silent.
//
//   AssertLocked        the caller reads the VMA, or has it write-locked: it stays as it is.
//                       Without books passes for everybody while anybody has a reference.
//   AssertWriteLocked   the caller has it write-locked. Without books: somebody has. (At the
//                       kernel's width a number that came round would deceive it, see vma_lock.h.)
//   AssertStabilised    the caller has the mm's lock, in any mode, or AssertLocked.
//   AssertAttached      the word is not 0. About the VMA, not the caller; stable only if the caller
//   AssertDetached      has it locked or knows that nobody else does. While a detacher waits for
//                       temporary readers the VMA passes for attached, though its tree has let go.
//   AssertCanModify     it is detached, or AssertWriteLocked.
//
// Two things are beyond books, too. A writer that waits for the readers inside counts as holding
// the VMA (exclusively: the wait is an acquisition), and a temporary reader as reading it; neither
// may rely on anything yet. Both are inside a function of the lock then, so no caller asks at that
// moment; a test that finds one that does has found a bug.
//
// Why there is no IsReadLocked, not even as a hint:
//   * "word > 1" is true of somebody else's reading, and of a temporary reader, who will back out.
//   * "word > 1, and no writer alone" is false while a detacher waits for one temporary reader: the
//     value FLAG + 1 is that, and is also a writer who has drained the VMA.
//   * "1 < word < FLAG" turns false under a genuine reader as soon as any writer adds FLAG, and
//     waits for it.
//   * And whatever it says is out of date when it says so.
// Who wants to know must be told by who keeps books; AssertLocked asks them first.
//
// The functions of vma_lock.h, which includes this.
#ifndef JACQUARD_LOCK_VMA_ASSERTIONS_H_
#define JACQUARD_LOCK_VMA_ASSERTIONS_H_

#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"

namespace jacquard::lock {

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotLocked(const Mmap& mm) const {
  if constexpr (kKeepsBooks<Validator>) {
    if (Validator::IsHeld(map_) != Held::kNo) return nullptr;
  } else if (references_.LoadRelaxed() > Values::kAttached) {
    return nullptr;  // somebody has a reference, or waits for those who have
  }
  return WhyNotWriteLocked(mm) != nullptr ? "VMA not locked" : nullptr;
}

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotWriteLocked(const Mmap& mm) const {
  if (!mm.MayBeWriteLockedByMe()) return "VMA not write-locked: nor is the mm";
  const SequenceValue section = mm.counter().LoadRelaxed();
  const bool locked = Values::LockSequence::IsWriteSection(section) &&
                      Values::IsWriteLocked(LoadLockSequence(), section);
  // A validator that has stopped cannot say whether the section is the caller's.
  const bool silent = kKeepsBooks<Validator> && Validator::IsHeld(map_) == Held::kUnknown;
  return locked || silent ? nullptr : "VMA not write-locked in this section";
}

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotStabilised(const Mmap& mm) const {
  if (mm.MayBeLockedByMe() || WhyNotLocked(mm) == nullptr) return nullptr;
  return "VMA not stabilised: neither it nor its mm is locked";
}

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotAttached() const {
  return Values::IsDetached(references_.LoadRelaxed()) ? "VMA not attached" : nullptr;
}

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotDetached() const {
  return Values::IsDetached(references_.LoadRelaxed()) ? nullptr : "VMA not detached";
}

template <LockWidths Widths, LockValidator Validator>
const char* BasicVmaLock<Widths, Validator>::WhyNotCanModify(const Mmap& mm) const {
  if (WhyNotDetached() == nullptr || WhyNotWriteLocked(mm) == nullptr) return nullptr;
  return "VMA changed that is neither detached nor write-locked";
}

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_VMA_ASSERTIONS_H_
