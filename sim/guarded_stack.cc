#include "sim/guarded_stack.h"

#include <sys/mman.h>

#include "sim/page.h"

namespace jacquard {

char* MapGuardedStack(size_t size) {
  void* const memory = mmap(nullptr, sim::kPageSize + size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, sim::kPageSize, PROT_NONE) != 0) return nullptr;
  return static_cast<char*>(memory) + sim::kPageSize;
}

}  // namespace jacquard
