// The words that reports and the transition table use for the per-VMA lock: operations, changes of
// the reference word, values.
#ifndef JACQUARD_FUZZERS_VMA_LOCK_WORDS_H_
#define JACQUARD_FUZZERS_VMA_LOCK_WORDS_H_

#include <cstdint>
#include <string>

#include "fuzzers/private_members.h"
#include "lock/reference_word.h"
#include "lock/widths.h"

namespace jacquard::fuzzers {

// What a thread is doing with the locks: what it may do to their words follows from it.
enum class Doing : std::uint8_t {
  kNothing,
  kLockShared,  // in every variant: try, killable
  kLock,        // likewise
  kUnlock,      // of either mode
  kDowngrade,
  kStartRead,
  kStartReadLocked,
  kEndRead,
  kStartWrite,
  kStartWriteKillable,
  kMarkAttached,
  kMarkDetached,
};
inline constexpr int kDoingCount = static_cast<int>(Doing::kMarkDetached) + 1;

constexpr const char* DoingName(Doing doing) {
  constexpr const char* kNames[kDoingCount] = {
      "nothing",       "lock_shared",       "lock",     "unlock",      "downgrade",
      "start_read",    "start_read_locked", "end_read", "start_write", "start_write_killable",
      "mark_attached", "mark_detached",
  };
  return kNames[static_cast<int>(doing)];
}

// One step that changes the situation of a VMA: a change of its word, of its number, or of the mm's
// sequence.
enum class Change : std::uint8_t {
  kAttach,        // word 0 -> 1
  kIncrement,     // a reader counts itself in
  kDecrement,     // a reader counts itself out, or a detacher gives up the tree's reference
  kAddFlag,       // readers are excluded from here on
  kSubtractFlag,  // and no longer
  kNumber,        // the VMA gets the number of the open write section
  kSectionBegins,
  kSectionEnds,
};
inline constexpr int kChangeCount = static_cast<int>(Change::kSectionEnds) + 1;

constexpr const char* ChangeName(Change change) {
  constexpr const char* kNames[kChangeCount] = {
      "= 1",          "+ 1", "- 1", "+ FLAG", "- FLAG", "number = section's", "section begins",
      "section ends",
  };
  return kNames[static_cast<int>(change)];
}

// A value of the reference word: "attached, 2 readers, draining". As the word does not say whose
// the references are, neither does this.
template <lock::LockWidths Widths>
std::string TextOfWord(std::uint64_t value) {
  using Values = lock::ReferenceWord<Widths>;
  if (value == Values::kDetached) return "detached";
  if (value > Values::kLargest) return "corrupt";
  const std::uint64_t references = value & (Values::kFlag - 1);
  if (value >= Values::kFlag) {
    if (references == 0) return "no reference, excluding readers";
    if (references == 1) return "1 reference, excluding readers";
    return std::to_string(references) + " references, excluding readers";
  }
  if (references == 1) return "attached";
  return references == 2 ? "attached, 1 reader"
                         : "attached, " + std::to_string(references - 1) + " readers";
}

// A value of the semaphore's word: "2 readers, waiters".
inline std::string TextOfSemaphore(std::uint64_t value) {
  const std::uint64_t readers = value / Exposed(SemaphoreReaderUnit{});
  std::string text = "free";
  if ((value & Exposed(SemaphoreWriterBit{})) != 0) text = "writer";
  if (readers == 1) text = "1 reader";
  if (readers > 1) text = std::to_string(readers) + " readers";
  if ((value & Exposed(SemaphoreWaitersBit{})) != 0) text += ", waiters";
  return text;
}

// A value of the mm's sequence: "3 (section open)".
inline std::string TextOfSequence(std::uint64_t value) {
  return std::to_string(value) + ((value & 1) != 0 ? " (section open)" : " (no section)");
}

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_VMA_LOCK_WORDS_H_
