// The heap oracle: whether an access of the code under test is one to memory that is there.
//
// Every hook asks here, at the moment at which the access takes effect. A block of the near region
// costs a look at its shadow (arena.h), the running thread's own stack two comparisons, and
// everything else is rare.
#ifndef JACQUARD_SIM_HEAP_CHECK_H_
#define JACQUARD_SIM_HEAP_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/arena.h"
#include "sim/engine.h"
#include "sim/fiber.h"

namespace jacquard::sim {

enum class AccessKind : uint8_t { kRead, kWrite };

// What is beyond the shadow: the far region, other threads' stacks, memory that is nobody's.
// `frame` is the hook's frame. Ends the execution if the access is an error.
void CheckRareAccess(const void* address, size_t size, AccessKind kind, uintptr_t pc, void* frame);

// Whether the `size` bytes at `address` all belong to one block of the near region. False also
// means "not known": of more than one group of 8, only two whole ones are looked at.
inline bool SurelyOnHeap(const void* address, size_t size) {
  const auto bits = reinterpret_cast<uintptr_t>(address);
  if (bits - kArenaBase >= kNearSize) return false;
  if (size != 16) return bits % 8 + size <= *ShadowOf(bits);
  uint16_t both;
  std::memcpy(&both, ShadowOf(bits), sizeof(both));
  return bits % 8 == 0 && both == 0x0808;
}

// Whether `address` lies on the stack that `frame` is on, not below it.
inline bool SurelyOnStack(const void* address, const void* frame) {
  const auto bits = reinterpret_cast<uintptr_t>(address);
  const auto frame_bits = reinterpret_cast<uintptr_t>(frame);
  return (bits ^ frame_bits) < kStackStride && bits >= frame_bits;
}

// The running thread accesses `size` bytes at `address`; `pc` is where. Inlined into the hook.
// A function and not a macro, yet its frame is the hook's: that is what it is about.
[[gnu::always_inline]] inline void CheckAccess(const void* address, size_t size, AccessKind kind,
                                               uintptr_t pc) {
  if (SurelyOnHeap(address, size)) [[likely]]
    return;
  // Stacks and the arena lie together; what is elsewhere matters only when it is written.
  const bool nowhere_near =
      reinterpret_cast<uintptr_t>(address) - kStackArea >= kArenaBase + kArenaSize - kStackArea;
  if (nowhere_near && kind == AccessKind::kRead) return;
  void* const frame = __builtin_frame_address(0);
  if (SurelyOnStack(address, frame)) return;
  CheckRareAccess(address, size, kind, pc, frame);
}

// Whether an error that the running code makes is to be reported: it is the code under test, or the
// harness before and after the threads; not the harness's checks.
inline bool HeapIsJudged() {
  return arena_on && engine.OnExecutingThread() && (engine.hooks_on || engine.current->id < 0);
}

// The text of a verdict about the heap, in place: whoever is about to fail gives up its stack.
class HeapMessage {
 public:
  [[gnu::format(printf, 2, 3)]] void Add(const char* format, ...);
  // "a block of 24 bytes", and what has become of it.
  void AddBlock(const Block& block);
  void AddHistory(const Block& block);
  const char* text() const { return text_; }

 private:
  char text_[512] = {};
  size_t length_ = 0;
};

// Ends the execution: `rule` was violated with regard to `block` (null: to none).
[[noreturn]] void FailOnHeap(const char* rule, const HeapMessage& message, const Block* block,
                             uintptr_t pc);

// "malloc", "new" or "new[]".
const char* AllocatorName(Allocator allocator);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_HEAP_CHECK_H_
