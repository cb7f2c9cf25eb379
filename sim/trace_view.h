// A view of a trace: what can be concluded from it that its events do not say themselves. Part of
// the report.
#ifndef JACQUARD_SIM_TRACE_VIEW_H_
#define JACQUARD_SIM_TRACE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard::sim {

// How the thread of an event came to run.
enum class Switch : uint8_t {
  kNone,       // it was running
  kFirst,      // it is the first one
  kForced,     // the one before had ended or could not go on
  kYielded,    // the one before let others go first
  kPreempted,  // the one before could have gone on
};

// Must not outlive the trace. Positions are indices into trace.events; nothing here relies on
// TraceEvent::index. Linear in the length of the trace.
class TraceView {
 public:
  static constexpr size_t kNowhere = SIZE_MAX;

  TraceView(const Trace& trace, const Verdict& verdict);

  const Trace& trace() const { return trace_; }
  const TraceEvent& event(size_t at) const { return trace_.events[at]; }
  size_t size() const { return trace_.events.size(); }

  // The number of the step, from 1, as Verdict::step counts. For an event that is no step, and for
  // the end of a thread: of the last step before it.
  uint64_t step_number(size_t at) const { return step_numbers_[at]; }
  uint64_t step_count() const { return step_numbers_.empty() ? 0 : step_numbers_.back(); }
  // Whether the event is a step that counts.
  bool IsStep(size_t at) const;

  Switch how(size_t at) const { return switches_[at]; }
  // The first event of the run of events of one thread that `at` belongs to.
  size_t BeginOfRun(size_t at) const { return begins_[at]; }
  // Where the answer to "who runs" that led to the switch at `at` is kept: the thread's next step.
  // kNowhere if it takes none, or if there is no switch.
  size_t PickOfSwitch(size_t at) const;
  // Whether something was left to chance there and the choice was not the benign one.
  bool Deviates(size_t at) const { return event(at).alternatives > 0 && event(at).choice != 0; }

  // Whether the event has a row of its own where not all have one: writes, whatever is no step,
  // choices that were not benign, the steps around a switch, and the last one of each thread.
  bool IsOfInterest(size_t at) const;

  // The step that the verdict is about; kNowhere if it is about none, as a deadlock.
  size_t violating() const { return violating_; }

  // The position of the thread's last event, and of what it does next from `at` on: a step, or
  // being blocked. kNowhere if there is none.
  size_t LastOf(int thread) const;
  size_t NextOf(int thread, size_t at) const;

  // The threads that have events, ascending, each with its position in that order. -1 stands for
  // the harness before and after the threads.
  const std::map<int, size_t>& threads() const { return threads_; }

 private:
  const Trace& trace_;
  std::vector<uint64_t> step_numbers_;
  std::vector<Switch> switches_;
  std::vector<size_t> begins_;
  std::map<int, size_t> threads_;
  std::map<int, size_t> last_;
  size_t violating_ = kNowhere;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TRACE_VIEW_H_
