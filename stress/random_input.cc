#include "stress/random_input.h"

#include <random>

namespace jacquard {

fuzzers::Input RandomInput(const fuzzers::Codec& codec, int threads, int operations,
                           uint64_t seed) {
  // The standard fixes what this generator yields; the distributions it leaves to the library.
  std::mt19937_64 random(seed);
  fuzzers::Input input;
  input.Clear(threads);
  for (int t = 0; t < threads; ++t) {
    for (int i = 0; i < operations; ++i) {
      const auto number = random() % static_cast<uint64_t>(codec.call_count());
      input.AddCall(t, codec.CallAt(static_cast<int>(number)));
    }
  }
  return input;
}

}  // namespace jacquard
