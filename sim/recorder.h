// The recorder: writes the trace of one execution, when one was asked for.
#ifndef JACQUARD_SIM_RECORDER_H_
#define JACQUARD_SIM_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/arena.h"
#include "sim/trace.h"

namespace jacquard::sim {

// All members are called on the running simulated thread; they allocate from the real heap.
class Recorder {
 public:
  explicit Recorder(Trace* trace) : trace_(trace) {}

  void CountPlainAccess() { ++trace_->plain_accesses; }
  void RecordStep(const Step& step, uintptr_t pc);
  void RecordEnd();
  // The running thread cannot go on; `text` says why. `kind` and `address` are what it was about to
  // do.
  void RecordBlocked(StepKind kind, const void* address, std::string_view text, uintptr_t pc);
  // Something other than the schedule was left to chance.
  void RecordPick(PickKind kind, int alternatives, int choice);
  void Text(TraceEvent::Type type, std::string_view text, uintptr_t pc = 0);
  // Gives the running thread's last operation event its text.
  void DescribeOperation(std::string_view text);
  // The running thread allocates or frees `block`, at `pc`.
  void RecordAllocation(const Block& block, uintptr_t pc) { AddHeapEvent(block, true, pc); }
  void RecordFree(const Block& block, uintptr_t pc) { AddHeapEvent(block, false, pc); }
  // The verdict is about `block`: the trace gets the places where it was allocated and freed.
  void AddPlacesOf(const Block& block);
  // What is recorded from here on can be forgotten.
  void Mark() { mark_ = trace_->events.size(); }
  void ForgetSinceMark() { trace_->events.resize(mark_); }

 private:
  TraceEvent& Add(TraceEvent::Type type);
  static std::vector<uintptr_t> StackOfRunningThread();
  // Gives the event the pick that led to it.
  static void TakePick(TraceEvent& event);

  // What became of a block.
  struct HeapEvent {
    uintptr_t block;
    bool allocated;
    TracePlace place;
  };

  void AddHeapEvent(const Block& block, bool allocated, uintptr_t pc);

  Trace* const trace_;
  std::vector<HeapEvent> heap_events_;
  size_t mark_ = 0;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RECORDER_H_
