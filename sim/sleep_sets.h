// Depth-first search with sleep sets: one execution for each partial order, more or less
// (Godefroid, "Partial-order methods for the verification of concurrent systems", LNCS 1032, 1996).
#ifndef JACQUARD_SIM_SLEEP_SETS_H_
#define JACQUARD_SIM_SLEEP_SETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/operations.h"
#include "sim/strategy.h"

namespace jacquard {

// What a thread has touched from one pick of a thread to the next.
class Footprint {
 public:
  void Add(const Operation& operation, size_t size);
  void AddEverything() { everything_ = true; }
  void AddAllocation();
  void AddFree(const void* block, size_t size, bool reused);
  void Join(const Footprint& other);
  void Clear() {
    everything_ = false;
    accesses_.clear();
  }
  // Whether it makes no difference which of the two comes first.
  bool IsIndependentOf(const Footprint& other) const;

 private:
  struct Access {
    uintptr_t place;
    bool changes;
  };
  void AddAccess(uintptr_t place, bool changes);

  bool everything_ = false;  // more than is told apart
  std::vector<Access> accesses_;
};

// Executes, of each set of executions that differ only in the order of neighbouring operations that
// do not depend on each other, at least one; all final states, deadlocks, failed checks and data
// races are found. When a thread has been tried at a pick, it *sleeps* in the executions that try
// others there, until an operation comes that depends on what it would do: before that, to run it
// would lead to what has been seen. What the memory model chooses belongs to the thread's
// operation.
//
// What depends on what errs on the safe side. Independent are only atomic accesses, locks and
// semaphores at different places, and accesses that change nothing. Creation and end of threads
// depend on each other, and so do allocations; to free a block is an access to all of it. All else
// (futexes, condition variables, fences, clocks, timed waits) depends on everything. What an
// operation touches is what it has touched when it was tried, whatever the memory model chose.
// Where the harness looks at the state after each step, the order of any two steps matters: nothing
// sleeps.
//
// Not covered: random numbers that two threads draw from the C library are taken to be independent,
// and so are the addresses and the lifetime of what lies on another thread's stack. When all that
// can run sleep, the execution goes on to its end all the same.
class SleepSets : public Strategy {
 public:
  SleepSets() { listens_ = true; }

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override { return Begin(); }

  void OnBegin(const Surroundings& surroundings) override { surroundings_ = surroundings; }
  void OnStep(const Step& step, Site site) override;
  void OnBlock(int thread, StepKind kind, const void* address, Site site) override;
  void OnTimedBlock(int thread) override;
  void OnHeap(const void* block, size_t size, bool freed) override;

 private:
  struct Sleeper {
    int thread;
    Footprint footprint;
  };
  struct Node {
    bool is_schedule = false;
    int choice = 0;  // of a schedule: the thread
    int alternatives = 0;
    ThreadSet candidates = 0;
    std::vector<Sleeper> sleepers;  // those that came here sleeping, and those tried
    Footprint footprint;            // of what was tried last, whatever was chosen in between
  };

  bool Begin();
  int ChooseThread(const Pick& pick);
  void EndTransition();
  static bool Sleeps(const Node& node, int thread);
  // The first candidate that does not sleep; -1: there is none.
  static int FirstAwake(const Node& node);
  std::vector<Sleeper> StillAsleep() const;

  std::vector<Node> path_;
  size_t depth_ = 0;
  size_t schedule_node_ = SIZE_MAX;  // the last one on the way
  Footprint moved_;                  // since then
  ThreadSet may_time_out_ = 0;       // wait with a deadline
  bool asleep_ = false;              // all that could run slept: the rest is redundant
  Surroundings surroundings_;
  bool exhausted_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_SLEEP_SETS_H_
