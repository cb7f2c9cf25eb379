// The scenario of the per-VMA lock: 2 to 4 threads on one mm and its three VMAs.
//
// The operations are the locks' own. An operation that would be *misuse* where a thread stands is
// skipped without a step ("skipped" in the trace), so that every input is legal use, and whatever
// is found is the lock's fault: vma_lock_actor.h has the rules of use. What is taken is given
// back, at the latest by EndThread.
//
// `kill` is the fatal signal of killable waits (killable_waits.h).
//
// Exclusion is checked by accounts (vma_lock_ghost.h), and by its effect, too: every VMA and the mm
// guard data (guarded_fields.h).
#ifndef JACQUARD_FUZZERS_VMA_LOCK_SCENARIO_H_
#define JACQUARD_FUZZERS_VMA_LOCK_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <string>

#include "fuzzers/guarded_fields.h"
#include "fuzzers/killable_waits.h"
#include "fuzzers/scenario.h"
#include "fuzzers/vma_lock_actor.h"
#include "fuzzers/vma_lock_ghost.h"
#include "fuzzers/vma_lock_rules.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/mmap_lock.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"
#include "sim/runtime.h"
#include "sim/step.h"

// What the scenario does around the lock is of no interest to a fuzzer: coverage is of the lock's
// code.
#define JACQUARD_UNCOVERED __attribute__((no_sanitize("coverage")))

namespace jacquard {

// Who holds what is decided at run time here, and checked by the ghost state.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

template <lock::LockWidths Widths>
class BasicVmaLockScenario {
 public:
  using Mmap = lock::BasicMmapLock<Widths>;
  using Vma = lock::BasicVmaLock<Widths>;
  using SequenceValue = typename Mmap::SequenceValue;
  using GhostState = fuzzers::VmaLockGhost<Widths>;
  using Doing = fuzzers::Doing;

  static constexpr int kMinThreads = 2;
  static constexpr int kMaxThreads = GhostState::kThreads;
  static constexpr bool kStartsTheSame = true;
  static constexpr int kVmas = GhostState::kVmas;
  // VMAs 0 and 1 are attached at the beginning, VMA 2 is not.
  static constexpr unsigned kAttachedAtFirst = 0b011;

  static auto Operations() {
    using S = BasicVmaLockScenario;
    return jacquard::Operations<S>{
        {"lock_shared", &S::LockShared},
        {"lock_shared_killable", &S::LockSharedKillable},
        {"try_lock_shared", &S::TryLockShared},
        {"lock", &S::Lock},
        {"lock_killable", &S::LockKillable},
        {"try_lock", &S::TryLock},
        {"unlock", &S::Unlock},  // in whichever way it is held
        {"downgrade", &S::Downgrade},
        {"start_read", &S::StartRead, {"vma", kVmas}},
        {"start_read_locked", &S::StartReadLocked, {"vma", kVmas}},
        {"end_read", &S::EndRead, {"vma", kVmas}},
        {"start_write", &S::StartWrite, {"vma", kVmas}},
        {"start_write_killable", &S::StartWriteKillable, {"vma", kVmas}},
        {"mark_attached", &S::MarkAttached, {"vma", kVmas}},
        {"mark_detached", &S::MarkDetached, {"vma", kVmas}},
        {"speculate_begin", &S::SpeculateBegin, {"vma", kVmas}},
        {"speculate_retry", &S::SpeculateRetry},
        {"kill", &S::Kill, {"thread", kMaxThreads}},
    };
  }

  JACQUARD_UNHOOKED BasicVmaLockScenario()
      : simulated_(Simulated()),
        vmas_{Vma(mmap_), Vma(mmap_), Vma(mmap_)},
        attached_(AttachAtFirst()),
        ghost_(mmap_, vmas_, attached_) {}

  // What is still attached is not destroyed: it would have to be detached first, by a whole write
  // section that shows nothing which CheckFinal has not seen. Its memory goes with the scenario's.
  JACQUARD_UNHOOKED ~BasicVmaLockScenario() {
    for (int v = 0; v < kVmas; ++v) {
      if ((attached_ >> v & 1) == 0) vmas_[v].~Vma();
    }
  }

  // --- The mmap lock ---

  const char* LockShared() {
    Me me(*this, Doing::kLockShared);
    if (!me.MayWaitForMmap()) return kSkipped;
    mmap_.LockShared();
    return TookShared(me);
  }

  const char* LockSharedKillable() {
    Me me(*this, Doing::kLockShared);
    if (!me.MayWaitForMmap()) return kSkipped;
    KillableWaits& waits = MyWaits();
    if (!mmap_.LockSharedKillable(waits.Begin())) return WasKilled(me);
    waits.End();
    return TookShared(me);
  }

  const char* TryLockShared() {
    Me me(*this, Doing::kLockShared);
    if (!me.MayTryMmap()) return kSkipped;
    if (mmap_.TryLockShared()) return TookShared(me);
    me.FailToTakeMmap(/*shared=*/true);
    return "false";
  }

  const char* Lock() {
    Me me(*this, Doing::kLock);
    if (!me.MayWaitForMmap()) return kSkipped;
    mmap_.Lock();
    return Took(me);
  }

  const char* LockKillable() {
    Me me(*this, Doing::kLock);
    if (!me.MayWaitForMmap()) return kSkipped;
    KillableWaits& waits = MyWaits();
    if (!mmap_.LockKillable(waits.Begin())) return WasKilled(me);
    waits.End();
    return Took(me);
  }

  const char* TryLock() {
    Me me(*this, Doing::kLock);
    if (!me.MayTryMmap()) return kSkipped;
    if (mmap_.TryLock()) return Took(me);
    me.FailToTakeMmap(/*shared=*/false);
    return "false";
  }

  const char* Unlock() {
    Me me(*this, Doing::kUnlock);
    return DropMmap(me);
  }

  const char* Downgrade() {
    Me me(*this, Doing::kDowngrade);
    if (!me.MayDowngrade()) return kSkipped;
    EndWriting(me);
    mmap_.Downgrade();
    me.TakeMmap(Share::kReader);
    me.SeeMm(mm_fields_.value());
    return nullptr;
  }

  // --- The VMAs, reading ---

  const char* StartRead(int v) {
    Me me(*this, Doing::kStartRead);
    if (!me.MayRead(v)) return kSkipped;
    switch (vmas_[v].StartRead(mmap_)) {
      case lock::ReadResult::kLocked:
        TookRead(me, v);
        return "locked";
      case lock::ReadResult::kDetached:
        me.FindDetached(v);
        return "detached";
      case lock::ReadResult::kContended:
        return "contended";
    }
    return "?";
  }

  const char* StartReadLocked(int v) {
    Me me(*this, Doing::kStartReadLocked);
    if (!me.MayReadLocked(v)) return kSkipped;
    if (!vmas_[v].StartReadLocked(mmap_)) return "false";
    TookRead(me, v);
    return "true";
  }

  const char* EndRead(int v) {
    Me me(*this, Doing::kEndRead);
    if (!me.Reads(v)) return kSkipped;
    DropRead(me, v);
    return nullptr;
  }

  // --- The VMAs, writing ---

  const char* StartWrite(int v) {
    Me me(*this, Doing::kStartWrite);
    if (!me.MayWrite(v)) return kSkipped;
    vmas_[v].StartWrite(mmap_);
    TookWrite(me, v);
    return nullptr;
  }

  const char* StartWriteKillable(int v) {
    Me me(*this, Doing::kStartWriteKillable);
    if (!me.MayWrite(v)) return kSkipped;
    KillableWaits& waits = MyWaits();
    const bool taken = vmas_[v].StartWriteKillable(mmap_, waits.Begin());
    waits.End();
    if (taken) {
      TookWrite(me, v);
      return "true";
    }
    Check(waits.WasKilled(), fuzzers::rule::kDishonest);
    return "killed";
  }

  const char* MarkAttached(int v) {
    Me me(*this, Doing::kMarkAttached);
    if (!me.MayAttach(v) || IsAttached(v)) return kSkipped;
    vmas_[v].MarkAttached(mmap_);
    attached_ |= 1u << v;
    me.Attach(v);
    return nullptr;
  }

  const char* MarkDetached(int v) {
    Me me(*this, Doing::kMarkDetached);
    if (!me.MayDetach(v) || !IsAttached(v)) return kSkipped;
    vmas_[v].MarkDetached(mmap_);
    attached_ &= ~(1u << v);
    me.Detach(v);
    return nullptr;
  }

  // --- Reading without a lock ---

  const char* SpeculateBegin(int v) {
    Me me(*this, Doing::kNothing);
    Speculation& speculation = MySpeculation();
    const std::optional<SequenceValue> begin = mmap_.SpeculateTryBegin();
    speculation.going_on = begin.has_value();
    if (!begin) return "false";
    speculation.began_at = *begin;
    speculation.vma = v;
    speculation.first = vma_fields_[v].SpeculateFirst();
    return "true";
  }

  const char* SpeculateRetry() {
    Me me(*this, Doing::kNothing);
    Speculation& speculation = MySpeculation();
    if (!speculation.going_on) return kSkipped;
    speculation.going_on = false;
    const std::uint32_t second = vma_fields_[speculation.vma].SpeculateSecond();
    if (mmap_.SpeculateRetry(speculation.began_at)) return "true";
    Check(speculation.first == second, "speculation validates a torn snapshot");
    return "false";
  }

  // --- The signaller ---

  const char* Kill(int thread) {
    Me me(*this, Doing::kNothing);
    return threads_[thread].waits.Kill();
  }

  // --- What the harness asks ---

  void EndThread() {
    if (!HoldsAnything()) return;
    {
      Me me(*this, Doing::kEndRead);
      for (int v = 0; v < kVmas; ++v) {
        while (me.Reads(v)) DropRead(me, v);
      }
    }
    Unlock();
  }

  JACQUARD_CHECK_CODE void OnStep(const Step& step) { ghost_.OnStep(step); }

  // What the thread holds is as it left it.
  JACQUARD_CHECK_CODE void CheckAfterOperation(int thread) const {
    const Holdings& me = threads_[thread].holdings;
    if (!me.Any()) return;
    for (int v = 0; v < kVmas; ++v) {
      if (me.reads[v] != 0) Check(vma_fields_[v].value() == me.vma_seen[v], kChanged);
    }
    if (me.share != Share::kNone) Check(mm_fields_.value() == me.mm_seen, kChanged);
  }

  // With the hooks of what it calls, which so becomes part of it.
  JACQUARD_UNCOVERED void CheckFinal() const {
    if (simulated_) ghost_.CheckFinal(attached_);
    for (int v = 0; v < kVmas; ++v) {
      Check(vmas_[v].LoadWord() == (attached_ >> v & 1), fuzzers::rule::kLeftBehind);
      Check(vma_fields_[v].IsWhole(), kTorn);
    }
    Check(mm_fields_.IsWhole(), kTorn);
    Check(!mmap_.semaphore().IsLocked() && !mmap_.semaphore().HasWaiters(),
          fuzzers::rule::kLeftBehind);
  }

  JACQUARD_CHECK_CODE int StateFeature() const { return ghost_.StateFeature(); }
  static std::string StateName(int feature) { return GhostState::StateName(feature); }

  std::string NameOf(const void* address) const {
    if (address == &const_cast<Mmap&>(mmap_).writer_wait()) return "mm.writer_wait";
    if (const char* const part = mm_fields_.NameOf(address)) return std::string("mm.data.") + part;
    for (int v = 0; v < kVmas; ++v) {
      const char* const part = vma_fields_[v].NameOf(address);
      if (part != nullptr) return "vma" + std::to_string(v) + ".data." + part;
    }
    return ghost_.NameOf(address);
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    if (address == &const_cast<Mmap&>(mmap_).writer_wait()) {
      return value == 0 ? "nobody waits" : "a writer waits";
    }
    return ghost_.TextOf(address, value);
  }

  // Real threads would race for them.
  std::string HeldBy(int thread) const {
    return simulated_ ? threads_[thread].holdings.InWords() : std::string();
  }

  const GhostState& ghost() const { return ghost_; }

 private:
  using Share = typename GhostState::Share;
  using Holdings = fuzzers::VmaLockHoldings;
  using KillableWaits = fuzzers::KillableWaits;

  static_assert(Holdings::kVmas == kVmas);

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kTorn = "a reader sees half of a write section";
  static constexpr const char* kChanged = "data changes under a reader";

  // A thread's speculation, from begin to retry.
  struct Speculation {
    JACQUARD_UNHOOKED Speculation() = default;

    bool going_on = false;
    int vma = 0;
    SequenceValue began_at = 0;
    std::uint32_t first = 0;
  };

  struct ThreadState {
    JACQUARD_UNHOOKED ThreadState() = default;

    Holdings holdings;
    Speculation speculation;
    KillableWaits waits;
  };

  // The calling thread, in an operation.
  class Me : public fuzzers::VmaLockActor<Widths> {
   public:
    JACQUARD_UNHOOKED Me(BasicVmaLockScenario& scenario, Doing doing)
        : Me(scenario, doing, CurrentThread()) {}

   private:
    JACQUARD_UNHOOKED Me(BasicVmaLockScenario& scenario, Doing doing, int thread)
        : fuzzers::VmaLockActor<Widths>(scenario.simulated_ ? &scenario.ghost_ : nullptr,
                                        scenario.threads_[thread].holdings, thread, doing) {}
  };

  // The parts of the calling thread's state that have hooks.
  JACQUARD_UNHOOKED Speculation& MySpeculation() { return threads_[CurrentThread()].speculation; }
  JACQUARD_UNHOOKED KillableWaits& MyWaits() { return threads_[CurrentThread()].waits; }

  JACQUARD_UNHOOKED bool HoldsAnything() const { return threads_[CurrentThread()].holdings.Any(); }

  bool IsAttached(int v) const { return (attached_ >> v & 1) != 0; }

  JACQUARD_UNHOOKED unsigned AttachAtFirst() {
    mmap_.Lock();
    for (int v = 0; v < kVmas; ++v) {
      if ((kAttachedAtFirst >> v & 1) == 0) continue;
      vmas_[v].StartWrite(mmap_);
      vmas_[v].MarkAttached(mmap_);
    }
    mmap_.Unlock();
    return kAttachedAtFirst;
  }

  // --- What follows when a lock has been taken, and precedes when it is dropped ---

  JACQUARD_UNCOVERED const char* TookShared(Me& me) {
    me.TakeMmap(Share::kReader);
    Check(mm_fields_.IsWhole(), kTorn);
    me.SeeMm(mm_fields_.value());
    return "true";
  }

  JACQUARD_UNCOVERED const char* Took(Me& me) {
    me.TakeMmap(Share::kWriter);
    Check(mm_fields_.IsWhole(), kTorn);
    me.SeeMm(mm_fields_.BeginWriting());
    return "true";
  }

  JACQUARD_UNCOVERED const char* WasKilled(Me& me) {
    MyWaits().End();
    me.HasNoMmap();
    Check(MyWaits().WasKilled(), fuzzers::rule::kDishonest);
    return "killed";
  }

  const char* DropMmap(Me& me) {
    switch (me.share()) {
      case Share::kNone:
        return kSkipped;
      case Share::kReader:
        Check(mm_fields_.IsStill(me.mm_seen()), kChanged);
        me.DropMmap();
        mmap_.UnlockShared();
        break;
      case Share::kWriter:
        EndWriting(me);
        me.DropMmap();
        mmap_.Unlock();
        break;
    }
    me.HasNoMmap();
    return nullptr;
  }

  JACQUARD_UNCOVERED void TookRead(Me& me, int v) {
    me.TakeRead(v);
    // If it is writing itself, its writing is half done.
    Check(me.Writes(v) || vma_fields_[v].IsWhole(), kTorn);
    Check(me.SeeVma(v, vma_fields_[v].value()), kChanged);
  }

  void DropRead(Me& me, int v) {
    Check(vma_fields_[v].value() == me.vma_seen(v), kChanged);
    me.DropRead(v);
    vmas_[v].EndRead();
  }

  JACQUARD_UNCOVERED void TookWrite(Me& me, int v) {
    me.TakeWrite(v);
    if (!me.FirstWrites(v)) return;
    Check(vma_fields_[v].IsWhole(), kTorn);
    vma_fields_[v].BeginWritingSpeculative();
  }

  // Before a write section ends: what was begun is completed.
  JACQUARD_UNCOVERED void EndWriting(Me& me) {
    if (me.WritesAny()) {
      for (int v = 0; v < kVmas; ++v) {
        if (me.Writes(v)) vma_fields_[v].EndWritingSpeculative();
      }
      me.DropWrites();
    }
    mm_fields_.EndWriting();
  }

  const bool simulated_;
  Mmap mmap_;
  union {  // destroyed by hand
    Vma vmas_[kVmas];
  };
  unsigned attached_;  // the attached VMAs, a bit each; guarded by the mmap lock
  fuzzers::GuardedFields mm_fields_;
  fuzzers::GuardedFields vma_fields_[kVmas];
  ThreadState threads_[kMaxThreads];
  GhostState ghost_;
};

#pragma clang attribute pop
#undef JACQUARD_UNCOVERED

using VmaLockScenario = BasicVmaLockScenario<lock::KernelWidths>;

// The same with a sequence of two bits, which comes round after two write sections, and room for
// two readers. Its bug is the lock's own, not planted: StartWrite takes the number of a section
// long ago for this one's (see vma_lock.h). At the kernel's width that takes 2^31 write sections.
using VmaLockNarrowScenario = BasicVmaLockScenario<lock::TinyWidths>;

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_VMA_LOCK_SCENARIO_H_
