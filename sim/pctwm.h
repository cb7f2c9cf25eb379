// PCTWM: PCT on weak memory, with few weak choices (Gao, Chakraborty and Ozkan, "Probabilistic
// concurrency testing for weak memory programs", ASPLOS 2023).
#ifndef JACQUARD_SIM_PCTWM_H_
#define JACQUARD_SIM_PCTWM_H_

#include <cstdint>
#include <vector>

#include "sim/pct.h"

namespace jacquard {

// PCT decides who runs, with fewer changes than `depth`, any number being as likely. Of the memory
// model's picks up to `weak`, any number being as likely, are not benign, at random points: an old
// value is read, a store is placed behind a newer one, a weak compare-exchange fails, a wait ends
// for no reason. Most bugs of weak memory need one or two such choices; a program in which there
// are many at random seldom gets to where they would matter.
//
// Deviations: the paper bounds the reads that communicate, and lets all others read what is newest
// for their own thread; here it is those that do not read the newest value that are counted. How
// far back they may go is for the memory model to say.
class Pctwm : public Pct {
 public:
  static constexpr int kDefaultWeak = 2;
  explicit Pctwm(uint64_t seed, int depth = kDefaultDepth, int weak = kDefaultWeak)
      : Pct(seed, depth), weak_(weak) {}

  void EndExecution(const Verdict& verdict) override;

 protected:
  void Begin() override;
  int CountOfChanges() override { return Below(depth_); }
  int ChooseForMemory(const Pick& pick) override;

 private:
  const int weak_;
  uint64_t most_picks_ = 1;       // of the memory model, in an execution
  uint64_t picks_ = 0;            // and in this one
  std::vector<uint64_t> points_;  // the picks, counted from 0, that are not benign
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PCTWM_H_
