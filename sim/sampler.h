// What strategies that search by chance have in common: a stream of pseudo-random numbers for each
// execution, which follows from (seed, number of the execution), so that any one can be repeated.
#ifndef JACQUARD_SIM_SAMPLER_H_
#define JACQUARD_SIM_SAMPLER_H_

#include <cstdint>

#include "sim/random_answers.h"
#include "sim/strategy.h"

namespace jacquard {

// Derived classes decide who runs. All other picks are those of the random walk, unless they say
// otherwise. What they learn from an execution they may use from its EndExecution on, not before:
// it may be repeated.
class Sampler : public Strategy {
 public:
  bool BeginExecution() final {
    stream_.SeedExecution(seed_, execution_++);
    Begin();
    return true;
  }
  bool RepeatExecution() final {
    --execution_;
    return BeginExecution();
  }
  int Choose(const Pick& pick) final {
    if (pick.kind == PickKind::kSchedule) return ChoiceOfThread(pick, NextThread(pick));
    return IsOfMemory(pick.kind) ? ChooseForMemory(pick) : stream_.Answer(pick.alternatives);
  }

 protected:
  explicit Sampler(uint64_t seed) : seed_(seed) {}

  virtual void Begin() = 0;
  // One of the candidates of a kSchedule pick.
  virtual int NextThread(const Pick& pick) = 0;
  virtual int ChooseForMemory(const Pick& pick) { return stream_.AnswerMemory(pick.alternatives); }

  // Uniform in [0, n).
  int Below(int n) { return stream_.Answer(n); }
  // A priority: never 0.
  uint64_t DrawPriority() { return stream_.Next() >> 2 | 1; }

  RandomAnswers stream_;

 private:
  const uint64_t seed_;
  uint64_t execution_ = 0;
};

// Whether the thread at the decision point could go on, has not yielded, and has not run for very
// long.
inline bool CouldGoOn(const Pick& pick) { return pick.first == pick.thread; }

// Whether it could go on, but has yielded or run for very long.
inline bool IsToLetOthersGo(const Pick& pick) {
  return pick.thread >= 0 && pick.first != pick.thread && Has(pick.candidates, pick.thread);
}

// Whether it has yielded.
inline bool HasYielded(const Pick& pick) {
  return IsToLetOthersGo(pick) && pick.pending[pick.thread].kind == StepKind::kYield;
}

}  // namespace jacquard

#endif  // JACQUARD_SIM_SAMPLER_H_
