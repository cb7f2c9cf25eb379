// Memory of which more is kept than of other memory, at addresses that follow from its own: the
// beginnings of the heap of an execution and of the stacks.
#ifndef JACQUARD_SIM_COVERED_MEMORY_H_
#define JACQUARD_SIM_COVERED_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "sim/arena.h"
#include "sim/fiber.h"

namespace jacquard::sim {

// So much of the heap, and the stacks of so many threads: the rest is rarely used, and tables
// for all of it would take up many gigabytes of addresses.
inline constexpr size_t kCoveredHeap = size_t{1} << 30;
inline constexpr size_t kCoveredStacks = 64 * kStackStride;

inline bool IsCovered(uintptr_t address) {
  return address - kArenaBase < kCoveredHeap || address - kStackArea < kCoveredStacks;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_COVERED_MEMORY_H_
