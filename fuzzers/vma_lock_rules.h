// The rules of the per-VMA lock, as the ghost state checks them and as verdicts name them.
//
// With exact accounts of each thread's contribution to each word everything about the locks is
// known, and these follow:
//
//   (1) No reader is in a VMA that is in a write section.           kReaderAndWriter
//       (A *temporary* reader, counted in and about to turn back, is none: only what start_read
//       has returned locked counts. But when the VMA gets its number, no temporary one is left
//       either. A writer that read-locks its own VMA is alone with itself.)
//   (3) The word is 0 when a VMA is destroyed, its accounts' sum at any time, and FLAG is clear
//       whenever nobody is inside an exclude-readers section.       kUnaccounted, kLeftBehind
//   (4) The mm's sequence is odd if and only if the mmap lock is held for writing.       kParity
//       Suspended between taking the semaphore and the increment, for as long as the owner is
//       still in `lock` (which may be asleep, having been handed the lock), and between the second
//       increment and the semaphore's release, inside `unlock` and `downgrade`.
//   (6) A drained writer runs on.              The runtime's: a sleeper that sleeps is a deadlock.
//   (8) A VMA's number is never newer than the mm's: it only ever becomes the open section's, under
//       FLAG or detached.                                           kNumber
//
// Of the nine in all, (2), (5), (7) and (9) speak of the address space (address_space_ghost.h):
// here are one mm, no RCU, no validator. The semaphore has its own:
//
//   One writer, or readers.                                         kWriterAndOthers
//   Nobody has the lock who was not let in; the word is the sum.    kUnaccounted, kNotHeld
//   A queue is never without the bit that says so.                  kQueueForgotten
//   At most a stated number of later readers pass a queued writer.  kPassed
//
// and each operation says the truth: a try that fails had a reason, a killed wait was killed
// (kDishonest). What the lock's own pure functions say of its numbers (PossibleSituations) must
// contain what is really the case (kSituation).
#ifndef JACQUARD_FUZZERS_VMA_LOCK_RULES_H_
#define JACQUARD_FUZZERS_VMA_LOCK_RULES_H_

namespace jacquard::fuzzers::rule {

inline constexpr const char* kReaderAndWriter = "reader and writer in one VMA";
inline constexpr const char* kUnaccounted = "word is not the sum of its parts";
inline constexpr const char* kNotItsOwn = "operation changes what is not its own";
inline constexpr const char* kLeftBehind = "operation leaves something behind";
inline constexpr const char* kParity = "sequence odd without a writer, or even with one";
inline constexpr const char* kNumber = "VMA has a number that is not the open section's";
inline constexpr const char* kWriterAndOthers = "writer and others inside the mmap lock";
inline constexpr const char* kNotHeld = "lock taken that the word does not know of";
inline constexpr const char* kQueueForgotten = "queue without the bit that says so";
inline constexpr const char* kPassed = "too many readers passed a queued writer";
inline constexpr const char* kDishonest = "failure without a reason";
inline constexpr const char* kSituation = "situation that the numbers exclude";

}  // namespace jacquard::fuzzers::rule

#endif  // JACQUARD_FUZZERS_VMA_LOCK_RULES_H_
