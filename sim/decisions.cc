#include "sim/decisions.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

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

// One choice in words.
struct Sentence {
  std::string_view place;  // "step", "before step" or "behind step"
  std::string text;
  bool operator==(const Sentence&) const = default;
};

std::string Schedule(const TraceView& view, const StepText& words, size_t at) {
  const TraceEvent& event = view.event(at);
  const std::string runs = Thread(event.step.thread);
  const bool wakes_up =
      event.step.kind == StepKind::kFutexWakeUp || event.step.kind == StepKind::kConditionWakeUp;
  if (wakes_up && event.step.new_value == kForNoReason)
    return fmt::format("{} wakes up although nobody has woken it", runs);
  const bool tries = event.step.kind == StepKind::kMutexTryLock ||
                     event.step.kind == StepKind::kSharedTryLock ||
                     event.step.kind == StepKind::kSemaphoreTryWait;
  const bool is_in_vain =
      event.step.kind == StepKind::kFileInput && event.step.new_value == kNoFileInTime;
  if ((wakes_up && event.step.new_value == kTimedOut) ||
      (tries && event.step.new_value == kTimeIsOver) || is_in_vain)
    return fmt::format("the wait of {} times out", runs);

  const size_t first = view.BeginOfRun(at);
  // The choice may have been to go on where it was another one's turn, as after a yield.
  if (view.PickOfSwitch(first) != at)
    return fmt::format("{} goes on, although it was another one's turn", runs);
  if (view.how(first) == Switch::kFirst) return fmt::format("{} is the first to run", runs);

  const int previous = view.event(first - 1).step.thread;
  if (view.how(first) == Switch::kForced)
    return fmt::format("{} runs next, although it was another one's turn", runs);
  if (view.how(first) == Switch::kYielded) {
    return fmt::format("{} runs after the yield of {}, although it was another one's turn", runs,
                       Thread(previous));
  }
  const size_t next = view.NextOf(previous, at);
  if (next == TraceView::kNowhere)
    return fmt::format("{} does not get any further; {} runs instead", Thread(previous), runs);
  return fmt::format("{} is about to {}{}; {} runs instead", Thread(previous),
                     words.Pending(view.event(next)), At(view.event(next), words), runs);
}

Sentence Describe(const TraceView& view, const StepText& words, size_t at) {
  const TraceEvent& event = view.event(at);
  const std::string who = Thread(event.step.thread);
  switch (event.pick) {
    case PickKind::kSchedule:
      return {"before step", Schedule(view, words, at)};
    case PickKind::kReadsFrom: {
      const auto from = static_cast<uint64_t>(event.reads_from);
      std::string source = "the initial one";
      if (event.reads_from >= 0 && from < view.size())
        source = fmt::format("that of step {}", view.step_number(static_cast<size_t>(from)));
      return {"step",
              fmt::format("{} reads an older value of {}, {}", who, words.Object(event), source)};
    }
    case PickKind::kPlacement:
      return {"step", fmt::format("the store of {} to {} comes before a newer one in modification "
                                  "order, which stays the newest",
                                  who, words.Object(event))};
    case PickKind::kWeakCompareExchange:
      return {"step", fmt::format("the weak compare-exchange of {} on {} fails spuriously", who,
                                  words.Object(event))};
    case PickKind::kWakeOrder:
      return {"step",
              fmt::format("{} wakes another one than the longest waiter (waiter {}, from 0)", who,
                          event.choice)};
    case PickKind::kAllocationFailure:
      return {"before step", fmt::format("an allocation of {} fails", who)};
    case PickKind::kSpuriousWakeUp:
      return {"before step", fmt::format("the wait of {} will end although nobody wakes it", who)};
    case PickKind::kSignalHandler:
      return {"behind step", fmt::format("{} handles a signal that has come before it", who)};
    case PickKind::kData:
      return {"before step", fmt::format("the value for {} is {}", who, event.choice)};
  }
  return {"step", fmt::format("choice {} of {}", event.choice, event.alternatives)};
}

// The same sentence of several steps, one choice after another, as where a thread that yields in a
// loop goes on each time.
struct Run {
  Sentence sentence;
  uint64_t first = 0;  // step
  uint64_t last = 0;
  size_t count = 1;

  std::string Text() const {
    if (count == 1) return fmt::format("{} {}: {}", sentence.place, first, sentence.text);
    const std::string times = count == 2 ? "twice" : fmt::format("{} times", count);
    if (first == last)
      return fmt::format("{} {}, {}: {}", sentence.place, first, times, sentence.text);
    return fmt::format("{}s {} to {}, {}: {}", sentence.place, first, last, times, sentence.text);
  }
};

}  // namespace

Decisions DescribeDecisions(const TraceView& view, const StepText& words, size_t most) {
  std::vector<Run> runs;
  Decisions decisions;
  for (size_t at = 0; at < view.size(); ++at) {
    if (!view.Deviates(at)) continue;
    ++decisions.count;
    if (decisions.left_out != 0) {
      ++decisions.left_out;
      continue;
    }
    Sentence sentence = Describe(view, words, at);
    const uint64_t number = NumberOf(view, at);
    if (!runs.empty() && runs.back().sentence == sentence) {
      ++runs.back().count;
      runs.back().last = number;
    } else if (runs.size() < most) {
      runs.push_back({.sentence = std::move(sentence), .first = number});
    } else {
      ++decisions.left_out;
    }
  }
  for (const Run& run : runs) decisions.sentences.push_back(run.Text());
  return decisions;
}

}  // namespace jacquard::sim
