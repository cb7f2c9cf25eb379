// Memory that the program maps by itself. The kernel gives out addresses again: what was known of
// accesses there is about other memory, and nobody has to order anything after them.
#include <sys/mman.h>

#include <cstdarg>

#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

void* Mapped(void* memory, size_t size) {
  // The runtime, which maps memory, too, does so with the arena off.
  const bool by_program = arena_on && engine.Simulates();
  if (memory != MAP_FAILED && by_program && engine.memory != nullptr)
    engine.ForgetMemory(memory, size);
  return memory;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Mapped;

extern "C" {

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return Mapped(JACQUARD_REAL(mmap)(address, size, protection, flags, file, offset), size);
}

void* mmap64(void* address, size_t size, int protection, int flags, int file,
             off64_t offset) noexcept {
  return mmap(address, size, protection, flags, file, offset);
}

void* mremap(void* old, size_t old_size, size_t size, int flags, ...) noexcept {
  va_list arguments;
  va_start(arguments, flags);
  void* const wanted = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  void* const memory = JACQUARD_REAL(mremap)(old, old_size, size, flags, wanted);
  return memory == old ? memory : Mapped(memory, size);
}

}  // extern "C"
