#include "sim/fiber.h"

#include <sys/mman.h>

#include "sim/message.h"

namespace jacquard::sim {

void ReserveStacks(int count) {
  const size_t size = count * kStackStride;
  void* const wanted = reinterpret_cast<void*>(kStackArea);
  void* const got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != wanted) Die("cannot reserve memory for the stacks of simulated threads");
  for (int i = 0; i < count; ++i) {
    if (mprotect(reinterpret_cast<void*>(kStackArea + i * kStackStride), kStackGuard, PROT_NONE) !=
        0) {
      Die("cannot protect the guard page of a simulated thread's stack");
    }
  }
}

}  // namespace jacquard::sim
