// A strategy answers the picks: everything in an execution that is otherwise left to chance.
#ifndef JACQUARD_SIM_STRATEGY_H_
#define JACQUARD_SIM_STRATEGY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/step.h"
#include "sim/thread_set.h"

namespace jacquard {

class RandomAnswers;
struct Verdict;

// What is left to chance at a decision point. Alternative 0 is always benign: with nothing but
// zeros the threads run one after another on strong memory.
enum class PickKind : uint8_t {
  kSchedule,   // who runs next: 0 = the running thread goes on, or the next one by id if it cannot
               // or yields
  kReadsFrom,  // which store a load returns: 0 = the newest
  kPlacement,  // where a store goes in modification order: 0 = last
  kWeakCompareExchange,  // 0 = does not fail spuriously
  kWakeOrder,            // who is woken: 0 = the longest waiter
  kAllocationFailure,    // 0 = there is memory
  kSpuriousWakeUp,       // 0 = the wait that begins ends only for a reason
  kSignalHandler,        // 0 = the handler runs before the thread's next step, not behind it
  kData,                 // a value that the harness asks for: 0 = the smallest
};

// Whether the pick is the memory model's, or about a wake-up for no reason. These are counted apart
// from all others, so that a list of exceptions among those means the same with and without weak
// memory and spurious wake-ups.
inline bool IsOfMemory(PickKind kind) {
  return kind == PickKind::kReadsFrom || kind == PickKind::kPlacement ||
         kind == PickKind::kWeakCompareExchange || kind == PickKind::kSpuriousWakeUp;
}

// What a thread is about to do: known before the pick, for strategies that look at it.
struct PendingOperation {
  StepKind kind = StepKind::kOther;
  const void* address = nullptr;
};

// Where in the code under test an operation stands: a hash of the call and of the functions around
// it, the same in every execution of a build. 0: not known.
using Site = uint64_t;

// One question to a strategy.
struct Pick {
  PickKind kind;
  int alternatives;  // at least 2
  int thread;        // who is at the decision point
  // For kSchedule: alternative 0 is `first`, the others are `candidates` without it in ascending
  // order of id.
  int first = -1;
  ThreadSet candidates = 0;
  // By thread id. A thread that has not begun has an operation of the kind kOther without an
  // address; one that has yielded, kYield.
  const PendingOperation* pending = nullptr;
  const Site* sites = nullptr;  // of those, by thread id; only for a strategy that listens
};

// The thread that alternative `choice` of a kSchedule pick stands for.
int ThreadOfChoice(const Pick& pick, int choice);

// The choice that stands for `thread`, one of the candidates.
int ChoiceOfThread(const Pick& pick, int thread);

// What else there is in an execution that makes the order of steps matter.
struct Surroundings {
  bool invariants = false;     // the harness looks at the state after each step
  bool reuses_memory = false;  // memory that is freed is soon given out again
};

// What one of several strategies that share the executions has done.
struct StrategyShare {
  std::string name;
  uint64_t executions = 0;
  uint64_t failures = 0;       // executions that ended with a verdict
  uint64_t first_failure = 0;  // the first of them, among its own, counted from 1; 0: there is none
  uint64_t behaviours = 0;     // new ones that it has shown, where anybody looked
};

// One interface for the byte string, random walk, depth-first search and all later ones. Not
// thread-safe: one strategy serves one simulation. Everything a strategy does must follow from its
// seed or input.
class Strategy {
 public:
  virtual ~Strategy() = default;

  // Called before each execution. False: nothing is left to explore.
  virtual bool BeginExecution() = 0;

  // Answers `pick` with an alternative in [0, pick.alternatives).
  virtual int Choose(const Pick& pick) = 0;

  // Called after each execution.
  virtual void EndExecution(const Verdict& /*verdict*/) {}

  // Prepares to give the execution that was begun last the same answers once more; called between
  // it and its EndExecution, any number of times. False: it cannot; all in strategies.h can.
  virtual bool RepeatExecution() { return false; }

  // Of each strategy among which this one shares the executions, those that have ended; empty if it
  // is one by itself.
  virtual std::vector<StrategyShare> Shares() const { return {}; }

  // Which share of all that it can reach has been executed, from 0 to 1, as far as that can be
  // told; below 0 if it has no end. Between executions.
  virtual double ShareDone() const { return -1; }

  // So many of the next picks get alternative 0 without being asked (the runtime counts it down):
  // what makes a sparse list of exceptions cheap. Set by BeginExecution and Choose. The memory
  // model's picks have a count of their own.
  uint64_t benign_picks() const { return benign_picks_; }
  bool TakeBenignPick() {
    if (benign_picks_ == 0) return false;
    --benign_picks_;
    return true;
  }
  bool TakeBenignMemoryPick() {
    if (benign_memory_picks_ == 0) return false;
    --benign_memory_picks_;
    return true;
  }

  // If not null, this answers each pick as Choose would: the runtime does not ask.
  RandomAnswers* answers() const { return answers_; }

  // Whether the functions below are called during the execution that BeginExecution or
  // RepeatExecution has begun. That costs time at each step.
  bool listens() const { return listens_; }
  // The execution begins.
  virtual void OnBegin(const Surroundings& /*surroundings*/) {}
  // A step has been taken, at `site`.
  virtual void OnStep(const Step& /*step*/, Site /*site*/) {}
  // `thread` cannot finish its pending operation, of that kind, and waits.
  virtual void OnBlock(int /*thread*/, StepKind /*kind*/, const void* /*address*/, Site /*site*/) {}
  // The same wait may end by itself, at its deadline or for no reason; called after OnBlock.
  virtual void OnTimedBlock(int /*thread*/) {}
  // The running thread has allocated a block of memory, or freed it.
  virtual void OnHeap(const void* /*block*/, size_t /*size*/, bool /*freed*/) {}

 protected:
  uint64_t benign_picks_ = 0;
  uint64_t benign_memory_picks_ = 0;
  RandomAnswers* answers_ = nullptr;
  bool listens_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_STRATEGY_H_
