// The reference word of a VMA lock, without any of its moves: what a value can mean.
//
// One word counts the references to a VMA and refuses new ones while somebody excludes readers:
//
//     0         detached: the VMA is in no tree, and nobody raises the word but who attaches it
//     1         the tree's reference, of an attached VMA
//     + 1 each  a reader, or a *temporary* one, who has counted itself in, will find the VMA
//               write-locked when it looks again, and will count itself out
//     + FLAG    a writer or a detacher has shut the door and waits for those inside to leave
//
// So a value does not say which situation it stands for. 2 may be a reader of an unlocked VMA, or a
// write-locked VMA with a temporary reader, or one that is being detached with two of them.
// PossibleSituations names them all, given the word and the two sequence numbers that belong to it:
// the VMA's (of the write section that locked it last) and the mm's. The three must be of the same
// moment; read one after the other without the mmap lock held for writing they are three hints.
//
// Everything here is a pure function of its arguments.
#ifndef JACQUARD_LOCK_REFERENCE_WORD_H_
#define JACQUARD_LOCK_REFERENCE_WORD_H_

#include <initializer_list>

#include "lock/refcount.h"
#include "lock/sequence.h"
#include "lock/widths.h"

namespace jacquard::lock {

// Each is a situation of one VMA at one moment; "in this section" is the write section of the mmap
// lock that is open now.
enum class Situation {
  // In no tree, no reference.
  kDetached,
  // In the tree; no reader, no writer.
  kUnlocked,
  // In the tree, not write-locked; references besides the tree's: each a reader, or about to be, or
  // about to turn back.
  kReadLocked,
  // A writer has set FLAG and waits for the references besides the tree's.
  kWriterDraining,
  // They are gone; the VMA does not carry the section's number yet.
  kWriterDrained,
  // The VMA carries the section's number; FLAG is about to be cleared.
  kWriterPublished,
  // Write-locked in this section, and nobody else is there.
  kWriteLocked,
  // Write-locked in this section; temporary readers are about to turn back. (Or the writer itself
  // took a read lock too.)
  kWriteLockedWithTemporaries,
  // Write-locked in this section; the tree's reference is gone, temporary readers hold the rest,
  // FLAG is not set yet.
  kDetaching,
  // The same after FLAG was set: the detacher waits for the temporary readers.
  kDetacherDraining,
  // They are gone; FLAG is about to be cleared, which makes it detached.
  kDetacherDrained,
  // In the tree, not write-locked in this section: the sequence has come round, and the number of a
  // section long ago looks like this one's. Everybody takes it for write-locked. There may be
  // readers inside.
  kSequenceCameRound,
  // No correct use leads here: the word is saturated, or a writer's traces are there without a
  // write section.
  kCorrupt,
};
inline constexpr int kSituationCount = static_cast<int>(Situation::kCorrupt) + 1;

// The identifier without its k, for reports.
constexpr const char* SituationName(Situation situation) {
  switch (situation) {
    case Situation::kDetached:
      return "Detached";
    case Situation::kUnlocked:
      return "Unlocked";
    case Situation::kReadLocked:
      return "ReadLocked";
    case Situation::kWriterDraining:
      return "WriterDraining";
    case Situation::kWriterDrained:
      return "WriterDrained";
    case Situation::kWriterPublished:
      return "WriterPublished";
    case Situation::kWriteLocked:
      return "WriteLocked";
    case Situation::kWriteLockedWithTemporaries:
      return "WriteLockedWithTemporaries";
    case Situation::kDetaching:
      return "Detaching";
    case Situation::kDetacherDraining:
      return "DetacherDraining";
    case Situation::kDetacherDrained:
      return "DetacherDrained";
    case Situation::kSequenceCameRound:
      return "SequenceCameRound";
    case Situation::kCorrupt:
      return "Corrupt";
  }
  return "?";
}

// A set of situations; one machine word.
class Situations {
 public:
  constexpr Situations() = default;
  constexpr Situations(std::initializer_list<Situation> situations) {
    for (const Situation situation : situations) bits_ |= Bit(situation);
  }

  constexpr bool Contains(Situation situation) const { return (bits_ & Bit(situation)) != 0; }
  constexpr Situations With(Situation situation) const {
    return Situations(bits_ | Bit(situation));
  }
  constexpr Situations Without(Situation situation) const {
    return Situations(bits_ & ~Bit(situation));
  }
  constexpr int size() const { return __builtin_popcount(bits_); }
  constexpr bool operator==(const Situations&) const = default;

 private:
  constexpr explicit Situations(unsigned bits) : bits_(bits) {}
  static constexpr unsigned Bit(Situation situation) { return 1u << static_cast<int>(situation); }

  unsigned bits_ = 0;
};

template <LockWidths Widths>
struct ReferenceWord {
  using Word = typename Widths::Word;
  using LockSequence = Sequence<Widths::kSequenceBits>;
  using SequenceValue = typename LockSequence::Value;

  static constexpr Word kDetached = 0;
  // The tree's reference.
  static constexpr Word kAttached = 1;
  // "Readers are excluded." The kernel's VM_REFCNT_EXCLUDE_READERS_FLAG.
  static constexpr Word kFlag = static_cast<Word>(Word{1} << Widths::kFlagBit);
  // No reader raises the word beyond this, so that counting never reaches FLAG. The kernel's
  // VM_REFCNT_LIMIT.
  static constexpr Word kReaderLimit = kFlag - 1;
  // What a writer, and a detacher (who has given up the tree's reference), wait for.
  static constexpr Word kWriterTarget = kFlag + kAttached;
  static constexpr Word kDetacherTarget = kFlag;
  // The largest value of correct use: FLAG set when the word was full.
  static constexpr Word kLargest = kFlag + kReaderLimit;

  static_assert(kLargest <= Refcount<Word>::kMax, "the word is never near saturation");

  // --- Predicates of the word alone ---

  // Sure at that moment. Stays true while the mmap lock is held for writing, or nobody else knows
  // the VMA.
  static constexpr bool IsDetached(Word word) { return word == kDetached; }

  // Sure at that moment: an increment by a reader would have failed. Which of the three reasons it
  // was (detached, excluded, full), only `word` itself tells.
  static constexpr bool IsClosedToReaders(Word word) {
    return word == kDetached || word >= kReaderLimit;
  }

  // Sure: a bug has happened.
  static constexpr bool IsCorrupt(Word word) { return word > kLargest; }

  // A hint to wake the thread that excludes readers: it *may* have reached its target. Never false
  // when it has. True without need when a detacher still waits for one temporary reader, as
  // kWriterTarget may also be that. The kernel's __vma_are_readers_excluded; but only a hint to
  // whoever has not set FLAG itself.
  static constexpr bool ReadersExcludedHint(Word word) {
    return word >= kDetacherTarget && word <= kWriterTarget;
  }

  // --- Predicates of the sequence numbers alone ---

  // How the lock decides that a VMA is write-locked. False is sure: it is not write-locked in the
  // section `mm` (the two values must be as recent as each other, which StartRead's order of loads
  // takes care of). True is sure under the mmap lock held for writing until the sequence comes
  // round; without it, a hint: the VMA may have been unlocked since.
  static constexpr bool IsWriteLocked(SequenceValue lock, SequenceValue mm) { return lock == mm; }

  // --- All three ---

  // Every situation in which the word, the VMA's sequence number `lock` and the mm's `mm` can have
  // these values together. Exact: each member can happen, and nothing else. Never empty; kCorrupt
  // stands alone.
  static constexpr Situations PossibleSituations(Word word, SequenceValue lock, SequenceValue mm) {
    // A VMA carries the number of a write section, or none yet; and it has one before it is first
    // attached.
    const bool was_locked = LockSequence::IsWriteSection(lock);
    if (word == kDetached) {
      if (was_locked || lock == LockSequence::kNeverLocked) return {Situation::kDetached};
      return {Situation::kCorrupt};
    }
    if (IsCorrupt(word) || !was_locked) return {Situation::kCorrupt};

    const bool write_locked = IsWriteLocked(lock, mm);
    if (word < kFlag) {
      if (!write_locked) {
        return {word == kAttached ? Situation::kUnlocked : Situation::kReadLocked};
      }
      return {word == kAttached ? Situation::kWriteLocked : Situation::kWriteLockedWithTemporaries,
              Situation::kDetaching, Situation::kSequenceCameRound};
    }

    // FLAG is set, so a writer or a detacher is at work, in an open write section.
    if (!LockSequence::IsWriteSection(mm)) return {Situation::kCorrupt};
    if (!write_locked) {  // a writer; a detacher has the VMA write-locked
      if (word < kWriterTarget) return {Situation::kCorrupt};
      return {word == kWriterTarget ? Situation::kWriterDrained : Situation::kWriterDraining};
    }
    if (word == kDetacherTarget) return {Situation::kDetacherDrained};
    if (word == kWriterTarget) return {Situation::kWriterPublished, Situation::kDetacherDraining};
    return {Situation::kDetacherDraining};
  }
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_REFERENCE_WORD_H_
