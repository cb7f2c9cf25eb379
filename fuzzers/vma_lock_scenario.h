// The scenario of the per-VMA lock: 2 to 4 threads on one mm and its three VMAs.
//
// The operations are the locks' own. An operation that would be *misuse* where a thread stands is
// skipped without a step ("skipped" in the trace), so that every input is legal use, and whatever
// is found is the lock's fault. The rules of use, each enforced here:
//
//   * The mmap lock is not taken twice by one thread.
//   * Who holds a VMA for reading does not *wait* for the mmap lock (a try is all right): its owner
//     may wait for that very reader.
//   * start_write, mark_attached, mark_detached need the mmap lock for writing; so does downgrade.
//     start_read_locked needs it in some way. start_read needs nothing.
//   * mark_attached and mark_detached need the VMA write-locked in this section, and detached or
//     attached, respectively.
//   * Who holds a VMA for reading does not write-lock it, unless it has done so before, and does
//     not detach it: it would wait for itself.
//   * What is taken is given back, at the latest by EndThread.
//
// `kill` is the fatal signal of killable waits: it ends the wait that another thread is in, or the
// next one that it begins.
//
// Exclusion is checked by its effect, too: every VMA and the mm guard two plain fields, the first
// of which is written when a write section begins and the second when it ends. A reader who finds
// them different, or changed while it reads, has met a writer. Two atomic fields beside them are
// for speculation, which must notice that they do not belong together.
#ifndef JACQUARD_FUZZERS_VMA_LOCK_SCENARIO_H_
#define JACQUARD_FUZZERS_VMA_LOCK_SCENARIO_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "fuzzers/scenario.h"
#include "fuzzers/vma_lock_ghost.h"
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
  static constexpr int kVmas = GhostState::kVmas;
  // Read locks of one VMA that one thread may hold at once.
  static constexpr int kMaxReads = 2;
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

  JACQUARD_UNCOVERED BasicVmaLockScenario()
      : simulated_(Simulated()), attached_(AttachAtFirst()), ghost_(mmap_, vmas_, attached_) {}

  JACQUARD_UNCOVERED ~BasicVmaLockScenario() {
    mmap_.Lock();
    for (int v = 0; v < kVmas; ++v) {
      if ((attached_ >> v & 1) == 0) continue;
      vmas_[v].StartWrite(mmap_);
      vmas_[v].MarkDetached(mmap_);
    }
    mmap_.Unlock();
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
    if (mmap_.LockSharedKillable(BeginKillable(me))) {
      EndKillable(me);
      return TookShared(me);
    }
    return WasKilled(me);
  }

  const char* TryLockShared() {
    Me me(*this, Doing::kLockShared);
    if (me->share != Share::kNone) return kSkipped;
    if (mmap_.TryLockShared()) return TookShared(me);
    if (simulated_) ghost_.MmapTryFailed(me.thread, /*shared=*/true);
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
    if (mmap_.LockKillable(BeginKillable(me))) {
      EndKillable(me);
      return Took(me);
    }
    return WasKilled(me);
  }

  const char* TryLock() {
    Me me(*this, Doing::kLock);
    if (me->share != Share::kNone) return kSkipped;
    if (mmap_.TryLock()) return Took(me);
    if (simulated_) ghost_.MmapTryFailed(me.thread, /*shared=*/false);
    return "false";
  }

  const char* Unlock() {
    Me me(*this, Doing::kUnlock);
    return DropMmap(me);
  }

  const char* Downgrade() {
    Me me(*this, Doing::kDowngrade);
    if (me->share != Share::kWriter) return kSkipped;
    EndWriting(me);
    mmap_.Downgrade();
    me->share = Share::kReader;
    me->mm_seen = mm_fields_.first;
    if (simulated_) ghost_.MmapLocked(me.thread, Share::kReader);
    return nullptr;
  }

  // --- The VMAs, reading ---

  const char* StartRead(int v) {
    Me me(*this, Doing::kStartRead);
    if (me->reads[v] == kMaxReads) return kSkipped;
    switch (vmas_[v].StartRead(mmap_)) {
      case lock::ReadResult::kLocked:
        TookRead(me, v);
        return "locked";
      case lock::ReadResult::kDetached:
        if (simulated_) ghost_.FoundDetached(me.thread, v);
        return "detached";
      case lock::ReadResult::kContended:
        return "contended";
    }
    return "?";
  }

  const char* StartReadLocked(int v) {
    Me me(*this, Doing::kStartReadLocked);
    if (me->share == Share::kNone || me->reads[v] == kMaxReads) return kSkipped;
    if (!vmas_[v].StartReadLocked(mmap_)) return "false";
    TookRead(me, v);
    return "true";
  }

  const char* EndRead(int v) {
    Me me(*this, Doing::kEndRead);
    if (me->reads[v] == 0) return kSkipped;
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
    if (vmas_[v].StartWriteKillable(mmap_, BeginKillable(me))) {
      EndKillable(me);
      TookWrite(me, v);
      return "true";
    }
    EndKillable(me);
    Check(me->stop.stop_requested(), fuzzers::rule::kDishonest);
    return "killed";
  }

  const char* MarkAttached(int v) {
    Me me(*this, Doing::kMarkAttached);
    if ((me->writes >> v & 1) == 0 || IsAttached(v)) return kSkipped;
    vmas_[v].MarkAttached(mmap_);
    attached_ |= 1u << v;
    if (simulated_) ghost_.Attached(me.thread, v);
    return nullptr;
  }

  const char* MarkDetached(int v) {
    Me me(*this, Doing::kMarkDetached);
    if ((me->writes >> v & 1) == 0 || !IsAttached(v) || me->reads[v] != 0) return kSkipped;
    vmas_[v].MarkDetached(mmap_);
    attached_ &= ~(1u << v);
    if (simulated_) ghost_.Detached(me.thread, v);
    return nullptr;
  }

  // --- Reading without a lock ---

  const char* SpeculateBegin(int v) {
    Me me(*this, Doing::kNothing);
    const std::optional<SequenceValue> begin = mmap_.SpeculateTryBegin();
    me->speculates = begin.has_value();
    if (!begin) return "false";
    me->began_at = *begin;
    me->speculated_vma = static_cast<std::uint8_t>(v);
    // Relaxed, here and below: SpeculateRetry says whether the values are worth anything.
    me->speculated = vma_fields_[v].speculative_first.load(std::memory_order_relaxed);
    return "true";
  }

  const char* SpeculateRetry() {
    Me me(*this, Doing::kNothing);
    if (!me->speculates) return kSkipped;
    me->speculates = false;
    const std::uint32_t second =
        vma_fields_[me->speculated_vma].speculative_second.load(std::memory_order_relaxed);
    if (mmap_.SpeculateRetry(me->began_at)) return "true";
    Check(me->speculated == second, "speculation validates a torn snapshot");
    return "false";
  }

  // --- The signaller ---

  const char* Kill(int thread) {
    Me me(*this, Doing::kNothing);
    ThreadState& other = threads_[thread];
    std::stop_source stop(std::nostopstate);
    {
      const Ghost ghost;
      const std::unique_lock lock = LockNative(other);
      if (!other.killable) {
        other.kill_pending = true;
        return "pending";
      }
      stop = other.stop;
    }
    const bool first = stop.request_stop();
    const Ghost ghost;
    stop = std::stop_source(std::nostopstate);
    return first ? "killed" : "killed already";
  }

  // --- What the harness asks ---

  void EndThread() {
    {
      Me me(*this, Doing::kEndRead);
      for (int v = 0; v < kVmas; ++v) {
        while (me->reads[v] != 0) DropRead(me, v);
      }
    }
    Unlock();
  }

  JACQUARD_UNHOOKED void OnStep(const Step& step) { ghost_.OnStep(step); }

  // What the thread holds is as it left it.
  JACQUARD_UNCOVERED void CheckAfterOperation(int thread) const {
    const ThreadState& me = threads_[thread];
    for (int v = 0; v < kVmas; ++v) {
      if (me.reads[v] != 0) Check(vma_fields_[v].first == me.vma_seen[v], kChanged);
    }
    if (me.share != Share::kNone) Check(mm_fields_.first == me.mm_seen, kChanged);
  }

  JACQUARD_UNCOVERED void CheckFinal() const {
    if (simulated_) ghost_.CheckFinal(attached_);
    for (int v = 0; v < kVmas; ++v) {
      Check(vmas_[v].LoadWord() == (attached_ >> v & 1), fuzzers::rule::kLeftBehind);
      Check(vma_fields_[v].first == vma_fields_[v].second, kTorn);
    }
    Check(mm_fields_.first == mm_fields_.second, kTorn);
    Check(!mmap_.semaphore().IsLocked() && !mmap_.semaphore().HasWaiters(),
          fuzzers::rule::kLeftBehind);
  }

  JACQUARD_UNHOOKED int StateFeature() const { return ghost_.StateFeature(); }

  std::string NameOf(const void* address) const {
    if (address == &const_cast<Mmap&>(mmap_).writer_wait()) return "mm.writer_wait";
    for (int v = 0; v < kVmas; ++v) {
      const std::string name = "vma" + std::to_string(v) + ".data";
      if (address == &vma_fields_[v].speculative_first) return name + ".first";
      if (address == &vma_fields_[v].speculative_second) return name + ".second";
    }
    return ghost_.NameOf(address);
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    if (address == &const_cast<Mmap&>(mmap_).writer_wait()) {
      return value == 0 ? "nobody waits" : "a writer waits";
    }
    return ghost_.TextOf(address, value);
  }

  const GhostState& ghost() const { return ghost_; }

 private:
  using Share = typename GhostState::Share;

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kTorn = "a reader sees half of a write section";
  static constexpr const char* kChanged = "data changes under a reader";

  // What the locks guard. `first` and `second` differ only while somebody writes.
  struct Fields {
    std::uint32_t first = 0;
    std::uint32_t second = 0;
    std::atomic<std::uint32_t> speculative_first{0};
    std::atomic<std::uint32_t> speculative_second{0};
  };

  // What one thread holds. Its own, but for the last group, which the signaller looks at.
  struct ThreadState {
    Share share = Share::kNone;  // of the mmap lock
    std::uint8_t writes = 0;     // the VMAs write-locked in this section, a bit each
    std::uint8_t reads[kVmas] = {};
    std::uint32_t vma_seen[kVmas] = {};  // what it has read under its locks
    std::uint32_t mm_seen = 0;

    bool speculates = false;
    std::uint8_t speculated_vma = 0;
    SequenceValue began_at = 0;
    std::uint32_t speculated = 0;

    std::mutex mutex;       // native form only: in the simulation no step comes in between
    bool killable = false;  // in a killable operation, whose source `stop` is
    bool kill_pending = false;
    std::stop_source stop{std::nostopstate};
  };

  // The calling thread, in an operation.
  class Me {
   public:
    JACQUARD_UNHOOKED Me(BasicVmaLockScenario& scenario, Doing doing)
        : thread(CurrentThread()), scenario_(scenario) {
      if (scenario_.simulated_) scenario_.ghost_.Begin(thread, doing);
    }
    JACQUARD_UNHOOKED ~Me() {
      if (scenario_.simulated_) scenario_.ghost_.End(thread);
    }
    Me(const Me&) = delete;
    Me& operator=(const Me&) = delete;

    JACQUARD_UNHOOKED ThreadState* operator->() const { return &scenario_.threads_[thread]; }

    JACQUARD_UNHOOKED bool MayWaitForMmap() const {
      const ThreadState& me = scenario_.threads_[thread];
      if (me.share != Share::kNone) return false;
      for (int v = 0; v < kVmas; ++v) {
        if (me.reads[v] != 0) return false;
      }
      return true;
    }
    JACQUARD_UNHOOKED bool MayWrite(int v) const {
      const ThreadState& me = scenario_.threads_[thread];
      if (me.share != Share::kWriter) return false;
      return me.reads[v] == 0 || (me.writes >> v & 1) != 0;
    }

    const int thread;

   private:
    BasicVmaLockScenario& scenario_;
  };

  bool IsAttached(int v) const { return (attached_ >> v & 1) != 0; }

  JACQUARD_UNCOVERED unsigned AttachAtFirst() {
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
    me->share = Share::kReader;
    if (simulated_) ghost_.MmapLocked(me.thread, Share::kReader);
    Check(mm_fields_.first == mm_fields_.second, kTorn);
    me->mm_seen = mm_fields_.first;
    return "true";
  }

  JACQUARD_UNCOVERED const char* Took(Me& me) {
    me->share = Share::kWriter;
    if (simulated_) ghost_.MmapLocked(me.thread, Share::kWriter);
    Check(mm_fields_.first == mm_fields_.second, kTorn);
    me->mm_seen = ++mm_fields_.first;
    return "true";
  }

  JACQUARD_UNCOVERED const char* WasKilled(Me& me) {
    EndKillable(me);
    if (simulated_) ghost_.MmapLocked(me.thread, Share::kNone);
    Check(me->stop.stop_requested(), fuzzers::rule::kDishonest);
    return "killed";
  }

  const char* DropMmap(Me& me) {
    switch (me->share) {
      case Share::kNone:
        return kSkipped;
      case Share::kReader:
        Check(mm_fields_.first == me->mm_seen && mm_fields_.second == me->mm_seen, kChanged);
        me->share = Share::kNone;
        mmap_.UnlockShared();
        break;
      case Share::kWriter:
        EndWriting(me);
        me->share = Share::kNone;
        mmap_.Unlock();
        break;
    }
    if (simulated_) ghost_.MmapLocked(me.thread, Share::kNone);
    return nullptr;
  }

  JACQUARD_UNCOVERED void TookRead(Me& me, int v) {
    if (simulated_) ghost_.ReadLocked(me.thread, v);
    const Fields& fields = vma_fields_[v];
    const bool own = (me->writes >> v & 1) != 0;  // then its writing is half done
    Check(own || fields.first == fields.second, kTorn);
    if (me->reads[v]++ != 0) Check(fields.first == me->vma_seen[v], kChanged);
    me->vma_seen[v] = fields.first;
  }

  void DropRead(Me& me, int v) {
    const Fields& fields = vma_fields_[v];
    Check(fields.first == me->vma_seen[v], kChanged);
    --me->reads[v];
    vmas_[v].EndRead();
  }

  JACQUARD_UNCOVERED void TookWrite(Me& me, int v) {
    if (simulated_) ghost_.WriteLocked(me.thread, v);
    if ((me->writes >> v & 1) != 0) return;
    me->writes |= static_cast<std::uint8_t>(1u << v);
    Fields& fields = vma_fields_[v];
    Check(fields.first == fields.second, kTorn);
    ++fields.first;
    // Relaxed, here and below: pairs with nothing; the mm's sequence orders what speculation reads.
    fields.speculative_first.store(fields.first, std::memory_order_relaxed);
  }

  // Before a write section ends: what was begun is completed.
  JACQUARD_UNCOVERED void EndWriting(Me& me) {
    for (int v = 0; v < kVmas; ++v) {
      if ((me->writes >> v & 1) == 0) continue;
      Fields& fields = vma_fields_[v];
      fields.speculative_second.store(fields.first, std::memory_order_relaxed);
      fields.second = fields.first;
    }
    me->writes = 0;
    mm_fields_.second = mm_fields_.first;
  }

  // --- Killable waits ---

  JACQUARD_UNCOVERED std::unique_lock<std::mutex> LockNative(ThreadState& state) {
    std::unique_lock lock(state.mutex, std::defer_lock);
    if (!simulated_) lock.lock();
    return lock;
  }

  JACQUARD_UNCOVERED std::stop_token BeginKillable(Me& me) {
    const Ghost ghost;
    ThreadState& state = *me.operator->();
    const std::unique_lock lock = LockNative(state);
    state.stop = std::stop_source();
    if (state.kill_pending) state.stop.request_stop();
    state.kill_pending = false;
    state.killable = true;
    return state.stop.get_token();
  }

  JACQUARD_UNCOVERED void EndKillable(Me& me) {
    const Ghost ghost;
    ThreadState& state = *me.operator->();
    const std::unique_lock lock = LockNative(state);
    state.killable = false;
  }

  const bool simulated_;
  Mmap mmap_;
  Vma vmas_[kVmas] = {Vma(mmap_), Vma(mmap_), Vma(mmap_)};
  unsigned attached_;  // the attached VMAs, a bit each; guarded by the mmap lock
  Fields mm_fields_;
  Fields vma_fields_[kVmas];
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
