// Deadlocks: who waits for what, held by whom; cycles, as they close; and lost wake-ups.
//
// A cycle is one when each of its threads waits, without a deadline, for what only the next one can
// give: a lock that it holds, or its end. It is reported when the wait begins that closes it,
// whatever other threads still do.
//
// When nobody can run at all, the verdict is a deadlock. What it is called is found out by going
// on: those who sleep on a futex or a condition variable are woken one after another, as they might
// have been for no reason at any time. If the execution then comes to its end, all that was missing
// was a wake-up: it was lost. What happens in that probe nobody sees. A livelock beside somebody
// who sleeps is looked into in the same way: others may go on only because they wait for the
// sleeper.
#include <errno.h>

#include <string>
#include <utility>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/interruptions.h"
#include "sim/lock_holders.h"
#include "sim/lock_order.h"
#include "sim/recorder.h"
#include "sim/signals.h"
#include "sim/timers.h"
#include "sim/wait_text.h"

namespace jacquard::sim {
namespace {

// So many steps may a probe take.
constexpr uint64_t kProbeSteps = 20'000;

// Whether `from` waits, in the end, for the running thread; by way of those that it adds to `path`.
bool LeadsToRunning(const SimThread& from, ThreadSet& path) {
  for (const int id : MembersOf(lock_holders.HoldersFor(from))) {
    const SimThread& holder = engine.thread(id);
    if (&holder == engine.current) return true;
    if (!engine.DependsOnOthers(holder) || (path & holder.bit) != 0) continue;
    path |= holder.bit;
    if (LeadsToRunning(holder, path)) return true;
    path &= ~holder.bit;
  }
  return false;
}

}  // namespace

// ---- cycles

void Engine::CheckCycle(WaitReason reason, const void* lock, int thread, uintptr_t pc) {
  if (probing_) return;
  if (reason == WaitReason::kJoin && !IsBlocked(threads_[thread])) return;
  SimThread& me = *current;
  me.wait = reason;
  me.wait_address = lock;
  me.wait_thread = thread;
  ThreadSet path = me.bit;
  if (!LeadsToRunning(me, path)) {
    me.wait = WaitReason::kNone;
    return;
  }
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    if (recorder != nullptr) {
      const StepKind kind =
          reason == WaitReason::kJoin ? StepKind::kThreadJoin : pending_[me.id].kind;
      recorder->RecordBlocked(kind, lock, DescribeWait(me), pc);
    }
    message = DescribeWaits(path);
  }
  lock_order.NoteDeadlock(path);
  Fail(VerdictKind::kDeadlock, "threads wait for each other", message, {.pc = pc, .threads = path});
}

// ---- nobody can run

namespace {

constexpr const char* kLostWakeUp = "lost wake-up";

// What a probe has put aside.
struct Probe {
  Verdict verdict;       // made when it began
  Verdict lost_wake_up;  // instead
  const char* rule;      // of `verdict`
  SimThread* current;
  Recorder* recorder;
  uint64_t step;
  ThreadSet woken;       // each once, or not to be
  bool asks_for_use;     // only who gets on behind its wait has lost a wake-up
  ThreadSet sleepers;    // who has been woken
  ThreadSet looks_only;  // and has gone to sleep on the same again, before any other wait
  ThreadSet has_waited;  // at all
};
Probe probe;

bool Sleeps(const SimThread& thread) {
  return thread.wait == WaitReason::kFutex || thread.wait == WaitReason::kCondition;
}

// Ends the execution as one that waits for another process if the thread, which is in a call for
// descriptors, may do so.
void FailIfWaitsForOthers(const SimThread& thread) {
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    if (!WaitsForOthers(thread)) return;
    message = "cannot be simulated: nobody can run, and thread " + std::to_string(thread.id) +
              " waits for what another process could do, in " + DescribeDescriptorWait(thread);
  }
  engine.Fail(VerdictKind::kUnsupported, DescriptorWaitOf(thread), message,
              {.pc = thread.wait_pc, .threads = engine.alive()});
}

}  // namespace

void Engine::ReportDeadlock() {
  if (rechecking_) {
    // Nothing has happened since.
    step_ = stuck_step_;
    if (recorder != nullptr) recorder->ForgetSince(recheck_mark_);
  }
  if (InterruptBySent() || LetTimerExpire()) return;
  for (const int id : MembersOf(alive_)) {
    const SimThread& thread = threads_[id];
    if (signal_masks_used && (thread.pending_signals & ~BlockedBy(thread)) != 0) {
      Fail(
          VerdictKind::kUnsupported, "handler during a wait",
          "nobody can run, and a thread that waits has been sent a signal, whose handler would run "
          "in the middle of the wait",
          {.threads = alive_});
    }
    if (thread.wait == WaitReason::kDescriptor) FailIfWaitsForOthers(thread);
    if (thread.wait != WaitReason::kSignal || thread.detached) continue;
    Fail(VerdictKind::kUnsupported, "sigwait",
         "nobody can run, and a thread waits for a signal that none of them sends",
         {.pc = thread.wait_pc, .threads = alive_});
  }
  if (body_ended_) {
    const SimThread& thread = threads_[FirstOf(alive_)];
    ReportLeftThread(thread, "thread outlives the body", "never ends");
  }
  {
    const Backstage backstage;
    const std::string message = DescribeWaits(alive_);
    const Blame blame = {.threads = alive_};
    BeginProbe(kNoThreadCanRun,
               MakeVerdict(VerdictKind::kDeadlock, kNoThreadCanRun, message, blame), message,
               alive_);
  }
  if (!WakeNextSleeper()) EndProbe(false);
}

bool Engine::MayBeEndedFromOutside(const SimThread& thread) const {
  if (thread.wait != WaitReason::kDescriptor) return thread.wait == WaitReason::kSignal;
  const Backstage backstage;
  const int error = errno;
  const bool waits_for_others = WaitsForOthers(thread);
  errno = error;
  return waits_for_others;
}

void Engine::LookForStagnation() {
  ThreadSet stuck = 0;
  for (int i = 0; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    const uint64_t ticket = DependsOnOthers(thread) ? thread.wait_ticket : 0;
    if (stagnation_.NoteWait(i, ticket)) stuck |= thread.bit;
  }
  if (!stagnation_.EndStretch(step_) || AnyTimerRuns()) return;
  // Who waits for the end of a thread that goes on may get on with that.
  const SimThread* last = &threads_[0];
  while (Has(stuck, last->id) && last->wait == WaitReason::kJoin)
    last = &threads_[last->wait_thread];
  if (!Has(stuck, last->id)) return;
  for (const int id : MembersOf(stuck)) {
    if (MayBeEndedFromOutside(threads_[id])) return;
  }
  ForgetEndOfTrace();
  {
    const Backstage backstage;
    const std::string message =
        DescribeWaits(stuck) + "; since step " + std::to_string(stagnation_.begun()) +
        " the others have only waited for time to pass, each for more than an hour";
    constexpr const char* kRule = "threads wait for ever";
    const Blame blame = {.threads = alive_};
    BeginProbe(kRule, MakeVerdict(VerdictKind::kDeadlock, kRule, message, blame), message, stuck);
  }
  if (!WakeAllSleepers()) EndProbe(false);
}

void Engine::BeginProbe(const char* rule, Verdict verdict, const std::string& message,
                        ThreadSet waiting, bool asks_for_use) {
  Verdict lost_wake_up =
      MakeVerdict(VerdictKind::kDeadlock, kLostWakeUp,
                  message + "; if whoever sleeps were woken now, all would come to an end",
                  {.threads = alive_});
  lost_wake_up.endless = verdict.endless;
  probe = {std::move(verdict), std::move(lost_wake_up), rule, current, recorder, step_, ~waiting,
           asks_for_use,
           /*sleepers=*/0,
           /*looks_only=*/0,
           /*has_waited=*/0};
  recorder = nullptr;
  probing_ = true;
  rechecking_ = false;
  fair_ = unasked_ = true;
  observed_ = program_observes_ = false;
  SetLimit(step_ + kProbeSteps);
}

bool Engine::WakeNextSleeper() {
  for (const int id : MembersOf(alive_ & ~probe.woken)) {
    SimThread& thread = threads_[id];
    if (!Sleeps(thread)) continue;
    probe.woken |= thread.bit;
    probe.sleepers |= thread.bit;
    thread.woken_spuriously = true;
    MakeRunnable(thread);
    return true;
  }
  return false;
}

bool Engine::WakeAllSleepers() {
  bool any = false;
  while (WakeNextSleeper()) any = true;
  return any;
}

void Engine::NoteWaitInProbe(const SimThread& me, WaitReason reason, const void* address) {
  if ((probe.sleepers & ~probe.has_waited & me.bit) == 0) return;
  probe.has_waited |= me.bit;
  const bool sleeps = reason == WaitReason::kFutex || reason == WaitReason::kCondition;
  if (sleeps && address == me.wait_address) probe.looks_only |= me.bit;
}

void Engine::EndProbe(bool completed) {
  const bool is_of_use = !probe.asks_for_use || (probe.sleepers & ~probe.looks_only) != 0;
  const bool lost_wake_up = completed && is_of_use;
  {
    const Backstage backstage;
    step_ = probe.step;
    recorder = probe.recorder;
    SimThread* const last = current;
    current = probe.current;
    if (recorder != nullptr)
      recorder->Text(TraceEvent::Type::kNote, lost_wake_up ? kLostWakeUp : probe.rule);
    current = last;
    *verdict_ = lost_wake_up ? probe.lost_wake_up : probe.verdict;
  }
  GiveUp();
}

}  // namespace jacquard::sim
