#include "sim/trace_view.h"

namespace jacquard::sim {
namespace {

// Whether the verdict is about one step: that of its number.
bool BlamesStep(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kInvariant:
    case VerdictKind::kLockOrder:
      return true;
    // Nobody's step, or after all steps.
    case VerdictKind::kPass:
    case VerdictKind::kFinal:
    case VerdictKind::kDeadlock:
    case VerdictKind::kLivelock:
    case VerdictKind::kLeak:
    // What was wrong is what the thread did after its last step.
    case VerdictKind::kHeapError:
    case VerdictKind::kStackError:
    case VerdictKind::kRace:
    case VerdictKind::kMisuse:
    case VerdictKind::kAbort:
    case VerdictKind::kException:
    case VerdictKind::kExpectation:
    case VerdictKind::kCrash:
    case VerdictKind::kExit:
    case VerdictKind::kNondeterministic:
    case VerdictKind::kThreadLeft:
    case VerdictKind::kUnsupported:
      return false;
  }
  return false;
}

bool IsThreadEnd(const TraceEvent& event) {
  return event.type == TraceEvent::Type::kStep && event.step.kind == StepKind::kThreadEnd;
}

Switch HowLeft(const TraceEvent& last) {
  if (last.type == TraceEvent::Type::kBlocked || IsThreadEnd(last)) return Switch::kForced;
  if (last.type != TraceEvent::Type::kStep) return Switch::kPreempted;
  if (last.step.kind == StepKind::kYield) return Switch::kYielded;
  return Switch::kPreempted;
}

}  // namespace

TraceView::TraceView(const Trace& trace, const Verdict& verdict) : trace_(trace) {
  step_numbers_.reserve(size());
  switches_.reserve(size());
  begins_.reserve(size());
  uint64_t steps = 0;
  size_t last_step = kNowhere;
  for (size_t at = 0; at < size(); ++at) {
    if (IsStep(at)) {
      ++steps;
      if (steps <= verdict.step) last_step = at;
    }
    step_numbers_.push_back(steps);
    const int thread = event(at).step.thread;
    if (at == 0) {
      switches_.push_back(Switch::kFirst);
    } else if (event(at - 1).step.thread == thread) {
      switches_.push_back(Switch::kNone);
    } else {
      switches_.push_back(HowLeft(event(at - 1)));
    }
    begins_.push_back(switches_.back() == Switch::kNone ? begins_.back() : at);
    threads_.emplace(thread, 0);
    last_[thread] = at;
  }
  size_t position = 0;
  for (auto& [thread, place] : threads_) place = position++;
  if (BlamesStep(verdict.kind) && last_step != kNowhere &&
      event(last_step).step.thread == verdict.thread) {
    violating_ = last_step;
  }
}

bool TraceView::IsStep(size_t at) const {
  return event(at).type == TraceEvent::Type::kStep && !IsThreadEnd(event(at));
}

size_t TraceView::PickOfSwitch(size_t at) const {
  if (how(at) == Switch::kNone) return kNowhere;
  const int thread = event(at).step.thread;
  for (; at < size() && event(at).step.thread == thread; ++at) {
    // A thread may have nothing left but its end.
    if (!IsStep(at) && !IsThreadEnd(event(at))) continue;
    return event(at).pick == PickKind::kSchedule ? at : kNowhere;
  }
  return kNowhere;
}

bool TraceView::IsOfInterest(size_t at) const {
  const TraceEvent& step = event(at);
  if (step.type != TraceEvent::Type::kStep) return true;
  if (Deviates(at) || at == violating_) return true;
  if (LastOf(step.step.thread) == at) return true;
  // What stands around a switch is what the switch is about.
  if (how(at) != Switch::kNone && how(at) != Switch::kFirst) return true;
  if (at + 1 < size() && how(at + 1) == Switch::kPreempted) return true;
  switch (step.step.kind) {
    case StepKind::kLoad:
    case StepKind::kPlainRead:
    case StepKind::kFence:
    case StepKind::kYield:
    case StepKind::kSleep:
    case StepKind::kClock:
    case StepKind::kOther:
      return false;
    default:
      return true;
  }
}

size_t TraceView::LastOf(int thread) const {
  const auto found = last_.find(thread);
  return found == last_.end() ? kNowhere : found->second;
}

size_t TraceView::NextOf(int thread, size_t at) const {
  for (; at < size(); ++at) {
    if (event(at).step.thread != thread) continue;
    if (IsStep(at) || event(at).type == TraceEvent::Type::kBlocked) return at;
  }
  return kNowhere;
}

}  // namespace jacquard::sim
