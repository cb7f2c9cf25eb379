#include "sim/engine.h"

#include <algorithm>

#include "sim/cancellation.h"
#include "sim/fold.h"
#include "sim/interruptions.h"
#include "sim/lock_order.h"
#include "sim/memory/memory.h"
#include "sim/recorder.h"
#include "sim/repeated_accesses.h"
#include "sim/signals.h"
#include "sim/wait_text.h"

namespace jacquard::sim {

constinit Engine engine;

// ---- scheduling

SimThread* Engine::PickFairly(ThreadSet candidates) {
  // Knuth's linear congruential generator: deterministic, and fair in the long run.
  fair_state_ = fair_state_ * 6364136223846793005u + 1442695040888963407u;
  const int number = static_cast<int>((fair_state_ >> 33) % CountOf(candidates));
  return &threads_[NthOf(candidates, number)];
}

void Engine::DecideAmongMany(SimThread* me, uintptr_t pc) {
  if (((enabled_ | timed_) & ~me->bit) != 0) Decide</*kMany=*/true>(me, pc);
}

void Engine::WalkOn(SimThread* me) {
  if (answers_->LogIsFull()) [[unlikely]]
    return WalkAmongMany(me);  // where there is time for that
  const uint64_t candidates = LowOf(enabled_) | LowOf(timed_);
  const int alternatives = CountOf(candidates);
  ++counters_.picks;
  const int choice = answers_->AnswerAtOnce(alternatives);
  if (recorder != nullptr) [[unlikely]]
    last_pick_ = {alternatives, choice};
  if (choice == 0) return;
  SimThread& thread = threads_[NthOfOthers(candidates, me->id, choice - 1)];
  if ((LowOf(timed_) & LowOf(thread.bit)) != 0) [[unlikely]]
    return TimeOutAndSwitchTo(thread);
  SwitchTo(thread);
}

void Engine::WalkAmongMany(SimThread* me) {
  const ThreadSet candidates = enabled_ | timed_;
  const int alternatives = CountOf(candidates);
  ++counters_.picks;
  const int choice = answers_->Answer(alternatives);
  if (recorder != nullptr) last_pick_ = {alternatives, choice};
  if (choice == 0) return;
  SimThread& thread = threads_[NthOf(candidates & ~me->bit, choice - 1)];
  if (Has(timed_, thread.id)) return TimeOutAndSwitchTo(thread);
  SwitchTo(thread);
}

void Engine::TimeOutAndSwitchTo(SimThread& thread) {
  FireTimeout(thread);
  SwitchTo(thread);
}

SimThread* Engine::PickThread(int first) {
  if (thread_count_ > 64) [[unlikely]]
    return PickAmong<ThreadSet>(enabled_ | timed_, first);
  return PickAmong<uint64_t>(LowOf(enabled_) | LowOf(timed_), first);
}

template <class Set>
SimThread* Engine::PickAmong(Set candidates, int first) {
  const int count = CountOf(candidates);
  if (count == 0) return nullptr;
  SimThread* picked = &threads_[first];
  if (count == 1) {
    picked = &threads_[FirstOf(candidates)];
  } else if (unasked_) {
    if (fair_) picked = PickFairly(candidates);
  } else {
    ++counters_.picks;
    last_pick_ = {count, 0};
    if (answers_ != nullptr) {
      const int choice = answers_->Answer(count);
      last_pick_.choice = choice;
      if (choice != 0) {
        const auto others = static_cast<Set>(candidates & ~static_cast<Set>(picked->bit));
        picked = &threads_[NthOf(others, choice - 1)];
      }
    } else if (!strategy_->TakeBenignPick()) {
      picked = AskWhoIsNext(candidates, count, first);
    }
  }
  if ((static_cast<Set>(timed_) & static_cast<Set>(picked->bit)) != 0) FireTimeout(*picked);
  return picked;
}

SimThread* Engine::AskWhoIsNext(ThreadSet candidates, int count, int first) {
  const Pick pick = {PickKind::kSchedule, count, current->id, first, candidates, pending_, sites_};
  const Backstage backstage;
  last_pick_.choice = strategy_->Choose(pick);
  return &threads_[ThreadOfChoice(pick, last_pick_.choice)];
}

// The operation may be one turn of a spin loop.
void Engine::DecisionPointOfTurn(StepKind kind, const void* address, uintptr_t pc) {
  // On another stack than its own nobody has saved the registers.
  if (OnStackOfCurrent() && current->spin.BackAgain(pc, address, FirstFrame(current->id))) {
    pending_[current->id] = {kind, address};
    if (listener != nullptr) sites_[current->id] = SiteOf(pc);
    Spin();
  }
  DecisionPoint(kind, address, pc);
}

void Engine::DecideAmongOthers(SimThread* me, uintptr_t pc) {
  const KeepEntryRegisters keep(recurrence.watches());
  if (listener != nullptr) sites_[me->id] = SiteOf(pc);
  int first = me->id;
  if (steps_in_a_row_ >= kMaxStepsInARow) {
    const ThreadSet others = enabled_ & ~me->bit;
    first = NextById(others != 0 ? others : timed_, me->id);
    steps_in_a_row_ = 0;  // also if it goes on
  }
  SwitchTo(*PickThread(first));
}

void Engine::SwitchTo(SimThread& thread) {
  if (&thread == current) return;
  SimThread* const from = current;
  steps_in_a_row_ = 0;
  schedule_ = Fold(schedule_, step_ * 256 + static_cast<uint64_t>(thread.id));
  if (signal_masks_used) [[unlikely]]
    LeaveSignals(*from);
  current = &thread;
  repeated_accesses.BeginStretch();
  UseFsBase(thread.fs_base);
  SwitchContext(&from->context, thread.context);
  if (signal_masks_used) [[unlikely]]
    EnterSignals(*current);
}

void Engine::SwitchAway() {
  const uint64_t enabled = LowOf(enabled_);
  if (enabled == 0 || thread_count_ > 64) [[unlikely]]
    return SwitchAwayRarely();
  SwitchTo(*PickThread(NextById(enabled, current->id)));
}

void Engine::SwitchAwayRarely() {
  for (;;) {
    int first = -1;
    if (enabled_ != 0) {
      first = NextById(enabled_, current->id);
    } else if (InterruptBySent()) {  // rather than that time passes
      continue;
    } else if (timed_ != 0) {
      if (suspects_ != 0) {
        WakeSuspects();
        continue;
      }
      first = FirstOf(timed_);
      for (int i = 0; i < thread_count_; ++i) {
        if ((timed_ & threads_[i].bit) != 0 && threads_[i].deadline < threads_[first].deadline)
          first = i;
      }
    } else if (patient_ != 0) {
      ThreadSet earliest = 0;
      uint64_t deadline = kNoDeadline;
      for (const int id : MembersOf(patient_)) {
        const SimThread& thread = threads_[id];
        if (earliest != 0 && thread.deadline >= deadline) continue;
        earliest = thread.bit;
        deadline = thread.deadline;
      }
      timed_ = earliest;
      patient_ &= ~earliest;
      continue;
    } else if (alive_ == 0) {
      SwitchTo(stage_);
      return;
    } else {
      Stuck();
      continue;
    }
    SwitchTo(*PickThread(first));
    return;
  }
}

void Engine::Block(WaitReason reason, const void* address, uintptr_t pc, uint64_t deadline) {
  const KeepEntryRegisters keep(recurrence.watches());
  SimThread& me = *current;
  if (deadline >= kEndOfTime) deadline = reason == WaitReason::kSleep ? kEndOfTime : kNoDeadline;
  me.wait_is_cancelled = me.is_cancelled && IsCancelledIn(me, reason);
  if (me.wait_is_cancelled) [[unlikely]] {
    me.timed_out = false;
    me.woken_spuriously = true;
    return;
  }
  if (probing_) [[unlikely]]
    NoteWaitInProbe(me, reason, address);
  me.wait = reason;
  me.wait_address = address;
  me.wait_pc = pc;
  me.wait_ticket = NextTicket();
  me.wait_began = clock.now();
  me.timed_out = me.woken_spuriously = false;
  me.wakes_spuriously = MayWakeSpuriously(reason, address, deadline) && ChooseSpuriousWakeUp();
  me.deadline = deadline;
  if (deadline != kNoDeadline && deadline != me.last_deadline) {
    me.last_deadline = deadline;
    me.deadline_step = step_;
  }
  me.clock_looks = {};
  me.spin.Reset();
  EndRecheck();
  Remove(enabled_, me.id);
  if (reason == WaitReason::kJoin) Insert(joining_, me.id);
  if (me.wakes_spuriously || (deadline != kNoDeadline && time_outs_ < options_.time_outs)) {
    Insert(timed_, me.id);
  } else if (deadline != kNoDeadline) {
    Insert(patient_, me.id);
  }
  if (recorder != nullptr) {
    const StepKind kind =
        reason == WaitReason::kJoin ? StepKind::kThreadJoin : pending_[me.id].kind;
    recorder->RecordBlocked(kind, address, DescribeWait(me), pc);
  }
  if (listener != nullptr) TellBlocked(reason, address, pc);
  SwitchAway();
  Remove(joining_, me.id);
  me.wait = WaitReason::kNone;
  if (!me.woken_spuriously) {
    me.spurious_wake_ups = 0;
    if (me.spurious_wait == address) me.spurious_wait = nullptr;
  }
  if (me.interrupted_by != 0) [[unlikely]]
    HandleInterruption(me);
}

bool Engine::MayWakeSpuriously(WaitReason reason, const void* address, uint64_t deadline) const {
  constexpr int kMostInARow = 4;
  if (reason != WaitReason::kFutex && reason != WaitReason::kCondition) return false;
  if (deadline <= clock.now()) return false;  // POSIX: then the answer is that it has passed
  return SpuriousIsAllowed() && current->spurious_wait != address &&
         current->spurious_wake_ups < kMostInARow;
}

bool Engine::ChooseSpuriousWakeUp() {
  if (fair_) return false;
  EndRecheck();
  ++counters_.picks;
  int choice = 0;
  if (!strategy_->TakeBenignMemoryPick()) {
    const Backstage backstage;
    choice = strategy_->Choose(
        {.kind = PickKind::kSpuriousWakeUp, .alternatives = 2, .thread = current->id});
  }
  if (recorder != nullptr) recorder->RecordPick(PickKind::kSpuriousWakeUp, 2, choice);
  return choice != 0;
}

void Engine::MakeRunnable(SimThread& thread) {
  Remove(timed_, thread.id);
  Remove(patient_, thread.id);
  Insert(enabled_, thread.id);
}

void Engine::FireTimeout(SimThread& thread) {
  if (thread.wakes_spuriously) {
    thread.woken_spuriously = true;
    thread.spurious_wait = thread.wait_address;
    ++thread.spurious_wake_ups;
    CountSpurious();
  } else {
    thread.timed_out = true;
    clock.PassTo(thread.deadline);
    if ((enabled_ & ~thread.bit) == 0) {
      NoteTimeOut(thread);
    } else if (++time_outs_ >= options_.time_outs) {
      // No more of it: the others are patient.
      for (const int id : MembersOf(timed_)) {
        const SimThread& other = threads_[id];
        if (!other.wakes_spuriously) patient_ |= other.bit;
      }
      timed_ &= ~patient_;
    }
  }
  MakeRunnable(thread);
}

void Engine::NoteTimeOut(const SimThread& thread) {
  if (!fair_) return void(++waits_over_);
  if (rechecking_ || probing_) return;
  const bool for_others = stagnation_.IsToBeLookedInto(thread.id) && MayBeEndedFromOutside(thread);
  const uint64_t begin = std::min(thread.wait_began, thread.deadline);
  stagnation_.OnTimeOut(thread.id, thread.deadline - begin, for_others);
  if (stagnation_.stretch_is_over()) next_limit_ = step_ + 1;
}

int Engine::WakeSome(SimThread** waiters, int count, int most) {
  int woken = 0;
  for (; count > 0 && woken < most; ++woken) {
    const bool all = count <= most - woken;
    const bool asks = !all && count > 1 && options_.wake_order;
    const int chosen = asks ? Choose(PickKind::kWakeOrder, count) : 0;
    MakeRunnable(*waiters[chosen]);
    for (int i = chosen + 1; i < count; ++i) waiters[i - 1] = waiters[i];
    --count;
  }
  return woken;
}

void Engine::Yield() {
  const KeepEntryRegisters keep(recurrence.watches());
  SimThread* const me = current;
  pending_[me->id] = {StepKind::kYield, nullptr};
  me->fresh = false;
  const ThreadSet others = (enabled_ | timed_) & ~me->bit;
  if (others == 0) return;
  const ThreadSet runnable = enabled_ & ~me->bit;
  SwitchTo(*PickThread(NextById(runnable != 0 ? runnable : others, me->id)));
}

void Engine::Spin() {
  const KeepEntryRegisters keep(recurrence.watches());
  SimThread& me = *current;
  if (me.spin.stale_read_count() != 0) return SeeNewestNext();
  me.wait = WaitReason::kSpin;
  me.wait_address = me.spin.read(0).address;
  Remove(enabled_, me.id);
  Insert(spinning_, me.id);
  writes_awaited_ = true;
  if (recorder != nullptr) {
    const auto pc = *reinterpret_cast<const uintptr_t*>(jacquard_entry_registers.rsp);
    recorder->RecordBlocked(StepKind::kLoad, me.wait_address, DescribeWait(me), pc);
  }
  SwitchAway();
  me.wait = WaitReason::kNone;
  if (me.in_timers_handler) [[unlikely]]
    HandleTimer(me);
  me.spin.Reset();
  plain_loops.HasSpun();
  me.fresh = true;
}

void Engine::TellAwaited(const void* address, size_t size) {
  EndRecheck();
  WakeSpinning(address, size);
  writes_awaited_ = spinning_ != 0;
}

void Engine::WakeSpinning(const void* address, size_t size) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  for (const int id : MembersOf(spinning_)) {
    SimThread& thread = threads_[id];
    for (int i = 0; i < thread.spin.read_count(); ++i) {
      const SpinDetector::Read read = thread.spin.read(i);
      const auto other = reinterpret_cast<uintptr_t>(read.address);
      if (begin >= other + read.size || other >= begin + size) continue;
      Remove(spinning_, thread.id);
      Insert(enabled_, thread.id);
      break;
    }
  }
}

void Engine::WakeIfSpinning(SimThread& thread) {
  if (!Has(spinning_, thread.id)) return;
  EndRecheck();
  Remove(spinning_, thread.id);
  Insert(enabled_, thread.id);
}

int Engine::Choose(PickKind kind, int alternatives) {
  if (fair_) return 0;
  EndRecheck();
  ++counters_.picks;
  current->spin.Reset();
  int choice = 0;
  if (answers_ != nullptr) {
    choice = answers_->Answer(alternatives);
  } else if (!strategy_->TakeBenignPick()) {
    const Backstage backstage;
    choice = strategy_->Choose({.kind = kind, .alternatives = alternatives, .thread = current->id});
  }
  lock_order.NoteAnswer(kind, current->id, choice);
  if (recorder != nullptr) recorder->RecordPick(kind, alternatives, choice);
  return choice;
}

int Engine::AskForMemory(PickKind kind, int alternatives) {
  // In a recheck, stores of other values than those that the spinning threads know would have ended
  // it; those of the same values make no difference.
  if (fair_ || (rechecking_ && kind == PickKind::kReadsFrom)) return 0;
  EndRecheck();
  ++counters_.picks;
  int choice = 0;
  if (answers_ != nullptr) {
    choice = answers_->AnswerMemory(alternatives);
  } else if (!strategy_->TakeBenignMemoryPick()) {
    const Backstage backstage;
    choice = strategy_->Choose({.kind = kind, .alternatives = alternatives, .thread = current->id});
  }
  if (recorder != nullptr) recorder->NoteMemoryPick(kind, alternatives, choice);
  return choice;
}

uint64_t Engine::ReadClock() {
  // Where waits end only when nobody else can run, looking at the clock does not make time pass,
  // either.
  const bool others_could = (enabled_ & ~current->bit) != 0;
  const bool hurries = fair_ || !others_could || time_outs_ < options_.time_outs;
  return clock.Look(current->clock_looks, hurries);
}

}  // namespace jacquard::sim
