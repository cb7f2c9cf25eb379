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
#include "sim/leaks.h"

namespace jacquard::sim {

enum class AccessKind : uint8_t { kRead, kWrite };

// What is beyond the shadow: the far region, other threads' stacks, memory that is nobody's.
// `frame` is the hook's frame. Ends the execution if the access is an error.
void CheckRareAccess(const void* address, size_t size, AccessKind kind, uintptr_t pc, void* frame);

// kNearTag, unless somebody wants to hear of plain accesses: then no hook may take the shortest
// way, and it is one of two that stand above no address. kToldTag: the memory model wants to, but
// not of those that are repeated. kSeenTag: a trace is recorded, or plain accesses are steps.
inline constexpr uintptr_t kToldTag = UINTPTR_MAX;
inline constexpr uintptr_t kSeenTag = UINTPTR_MAX - 1;
[[gnu::visibility("hidden")]] extern uintptr_t near_tag;

// Whether the bytes at `address` all belong to one block of the near region. False also means "not
// known". The address is as aligned as the size, at most 8, demands; `tag` is kNearTag or near_tag.
template <size_t kSize>
inline bool AlignedOnHeap(const void* address, uintptr_t tag) {
  const auto bits = reinterpret_cast<uintptr_t>(address);
  if (bits / kNearSize != tag) return false;
  if constexpr (kSize == 8) return *ShadowOf(bits) == 8;
  if constexpr (kSize == 1) return bits % 8 < *ShadowOf(bits);
  if constexpr (kSize < 8) return bits % 8 + kSize <= *ShadowOf(bits);
  return ShadowPermits(bits, kSize);
}

// The same for any range.
inline bool SurelyOnHeap(const void* address, size_t size) {
  const auto bits = reinterpret_cast<uintptr_t>(address);
  return bits / kNearSize == kNearTag && ShadowPermits(bits, size);
}

// Whether `address` lies on the same stack as `pointer`, and not below it. Not said of what is far
// above: the stack may be one of the program's own, with other memory behind it.
inline bool SurelyOnStack(const void* address, const void* pointer) {
  constexpr uintptr_t kReach = 1 << 20;
  static_assert(kStackStride % kReach == 0);
  const auto bits = reinterpret_cast<uintptr_t>(pointer);
  const uintptr_t to_the_top = ~bits % kReach;
  return reinterpret_cast<uintptr_t>(address) - bits <= to_the_top;
}

// Somewhere in the function that asks: below all that its callers have on the stack.
inline void* StackPointer() {
  void* pointer;
  asm("mov %%rsp, %0" : "=r"(pointer));
  return pointer;
}

// What is not on the heap, or not known to be.
[[gnu::noinline]] void CheckElsewhere(const void* address, size_t size, AccessKind kind,
                                      uintptr_t pc, void* frame);

// The running thread accesses `size` bytes at `address`; `pc` is where. Inlined into the hook.
// A function and not a macro, yet its frame is the hook's: that is what it is about.
[[gnu::always_inline]] inline void CheckAccess(const void* address, size_t size, AccessKind kind,
                                               uintptr_t pc) {
  if (!SurelyOnHeap(address, size)) [[unlikely]] {
    if (kind == AccessKind::kRead && IsFarAway(address)) return;
    CheckElsewhere(address, size, kind, pc, __builtin_frame_address(0));
  }
}

// Whether what is neither heap nor stack is a global, or has been written before. False also means
// "not known".
template <size_t kSize>
inline bool IsWritable(const void* address) {
  return engine.rollback.IsInExecutable(address) ||
         (kSize <= 8 && foreign_words.Has(reinterpret_cast<uintptr_t>(address)));
}

// The same where the address is as aligned as the size demands.
template <size_t kSize>
[[gnu::always_inline]] inline void CheckAlignedAccess(const void* address, AccessKind kind,
                                                      uintptr_t pc) {
  if (!AlignedOnHeap<kSize>(address, kNearTag)) [[unlikely]] {
    if (kind == AccessKind::kRead ? IsFarAway(address) : IsWritable<kSize>(address)) return;
    CheckElsewhere(address, kSize, kind, pc, __builtin_frame_address(0));
  }
}
template <class T>
[[gnu::always_inline]] inline void CheckAtomicAccess(const void* address, AccessKind kind,
                                                     uintptr_t pc) {
  CheckAlignedAccess<sizeof(T)>(address, kind, pc);
}

// Whether an error that the running code makes is to be reported: it is the code under test, or the
// harness before and after the threads; not the harness's checks.
inline bool HeapIsJudged() {
  return engine.InExecution() && (engine.hooks_on || engine.current->id < 0);
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
