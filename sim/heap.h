// The heap as the program's functions see it, whichever of them it calls.
#ifndef JACQUARD_SIM_HEAP_H_
#define JACQUARD_SIM_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "sim/arena.h"

namespace jacquard::sim {

inline constexpr size_t kDefaultAlignment = 16;

// What the program asks for.
struct Request {
  size_t size;
  size_t alignment = kDefaultAlignment;
  Allocator allocator = Allocator::kMalloc;
  bool aligned = false;  // a form of operator new that takes the alignment
};

// How the program gives a block back.
struct Release {
  const char* function;
  Allocator allocator = Allocator::kMalloc;
  bool aligned = false;
  bool sized = false;
  size_t size = 0;
};

// A return address as a number.
inline uintptr_t Address(const void* caller) { return reinterpret_cast<uintptr_t>(caller); }

// A block for `caller`, a return address. Without memory it calls the program's handler, and then
// throws or returns null.
void* AllocateByNew(const Request& request, bool throws, const void* caller);
// The same for the forms that never throw.
void* AllocateByNewOrNull(const Request& request, const void* caller) noexcept;

// Whether what `caller` asks for is the program's, and comes from the arena.
bool UseArena(const void* caller);
// A block from there; null, and ENOMEM, if there is none.
void* AllocateFromArena(const Request& request, const void* caller);
// The runtime has filled a new block in place of the caller: a write like its own. What has no
// hooks may synchronise by means of its own.
void* Filled(void* block, size_t size, const void* caller);

// Whether the program has an operator new of its own.
bool ProgramHasNew();

// Takes a block back from `caller`. Null is none.
void Free(void* address, const Release& release, const void* caller);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_HEAP_H_
