// Deadlocks: who waits for what, held by whom; and cycles, as they close.
//
// A cycle is one when each of its threads waits, without a deadline, for what only the next one can
// give: a lock that it holds, or its end. It is reported when the wait begins that closes it,
// whatever other threads still do.
//
// When nobody can run at all, that is a deadlock, too, unless somebody waits for what is outside of
// the program. Whether it is a lost wake-up is found out by a probe (probes.cc).
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

// What is said where nobody can run, but for one who waits for what is outside of the program.
Verdict Engine::MakeOutsideVerdict(const SimThread& thread, const std::string& waits) {
  const bool for_signal = thread.wait == WaitReason::kSignal;
  const std::string what =
      for_signal ? "a signal that none of them sends"
                 : "what another process could do, in " + DescribeDescriptorWait(thread);
  Verdict verdict =
      MakeVerdict(VerdictKind::kUnsupported, for_signal ? "sigwait" : DescriptorWaitOf(thread),
                  "cannot be simulated: nobody can run, and thread " + std::to_string(thread.id) +
                      " waits for " + what + "; " + waits,
                  {.threads = alive_});
  verdict.thread = -1;
  verdict.waits_for_outside = true;
  return verdict;
}

const SimThread* Engine::FindWaitForOutside() const {
  for (const int id : MembersOf(alive_)) {
    const SimThread& thread = threads_[id];
    const bool may_be_left = thread.wait == WaitReason::kSignal && thread.detached;
    if (!may_be_left && MayBeEndedFromOutside(thread)) return &thread;
  }
  return nullptr;
}

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
  }
  const SimThread* const outside = FindWaitForOutside();
  if (outside == nullptr && body_ended_) {
    const SimThread& thread = threads_[FirstOf(alive_)];
    ReportLeftThread(thread, "thread outlives the body", "never ends");
  }
  {
    const Backstage backstage;
    const std::string waits = DescribeWaits(alive_);
    Verdict verdict = outside != nullptr ? MakeOutsideVerdict(*outside, waits)
                                         : MakeVerdict(VerdictKind::kDeadlock, kNoThreadCanRun,
                                                       waits, {.threads = alive_});
    BeginProbe(kNoThreadCanRun, std::move(verdict), waits, alive_);
  }
  if (!WakeNextSleeper()) EndProbe(false);
}

}  // namespace jacquard::sim
