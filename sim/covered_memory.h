// Memory of which more is kept than of other memory, at addresses that follow from its own: the
// beginnings of the heap of an execution and of the stacks.
#ifndef JACQUARD_SIM_COVERED_MEMORY_H_
#define JACQUARD_SIM_COVERED_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "sim/arena.h"
#include "sim/fiber.h"

namespace jacquard::sim {

// So much of the heap, and the stacks of so many threads. What is kept takes up several times the
// memory, and for all of it many gigabytes of addresses.
inline constexpr size_t kCoveredHeap = size_t{256} << 20;
inline constexpr size_t kCoveredStacks = 16 * kStackStride;

inline bool IsCovered(uintptr_t address) {
  return address - kArenaBase < kCoveredHeap || address - kStackArea < kCoveredStacks;
}

// Whether all of the bytes, at least one, are.
inline bool IsCovered(uintptr_t begin, size_t size) {
  return IsCovered(begin) && IsCovered(begin + size - 1);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_COVERED_MEMORY_H_
