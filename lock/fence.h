// The full fence, in a form that is quick.
#ifndef JACQUARD_LOCK_FENCE_H_
#define JACQUARD_LOCK_FENCE_H_

#include <atomic>

#include "lock/instrumented.h"

namespace jacquard::lock {

// What std::atomic_thread_fence(std::memory_order_seq_cst) is, no more and no less. On x86-64 clang
// 19 makes MFENCE of that one, which waits for streaming stores as well: 18 ns where it was
// measured. A locked instruction takes 2, and neither loads nor stores of ordinary memory pass it
// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, "Loads and Stores Are
// Not Reordered with Locked Instructions"); GCC, and the kernel's smp_mb, have it on the own stack,
// too.
[[gnu::always_inline]] inline void FullFence() {
#if defined(__x86_64__)
  if constexpr (!kInstrumented) {
    asm volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
    return;
  }
#endif
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_FENCE_H_
