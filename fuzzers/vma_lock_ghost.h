// The ghost state of the per-VMA lock: who has contributed what to each of its words.
//
// The locks' words are sums, and do not say whose the parts are. The ghost state does: it hears of
// every step, knows what the thread that took it is doing, and books the change on that thread's
// account. A change that the thread's operation does not make is a violation; so is a word that is
// not the sum of its accounts; so are, because with accounts everything about the locks is known
// exactly:
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
// Of the nine in all, (2), (5), (7) and (9) speak of the address space, which is not here yet: one
// mm, no RCU, no validator. The semaphore has its own:
//
//   One writer, or readers.                                         kWriterAndOthers
//   Nobody has the lock who was not let in; the word is the sum.    kUnaccounted, kNotHeld
//   A queue is never without the bit that says so.                  kQueueForgotten
//   At most a stated number of later readers pass a queued writer.  kPassed
//
// and each operation says the truth: a try that fails had a reason, a killed wait was killed
// (kDishonest). What the lock's own pure functions say of its numbers (PossibleSituations) must
// contain what is really the case (kSituation).
//
// A violation is found at the step that commits it, or at the return of the operation that lies.
// Functions here have no hooks: they make no step. They cost a few nanoseconds: loads, the most
// frequent step, are told apart first, and a change recomputes one VMA.
#ifndef JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_
#define JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzzers/private_members.h"
#include "fuzzers/transitions.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/mmap_lock.h"
#include "lock/reference_word.h"
#include "lock/rw_semaphore.h"
#include "lock/vma_lock.h"
#include "sim/runtime.h"
#include "sim/step.h"

// Nothing from here to the matching pop is instrumented.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)

namespace jacquard::fuzzers {

// The rules, as verdicts name them.
namespace rule {
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
}  // namespace rule

template <lock::LockWidths Widths>
class VmaLockGhost {
 public:
  using Mmap = lock::BasicMmapLock<Widths>;
  using Vma = lock::BasicVmaLock<Widths>;
  using Values = lock::ReferenceWord<Widths>;
  using Word = typename Values::Word;
  using SequenceValue = typename Values::SequenceValue;
  using Situation = lock::Situation;

  static constexpr int kThreads = 4;
  static constexpr int kVmas = 3;
  static constexpr int kNobody = -1;

  // How somebody is inside the mmap lock.
  enum class Share : std::uint8_t { kNone, kReader, kWriter };

  // Takes over the locks as they are: nobody inside, the VMAs of `attached` (a bit each) attached.
  VmaLockGhost(const Mmap& mm, const Vma* vmas, unsigned attached)
      : vmas_begin_(reinterpret_cast<std::uintptr_t>(vmas)),
        word_offset_(reinterpret_cast<std::uintptr_t>(&(vmas->*Exposed(VmaWord<Widths>{}))) -
                     vmas_begin_),
        number_offset_(reinterpret_cast<std::uintptr_t>(&(vmas->*Exposed(VmaSequence<Widths>{}))) -
                       vmas_begin_),
        counter_(&mm.counter()),
        semaphore_(&(mm.semaphore().*Exposed(SemaphoreWord{}))),
        queue_mutex_(&(mm.semaphore().*Exposed(SemaphoreMutex{}))) {
    sequence_ = *reinterpret_cast<const SequenceValue*>(counter_);
    for (int v = 0; v < kVmas; ++v) {
      vma_[v].tree = (attached >> v) & 1;
      vma_[v].word = vma_[v].tree;
      vma_[v].number =
          *reinterpret_cast<const SequenceValue*>(vmas_begin_ + v * sizeof(Vma) + number_offset_);
      vma_[v].situation = SituationOf(vma_[v]);
    }
  }

  // --- After every step ---

  void OnStep(const Step& step) {
    if (step.kind != StepKind::kStore && step.kind != StepKind::kReadModifyWrite) {
      if (step.kind >= StepKind::kFutexWait) OnWait(step);
      if (!step.newest) OnStaleLoad(step);
      return;
    }
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(step.address) - vmas_begin_;
    if (offset < kVmas * sizeof(Vma)) {
      const int v = static_cast<int>(offset / sizeof(Vma));
      const std::size_t place = offset % sizeof(Vma);
      if (place == word_offset_) {
        OnWord(step, v);
      } else if (place == number_offset_) {
        OnNumber(step, v);
      }
    } else if (step.address == semaphore_) {
      OnSemaphore(step);
    } else if (step.address == counter_) {
      OnCounter(step);
    }
  }

  // --- What the operations say of themselves: when they begin, and after their last step ---

  void Begin(int t, Doing doing) {
    threads_[t].doing = doing;
    threads_[t].stale_object = nullptr;
  }

  // The operation is over; nothing temporary may be left of it.
  void End(int t) {
    if (threads_[t].temporary != kNobody) Violate(rule::kLeftBehind, t, threads_[t].temporary);
    if (excluder_ == t) Violate(rule::kLeftBehind, t, excluded_);
    threads_[t].doing = Doing::kNothing;
  }

  // start_read or start_read_locked has succeeded.
  void ReadLocked(int t, int v) {
    if (threads_[t].temporary != v) Violate(rule::kNotHeld, t, v);
    threads_[t].temporary = kNobody;
    --vma_[v].temporaries;
    ++vma_[v].readers;
    ++threads_[t].reads[v];
    CheckExclusion(t, v);
  }
  // It has said that the VMA is detached.
  void FoundDetached(int t, int v) {
    const void* const word =
        reinterpret_cast<const void*>(vmas_begin_ + v * sizeof(Vma) + word_offset_);
    const bool was_detached =
        threads_[t].stale_object == word && threads_[t].stale_value == Values::kDetached;
    if (vma_[v].word != Values::kDetached && !was_detached) Violate(rule::kDishonest, t, v);
  }

  // start_write in either variant has succeeded.
  void WriteLocked(int t, int v) {
    if (share_writer_ != t || vma_[v].number != sequence_) Violate(rule::kNotHeld, t, v);
    vma_[v].locked = true;  // it may have found a number of long ago: see kSequenceCameRound
    CheckExclusion(t, v);
    Resituate(v);
  }

  void Attached(int t, int v) {
    if (vma_[v].word == Values::kDetached) Violate(rule::kNotHeld, t, v);
  }
  void Detached(int t, int v) {
    if (vma_[v].word != Values::kDetached) Violate(rule::kLeftBehind, t, v);
  }

  // The mmap lock is taken as `share`, or, with kNone, was not or is dropped.
  void MmapLocked(int t, Share share) {
    if (threads_[t].share != share || threads_[t].queued) Violate(rule::kNotHeld, t, kNobody);
    if (share == Share::kWriter && (sequence_ & 1) == 0) Violate(rule::kParity, t, kNobody);
  }
  // A try has failed; `shared` if it was for reading.
  void MmapTryFailed(int t, bool shared) {
    const std::uint32_t reason = shared ? kWriterBit | kWaitersBit : ~std::uint32_t{0};
    const bool had_reason =
        threads_[t].stale_object == semaphore_ && (threads_[t].stale_value & reason) != 0;
    if ((semaphore_word_ & reason) == 0 && !had_reason) Violate(rule::kDishonest, t, kNobody);
    MmapLocked(t, Share::kNone);
  }

  // All threads are done; `attached` as the scenario has it.
  void CheckFinal(unsigned attached) const {
    for (int v = 0; v < kVmas; ++v) {
      if (vma_[v].word != ((attached >> v) & 1)) Violate(rule::kLeftBehind, kNobody, v);
    }
    if (semaphore_word_ != 0) Violate(rule::kLeftBehind, kNobody, kNobody);
    if ((sequence_ & 1) != 0) Violate(rule::kParity, kNobody, kNobody);
  }

  // --- For others ---

  // What is really the case, and not only possible.
  Situation SituationOfVma(int v) const { return vma_[v].situation; }

  // The situation of the VMA that changed last, and who is inside the mmap lock: under 100.
  int StateFeature() const {
    const int inside = (semaphore_word_ & kWriterBit) != 0 ? 2 : semaphore_word_ >= kReaderUnit;
    const int waiters = (semaphore_word_ & kWaitersBit) != 0 ? 3 : 0;
    return static_cast<int>(vma_[last_changed_].situation) * 6 + inside + waiters;
  }

  std::string NameOf(const void* address) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - vmas_begin_;
    if (offset < kVmas * sizeof(Vma)) {
      const std::size_t place = offset % sizeof(Vma);
      const std::string vma = "vma" + std::to_string(offset / sizeof(Vma));
      if (place == word_offset_) return vma + ".refcount";
      if (place == number_offset_) return vma + ".lock_seq";
      return vma;
    }
    if (address == semaphore_) return "mm.semaphore";
    if (address == queue_mutex_) return "mm.queue_mutex";
    if (address == counter_) return "mm.lock_seq";
    for (int t = 0; t < kThreads; ++t) {
      if (threads_[t].queued && address == threads_[t].sleeps_on) {
        return "mm.queue[thread " + std::to_string(t) + "]";
      }
    }
    return {};
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - vmas_begin_;
    if (offset < kVmas * sizeof(Vma)) {
      if (offset % sizeof(Vma) == word_offset_) return TextOfWord<Widths>(value);
      if (offset % sizeof(Vma) == number_offset_) {
        if (value == Values::LockSequence::kNeverLocked) return "never locked";
        return value == sequence_ ? std::to_string(value) + " (this section's)"
                                  : std::to_string(value) + " (an old section's)";
      }
    }
    if (address == semaphore_) return TextOfSemaphore(value);
    if (address == counter_) return TextOfSequence(value);
    return {};
  }

 private:
  static constexpr std::uint32_t kWriterBit = Exposed(SemaphoreWriterBit{});
  static constexpr std::uint32_t kWaitersBit = Exposed(SemaphoreWaitersBit{});
  static constexpr std::uint32_t kReaderUnit = Exposed(SemaphoreReaderUnit{});

  // The accounts of one VMA's word: word = tree + temporaries + readers + FLAG if excluded.
  struct Account {
    Word word = 0;
    SequenceValue number = 0;
    std::uint8_t tree = 0;         // the tree's reference
    std::uint8_t temporaries = 0;  // threads that counted themselves in and have not returned yet
    std::uint8_t readers = 0;      // read locks
    bool excluded = false;         // FLAG, which is excluder_'s
    bool locked = false;           // write-locked in the open section
    Situation situation = Situation::kDetached;
  };

  struct Thread {
    Doing doing = Doing::kNothing;
    Share share = Share::kNone;       // of the mmap lock
    bool queued = false;              // for it
    std::int8_t temporary = kNobody;  // the VMA into which it has counted itself
    std::uint8_t reads[kVmas] = {};   // its read locks
    const void* sleeps_on = nullptr;
    // What it last read in this operation that was not the newest value: as good a reason to fail.
    const void* stale_object = nullptr;
    std::uint64_t stale_value = 0;
  };

  struct Queued {
    std::int8_t thread = kNobody;
    Share share = Share::kNone;
    std::uint8_t passed_by = 0;  // readers that arrived later and got in before it
  };

  // On weak memory a thread may read what was the case.
  void OnStaleLoad(const Step& step) {
    threads_[step.thread].stale_object = step.address;
    threads_[step.thread].stale_value = step.new_value;
  }

  // --- The VMAs ---

  // A change of a VMA's word: whose it is follows from its size and what the thread is doing.
  void OnWord(const Step& step, int v) {
    Account& vma = vma_[v];
    const int t = step.thread;
    Thread& me = threads_[t];
    const Word before = static_cast<Word>(step.old_value);
    const Word after = static_cast<Word>(step.new_value);
    if (before != vma.word) Violate(rule::kUnaccounted, t, v);
    if (before == after) return;
    Change change;
    switch (const Word delta = static_cast<Word>(after - before); delta) {
      case 1:
        if (me.doing == Doing::kMarkAttached) {
          Allow(share_writer_ == t && vma.locked && before == Values::kDetached, t, v);
          vma.tree = 1;
          change = Change::kAttach;
        } else {
          Allow(me.doing == Doing::kStartRead || me.doing == Doing::kStartReadLocked, t, v);
          Allow(me.temporary == kNobody && before != Values::kDetached &&
                    before < Values::kReaderLimit,
                t, v);
          me.temporary = static_cast<std::int8_t>(v);
          ++vma.temporaries;
          change = Change::kIncrement;
        }
        break;
      case static_cast<Word>(-1):
        if (me.doing == Doing::kEndRead) {
          Allow(me.reads[v] != 0, t, v);
          --me.reads[v];
          --vma.readers;
        } else if (me.doing == Doing::kStartRead) {
          Allow(me.temporary == v, t, v);
          me.temporary = kNobody;
          --vma.temporaries;
        } else {
          Allow(me.doing == Doing::kMarkDetached && share_writer_ == t && vma.locked &&
                    vma.tree == 1 && !vma.excluded,
                t, v);
          vma.tree = 0;
        }
        change = Change::kDecrement;
        break;
      case Values::kFlag:
        Allow(Excludes(me.doing) && share_writer_ == t && excluder_ == kNobody, t, v);
        vma.excluded = true;
        excluder_ = static_cast<std::int8_t>(t);
        excluded_ = static_cast<std::int8_t>(v);
        change = Change::kAddFlag;
        break;
      case static_cast<Word>(-Values::kFlag):
        Allow(excluder_ == t && vma.excluded, t, v);
        vma.excluded = false;
        excluder_ = kNobody;
        change = Change::kSubtractFlag;
        break;
      default:
        Violate(rule::kNotItsOwn, t, v);
    }
    vma.word = after;
    Log(me.doing, change, v);
  }

  static bool Excludes(Doing doing) {
    return doing == Doing::kStartWrite || doing == Doing::kStartWriteKillable ||
           doing == Doing::kMarkDetached;
  }

  // A VMA gets a number: from here on it is write-locked.
  void OnNumber(const Step& step, int v) {
    Account& vma = vma_[v];
    const int t = step.thread;
    const Doing doing = threads_[t].doing;
    Allow(doing == Doing::kStartWrite || doing == Doing::kStartWriteKillable, t, v);
    Allow(share_writer_ == t && (vma.excluded || vma.word == Values::kDetached), t, v);
    vma.number = static_cast<SequenceValue>(step.new_value);
    if (vma.number != sequence_ || (sequence_ & 1) == 0) Violate(rule::kNumber, t, v);
    if (vma.readers != 0 || vma.temporaries != 0) Violate(rule::kReaderAndWriter, t, v);
    vma.locked = true;
    Log(doing, Change::kNumber, v);
  }

  // Rule (1), when somebody has got a lock.
  void CheckExclusion(int t, int v) const {
    const Account& vma = vma_[v];
    if (!vma.locked || vma.readers == 0) return;
    // The writer's own read locks do no harm.
    if (vma.readers != threads_[share_writer_].reads[v]) Violate(rule::kReaderAndWriter, t, v);
  }

  // The situation, now that the accounts have changed.
  Situation SituationOf(const Account& vma) const {
    const bool alone = vma.temporaries == 0 && vma.readers == 0;
    if (vma.excluded) {
      if (vma.tree == 0) return alone ? Situation::kDetacherDrained : Situation::kDetacherDraining;
      if (!alone) return Situation::kWriterDraining;
      return vma.locked ? Situation::kWriterPublished : Situation::kWriterDrained;
    }
    if (vma.tree == 0) return alone ? Situation::kDetached : Situation::kDetaching;
    if (vma.locked) {
      return alone ? Situation::kWriteLocked : Situation::kWriteLockedWithTemporaries;
    }
    if (vma.number == sequence_) return Situation::kSequenceCameRound;
    return alone ? Situation::kUnlocked : Situation::kReadLocked;
  }

  void Resituate(int v) {
    Account& vma = vma_[v];
    vma.situation = SituationOf(vma);
    last_changed_ = v;
    if (!Values::PossibleSituations(vma.word, vma.number, sequence_).Contains(vma.situation)) {
      Violate(rule::kSituation, kNobody, v);
    }
  }

  void Log(Doing doing, Change change, int v) {
    const Situation before = vma_[v].situation;
    Resituate(v);
    if (Transitions::log != nullptr) {
      Transitions::log->Add({before, change, doing, vma_[v].situation});
    }
  }

  // --- The mmap lock ---

  // The mm's sequence: a write section begins or ends, and with it all write locks.
  void OnCounter(const Step& step) {
    const int t = step.thread;
    const Doing doing = threads_[t].doing;
    const bool begins = (sequence_ & 1) == 0;
    if (share_writer_ != t || step.new_value != Values::LockSequence::Next(sequence_)) {
      Violate(rule::kParity, t, kNobody);
    }
    Allow(begins ? doing == Doing::kLock : doing == Doing::kUnlock || doing == Doing::kDowngrade, t,
          kNobody);
    if (excluder_ != kNobody) Violate(rule::kLeftBehind, t, excluded_);
    sequence_ = static_cast<SequenceValue>(step.new_value);
    for (int v = 0; v < kVmas; ++v) {
      const Situation before = vma_[v].situation;
      vma_[v].locked = false;
      if (SituationOf(vma_[v]) == before) continue;
      Log(doing, begins ? Change::kSectionBegins : Change::kSectionEnds, v);
    }
  }

  // The semaphore's word. Who is let in by another thread gets its share from that thread's step.
  void OnSemaphore(const Step& step) {
    const int t = step.thread;
    Thread& me = threads_[t];
    const auto before = static_cast<std::uint32_t>(step.old_value);
    const auto after = static_cast<std::uint32_t>(step.new_value);
    if (before != semaphore_word_) Violate(rule::kUnaccounted, t, kNobody);
    semaphore_word_ = after;
    switch (after - before) {
      case kReaderUnit:
      case kWriterBit: {
        const Share share = after - before == kWriterBit ? Share::kWriter : Share::kReader;
        if (queue_owner_ != t) {
          Allow(me.share == Share::kNone &&
                    me.doing == (share == Share::kWriter ? Doing::kLock : Doing::kLockShared),
                t, kNobody);
          LetIn(t, share);
          if (share == Share::kReader) Passes(queue_length_, t);
        } else {
          LetInQueued(t, share);
        }
        break;
      }
      case 0 - kReaderUnit:
        Allow(me.doing == Doing::kUnlock && me.share == Share::kReader, t, kNobody);
        me.share = Share::kNone;
        break;
      case 0 - kWriterBit:
        Allow(me.doing == Doing::kUnlock && me.share == Share::kWriter, t, kNobody);
        if ((sequence_ & 1) != 0) Violate(rule::kParity, t, kNobody);
        me.share = Share::kNone;
        share_writer_ = kNobody;
        break;
      case kReaderUnit - kWriterBit:
        Allow(me.doing == Doing::kDowngrade && me.share == Share::kWriter, t, kNobody);
        if ((sequence_ & 1) != 0) Violate(rule::kParity, t, kNobody);
        me.share = Share::kReader;
        share_writer_ = kNobody;
        break;
      case kWaitersBit:
      case 0:
        // The bit is set, perhaps again: the thread has queued. Or cleared again, for nothing.
        if ((after & kWaitersBit) != 0) Enqueue(t);
        break;
      case 0 - kWaitersBit:
        break;
      default:
        Violate(rule::kNotItsOwn, t, kNobody);
    }
    if (queue_length_ != 0 && (after & kWaitersBit) == 0) {
      Violate(rule::kQueueForgotten, t, kNobody);
    }
    if ((after & kWriterBit) != 0 && after >= kReaderUnit) {
      Violate(rule::kWriterAndOthers, t, kNobody);
    }
  }

  void LetIn(int t, Share share) {
    threads_[t].share = share;
    if (share == Share::kWriter) share_writer_ = static_cast<std::int8_t>(t);
  }

  // Somebody was let in from the queue: the first who waits for such a share. (The word does not
  // say who; if it is another one, that one returns without a share.)
  void LetInQueued(int by, Share share) {
    int place = 0;
    while (place < queue_length_ && queue_[place].share != share) ++place;
    if (place == queue_length_) Violate(rule::kUnaccounted, by, kNobody);
    const int t = queue_[place].thread;
    if (share == Share::kReader) Passes(place, t);
    Dequeue(place);
    LetIn(t, share);
  }

  // A reader enters before the first `places` of the queue.
  void Passes(int places, int reader) {
    for (int i = 0; i < places; ++i) {
      if (queue_[i].share == Share::kWriter &&
          ++queue_[i].passed_by > lock::RwSemaphore::kMaxReadersPassingQueuedWriter) {
        Violate(rule::kPassed, reader, kNobody);
      }
    }
  }

  void Enqueue(int t) {
    const Doing doing = threads_[t].doing;
    Allow(!threads_[t].queued && threads_[t].share == Share::kNone &&
              (doing == Doing::kLock || doing == Doing::kLockShared),
          t, kNobody);
    threads_[t].queued = true;
    queue_[queue_length_++] = {static_cast<std::int8_t>(t),
                               doing == Doing::kLock ? Share::kWriter : Share::kReader};
  }

  void Dequeue(int place) {
    threads_[queue_[place].thread].queued = false;
    --queue_length_;
    for (; place < queue_length_; ++place) queue_[place] = queue_[place + 1];
  }

  // A step that is no access to memory.
  void OnWait(const Step& step) {
    if (step.kind == StepKind::kFutexWait) threads_[step.thread].sleeps_on = step.address;
    if (step.address != queue_mutex_) return;
    if (step.kind == StepKind::kMutexUnlock) queue_owner_ = kNobody;
    if (step.kind == StepKind::kMutexLock) {
      queue_owner_ = static_cast<std::int8_t>(step.thread);
      if (threads_[step.thread].queued) LeaveQueue(step.thread);
    }
  }

  // A thread that has queued and takes the queue's mutex again has given up: it is about to leave
  // the queue, and until it drops the mutex nobody sees whether it has.
  void LeaveQueue(int t) {
    for (int place = 0; place < queue_length_; ++place) {
      if (queue_[place].thread == t) return Dequeue(place);
    }
  }

  // --- Violations ---

  void Allow(bool condition, int t, int v) const {
    if (!condition) [[unlikely]]
      Violate(rule::kNotItsOwn, t, v);
  }

  [[noreturn, gnu::cold, gnu::noinline]] void Violate(const char* rule, int t, int v) const {
    const Ghost ghost;
    std::string text;
    if (t != kNobody) {
      text += "thread " + std::to_string(t) + " in " + DoingName(threads_[t].doing) + ": ";
    }
    if (v == kNobody) {
      text += "mm.semaphore is \"" + TextOfSemaphore(semaphore_word_) + "\", mm.lock_seq " +
              TextOfSequence(sequence_);
      for (int i = 0; i < kThreads; ++i) {
        if (threads_[i].share == Share::kReader) text += ", thread " + std::to_string(i) + " reads";
        if (threads_[i].share == Share::kWriter)
          text += ", thread " + std::to_string(i) + " writes";
        if (threads_[i].queued) text += ", thread " + std::to_string(i) + " waits";
      }
    } else {
      const Account& vma = vma_[v];
      text += "vma" + std::to_string(v) + ".refcount is \"" + TextOfWord<Widths>(vma.word) +
              "\", the VMA is " + lock::SituationName(vma.situation);
      for (int i = 0; i < kThreads; ++i) {
        if (threads_[i].reads[v] != 0) text += ", thread " + std::to_string(i) + " reads it";
        if (threads_[i].temporary == v) {
          text += ", thread " + std::to_string(i) + " has counted itself in";
        }
      }
      if (share_writer_ != kNobody) {
        text += ", thread " + std::to_string(share_writer_) + " has the mmap lock for writing";
        if (vma.locked) text += " and the VMA locked";
      }
    }
    Fail(rule, text);
  }

  // Where the words are.
  const std::uintptr_t vmas_begin_;
  const std::size_t word_offset_;
  const std::size_t number_offset_;
  const void* const counter_;
  const void* const semaphore_;
  const void* const queue_mutex_;

  Account vma_[kVmas];
  SequenceValue sequence_ = 0;
  std::uint32_t semaphore_word_ = 0;
  std::int8_t share_writer_ = kNobody;  // who is in the mmap lock for writing
  std::int8_t excluder_ = kNobody;      // whose FLAG it is; one at most, as it needs the mmap lock
  std::int8_t excluded_ = kNobody;      // the VMA that has it
  int last_changed_ = 0;
  Thread threads_[kThreads];
  Queued queue_[kThreads];
  int queue_length_ = 0;
  std::int8_t queue_owner_ = kNobody;  // who has the queue's mutex: it lets in others, not itself
};

}  // namespace jacquard::fuzzers

#pragma clang attribute pop

#endif  // JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_
