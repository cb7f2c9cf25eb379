// What instructions in inline assembly are carried out with (inline_assembly.cc). Each function is
// one step of the running thread, which `pc` calls; outside of executions, and on other threads, it
// is what the processor does.
#ifndef JACQUARD_SIM_INLINE_ASSEMBLY_H_
#define JACQUARD_SIM_INLINE_ASSEMBLY_H_

#include <cstddef>
#include <cstdint>

#include "sim/step.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {

// Atomic accesses to an object of `size` bytes: 1, 2, 4 or 8, or 16 to compare (atomic_hooks.cc).
uint64_t LoadObject(void* object, size_t size, MemoryOrder order, uintptr_t pc);
// Returns the old value.
uint64_t UpdateObject(void* object, size_t size, Update update, uint64_t operand, MemoryOrder order,
                      uintptr_t pc);
// Whether `expected` was there; else it is set to what is.
bool CompareExchangeObject(void* object, size_t size, void* expected, const void* desired,
                           MemoryOrder order, uintptr_t pc);
void Fence(MemoryOrder order, uintptr_t pc);

// In nanoseconds of virtual time (time.cc).
uint64_t ReadTimeStamp(uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_INLINE_ASSEMBLY_H_
