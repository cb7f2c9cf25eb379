// The heap of an execution: a fixed range of addresses, handed out upwards and taken back all at
// once.
//
// Nothing is reused within an execution, so a freed block stays recognisable. The same program gets
// the same addresses in every execution, and an execution that is given up leaks nothing.
#ifndef JACQUARD_SIM_ARENA_H_
#define JACQUARD_SIM_ARENA_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

inline constexpr uintptr_t kArenaBase = 0x1200'0000'0000;
inline constexpr size_t kArenaSize = size_t{1} << 32;

// Whether allocations made now come from the arena. Only read on the thread that executes.
extern bool arena_on;

// While one of these lives, allocations come from the real heap: around the runtime's own
// allocations in an execution.
class RealHeap {
 public:
  RealHeap() : was_on_(arena_on) { arena_on = false; }
  ~RealHeap() { arena_on = was_on_; }
  RealHeap(const RealHeap&) = delete;
  RealHeap& operator=(const RealHeap&) = delete;

 private:
  const bool was_on_;
};

class Arena {
 public:
  // Reserves the range. Call once. Ends the process with a message if the addresses are taken.
  void Init();

  // Returns `size` bytes at a multiple of `alignment` (a power of two); null when the range is used
  // up. Uninitialised memory is the same every time: the first FilledSize() bytes hold a pattern,
  // and the rest zeros, which cost nothing.
  void* Allocate(size_t size, size_t alignment);
  static size_t FilledSize(const void* block, size_t size);

  // Marks the block as freed. False if it is not the start of a block or was freed before.
  bool Free(void* block);

  // The size that was asked for.
  static size_t SizeOf(const void* block);

  bool Contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - kArenaBase < kArenaSize;
  }

  // Forgets all blocks.
  void Reset();

 private:
  uintptr_t next_ = kArenaBase;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ARENA_H_
