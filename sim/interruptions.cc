#include "sim/interruptions.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <string>
#include <utility>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/queued_signals.h"
#include "sim/signals.h"
#include "sim/timers.h"
#include "sim/wait_text.h"

namespace jacquard::sim {
namespace {

// Who waited for what when the last timer expired.
std::string& StuckWaits() {
  static std::string waits;
  return waits;
}

// The handler runs in a thread that spins, which goes on with that. False if it does not spin.
bool InterruptSpinning(SimThread& thread, int signal) {
  if (!engine.IsSpinning(thread) || (BlockedBy(thread) & SetOf(signal)) != 0) return false;
  thread.pending_signals |= SetOf(signal);
  engine.WakeIfSpinning(thread);
  return true;
}

}  // namespace

// In the middle of some waits there may be a handler: whoever waits looks again afterwards.
bool Interrupt(SimThread& thread, int signal) {
  constexpr WaitReason kInterruptible[] = {
      WaitReason::kMutex,     WaitReason::kShared,     WaitReason::kExclusive,
      WaitReason::kSemaphore, WaitReason::kCondition,  WaitReason::kFutex,
      WaitReason::kJoin,      WaitReason::kDescriptor, WaitReason::kSleep};
  if ((BlockedBy(thread) & SetOf(signal)) != 0 ||
      std::find(std::begin(kInterruptible), std::end(kInterruptible), thread.wait) ==
          std::end(kInterruptible))
    return false;
  thread.interrupted_by = signal;
  thread.woken_spuriously = true;
  engine.MakeRunnable(thread);
  return true;
}

bool InterruptBySent() {
  if (!engine.signal_masks_used) return false;
  for (const int id : MembersOf(engine.alive())) {
    SimThread& thread = engine.thread(id);
    const uint64_t comes = thread.pending_signals & ~BlockedBy(thread);
    if (comes == 0) continue;
    const int signal = std::countr_zero(comes) + 1;
    if (!Interrupt(thread, signal)) continue;
    thread.pending_signals &= ~SetOf(signal);  // it has it from now on
    AcquireSent(thread);
    engine.EndRecheck();
    return true;
  }
  return false;
}

bool LetTimerExpire() {
  if (!TimerMayExpire()) return false;
  {
    const Backstage backstage;
    StuckWaits() = DescribeWaits(engine.alive());
  }
  engine.EndRecheck();
  const siginfo_t information = ExpireTimer();
  const int signal = information.si_signo;
  if (GiveToWaiter(information)) return true;
  for (const int id : MembersOf(engine.alive())) {
    SimThread& thread = engine.thread(id);
    if (!Interrupt(thread, signal) && !InterruptSpinning(thread, signal)) continue;
    QueueSignal(&thread, information);
    thread.in_timers_handler = true;
    return true;
  }
  engine.Fail(VerdictKind::kUnsupported, "signal of a timer",
              "nobody can run, and nobody can get the signal of a timer",
              {.threads = engine.alive()});
}

// Where it was switched to, it has handled that already.
void HandleTimer(SimThread& me) {
  if (me.pending_signals != 0) HandlePending(me);
  me.in_timers_handler = false;
}

// On the thread's own stack, within the wait that it goes on with.
void HandleInterruption(SimThread& me) {
  const int signal = std::exchange(me.interrupted_by, 0);
  me.restarts_calls = RestartsCalls(signal);
  {
    const KeptWait wait(me);
    Deliver(signal);
  }
  me.in_timers_handler = false;
  me.timed_out = false;
  me.woken_spuriously = true;
}

void FailInTimersHandler() {
  // It may have left the handler by siglongjmp.
  if (!engine.current->in_timers_handler || !IsInHandler()) return;
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    message = StuckWaits() + "; then the handler of a timer ends the program";
  }
  engine.Fail(VerdictKind::kDeadlock, kNoThreadCanRun, message, {.threads = engine.alive()});
}

}  // namespace jacquard::sim
