// The threads in turn: a few steps each, over and over.
#ifndef JACQUARD_SIM_TURNS_H_
#define JACQUARD_SIM_TURNS_H_

#include <cstdint>

#include "sim/sampler.h"

namespace jacquard {

// In each execution some of the threads run in the order of their ids, each for so many steps at a
// time, and the others hardly ever as long as one of these can. How many steps, and who takes part,
// is drawn for each execution. For bugs that need threads to overtake each other again and again: a
// random walk would have to be right at every step.
//
// A turn also ends where the thread has to wait or yields. The next one is, every now and then,
// anybody's: so whoever is waited for comes, too. The memory model's picks are those of the random
// walk.
class Turns : public Sampler {
 public:
  explicit Turns(uint64_t seed) : Sampler(seed) {}

 protected:
  void Begin() override;
  int NextThread(const Pick& pick) override;

 private:
  // Those of `pick` whom nothing is known of yet draw what they are.
  void Meet(const Pick& pick);

  int same_length_ = 0;    // of all turns; 0: each thread has its own
  int left_ = 0;           // of the turn
  ThreadSet known_ = 0;    // have drawn what follows
  ThreadSet members_ = 0;  // take part
  int lengths_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_TURNS_H_
