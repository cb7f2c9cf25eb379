// Data races: from what the memory model finds to a verdict.
#ifndef JACQUARD_SIM_RACES_H_
#define JACQUARD_SIM_RACES_H_

#include <cstddef>
#include <cstdint>

#include "sim/memory/race.h"

namespace jacquard::sim {

// The running thread is about to access `size` bytes plainly, at `pc`, and there is a memory model.
// Ends the execution if that races. Costs a few nanoseconds per 8 bytes, and nothing worth
// mentioning while there is no other thread.
void CheckPlainRead(const void* address, size_t size, uintptr_t pc);
void CheckPlainWrite(const void* address, size_t size, uintptr_t pc);

// A block is about to be freed: that is a write to all of it. Nothing happens without a memory
// model, or outside of code under test.
void CheckFree(const void* block, size_t size, uintptr_t pc);

// Ends the execution with the verdict. The later access is the running thread's, at `pc`.
[[noreturn]] void ReportRace(const memory::Race& race, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RACES_H_
