// PCT: random priorities with a few random changes (Burckhardt, Kothari, Musuvathi and
// Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS
// 2010).
#ifndef JACQUARD_SIM_PCT_H_
#define JACQUARD_SIM_PCT_H_

#include <cstdint>
#include <vector>

#include "sim/random_answers.h"
#include "sim/strategy.h"

namespace jacquard {

// Who has the highest priority runs; at `depth` - 1 random points the running thread's becomes low.
// A bug of that depth is found with a probability of at least 1 / (threads * picks^(depth - 1)) in
// each execution: where a thread has to wait for very long at one place, a random walk hardly ever
// makes it wait.
//
// Deviations: the number of picks, among which the points lie, is that of the longest execution so
// far, and it is picks that are counted, not all steps. Every other time, by chance, a thread that
// yields comes last, so that a loop that waits does not go round for ever; not every time, since
// libraries yield some times before they sleep. The memory model's picks are those of the random
// walk.
class Pct : public Strategy {
 public:
  static constexpr int kDefaultDepth = 3;
  explicit Pct(uint64_t seed, int depth = kDefaultDepth) : seed_(seed), depth_(depth) {}

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override;

 private:
  static constexpr int64_t kFirstInitial = int64_t{1} << 32;  // above those that were lowered

  int Schedule(const Pick& pick);

  const uint64_t seed_;
  const int depth_;
  uint64_t execution_ = 0;
  uint64_t most_picks_ = 1;  // of an execution
  RandomAnswers stream_;
  std::vector<uint64_t> changes_;  // before these schedule picks, counted from 0
  uint64_t picks_ = 0;             // of this execution's schedule
  int64_t lowest_ = 0;             // of all priorities
  ThreadSet known_ = 0;            // have a priority
  int64_t priority_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PCT_H_
