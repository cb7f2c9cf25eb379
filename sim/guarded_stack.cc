#include "sim/guarded_stack.h"

#include <sys/mman.h>

namespace jacquard {
namespace {

constexpr size_t kPage = 4096;

}  // namespace

char* MapGuardedStack(size_t size) {
  void* const memory = mmap(nullptr, kPage + size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) return nullptr;
  return static_cast<char*>(memory) + kPage;
}

}  // namespace jacquard
