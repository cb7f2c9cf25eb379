#include "sim/fiber.h"

#include <signal.h>
#include <sys/mman.h>

#include "sim/guarded_stack.h"
#include "sim/message.h"
#include "sim/reserve.h"

namespace jacquard::sim {

bool fibers_have_floating_point_environments = true;

void ReserveStacks(int count) {
  const size_t size = count * kStackStride;
  void* const stacks = ReserveAt(kStackArea, size, "the stacks of simulated threads");
  madvise(stacks, size, MADV_NOHUGEPAGE);  // most threads use a page or two
  for (int i = 0; i < count; ++i) {
    if (mprotect(reinterpret_cast<void*>(kStackArea + i * kStackStride), kStackGuard, PROT_NONE) !=
        0) {
      Die("cannot protect the guard of a simulated thread's stack");
    }
  }
}

void ReserveSignalStack() {
  constexpr size_t kSize = 256 << 10;
  stack_t old;
  if (sigaltstack(nullptr, &old) == 0 && (old.ss_flags & SS_DISABLE) == 0 && old.ss_size >= kSize)
    return;
  const stack_t stack = {.ss_sp = MapGuardedStack(kSize), .ss_flags = 0, .ss_size = kSize};
  if (stack.ss_sp == nullptr || sigaltstack(&stack, nullptr) != 0)
    Warn("no stack for signal handlers: the overflow of a thread's stack cannot be reported");
}

}  // namespace jacquard::sim
