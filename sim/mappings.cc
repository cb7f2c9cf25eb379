// Memory that the program maps by itself. What it does not ask for at a certain address lies in a
// range of its own: at the same place in every execution, apart from the libraries' data, and
// unmapped when the execution is over. Elsewhere the kernel gives out addresses again: what was
// known of accesses there is about other memory, and nobody has to order anything after them.
//
// To take memory away is as good as to write to it: who may still access it then ends the program.
#include "sim/mappings.h"

#include <signal.h>
#include <sys/mman.h>

#include <cstdarg>
#include <cstdint>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/page.h"
#include "sim/races.h"
#include "sim/real.h"
#include "sim/signals.h"
#include "sim/strategy.h"

namespace jacquard::sim {
namespace {

constexpr uintptr_t kMapArea = 0x1300'0000'0000;
constexpr uintptr_t kMapEnd = 0x1400'0000'0000;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kGap = 64 << 10;  // behind each mapping: an overflow is a fault

uintptr_t next = kMapArea;

// Whether it is the program that maps, or a library for it, and not the runtime.
bool IsByProgram(const void* caller) {
  return arena_on && engine.Simulates() && !FromRuntime(caller);
}

// Where `size` bytes for `caller` should lie; null: anywhere.
void* PlaceFor(size_t size, const void* caller) {
  // What a library maps for itself may outlive the execution.
  if (!IsByProgram(caller) || !FromProgram(caller)) return nullptr;
  const size_t alignment = size >= kHugePage ? kHugePage : kGap;
  const uintptr_t begin = (next + alignment - 1) & ~(alignment - 1);
  if (begin > kMapEnd - kGap || size > kMapEnd - kGap - begin) return nullptr;
  next = (begin + size + 2 * kGap - 1) & ~(kGap - 1);
  return reinterpret_cast<void*>(begin);
}

void* Mapped(void* memory, size_t size, const void* caller) {
  if (memory != MAP_FAILED && IsByProgram(caller) && engine.memory != nullptr)
    engine.ForgetMemory(memory, size);
  return memory;
}

void* Map(void* address, size_t size, int protection, int flags, int file, off_t offset,
          const void* caller) {
  // With MAP_32BIT a place would be ignored.
  if (address == nullptr && (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_32BIT)) == 0)
    address = PlaceFor(size, caller);
  return Mapped(JACQUARD_REAL(mmap)(address, size, protection, flags, file, offset), size, caller);
}

// `size` bytes at `memory` are taken away by the program at `caller`, or have just been.
void CheckTakenAway(const void* memory, size_t size, const char* verb, const void* caller) {
  if (!IsByProgram(caller) || !FromProgram(caller) || size == 0) return;
  if (HandlesSignal(SIGSEGV)) return;  // it knows what to do where somebody comes too late
  size = (size + kPageSize - 1) & ~(kPageSize - 1);
  CheckFree(memory, size, reinterpret_cast<uintptr_t>(caller), verb);
  if (engine.listener == nullptr) return;
  const Backstage backstage;
  engine.listener->OnHeap(memory, size, /*freed=*/true);
}

}  // namespace

void UnmapProgramsMemory() {
  if (next == kMapArea) return;
  JACQUARD_REAL(munmap)(reinterpret_cast<void*>(kMapArea), next - kMapArea);
  next = kMapArea;
}

}  // namespace jacquard::sim

using jacquard::sim::CheckTakenAway;
using jacquard::sim::kMapArea;
using jacquard::sim::kMapEnd;
using jacquard::sim::Map;
using jacquard::sim::Mapped;
using jacquard::sim::PlaceFor;

extern "C" {

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return Map(address, size, protection, flags, file, offset, JACQUARD_RETURN_ADDRESS);
}

void* mmap64(void* address, size_t size, int protection, int flags, int file,
             off64_t offset) noexcept {
  return Map(address, size, protection, flags, file, offset, JACQUARD_RETURN_ADDRESS);
}

void* mremap(void* old, size_t old_size, size_t size, int flags, ...) noexcept {
  va_list arguments;
  va_start(arguments, flags);
  void* wanted = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  // Where it is it must not grow over what is behind it.
  const bool may_move = (flags & MREMAP_FIXED) == 0 && (flags & MREMAP_MAYMOVE) != 0;
  if (may_move && size > old_size &&
      reinterpret_cast<uintptr_t>(old) - kMapArea < kMapEnd - kMapArea) {
    if (void* const place = PlaceFor(size, JACQUARD_RETURN_ADDRESS)) {
      wanted = place;
      flags |= MREMAP_FIXED;
    }
  }
  void* const memory = JACQUARD_REAL(mremap)(old, old_size, size, flags, wanted);
  if (memory == old || memory == MAP_FAILED) return memory;
  CheckTakenAway(old, old_size, "moves", JACQUARD_RETURN_ADDRESS);
  return Mapped(memory, size, JACQUARD_RETURN_ADDRESS);
}

int munmap(void* memory, size_t size) noexcept {
  CheckTakenAway(memory, size, "unmaps", JACQUARD_RETURN_ADDRESS);
  return JACQUARD_REAL(munmap)(memory, size);
}

int mprotect(void* memory, size_t size, int protection) noexcept {
  if (protection == PROT_NONE) CheckTakenAway(memory, size, "protects", JACQUARD_RETURN_ADDRESS);
  return JACQUARD_REAL(mprotect)(memory, size, protection);
}

}  // extern "C"
