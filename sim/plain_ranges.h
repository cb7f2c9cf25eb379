// Plain accesses to ranges of bytes, for functions of the C library that stand for some: what
// __tsan_read_range and its like do, with the place of the call. No-ops outside of code under test.
#ifndef JACQUARD_SIM_PLAIN_RANGES_H_
#define JACQUARD_SIM_PLAIN_RANGES_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// The running thread is about to read, to write or to copy `size` bytes, at `pc`. Ends the
// execution if it must not. Costs some ten nanoseconds, and more with the size.
void NotePlainRead(const void* address, size_t size, uintptr_t pc);
void NotePlainWrite(const void* address, size_t size, uintptr_t pc);
void NotePlainCopy(const void* to, const void* from, size_t size, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PLAIN_RANGES_H_
