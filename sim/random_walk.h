// The random walk: every pick is answered by a pseudo-random number that follows from the seed.
#ifndef JACQUARD_SIM_RANDOM_WALK_H_
#define JACQUARD_SIM_RANDOM_WALK_H_

#include <cstdint>

#include "sim/random_answers.h"
#include "sim/sampler.h"
#include "sim/strategy.h"

namespace jacquard {

// Uniform over the alternatives of each pick; only those of the memory model are benign three times
// out of four (or, in some executions, come in bursts), since most bugs need little weakness, and a
// program that reads old values all the time gets nowhere. Each execution has a stream of its own
// that follows from (seed, number of the execution), so that any one can be repeated alone.
class RandomWalk : public Strategy {
 public:
  explicit RandomWalk(uint64_t seed) : seed_(seed) { answers_ = &stream_; }
  RandomWalk(const RandomWalk&) = delete;
  RandomWalk& operator=(const RandomWalk&) = delete;

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  bool RepeatExecution() override {
    --execution_;
    return BeginExecution();
  }

 private:
  uint64_t seed_;
  uint64_t execution_ = 0;
  RandomAnswers stream_;
};

// The random walk with a switch probability: a thread that could go on is interrupted with this
// probability, whatever the number of others. For code with long stretches in which nothing
// happens, and for bugs that need one thread to get far while others stand still.
class LazyWalk : public Sampler {
 public:
  LazyWalk(uint64_t seed, double probability) : Sampler(seed), probability_(probability) {}

 protected:
  void Begin() override {}
  int NextThread(const Pick& pick) override;

 private:
  const double probability_;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_RANDOM_WALK_H_
