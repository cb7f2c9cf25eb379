// PCT: random priorities with a few random changes (Burckhardt, Kothari, Musuvathi and
// Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS
// 2010).
#ifndef JACQUARD_SIM_PCT_H_
#define JACQUARD_SIM_PCT_H_

#include <cstdint>
#include <vector>

#include "sim/sampler.h"

namespace jacquard {

// Who has the highest priority runs; at `depth` - 1 random points the running thread's becomes low.
// A bug of that depth is found with a probability of at least 1 / (threads * picks^(depth - 1)) in
// each execution: where a thread has to wait for very long at one place, a random walk hardly ever
// makes it wait.
//
// Deviations: the number of picks, among which the points lie, is that of the longest execution so
// far, and it is picks that are counted, not all steps. Every other time, by chance, a thread that
// yields comes last, so that a loop that waits does not go round for ever; not every time, since
// libraries yield some times before they sleep. So does one that has run for very long (the engine
// says when). In one execution of 32 the others are patient, in half of these also with who yields,
// so that a loop that gives up after some thousands of rounds comes to its end: they have any
// number of changes up to `depth` - 1. Where that takes long, as there are loops that never give
// up, it is done less often. The memory model's picks are those of the random walk.
class Pct : public Sampler {
 public:
  static constexpr int kDefaultDepth = 3;
  explicit Pct(uint64_t seed, int depth = kDefaultDepth) : Sampler(seed), depth_(depth) {}

  void EndExecution(const Verdict& verdict) override;

 protected:
  void Begin() override;
  int NextThread(const Pick& pick) override;
  // So many points there are in the execution that begins.
  virtual int CountOfChanges() { return depth_ - 1; }

  const int depth_;

 private:
  // Of those with a lower priority, in an execution.
  enum class Patience : uint8_t { kNone, kUntilYield, kEvenWithYields };

  static constexpr int64_t kFirstInitial = int64_t{1} << 32;  // above those that were lowered

  Patience DrawPatience() const;
  // Whether it may be time for the running thread to come last.
  bool IsOthersTurn(const Pick& pick) const;

  uint64_t most_picks_ = 1;        // of an execution
  std::vector<uint64_t> changes_;  // before these schedule picks, counted from 0
  uint64_t picks_ = 0;             // of this execution's schedule
  Patience patience_ = Patience::kNone;
  uint64_t all_picks_ = 0;
  uint64_t patient_picks_ = 0;  // of executions with patience
  int64_t lowest_ = 0;          // of all priorities
  ThreadSet known_ = 0;         // have a priority
  int64_t priority_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PCT_H_
