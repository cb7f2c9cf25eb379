// The random numbers of an execution (random.cc).
#ifndef JACQUARD_SIM_RANDOM_H_
#define JACQUARD_SIM_RANDOM_H_

#include <cstdint>

namespace jacquard::sim {

struct RandomNumbers {
  uint64_t state = 0;      // each number changes it
  bool is_seeded = false;  // in this execution
};
[[gnu::visibility("hidden")]] extern constinit RandomNumbers random_numbers;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RANDOM_H_
