// Probes: whether those who sleep on a futex or a condition variable have only lost a wake-up. They
// are woken, as they might have been for no reason at any time; if the execution then comes to its
// end, a wake-up was all that was missing.
//
// Where nobody can run that is done when the verdict is made, to find out what it is called, with
// one sleeper after another. What happens in that probe nobody sees. A livelock beside somebody who
// sleeps is looked into in the same way: others may go on only because they wait for the sleeper.
//
// Where somebody can always run, as those who poll can, see suspicions.h.
#include <errno.h>

#include <string>
#include <utility>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/recorder.h"
#include "sim/suspicions.h"
#include "sim/timers.h"
#include "sim/wait_text.h"

namespace jacquard::sim {
namespace {

// So many steps may a probe take.
constexpr uint64_t kProbeSteps = 20'000;

// What a probe has put aside.
struct Probe {
  Verdict verdict;             // made when it began
  Verdict lost_wake_up;        // instead
  const char* rule = nullptr;  // of `verdict`
  SimThread* current = nullptr;
  Recorder* recorder = nullptr;
  uint64_t step = 0;
  ThreadSet woken = 0;                  // each once, or not to be
  bool asks_for_use = false;            // only who gets on behind its wait has lost a wake-up
  ThreadSet sleepers = 0;               // who has been woken
  const void* waits[kMaxThreads] = {};  // and where each of them slept
  ThreadSet has_slept = 0;              // and has gone to sleep again
  ThreadSet looks_only = 0;             // on the same
};
Probe probe;

}  // namespace

Verdict Engine::MakeLostWakeUp(const std::string& message) {
  return MakeVerdict(VerdictKind::kDeadlock, kLostWakeUp,
                     message + "; if whoever sleeps were woken now, all would come to an end",
                     {.threads = alive_});
}

void Engine::BeginProbe(const char* rule, Verdict verdict, const std::string& message,
                        ThreadSet waiting, bool asks_for_use) {
  Verdict lost_wake_up = MakeLostWakeUp(message);
  lost_wake_up.endless = verdict.endless;
  probe = {.verdict = std::move(verdict),
           .lost_wake_up = std::move(lost_wake_up),
           .rule = rule,
           .current = current,
           .recorder = recorder,
           .step = step_,
           .woken = ~waiting,
           .asks_for_use = asks_for_use};
  recorder = nullptr;
  suspects_ = 0;
  probing_ = true;
  rechecking_ = false;
  fair_ = unasked_ = true;
  observed_ = program_observes_ = false;
  SetLimit(step_ + kProbeSteps);
}

bool Engine::WakeNextSleeper() {
  for (const int id : MembersOf(alive_ & ~probe.woken)) {
    SimThread& thread = threads_[id];
    if (!thread.sleeps()) continue;
    probe.woken |= thread.bit;
    probe.sleepers |= thread.bit;
    probe.waits[id] = thread.wait_address;
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
  // Whoever wakes up waits for its mutex, before it has looked.
  if (reason != WaitReason::kFutex && reason != WaitReason::kCondition) return;
  if ((probe.sleepers & ~probe.has_slept & me.bit) == 0) return;
  probe.has_slept |= me.bit;
  if (address == probe.waits[me.id]) probe.looks_only |= me.bit;
}

void Engine::EndProbe(bool completed) {
  const bool is_of_use = !probe.asks_for_use || (probe.sleepers & ~probe.looks_only) != 0;
  const bool lost_wake_up = completed && is_of_use;
  {
    const Backstage backstage;
    step_ = probe.step;
    recorder = probe.recorder;
    NoteOf(lost_wake_up ? kLostWakeUp : probe.rule);
    *verdict_ = lost_wake_up ? probe.lost_wake_up : probe.verdict;
  }
  GiveUp();
}

void Engine::NoteOf(const char* rule) {
  if (recorder == nullptr) return;
  SimThread* const last = std::exchange(current, probe.current);
  recorder->Text(TraceEvent::Type::kNote, rule);
  current = last;
}

// ---- threads that only wait for time to pass

bool Engine::MayBeEndedFromOutside(const SimThread& thread) const {
  if (thread.wait != WaitReason::kDescriptor) return thread.wait == WaitReason::kSignal;
  const Backstage backstage;
  const int error = errno;
  const bool waits_for_others = WaitsForOthers(thread);
  errno = error;
  return waits_for_others;
}

void Engine::LookForStagnation() {
  ThreadSet suspects = 0;
  ThreadSet stuck = 0;
  for (int i = 0; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    const uint64_t ticket = DependsOnOthers(thread) ? thread.wait_ticket : 0;
    const int stretches = stagnation_.NoteWait(i, ticket);
    if (stretches >= Stagnation::kStretchesForEver) stuck |= thread.bit;
    if (stretches >= Stagnation::kStretchesSuspect) suspects |= thread.bit;
  }
  const bool for_long = stagnation_.EndStretch(step_);
  if (AnyTimerRuns()) return;
  if (!for_long || !WaitsInVain(threads_[0], stuck)) return Suspect(suspects);
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

// Who waits for the end of a thread that goes on may get on with that.
bool Engine::WaitsInVain(const SimThread& thread, ThreadSet stuck) const {
  const SimThread* last = &thread;
  while (Has(stuck, last->id) && last->wait == WaitReason::kJoin)
    last = &threads_[last->wait_thread];
  if (!Has(stuck, last->id)) return false;
  for (const int id : MembersOf(stuck)) {
    if (MayBeEndedFromOutside(threads_[id])) return false;
  }
  return true;
}

}  // namespace jacquard::sim
