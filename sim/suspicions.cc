#include "sim/suspicions.h"

#include <errno.h>

#include <string>

#include "sim/engine.h"
#include "sim/lock_order.h"
#include "sim/notes.h"
#include "sim/wait_text.h"

namespace jacquard::sim {
namespace {

// So many steps behind a suspicion may the execution come to its end because of it. The time-outs
// are counted, too (Stagnation::kTimeOutsOfSuspicion).
constexpr uint64_t kStepsBehind = 50'000;

// A control goes on for so many times as long as the execution did before the suspicion.
constexpr uint64_t kTimesAsLong = 8;

// Who is suspected, unless it has begun to wait since: the number of the last wait then.
uint64_t last_wait_of_suspects = 0;

// Of a control that goes on and on.
Verdict lost_wake_up;

}  // namespace

void Engine::Suspect(ThreadSet suspects) {
  if (!SpuriousIsAllowed() || !stagnation_.may_suspect() || control_until_ != 0) return;
  suspects_ = 0;
  for (const int id : MembersOf(suspects)) {
    if (threads_[id].sleeps()) suspects_ |= threads_[id].bit;
  }
  last_wait_of_suspects = ticket_;
}

void Engine::WakeSuspects() {
  ThreadSet suspects = 0;
  for (const int id : MembersOf(suspects_)) {
    const SimThread& thread = threads_[id];
    const bool still_sleeps = thread.sleeps() && DependsOnOthers(thread);
    if (still_sleeps && thread.wait_ticket <= last_wait_of_suspects) suspects |= thread.bit;
  }
  suspects_ = 0;
  if (suspects == 0) return;
  if (step_ == control_.step) return BeginControl(suspects);
  stagnation_.BeginSuspicion();
  suspicion_ = step_;
  for (const int id : MembersOf(suspects)) {
    threads_[id].woken_spuriously = true;
    MakeRunnable(threads_[id]);
  }
}

void Engine::EndSuspicion() {
  if (step_ - suspicion_ <= kStepsBehind) control_.step = suspicion_;
}

void Engine::BeginControl(ThreadSet suspects) {
  {
    const Backstage backstage;
    const int error = errno;  // of the running thread, which knows nothing of this
    lost_wake_up =
        MakeLostWakeUp(DescribeWaits(suspects) +
                       "; for long, the others have only waited for time to pass, again and again");
    errno = error;
  }
  control_until_ = kTimesAsLong * step_;
  if (!control_.goes_on) return;
  NoteInTrace([] { return kLostWakeUp; });
  EndControl();
}

void Engine::EndControl() {
  {
    const Backstage backstage;
    step_ = control_.step;
    control_.goes_on = true;
    *verdict_ = lost_wake_up;
  }
  GiveUp();
}

Verdict ExecuteControl(Program& program, Strategy& strategy, const ExecutionOptions& options,
                       Trace* trace) {
  const Engine::Totals totals = engine.totals();
  lock_order.Rest(true);  // what is known of the first execution stays
  const auto execute = [&](Trace* of_control) {
    if (!strategy.RepeatExecution()) return Verdict();
    return engine.Execute(program, strategy, options, of_control, engine.control());
  };
  Verdict verdict = execute(nullptr);
  if (trace != nullptr && !verdict.passed()) {
    const bool endless = trace->endless;
    *trace = {};
    trace->endless = endless;
    verdict = execute(trace);
  }
  engine.SetTotals(totals);
  lock_order.Rest(false);
  return verdict;
}

}  // namespace jacquard::sim
