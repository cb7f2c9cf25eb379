#include "sim/decisions.h"

#include <fmt/format.h>

#include "sim/wake_up.h"

namespace jacquard::sim {
namespace {

std::string Thread(int thread) {
  return thread < 0 ? std::string("the harness") : fmt::format("thread {}", thread);
}

// " at lock/refcount.h:84"; "" if that is not known.
std::string At(const TraceEvent& event, const StepText& words) {
  const std::string location = SourceLocation(words.Where(event));
  return location.empty() ? location : fmt::format(" at {}", words.Clean(location));
}

// Of the step that it is, or that comes next: some choices have an event of their own, which stands
// before their step, and a thread's end is none.
uint64_t NumberOf(const TraceView& view, size_t at) {
  return view.step_number(at) + (view.IsStep(at) ? 0 : 1);
}

// The first event of the run of events of one thread that `at` belongs to.
size_t BeginOfRun(const TraceView& view, size_t at) {
  while (view.how(at) == Switch::kNone) --at;
  return at;
}

std::string Schedule(const TraceView& view, const StepText& words, size_t at) {
  const std::string before = fmt::format("before step {}: ", NumberOf(view, at));
  const TraceEvent& event = view.event(at);
  const std::string runs = Thread(event.step.thread);
  const bool wakes_up =
      event.step.kind == StepKind::kFutexWakeUp || event.step.kind == StepKind::kConditionWakeUp;
  if (wakes_up && event.step.new_value == kForNoReason)
    return fmt::format("{}{} wakes up although nobody has woken it", before, runs);
  const bool tries = event.step.kind == StepKind::kMutexTryLock ||
                     event.step.kind == StepKind::kSharedTryLock ||
                     event.step.kind == StepKind::kSemaphoreTryWait;
  const bool is_in_vain =
      event.step.kind == StepKind::kFileInput && event.step.new_value == kNoFileInTime;
  if ((wakes_up && event.step.new_value == kTimedOut) ||
      (tries && event.step.new_value == kTimeIsOver) || is_in_vain)
    return fmt::format("{}the wait of {} times out", before, runs);

  const size_t first = BeginOfRun(view, at);
  if (view.how(first) == Switch::kFirst)
    return fmt::format("{}{} is the first to run", before, runs);
  // The choice may have been to go on where it was another one's turn, as after a yield.
  if (view.PickOfSwitch(first) != at)
    return fmt::format("{}{} goes on, although it was another one's turn", before, runs);

  const int previous = view.event(first - 1).step.thread;
  if (view.how(first) == Switch::kForced)
    return fmt::format("{}{} runs next, although it was another one's turn", before, runs);
  if (view.how(first) == Switch::kYielded) {
    return fmt::format("{}{} runs after the yield of {}, although it was another one's turn",
                       before, runs, Thread(previous));
  }
  const size_t next = view.NextOf(previous, at);
  if (next == TraceView::kNowhere) {
    return fmt::format("{}{} does not get any further; {} runs instead", before, Thread(previous),
                       runs);
  }
  return fmt::format("{}{} is about to {}{}; {} runs instead", before, Thread(previous),
                     words.Pending(view.event(next)), At(view.event(next), words), runs);
}

std::string Describe(const TraceView& view, const StepText& words, size_t at) {
  const TraceEvent& event = view.event(at);
  const std::string who = Thread(event.step.thread);
  const uint64_t number = NumberOf(view, at);
  const std::string step = fmt::format("step {}: ", number);
  switch (event.pick) {
    case PickKind::kSchedule:
      return Schedule(view, words, at);
    case PickKind::kReadsFrom: {
      const auto from = static_cast<uint64_t>(event.reads_from);
      std::string source = "the initial one";
      if (event.reads_from >= 0 && from < view.size())
        source = fmt::format("that of step {}", view.step_number(static_cast<size_t>(from)));
      return fmt::format("{}{} reads an older value of {}, {}", step, who, words.Object(event),
                         source);
    }
    case PickKind::kPlacement:
      return fmt::format("{}the store of {} to {} goes behind a newer one in modification order",
                         step, who, words.Object(event));
    case PickKind::kWeakCompareExchange:
      return fmt::format("{}the weak compare-exchange of {} on {} fails spuriously", step, who,
                         words.Object(event));
    case PickKind::kWakeOrder:
      return fmt::format("{}{} wakes another one than the longest waiter (waiter {}, from 0)", step,
                         who, event.choice);
    case PickKind::kAllocationFailure:
      return fmt::format("before step {}: an allocation of {} fails", number, who);
    case PickKind::kSpuriousWakeUp:
      return fmt::format("before step {}: the wait of {} will end although nobody wakes it", number,
                         who);
    case PickKind::kSignalHandler:
      return fmt::format("behind step {}: {} handles a signal that has come before it", number,
                         who);
    case PickKind::kData:
      return fmt::format("before step {}: the value for {} is {}", number, who, event.choice);
  }
  return fmt::format("{}choice {} of {}", step, event.choice, event.alternatives);
}

}  // namespace

Decisions DescribeDecisions(const TraceView& view, const StepText& words, size_t most) {
  Decisions decisions;
  for (size_t at = 0; at < view.size(); ++at) {
    if (!view.Deviates(at)) continue;
    if (decisions.count++ < most) decisions.sentences.push_back(Describe(view, words, at));
  }
  return decisions;
}

}  // namespace jacquard::sim
