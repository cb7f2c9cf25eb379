// The engine, where it is rarely: a step is recorded, a limit is reached, nobody can go on, or a
// verdict ends the execution.
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "sim/cancellation.h"
#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/fold.h"
#include "sim/heap.h"
#include "sim/interruptions.h"
#include "sim/lent_functions.h"
#include "sim/library_bugs.h"
#include "sim/memory/memory.h"
#include "sim/plain_loops.h"
#include "sim/random.h"
#include "sim/real.h"
#include "sim/recorder.h"
#include "sim/signals.h"
#include "sim/timer_files.h"
#include "sim/timers.h"
#include "sim/wait_text.h"

namespace jacquard::sim {
namespace {

constexpr uint64_t kStepsBetweenLooks = 256;
// So many steps behind the one from which every thread gets its turn show enough of a livelock.
constexpr uint64_t kTraceOfLivelock = 50'000;
// Each half of a watch for recurrence is so small a part of the execution, or the shortest.
constexpr uint64_t kWatchShare = 160;
constexpr uint64_t kShortestHalf = 50'000;

uint64_t HalfOfWatch(uint64_t begin) { return std::max(kShortestHalf, begin / kWatchShare); }

// The real ones: the program's clocks are virtual.
double MonotonicSeconds() {
  timespec time = {};
  RawSyscall(SYS_clock_gettime, CLOCK_MONOTONIC, reinterpret_cast<uint64_t>(&time));
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

void Engine::TellClosely(const Step& step, uintptr_t pc) {
  {
    const Backstage backstage;
    const int error = errno;
    if (recorder != nullptr) recorder->RecordStep(step, pc);
    if (listener != nullptr) listener->OnStep(step, SiteOf(pc));
    if (recurrence.watches()) Watch(step, pc);
    errno = error;
  }
  if (program_observes_) Observe(step);
}

void Engine::TellBlocked(WaitReason reason, const void* address, uintptr_t pc) {
  const Backstage backstage;
  const Site site = SiteOf(pc);
  sites_[current->id] = site;
  const StepKind kind =
      reason == WaitReason::kJoin ? StepKind::kThreadJoin : pending_[current->id].kind;
  listener->OnBlock(current->id, kind, address, site);
  if (((timed_ | patient_) & current->bit) != 0) listener->OnTimedBlock(current->id);
}

// Where calls are not inlined, `pc` may be in a wrapper that all calls have in common: the
// functions that have called it tell them apart.
Site Engine::SiteOf(uintptr_t pc) const {
  constexpr int kFrames = 4;
  const SimThread& me = *current;
  Site site = pc;
  const int top = std::min(me.call_depth, SimThread::kMaxCallStack);
  for (int i = std::max(0, top - kFrames); i < top; ++i)
    site = (site ^ (site >> 32)) * 0x9E37'79B9'7F4A'7C15 + me.call_stack[i];
  return site != 0 ? site : 1;
}

void Engine::SetLimit(uint64_t limit) {
  limit_ = limit;
  if (steps_begin_epochs_ || looks_for_cancel_) {
    next_limit_ = 0;
  } else {
    const bool looks = deadline_ != 0 || fair_;
    next_limit_ = looks ? std::min(limit, step_ + kStepsBetweenLooks) : limit;
  }
}

void Engine::LookAround() {
  if (deadline_ != 0 && !probing_ && MonotonicSeconds() >= deadline_ && !IsAlone()) {
    given_up_ = true;
    GiveUp();
  }
  if (control_until_ != 0 && step_ >= control_until_ && !probing_) EndControl();
  // Those that are patient have their turn, too, where others can always run.
  if (fair_ && patient_ != 0 && !rechecking_ && !probing_) {
    for (const int id : MembersOf(patient_)) {
      const SimThread& thread = threads_[id];
      if (thread.deadline <= clock.now() || step_ - thread.deadline_step >= kStepsOfPatience)
        Insert(timed_, id);
    }
    patient_ &= ~timed_;
  }
  // What a spinning thread waits for may have been written where nobody could see it, or by the
  // handler of a signal that has been sent to a thread that waits.
  if (fair_ && step_ >= spinning_looks_ && !rechecking_ && !probing_) {
    LetSpinningLook();
    InterruptBySent();
    spinning_looks_ = step_ + (step_ - fair_from_);  // seldom, all in all
  }
  SetLimit(limit_);
}

void Engine::LetSpinningLook() {
  for (const int thread : MembersOf(spinning_)) {
    threads_[thread].spin.Reset();
  }
  enabled_ |= spinning_;
  spinning_ = 0;
}

void Engine::ReachLimit() {
  if (current->handles_late) [[unlikely]] {
    current->handles_late = false;
    if (step_ < limit_) LookAround();  // it is that time again, or would be later
    HandlePending(*current);
    if (step_ < next_limit_) return;
  }
  if (steps_begin_epochs_ || looks_for_cancel_) {
    if (steps_begin_epochs_) memory->BeginEpoch(current->id);
    // Not out of calls that let nothing out.
    if (looks_for_cancel_ && IsAtomic(pending_[current->id].kind)) TestAsynchronousCancel(*current);
    if (step_ < limit_ && step_ % kStepsBetweenLooks != 0) return;
  }
  if (stagnation_.stretch_is_over() && !probing_) LookForStagnation();
  if (step_ < limit_) return LookAround();
  if (probing_) EndProbe(false);
  if (body_ended_ && !options_.detached_threads_may_outlive) {
    ReportLeftThread(*current, "thread outlives the body",
                     "goes on although the threads that the execution began with have ended");
  }
  if (step_ < options_.max_steps) return PassLimit();
  if (IsAlone()) return SetLimit(step_ + options_.max_steps);
  if (rechecking_ && recheck_round_ >= kRecheckRounds) return ReportDeadlock();
  ReportLivelock("did not end within ", options_.max_steps, " steps (max_steps)");
}

uint64_t Engine::UnfairStepsLeft() const {
  const uint64_t counted = counters_.picks - picks_before_ + waits_over_ * kStepsOfPoll;
  const uint64_t longer = thread_count_ > 1 ? kLongerAlone : kLongerWithoutOthers;
  const uint64_t latest = std::min(options_.max_steps / 2, options_.unfair_steps * longer);
  if (counted >= options_.unfair_steps || step_ >= latest || patient_ != 0) return 0;
  // Not too often.
  const uint64_t left = std::max(options_.unfair_steps - counted, options_.unfair_steps / 16 + 1);
  return std::min(left, latest - step_);
}

void Engine::PassLimit() {
  const auto set_limit = [this](uint64_t step) { SetLimit(std::min(options_.max_steps, step)); };
  if (!fair_) {
    if (const uint64_t more = UnfairStepsLeft(); more != 0) return set_limit(step_ + more);
    fair_from_ = step_;
    fair_ = unasked_ = true;
    if (thread_count_ > 1) ++counters_.long_executions;
    if (memory != nullptr) memory->StopChoosing();
    spinning_looks_ = step_ + kStepsBetweenLooks;
    return set_limit(std::min(fair_from_ + kTraceOfLivelock, next_watch_));
  }
  if (recorder != nullptr && livelock_mark_ == 0) {
    livelock_mark_ = recorder->MarkEnough();
    if (recorder->has_enough()) StopRecording();
  }
  if (!recurrence.watches()) {
    if (step_ < next_watch_) return set_limit(next_watch_);
    if (IsAlone()) return set_limit(next_watch_ *= 2);
    BeginWatch();
    return set_limit(step_ + HalfOfWatch(next_watch_));
  }
  if (recurrence.has_news()) {
    EndWatch();
    next_watch_ *= 2;
    return set_limit(next_watch_);
  }
  if (!recurrence.looks()) {
    recurrence.BeginLooking();
    LetSpinningLook();
    return set_limit(step_ + HalfOfWatch(next_watch_));
  }
  // Then it is clear that none of those who spin gets anywhere.
  if (rechecking_) return ReportDeadlock();
  ReportLivelock("since step ", recurrence.begun(),
                 " every thread only came back to states in which it had been before");
}

void Engine::StopRecording() {
  recorder = nullptr;
  SeeAsNeeded();
}

// How closely steps and accesses are looked at.
void Engine::SeeAsNeeded() {
  const bool told = recorder != nullptr || listener != nullptr;
  seen_closely = told || ProgramHasNew() || lent_functions.any();
  told_closely_ = told || recurrence.watches();
  observed_ = told_closely_ || program_observes_;
  SetNearTag();
}

void Engine::BeginWatch() {
  const Backstage backstage;
  recurrence.Begin(step_);
  LetSpinningLook();
  SeeAsNeeded();
}

void Engine::Watch(const Step& step, uintptr_t pc) {
  const SimThread& me = *current;
  // Who reads the clock knows the time. To all others only that matters which is left.
  uint64_t others = random_numbers.state;
  if (AnyTimerRuns() || HasTimerFiles()) others ^= clock.now();
  for (const int id : MembersOf(timed_ | patient_))
    others = Fold(others, threads_[id].deadline - clock.now());
  recurrence.OnStep(step, pc, {me.stack_bottom, FirstFrame(me.id)}, others);
  if (recurrence.has_news()) SetLimit(step_);
}

void Engine::EndWatch() {
  const Backstage backstage;
  recurrence.End();
  SeeAsNeeded();
}

void Engine::ReportLivelock(std::string_view what, uint64_t number, std::string_view rest) {
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    message = std::string(what) + std::to_string(number) + std::string(rest);
    message +=
        ", although from step " + std::to_string(fair_from_) + " on every thread got its turn";
    if (TimerMayBePolledFor())
      message += "; and the signal of a timer only comes where nobody can run";
  }
  if (TimerMayBePolledFor()) Fail(VerdictKind::kUnsupported, "signal of a timer", message);
  ForgetEndOfTrace();
  const bool is_cut = step_ >= options_.max_steps;
  ThreadSet waiting = 0;
  for (const int id : MembersOf(alive_)) {
    if (DependsOnOthers(threads_[id])) waiting |= threads_[id].bit;
  }
  {
    const Backstage backstage;
    constexpr const char* kRule = "no progress";
    Verdict livelock = MakeVerdict(VerdictKind::kLivelock, kRule, message, {});
    livelock.endless = true;
    BeginProbe(kRule, std::move(livelock),
               DescribeWaits(waiting) + (is_cut ? "; the execution " : "; ") + message, waiting,
               is_cut);
  }
  if (!WakeAllSleepers()) EndProbe(false);
}

// What goes on for ever need not be shown for longer than that.
void Engine::ForgetEndOfTrace() {
  if (livelock_mark_ != 0 && recorder != nullptr) recorder->ForgetSince(livelock_mark_);
}

void Engine::Stuck() {
  if (probing_) {
    if (!WakeNextSleeper()) EndProbe(false);
    return;
  }
  if (!rechecking_ && (WakeReadyDescriptors() || WakeOverlooked())) return;
  if (spinning_ == 0) return ReportDeadlock();
  if (!rechecking_) {
    rechecking_ = unasked_ = writes_awaited_ = true;
    recheck_round_ = 0;
    stuck_step_ = step_;
    for (const int thread : MembersOf(spinning_)) plain_loops.LookLater(threads_[thread]);
    if (recorder != nullptr) recheck_mark_ = recorder->Mark();
  } else if (++recheck_round_ >= kRecheckRounds && step_ - stuck_step_ >= kRecheckSteps) {
    return ReportDeadlock();
  }
  LetSpinningLook();
}

void Engine::Fail(VerdictKind kind, std::string_view rule, std::string_view message,
                  const Blame& blame) {
  if (probing_) EndProbe(false);
  SetVerdict(kind, rule, message, blame);
  GiveUp();
}

void Engine::GiveUp() {
  hooks_on = arena_on = false;
  SwitchTo(driver_);
  __builtin_unreachable();
}

void Engine::SetVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                        const Blame& blame) {
  const Backstage backstage;
  *verdict_ = MakeVerdict(kind, rule, message, blame);
  if (recorder != nullptr) recorder->Text(TraceEvent::Type::kNote, rule, blame.pc);
}

Verdict Engine::MakeVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                            const Blame& blame) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.message = std::string(rule) + ": " + std::string(message);
  verdict.thread = current->id;
  verdict.step = step_;
  // The operations involved: of a deadlock everybody's, else that of the thread whose step it was.
  std::set<std::string> names = {program_->OperationName(blame.operation)};
  const ThreadSet involved = blame.threads != 0 ? blame.threads : current->bit;
  for (const int thread : MembersOf(involved)) {
    names.insert(program_->OperationName(threads_[thread].operation));
  }
  names.erase("");
  if (names.empty() && !blame.variable.empty()) names.emplace(blame.variable);
  verdict.signature = VerdictKindName(kind);
  verdict.signature += "|" + std::string(rule);
  for (const std::string& name : names) verdict.signature += "|" + name;
  return verdict;
}

}  // namespace jacquard::sim
