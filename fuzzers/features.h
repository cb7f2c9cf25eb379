// What libFuzzer learns beside code coverage: the states that the locks reach, and in which
// operations.
//
// libFuzzer treats each byte of the section __libfuzzer_extra_counters as a counter of an edge. It
// clears and scans all of them for every input, so there are few.
#ifndef JACQUARD_FUZZERS_FEATURES_H_
#define JACQUARD_FUZZERS_FEATURES_H_

#include <cstdint>

namespace jacquard::fuzzers {

// A byte each; together at most 4 KiB.
inline constexpr uint32_t kStateFeatures = 1024;
inline constexpr uint32_t kSwitchFeatures = 512;

struct Features {
  uint8_t states[kStateFeatures];
  uint8_t switches[kSwitchFeatures];

  // The locks are in `state`, after a step in `operation` (-1: outside of any). Pairs only: a state
  // by itself is the pair with whatever led there first, and libFuzzer pays for each counter that
  // an input sets.
  void AddState(int state, int operation) {
    states[Mix(Mix(static_cast<uint32_t>(state)) + static_cast<uint32_t>(operation)) %
           kStateFeatures] = 1;
  }

  // A step in operation `before` on one thread is followed by one in `after` on another.
  void AddSwitch(int before, int after) {
    switches[Mix(static_cast<uint32_t>(before + 1) * 257 + static_cast<uint32_t>(after + 1)) %
             kSwitchFeatures] = 1;
  }

 private:
  static uint32_t Mix(uint32_t x) {
    x *= 0x9e3779b1u;
    return x ^ (x >> 15);
  }
};

static_assert(sizeof(Features) <= 4096);

// The ones that libFuzzer sees.
extern Features features;

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_FEATURES_H_
