// POS: partial order sampling (Yuan, Yang and Gu, "Partial order aware concurrency sampling", CAV
// 2018).
#ifndef JACQUARD_SIM_POS_H_
#define JACQUARD_SIM_POS_H_

#include <cstdint>

#include "sim/sampler.h"

namespace jacquard {

// Each pending operation has a random priority; that of the highest one runs, and what races with
// it (the same object, one of the two changes it) draws anew. What does not race keeps its
// priority, so that the chance is spent on orders that differ in what is seen, and not on the order
// of operations that have nothing to do with each other.
//
// Deviations: the first operation of a thread that has not begun is not known, and races with
// nothing. A thread that yields comes after all that could run instead. One that has run very often
// in a row draws anew with all others, since a loop that waits could else go round for very long.
class Pos : public Sampler {
 public:
  explicit Pos(uint64_t seed) : Sampler(seed) {}

 protected:
  void Begin() override;
  int NextThread(const Pick& pick) override;

 private:
  static constexpr int kMostInARow = 100;

  ThreadSet drawn_ = 0;  // have a priority
  int last_ = -1;        // who ran last, and how often in a row
  int in_a_row_ = 0;
  uint64_t priority_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_POS_H_
