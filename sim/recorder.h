// The recorder: writes the trace of one execution, when one was asked for.
#ifndef JACQUARD_SIM_RECORDER_H_
#define JACQUARD_SIM_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/arena.h"
#include "sim/lock_nesting.h"
#include "sim/memory/race.h"
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
  // With a memory model: what the step that is being made has read (the number of the step that
  // stored it; -1: an initial value), and what was left to chance about it.
  void NoteRead(int32_t step) { read_ = step; }
  void NoteMemoryPick(PickKind kind, int alternatives, int choice);
  // An access that a race may turn out to be with.
  void NoteAccess(memory::AccessKind kind, const void* address, size_t size, uintptr_t pc);
  // The verdict is about a race: the trace gets the place of the earlier access.
  void AddPlaceOfEarlierAccess(const memory::Race& race);
  void Text(TraceEvent::Type type, std::string_view text, uintptr_t pc = 0);
  // Gives the running thread's last operation event its text.
  void DescribeOperation(std::string_view text);
  // The running thread allocates or frees `block`, at `pc`.
  void RecordAllocation(const Block& block, uintptr_t pc) { AddHeapEvent(block, true, pc); }
  void RecordFree(const Block& block, uintptr_t pc) { AddHeapEvent(block, false, pc); }
  // The verdict is about `block`: the trace gets the places where it was allocated and freed.
  void AddPlacesOf(const Block& block);
  // The running thread takes a lock, `what` by its kind.
  void NoteHeld(const void* lock, std::string_view what, uintptr_t pc);
  // The verdict is about a lock that `thread` holds: the trace gets the place where it took it.
  void AddPlaceOfHeld(int thread, const void* lock);
  // The running thread takes a lock while it holds another one: `places` gets where it took both,
  // and where their memory was allocated, if it was.
  void AddPlacesOfNesting(const LockNesting& nesting, std::vector<TracePlace>& places);
  // The running thread creates `child`. If the verdict is about a thread, the trace gets the place
  // where it was created.
  void NoteCreation(int child, uintptr_t pc);
  void AddPlaceOfCreation(int thread);
  // What is recorded from here on can be forgotten. In events.
  size_t Mark() const { return left_out_ + trace_->events.size(); }
  void ForgetSince(size_t mark);
  // The same: if threads go on for ever, they do so for long enough in what has been recorded, and
  // of such a trace there is nothing more to record.
  size_t MarkEnough() { return enough_ = Mark(); }
  bool has_enough() const { return trace_->endless; }
  // Nothing more will be recorded. Of a very long execution the trace then has the end only.
  void Finish();

 private:
  // Something that was left to chance.
  struct PickTaken {
    PickKind kind;
    int alternatives;
    int choice;
  };
  // The last access of its kind, place and thread.
  struct Access {
    memory::AccessKind kind;
    uintptr_t address;
    size_t size;
    TracePlace place;
  };
  static constexpr int32_t kNoRead = -2;
  // Of a longer execution only the end is kept, and of a livelock the beginning: some 700 bytes
  // each.
  static constexpr size_t kMostEvents = 1'000'000;

  // Under Backstage. Events are numbered as if none were left out, until Finish().
  TraceEvent& Add(TraceEvent::Type type);
  void LeaveOut();
  // The plain write that was the last event has taken place by now.
  void CompletePlainWrite();
  static std::vector<uintptr_t> StackOfRunningThread();
  static std::vector<std::string> HeldByRunningThread();
  // The pick of a thread that led to the next event.
  static PickTaken TakeSchedulePick();
  static std::string Words(const PickTaken& pick);
  static void SetPick(TraceEvent& event, const PickTaken& pick);
  int64_t EventOfStep(int32_t step) const;
  void RecordReadsFrom(TraceEvent& event);

  // Where a block was allocated and freed. Addresses come back: what counts is the last time.
  struct BlockPlaces {
    TracePlace allocated;
    TracePlace freed;
  };

  void AddHeapEvent(const Block& block, bool allocated, uintptr_t pc);

  // A lock that a thread has taken.
  struct Taken {
    const void* lock;
    TracePlace place;
  };

  Trace* const trace_;
  std::unordered_map<uintptr_t, BlockPlaces> blocks_;
  std::vector<Taken> taken_;         // the latest of each thread and lock
  std::vector<TracePlace> created_;  // by thread
  size_t complete_ = 0;              // so many events are known to be
  size_t enough_ = 0;                // so many show a livelock; 0: not known yet
  size_t gap_ = 0;                   // behind so many, others are left out
  size_t left_out_ = 0;              // so many
  int32_t read_ = kNoRead;
  std::unordered_map<const void*, int64_t> newest_stores_;       // events, under kSc
  std::vector<PickTaken> memory_picks_;                          // of the step that is being made
  std::vector<int64_t> events_of_steps_;                         // by number of the step ...
  size_t first_step_ = 0;                                        // ... from this one on
  std::unordered_map<uintptr_t, std::vector<Access>> accesses_;  // by address / 8
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RECORDER_H_
