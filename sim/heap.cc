// The allocator's functions, for the whole process.
//
// An allocation that the executable's own code makes in an execution comes from the arena; one that
// a shared library makes for itself (a stdio buffer, a locale's cache) outlives the execution and
// comes from the real heap. Exceptions are the program's, although a library allocates them.
#include <errno.h>
#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/races.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

constexpr size_t kDefaultAlignment = 16;

bool UseArena(const void* caller) {
  return arena_on && (FromExecutable(caller) || engine.library_serves_program) &&
         engine.OnExecutingThread();
}

void* AllocateFromArena(size_t size, size_t alignment) {
  void* const block = engine.arena.Allocate(size, alignment);
  if (block == nullptr) errno = ENOMEM;
  return block;
}

void* Allocate(size_t size, size_t alignment, const void* caller) {
  if (UseArena(caller)) return AllocateFromArena(size, alignment);
  return alignment <= kDefaultAlignment ? __libc_malloc(size) : __libc_memalign(alignment, size);
}

void Free(void* block, const void* caller) {
  if (engine.arena.Contains(block)) {
    // What a library frees it may have synchronised by means of its own.
    if (engine.memory != nullptr && FromExecutable(caller))
      CheckFree(block, Arena::SizeOf(block), reinterpret_cast<uintptr_t>(caller));
    engine.arena.Free(block);
  } else {
    __libc_free(block);
  }
}

void* AllocateOrThrow(size_t size, size_t alignment, const void* caller) {
  void* const block = Allocate(size, alignment, caller);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* Reallocate(void* block, size_t size, const void* caller) {
  if (block == nullptr) return Allocate(size, kDefaultAlignment, caller);
  if (!engine.arena.Contains(block)) return __libc_realloc(block, size);
  void* const moved = Allocate(size, kDefaultAlignment, caller);
  if (moved == nullptr) return nullptr;
  const size_t old_size = Arena::SizeOf(block);
  std::memcpy(moved, block, old_size < size ? old_size : size);
  Free(block, caller);
  return moved;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Allocate;
using jacquard::sim::AllocateFromArena;
using jacquard::sim::AllocateOrThrow;
using jacquard::sim::Free;
using jacquard::sim::kDefaultAlignment;
using jacquard::sim::Reallocate;

#define JACQUARD_CALLER __builtin_return_address(0)

extern "C" {

void* malloc(size_t size) { return Allocate(size, kDefaultAlignment, JACQUARD_CALLER); }

void free(void* block) { Free(block, JACQUARD_CALLER); }

void* calloc(size_t count, size_t size) {
  if (!jacquard::sim::UseArena(JACQUARD_CALLER)) return __libc_calloc(count, size);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  void* const block = AllocateFromArena(bytes, kDefaultAlignment);
  return block == nullptr ? nullptr
                          : std::memset(block, 0, jacquard::sim::Arena::FilledSize(block, bytes));
}

void* realloc(void* block, size_t size) { return Reallocate(block, size, JACQUARD_CALLER); }

void* memalign(size_t alignment, size_t size) { return Allocate(size, alignment, JACQUARD_CALLER); }

void* aligned_alloc(size_t alignment, size_t size) {
  return Allocate(size, alignment, JACQUARD_CALLER);
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  void* const block = Allocate(size, alignment, JACQUARD_CALLER);
  if (block == nullptr) return ENOMEM;
  *result = block;
  return 0;
}

// What a test framework calls instead: its records outlive an execution.
void* jacquard_outside_malloc(size_t size) { return __libc_malloc(size); }

void* jacquard_outside_new(size_t size) {
  void* const block = __libc_malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* jacquard_outside_new_array(size_t size) { return jacquard_outside_new(size); }

size_t malloc_usable_size(void* block) {
  if (block == nullptr) return 0;
  if (jacquard::sim::engine.arena.Contains(block)) return jacquard::sim::Arena::SizeOf(block);
  static const auto real =
      reinterpret_cast<size_t (*)(void*)>(jacquard::sim::FindReal("malloc_usable_size"));
  return real(block);
}

}  // extern "C"

void* operator new(size_t size) {
  return AllocateOrThrow(size, kDefaultAlignment, JACQUARD_CALLER);
}
void* operator new[](size_t size) {
  return AllocateOrThrow(size, kDefaultAlignment, JACQUARD_CALLER);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<size_t>(alignment), JACQUARD_CALLER);
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return AllocateOrThrow(size, static_cast<size_t>(alignment), JACQUARD_CALLER);
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, kDefaultAlignment, JACQUARD_CALLER);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return Allocate(size, kDefaultAlignment, JACQUARD_CALLER);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<size_t>(alignment), JACQUARD_CALLER);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Allocate(size, static_cast<size_t>(alignment), JACQUARD_CALLER);
}
void operator delete(void* block) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete[](void* block) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete(void* block, size_t) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete[](void* block, size_t) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete(void* block, std::align_val_t) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete[](void* block, std::align_val_t) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete(void* block, size_t, std::align_val_t) noexcept {
  Free(block, JACQUARD_CALLER);
}
void operator delete[](void* block, size_t, std::align_val_t) noexcept {
  Free(block, JACQUARD_CALLER);
}
void operator delete(void* block, const std::nothrow_t&) noexcept { Free(block, JACQUARD_CALLER); }
void operator delete[](void* block, const std::nothrow_t&) noexcept {
  Free(block, JACQUARD_CALLER);
}
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  Free(block, JACQUARD_CALLER);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  Free(block, JACQUARD_CALLER);
}
