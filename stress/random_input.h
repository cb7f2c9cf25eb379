// Random inputs for runs that no engine guides.
#ifndef JACQUARD_STRESS_RANDOM_INPUT_H_
#define JACQUARD_STRESS_RANDOM_INPUT_H_

#include <cstdint>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"

namespace jacquard {

// `threads` threads with `operations` random operations each; follows from `seed` alone.
fuzzers::Input RandomInput(const fuzzers::Codec& codec, int threads, int operations, uint64_t seed);

}  // namespace jacquard

#endif  // JACQUARD_STRESS_RANDOM_INPUT_H_
