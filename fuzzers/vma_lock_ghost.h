// The ghost state of the per-VMA lock: who has contributed what to each of its words.
//
// The locks' words are sums, and do not say whose the parts are. The ghost state does: it hears of
// every step, knows what the thread that took it is doing, and books the change on that thread's
// account. A change that the thread's operation does not make is a violation; so is a word that is
// not the sum of its accounts; so are the rules of vma_lock_rules.h, because with accounts
// everything about the locks is known exactly.
//
// A violation is found at the step that commits it, or at the return of the operation that lies.
// Functions here have no hooks: they make no step. They cost a few nanoseconds: loads, the most
// frequent step, are told apart first, and a change recomputes one VMA.
#ifndef JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_
#define JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzzers/mmap_lock_ghost.h"
#include "fuzzers/private_members.h"
#include "fuzzers/transitions.h"
#include "fuzzers/vma_lock_rules.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/mmap_lock.h"
#include "lock/reference_word.h"
#include "lock/vma_lock.h"
#include "sim/runtime.h"
#include "sim/step.h"

namespace jacquard::fuzzers {

// Whether the lock's own function says so. Has the hooks of what it calls, which so becomes part of
// it.
template <lock::LockWidths Widths, typename Word, typename SequenceValue>
[[gnu::noinline]] bool IsPossible(lock::Situation situation, Word word, SequenceValue number,
                                  SequenceValue sequence) {
  return lock::ReferenceWord<Widths>::PossibleSituations(word, number, sequence)
      .Contains(situation);
}

}  // namespace jacquard::fuzzers

// Nothing from here to the matching pop is instrumented.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)

namespace jacquard::fuzzers {

template <lock::LockWidths Widths>
class VmaLockGhost {
 public:
  using Mmap = lock::BasicMmapLock<Widths>;
  using Vma = lock::BasicVmaLock<Widths>;
  using Values = lock::ReferenceWord<Widths>;
  using Word = typename Values::Word;
  using SequenceValue = typename Values::SequenceValue;
  using Situation = lock::Situation;
  using Share = MmapLockGhost::Share;

  static constexpr int kThreads = MmapLockGhost::kThreads;
  static constexpr int kVmas = 3;
  static constexpr int kNobody = MmapLockGhost::kNobody;

  // Takes over the locks as they are: nobody inside, the VMAs of `attached` (a bit each) attached.
  VmaLockGhost(const Mmap& mm, const Vma* vmas, unsigned attached)
      : vmas_begin_(reinterpret_cast<std::uintptr_t>(vmas)),
        word_offset_(reinterpret_cast<std::uintptr_t>(&(vmas->*kWord)) - vmas_begin_),
        number_offset_(reinterpret_cast<std::uintptr_t>(&(vmas->*kNumber)) - vmas_begin_),
        owner_offset_(reinterpret_cast<std::uintptr_t>(&(vmas->*kOwner)) - vmas_begin_),
        mm_(mm.semaphore(), &mm.counter(), *reinterpret_cast<const SequenceValue*>(&mm.counter())) {
    for (int v = 0; v < kVmas; ++v) {
      vma_[v].tree = (attached >> v) & 1;
      vma_[v].word = vma_[v].tree;
      vma_[v].number =
          *reinterpret_cast<const SequenceValue*>(vmas_begin_ + v * sizeof(Vma) + number_offset_);
      vma_[v].situation = SituationOf(vma_[v]);
    }
    UpdateStateFeature();
  }

  // --- After every step ---

  void OnStep(const Step& step) {
    if (step.kind == StepKind::kLoad) [[likely]] {
      if (!step.newest) [[unlikely]]
        mm_.OnStaleLoad(step);
      return;
    }
    if (step.kind == StepKind::kStore || step.kind == StepKind::kReadModifyWrite) {
      OnWrite(step);
    } else if (step.kind >= StepKind::kFutexWait) {
      mm_.OnWait(step);
    }
  }

  // --- What the operations say of themselves: when they begin, and after their last step ---

  void Begin(int t, Doing doing) { mm_.Begin(t, doing); }

  // The operation is over; nothing temporary may be left of it.
  void End(int t) {
    if (threads_[t].temporary != kNobody) Violate(rule::kLeftBehind, t, threads_[t].temporary);
    if (excluder_ == t) Violate(rule::kLeftBehind, t, excluded_);
    mm_.End(t);
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
  void FoundDetached(int t, int v) const {
    const void* const word =
        reinterpret_cast<const void*>(vmas_begin_ + v * sizeof(Vma) + word_offset_);
    const bool was_detached = mm_.HasReadStale(t, word) && mm_.stale_value(t) == Values::kDetached;
    if (vma_[v].word != Values::kDetached && !was_detached) Violate(rule::kDishonest, t, v);
  }

  // start_write in either variant has succeeded.
  void WriteLocked(int t, int v) {
    if (mm_.writer() != t || vma_[v].number != mm_.sequence()) Violate(rule::kNotHeld, t, v);
    vma_[v].locked = true;  // it may have found a number of long ago: see kSequenceCameRound
    CheckExclusion(t, v);
    Resituate(v);
  }

  void Attached(int t, int v) const {
    if (vma_[v].word == Values::kDetached) Violate(rule::kNotHeld, t, v);
  }
  void Detached(int t, int v) const {
    if (vma_[v].word != Values::kDetached) Violate(rule::kLeftBehind, t, v);
  }

  // The mmap lock is taken as `share`, or, with kNone, was not or is dropped.
  void MmapLocked(int t, Share share) const { mm_.Locked(t, share); }
  // A try has failed; `shared` if it was for reading.
  void MmapTryFailed(int t, bool shared) const { mm_.TryFailed(t, shared); }

  // All threads are done; `attached` as the scenario has it.
  void CheckFinal(unsigned attached) const {
    for (int v = 0; v < kVmas; ++v) {
      if (vma_[v].word != ((attached >> v) & 1)) Violate(rule::kLeftBehind, kNobody, v);
    }
    mm_.CheckFinal();
  }

  // --- For others ---

  // What is really the case, and not only possible.
  Situation SituationOfVma(int v) const { return vma_[v].situation; }

  // The situation of the VMA that changed last, and who is inside the mmap lock: under 100.
  int StateFeature() const { return state_feature_; }
  static std::string StateName(int feature) {
    return std::string(
               lock::SituationName(static_cast<Situation>(feature / MmapLockGhost::kStates))) +
           "; " + MmapLockGhost::StateName(feature % MmapLockGhost::kStates);
  }

  std::string NameOf(const void* address) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - vmas_begin_;
    if (offset >= kVmas * sizeof(Vma)) return mm_.NameOf(address);
    const std::size_t place = offset % sizeof(Vma);
    std::string vma = "vma" + std::to_string(offset / sizeof(Vma));
    if (place == word_offset_) return vma + ".refcount";
    if (place == number_offset_) return vma + ".lock_seq";
    if (place == owner_offset_) return vma + ".mm";
    return vma;
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(address) - vmas_begin_;
    if (offset >= kVmas * sizeof(Vma)) return mm_.TextOf(address, value);
    if (offset % sizeof(Vma) == word_offset_) return TextOfWord<Widths>(value);
    if (offset % sizeof(Vma) == number_offset_) {
      if (value == Values::LockSequence::kNeverLocked) return "never locked";
      return value == mm_.sequence() ? std::to_string(value) + " (this section's)"
                                     : std::to_string(value) + " (an old section's)";
    }
    if (offset % sizeof(Vma) == owner_offset_) return value != 0 ? "mm" : "none";
    return {};
  }

 private:
  static constexpr auto kWord = Exposed(VmaWord<Widths>{});
  static constexpr auto kNumber = Exposed(VmaSequence<Widths>{});
  static constexpr auto kOwner = Exposed(VmaOwner<Widths>{});

  // The accounts of one VMA's word: word = tree + temporaries + readers + FLAG if excluded.
  struct Account {
    Account() = default;
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
    Thread() = default;
    std::int8_t temporary = kNobody;  // the VMA into which it has counted itself
    std::uint8_t reads[kVmas] = {};   // its read locks
  };

  [[gnu::noinline]] void OnWrite(const Step& step) {
    const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(step.address) - vmas_begin_;
    if (offset < kVmas * sizeof(Vma)) {
      const int v = static_cast<int>(offset / sizeof(Vma));
      const std::size_t place = offset % sizeof(Vma);
      if (place == word_offset_) {
        OnWord(step, v);
      } else if (place == number_offset_) {
        OnNumber(step, v);
      }
    } else if (mm_.IsSemaphore(step.address)) {
      mm_.OnSemaphore(step);
      UpdateStateFeature();
    } else if (mm_.IsCounter(step.address)) {
      OnCounter(step);
    }
  }

  // A change of a VMA's word: whose it is follows from its size and what the thread is doing.
  void OnWord(const Step& step, int v) {
    Account& vma = vma_[v];
    const int t = step.thread;
    const Doing doing = mm_.doing(t);
    const Word before = static_cast<Word>(step.old_value);
    const Word after = static_cast<Word>(step.new_value);
    if (before != vma.word) Violate(rule::kUnaccounted, t, v);
    if (before == after) return;
    Change change;
    switch (static_cast<Word>(after - before)) {
      case 1:
        change = OnPlusOne(t, v, before);
        break;
      case static_cast<Word>(-1):
        OnMinusOne(t, v);
        change = Change::kDecrement;
        break;
      case Values::kFlag:
        Allow(Excludes(doing) && mm_.writer() == t && excluder_ == kNobody, t, v);
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
    Log(doing, change, v);
  }

  // A reader counts itself in, or the VMA is attached.
  Change OnPlusOne(int t, int v, Word before) {
    Account& vma = vma_[v];
    Thread& me = threads_[t];
    const Doing doing = mm_.doing(t);
    if (doing == Doing::kMarkAttached) {
      Allow(mm_.writer() == t && vma.locked && before == Values::kDetached, t, v);
      vma.tree = 1;
      return Change::kAttach;
    }
    Allow(doing == Doing::kStartRead || doing == Doing::kStartReadLocked, t, v);
    Allow(me.temporary == kNobody && before != Values::kDetached && before < Values::kReaderLimit,
          t, v);
    me.temporary = static_cast<std::int8_t>(v);
    ++vma.temporaries;
    return Change::kIncrement;
  }

  // A reader leaves, or turns back, or the VMA is detached.
  void OnMinusOne(int t, int v) {
    Account& vma = vma_[v];
    Thread& me = threads_[t];
    const Doing doing = mm_.doing(t);
    if (doing == Doing::kEndRead) {
      Allow(me.reads[v] != 0, t, v);
      --me.reads[v];
      --vma.readers;
    } else if (doing == Doing::kStartRead) {
      Allow(me.temporary == v, t, v);
      me.temporary = kNobody;
      --vma.temporaries;
    } else {
      Allow(doing == Doing::kMarkDetached && mm_.writer() == t && vma.locked && vma.tree == 1 &&
                !vma.excluded,
            t, v);
      vma.tree = 0;
    }
  }

  static bool Excludes(Doing doing) {
    return doing == Doing::kStartWrite || doing == Doing::kStartWriteKillable ||
           doing == Doing::kMarkDetached;
  }

  // A VMA gets a number: from here on it is write-locked.
  void OnNumber(const Step& step, int v) {
    Account& vma = vma_[v];
    const int t = step.thread;
    const Doing doing = mm_.doing(t);
    Allow(doing == Doing::kStartWrite || doing == Doing::kStartWriteKillable, t, v);
    Allow(mm_.writer() == t && (vma.excluded || vma.word == Values::kDetached), t, v);
    vma.number = static_cast<SequenceValue>(step.new_value);
    if (vma.number != mm_.sequence() || !mm_.SectionIsOpen()) Violate(rule::kNumber, t, v);
    if (vma.readers != 0 || vma.temporaries != 0) Violate(rule::kReaderAndWriter, t, v);
    vma.locked = true;
    Log(doing, Change::kNumber, v);
  }

  // The mm's sequence: a write section begins or ends, and with it all write locks.
  void OnCounter(const Step& step) {
    const Doing doing = mm_.doing(step.thread);
    const bool begins = !mm_.SectionIsOpen();
    mm_.OnCounter(step, Values::LockSequence::Next(static_cast<SequenceValue>(mm_.sequence())));
    if (excluder_ != kNobody) Violate(rule::kLeftBehind, step.thread, excluded_);
    for (int v = 0; v < kVmas; ++v) {
      const Situation before = vma_[v].situation;
      vma_[v].locked = false;
      if (SituationOf(vma_[v]) == before) continue;
      Log(doing, begins ? Change::kSectionBegins : Change::kSectionEnds, v);
    }
  }

  // Rule (1), when somebody has got a lock.
  void CheckExclusion(int t, int v) const {
    const Account& vma = vma_[v];
    if (!vma.locked || vma.readers == 0) return;
    // The writer's own read locks do no harm.
    if (vma.readers != threads_[mm_.writer()].reads[v]) Violate(rule::kReaderAndWriter, t, v);
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
    if (vma.number == mm_.sequence()) return Situation::kSequenceCameRound;
    return alone ? Situation::kUnlocked : Situation::kReadLocked;
  }

  void Resituate(int v) {
    Account& vma = vma_[v];
    vma.situation = SituationOf(vma);
    last_changed_ = v;
    UpdateStateFeature();
    const auto sequence = static_cast<SequenceValue>(mm_.sequence());
    if (!IsPossible<Widths>(vma.situation, vma.word, vma.number, sequence)) {
      Violate(rule::kSituation, kNobody, v);
    }
  }

  // After every change of what it is made of: it is asked for after every step.
  void UpdateStateFeature() {
    state_feature_ = static_cast<int>(vma_[last_changed_].situation) * MmapLockGhost::kStates +
                     mm_.StateFeature();
  }

  void Log(Doing doing, Change change, int v) {
    const Situation before = vma_[v].situation;
    Resituate(v);
    if (Transitions::log != nullptr) {
      Transitions::log->Add({before, change, doing, vma_[v].situation});
    }
  }

  // --- Violations ---

  void Allow(bool condition, int t, int v) const {
    if (!condition) [[unlikely]]
      Violate(rule::kNotItsOwn, t, v);
  }

  [[noreturn, gnu::cold, gnu::noinline]] void Violate(const char* rule, int t, int v) const {
    const Ghost ghost;
    const Account& vma = vma_[v];
    std::string text = mm_.TextOfThread(t);
    text += "vma" + std::to_string(v) + ".refcount is \"" + TextOfWord<Widths>(vma.word) +
            "\", the VMA is " + lock::SituationName(vma.situation);
    for (int i = 0; i < kThreads; ++i) {
      const std::string thread = ", thread " + std::to_string(i);
      if (threads_[i].reads[v] != 0) text += thread + " reads it";
      if (threads_[i].temporary == v) text += thread + " has counted itself in";
    }
    if (mm_.writer() != kNobody) {
      text += ", thread " + std::to_string(mm_.writer()) + " has the mmap lock for writing";
      if (vma.locked) text += " and the VMA locked";
    }
    Fail(rule, text);
  }

  // Where the words are.
  const std::uintptr_t vmas_begin_;
  const std::size_t word_offset_;
  const std::size_t number_offset_;
  const std::size_t owner_offset_;

  MmapLockGhost mm_;
  Account vma_[kVmas];
  std::int8_t excluder_ = kNobody;  // whose FLAG it is; one at most, as it needs the mmap lock
  std::int8_t excluded_ = kNobody;  // the VMA that has it
  int last_changed_ = 0;
  int state_feature_ = 0;
  Thread threads_[kThreads];
};

}  // namespace jacquard::fuzzers

#pragma clang attribute pop

#endif  // JACQUARD_FUZZERS_VMA_LOCK_GHOST_H_
