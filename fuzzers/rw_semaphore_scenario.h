// The scenario of the reader-writer semaphore: 2 to 4 threads, two semaphores.
//
// A thread takes at most one of the two at a time, and waits for none while it has one: so whatever
// sleeps for ever was forgotten by the semaphore. An operation that would be misuse is skipped.
//
// Judged are exclusion, by who is inside and by the data that each semaphore guards; that a try
// fails only where it may; that a wait ends as killed only when it was; that no reader who comes
// after a queued writer gets in before it; that nobody sleeps at the head of the queue who could
// come in; and that nothing is left behind.
#ifndef JACQUARD_FUZZERS_RW_SEMAPHORE_SCENARIO_H_
#define JACQUARD_FUZZERS_RW_SEMAPHORE_SCENARIO_H_

#include <cstdint>
#include <string>

#include "fuzzers/guarded_fields.h"
#include "fuzzers/killable_waits.h"
#include "fuzzers/private_members.h"
#include "fuzzers/scenario.h"
#include "lock/rw_semaphore.h"
#include "sim/runtime.h"
#include "sim/step.h"

namespace jacquard {

// Who holds what is decided at run time here.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

class RwSemaphoreScenario {
 public:
  static constexpr int kMinThreads = 2;
  static constexpr int kMaxThreads = 4;
  static constexpr int kSemaphores = 2;

  static auto Operations() {
    using S = RwSemaphoreScenario;
    const Argument semaphore = {"semaphore", kSemaphores};
    return jacquard::Operations<S>{
        {"lock_shared", &S::LockShared, semaphore},
        {"lock_shared_killable", &S::LockSharedKillable, semaphore},
        {"try_lock_shared", &S::TryLockShared, semaphore},
        {"lock", &S::Lock, semaphore},
        {"lock_killable", &S::LockKillable, semaphore},
        {"try_lock", &S::TryLock, semaphore},
        {"unlock", &S::Unlock},
        {"downgrade", &S::Downgrade},
        {"kill", &S::Kill, {"thread", kMaxThreads}},
    };
  }

  const char* LockShared(int s) { return Take(s, Share::kReader, kWaits); }
  const char* LockSharedKillable(int s) { return Take(s, Share::kReader, kWaitsKillable); }
  const char* TryLockShared(int s) { return Take(s, Share::kReader, kTries); }
  const char* Lock(int s) { return Take(s, Share::kWriter, kWaits); }
  const char* LockKillable(int s) { return Take(s, Share::kWriter, kWaitsKillable); }
  const char* TryLock(int s) { return Take(s, Share::kWriter, kTries); }

  const char* Unlock() {
    Me& me = Mine();
    const Busy busy(me);
    if (me.share == Share::kNone) return kSkipped;
    lock::RwSemaphore& semaphore = semaphores_[me.semaphore];
    const bool writes = me.share == Share::kWriter;
    Leave(me);
    writes ? semaphore.Unlock() : semaphore.UnlockShared();
    return nullptr;
  }

  const char* Downgrade() {
    Me& me = Mine();
    const Busy busy(me);
    if (me.share != Share::kWriter) return kSkipped;
    const int s = me.semaphore;
    Leave(me);
    semaphores_[s].Downgrade();
    Enter(me, s, Share::kReader);
    return nullptr;
  }

  const char* Kill(int thread) {
    const Busy busy(Mine());
    return waits_[thread].Kill();
  }

  void EndThread() { Unlock(); }

  JACQUARD_CHECK_CODE void OnStep(const Step& step) {
    if (step.kind == StepKind::kFutexWakeUp) threads_[step.thread].asleep = false;
    if (step.kind == StepKind::kFutexWait) {
      threads_[step.thread].asleep = step.new_value == 0;
      CheckNobodyIsForgotten();
    }
    for (int s = 0; s < kSemaphores; ++s) {
      if (step.address == &(semaphores_[s].*Exposed(fuzzers::SemaphoreWord{}))) OnWord(s, step);
    }
  }

  // What a thread reads does not change while it is inside.
  JACQUARD_CHECK_CODE void CheckAfterOperation(int thread) const {
    const Me& me = threads_[thread];
    if (me.share == Share::kReader) {
      Check(fields_[me.semaphore].value() == me.seen, "data changes under a reader");
    }
    if (Simulated()) CheckNobodyIsForgotten();
  }

  JACQUARD_CHECK_CODE void CheckFinal() const {
    for (int s = 0; s < kSemaphores; ++s) {
      Check(!semaphores_[s].IsLocked() && !semaphores_[s].HasWaiters(), "something is left behind");
      Check(fields_[s].IsWhole(), kTorn);
    }
  }

  // The words, without the number of readers beyond two.
  JACQUARD_CHECK_CODE int StateFeature() const {
    int feature = 0;
    for (const lock::RwSemaphore& semaphore : semaphores_) {
      const std::uint32_t readers = semaphore.ReaderCount() < 2 ? semaphore.ReaderCount() : 2;
      feature = feature * 8 + (semaphore.IsWriteLocked() ? 3 : static_cast<int>(readers)) * 2 +
                static_cast<int>(semaphore.HasWaiters());
    }
    return feature;
  }

  static std::string StateName(int feature) {
    constexpr const char* kInside[] = {"free", "a reader", "readers", "a writer"};
    std::string name;
    for (int s = kSemaphores - 1; s >= 0; --s) {
      const int word = feature >> (3 * s) & 7;
      name += std::string(name.empty() ? "" : "; ") + kInside[word / 2] +
              (word % 2 != 0 ? ", awaited" : "");
    }
    return name;
  }

  std::string NameOf(const void* address) const {
    for (int s = 0; s < kSemaphores; ++s) {
      const std::string name = "semaphore" + std::to_string(s);
      if (address == &(semaphores_[s].*Exposed(fuzzers::SemaphoreWord{}))) return name;
      if (address == &(semaphores_[s].*Exposed(fuzzers::SemaphoreMutex{}))) return name + ".mutex";
      if (const char* const part = fields_[s].NameOf(address)) return name + ".data." + part;
    }
    return {};
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    for (const lock::RwSemaphore& semaphore : semaphores_) {
      if (address != &(semaphore.*Exposed(fuzzers::SemaphoreWord{}))) continue;
      std::string text = (value & kWriter) != 0 ? "writer" : std::to_string(value / kReader);
      if ((value & kWriter) == 0) text += value / kReader == 1 ? " reader" : " readers";
      return text + ((value & kWaiters) != 0 ? ", waiters" : "");
    }
    return {};
  }

 private:
  enum class Share : std::uint8_t { kNone, kReader, kWriter };
  enum Way : std::uint8_t { kWaits, kWaitsKillable, kTries };

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kTorn = "a reader sees half of a write section";
  static constexpr std::uint32_t kWriter = Exposed(fuzzers::SemaphoreWriterBit{});
  static constexpr std::uint32_t kWaiters = Exposed(fuzzers::SemaphoreWaitersBit{});
  static constexpr std::uint32_t kReader = Exposed(fuzzers::SemaphoreReaderUnit{});

  // What a thread has, and what it has seen on the way to it.
  struct Me {
    JACQUARD_CHECK_CODE Me() = default;

    int semaphore = 0;
    Share share = Share::kNone;
    std::uint32_t seen = 0;  // of what the semaphore guards
    // Of the semaphore that it is about to take: its word when last looked at, and whether it came
    // while a writer stood in the queue.
    std::uint32_t word = 0;
    bool queues = false;
    Share wants = Share::kNone;
    std::uint32_t ticket = 0;  // when it queued
    bool busy = false;         // in an operation,
    bool asleep = false;       // and there asleep
  };

  // While it lives, its thread is in an operation.
  class Busy {
   public:
    JACQUARD_CHECK_CODE explicit Busy(Me& me) : me_(me) { me.busy = true; }
    JACQUARD_CHECK_CODE ~Busy() { me_.busy = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Me& me_;
  };

  JACQUARD_CHECK_CODE Me& Mine() { return threads_[CurrentThread()]; }
  JACQUARD_CHECK_CODE fuzzers::KillableWaits& MyWaits() { return waits_[CurrentThread()]; }

  // Every way to take semaphore `s`.
  const char* Take(int s, Share share, Way way) {
    Me& me = Mine();
    if (me.share != Share::kNone) return kSkipped;
    const Busy busy(me);
    Begin(me, s, share);
    lock::RwSemaphore& semaphore = semaphores_[s];
    const bool reads = share == Share::kReader;
    bool taken = true;
    if (way == kTries) {
      taken = reads ? semaphore.TryLockShared() : semaphore.TryLock();
    } else if (way == kWaits) {
      reads ? semaphore.LockShared() : semaphore.Lock();
    } else {
      fuzzers::KillableWaits& waits = MyWaits();
      const std::stop_token stop = waits.Begin();
      taken = reads ? semaphore.LockSharedKillable(stop) : semaphore.LockKillable(stop);
      waits.End();
    }
    if (taken) {
      Enter(me, s, share);
      return "true";
    }
    GiveUp(me, share, way);
    return way == kTries ? "false" : "killed";
  }

  JACQUARD_CHECK_CODE void Begin(Me& me, int s, Share share) {
    me.semaphore = s;
    me.wants = share;
    me.queues = false;
    me.word = 0;
  }

  JACQUARD_CHECK_CODE void GiveUp(Me& me, Share share, Way way) {
    me.wants = Share::kNone;
    if (way != kTries) return Check(MyWaits().WasKilled(), "a wait ends for nothing");
    if (!Simulated()) return;
    const std::uint32_t reason = share == Share::kReader ? kWriter | kWaiters : ~std::uint32_t{0};
    Check((me.word & reason) != 0, "a try fails for nothing");
  }

  // The thread has the semaphore. What it guards is looked at with hooks.
  void Enter(Me& me, int s, Share share) {
    CheckEntry(me, s, share);
    Check(fields_[s].IsWhole(), kTorn);
    me.seen = share == Share::kWriter ? fields_[s].BeginWriting() : fields_[s].value();
  }
  JACQUARD_CHECK_CODE void CheckEntry(Me& me, int s, Share share) {
    me.semaphore = s;
    me.share = share;
    me.wants = Share::kNone;
    if (!Simulated()) return;
    for (const Me& other : threads_) {
      if (&other == &me || other.share == Share::kNone || other.semaphore != s) continue;
      Check(share == Share::kReader && other.share == Share::kReader, "a writer and others inside");
    }
  }

  // About to give it back, or to downgrade.
  void Leave(Me& me) {
    if (me.share == Share::kWriter) {
      fields_[me.semaphore].EndWriting();
    } else {
      Check(fields_[me.semaphore].value() == me.seen, "data changes under a reader");
    }
    ForgetShare(me);
  }
  JACQUARD_CHECK_CODE void ForgetShare(Me& me) { me.share = Share::kNone; }

  // A step at the semaphore's word: what its thread has seen there, and who passes whom.
  JACQUARD_CHECK_CODE void OnWord(int s, const Step& step) {
    Me& me = threads_[step.thread];
    const auto before = static_cast<std::uint32_t>(step.old_value);
    const auto after = static_cast<std::uint32_t>(step.new_value);
    if (me.semaphore == s) me.word = after;
    if (!Writes(step.kind)) return;
    // The queue is empty: whoever was in it has been let in, or was killed.
    if ((after & kWaiters) == 0) {
      for (Me& other : threads_) other.queues &= other.semaphore != s;
    }
    if (me.semaphore != s || me.wants == Share::kNone) return;
    if (!me.queues && (after | kWaiters) == after && (before | kWaiters) == after) {
      me.queues = true;
      me.ticket = ++last_ticket_;
    }
    // By its own hand, past the queue: nobody may while a writer stands there.
    if (me.wants != Share::kReader || me.queues || after != before + kReader) return;
    for (const Me& other : threads_) {
      Check(other.semaphore != s || other.wants != Share::kWriter || !other.queues,
            "a reader passes a queued writer");
    }
  }

  // When nobody is in the middle of anything, who stands at the head of a queue cannot come in.
  JACQUARD_CHECK_CODE void CheckNobodyIsForgotten() const {
    for (const Me& me : threads_) {
      if (me.busy && !me.asleep) return;
    }
    for (int s = 0; s < kSemaphores; ++s) {
      const lock::RwSemaphore& semaphore = semaphores_[s];
      if (!semaphore.HasWaiters()) continue;
      // Who has been let in and sleeps on for a moment: the first ones in the queue.
      std::uint32_t readers_let_in = semaphore.ReaderCount();
      bool writer_let_in = semaphore.IsWriteLocked();
      for (const Me& me : threads_) {
        if (me.share == Share::kNone || me.semaphore != s) continue;
        if (me.share == Share::kReader) --readers_let_in;
        if (me.share == Share::kWriter) writer_let_in = false;
      }
      std::uint32_t after = 0;
      while (const Me* const head = NextInQueue(s, after)) {
        after = head->ticket;
        if (head->wants == Share::kWriter && writer_let_in) {
          writer_let_in = false;
        } else if (head->wants == Share::kReader && readers_let_in != 0) {
          --readers_let_in;
        } else {
          const bool room = !semaphore.IsWriteLocked() &&
                            (head->wants == Share::kReader || semaphore.ReaderCount() == 0);
          Check(!room, "a thread sleeps that could come in");
          break;
        }
      }
    }
  }
  JACQUARD_CHECK_CODE const Me* NextInQueue(int s, std::uint32_t after) const {
    const Me* next = nullptr;
    for (const Me& me : threads_) {
      if (!me.queues || me.wants == Share::kNone || me.semaphore != s || me.ticket <= after)
        continue;
      if (next == nullptr || me.ticket < next->ticket) next = &me;
    }
    return next;
  }

  lock::RwSemaphore semaphores_[kSemaphores];
  fuzzers::GuardedFields fields_[kSemaphores];
  Me threads_[kMaxThreads];
  std::uint32_t last_ticket_ = 0;
  fuzzers::KillableWaits waits_[kMaxThreads];
};

#pragma clang attribute pop

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_RW_SEMAPHORE_SCENARIO_H_
