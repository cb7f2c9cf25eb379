#include "sim/random_walk.h"

namespace jacquard {
namespace {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: mixes well
// even from consecutive seeds.
uint64_t SplitMix(uint64_t& state) {
  uint64_t z = (state += 0x9E37'79B9'7F4A'7C15);
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
  return z ^ (z >> 31);
}

}  // namespace

bool RandomWalk::BeginExecution() {
  uint64_t start = seed_;
  state_ = SplitMix(start) + execution_++;
  state_ = SplitMix(state_);
  return true;
}

int RandomWalk::Choose(const Pick& pick) {
  return static_cast<int>(((SplitMix(state_) >> 32) * static_cast<uint64_t>(pick.alternatives)) >>
                          32);
}

}  // namespace jacquard
