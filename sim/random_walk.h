// The random walk: every pick is answered by a pseudo-random number that follows from the seed.
#ifndef JACQUARD_SIM_RANDOM_WALK_H_
#define JACQUARD_SIM_RANDOM_WALK_H_

#include <cstdint>

#include "sim/random_answers.h"
#include "sim/strategy.h"

namespace jacquard {

// Uniform over the alternatives of each pick; only those of the memory model are benign three times
// out of four, since most bugs need little weakness, and a program that reads old values all the
// time gets nowhere. Each execution has a stream of its own that follows from (seed, number of the
// execution), so that any one can be repeated alone.
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

}  // namespace jacquard

#endif  // JACQUARD_SIM_RANDOM_WALK_H_
