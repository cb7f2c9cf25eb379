// One more word in a hash of a sequence: for fingerprints that nobody chooses to collide.
#ifndef JACQUARD_SIM_FOLD_H_
#define JACQUARD_SIM_FOLD_H_

#include <bit>
#include <cstdint>

namespace jacquard::sim {

inline uint64_t Fold(uint64_t hash, uint64_t word) {
  return (std::rotl(hash, 23) ^ word) * 0x9E37'79B9'7F4A'7C15;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FOLD_H_
