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
  const uint64_t random = SplitMix(state_);
  const auto below = [random](int n) {
    return static_cast<int>(((random >> 32) * static_cast<uint64_t>(n)) >> 32);
  };
  if (!IsOfMemory(pick.kind)) return below(pick.alternatives);
  // The low bits are independent of the high ones.
  return (random & 3) != 0 ? 0 : 1 + below(pick.alternatives - 1);
}

}  // namespace jacquard
