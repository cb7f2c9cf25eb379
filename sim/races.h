// Data races: from what the memory model finds to a verdict.
#ifndef JACQUARD_SIM_RACES_H_
#define JACQUARD_SIM_RACES_H_

#include <cstddef>
#include <cstdint>

#include "sim/engine.h"
#include "sim/memory/memory.h"
#include "sim/memory/race.h"
#include "sim/repeated_accesses.h"

namespace jacquard::sim {

// Ends the execution with the verdict, unless the race is of what is not the program's. The later
// access is the running thread's, at `pc`.
void OnRace(uintptr_t pc);

// For the trace.
void NotePlainAccess(memory::AccessKind kind, const void* address, size_t size, uintptr_t pc);

// Whether accesses of the running thread to `address` are to be looked at. What belongs to a shared
// library that is no part of the program is its own affair: how it synchronises is not to be seen,
// and what inline functions in its headers fill in there (std::ctype's tables) is meant to be
// written twice.
inline bool IsWatchedForRaces(const void* address) {
  return engine.current->ignores_races == 0 && !engine.rollback.IsInOtherLibraries(address);
}

// The model's verdict on a plain access.
template <memory::AccessKind kKind>
[[gnu::always_inline]] inline bool IsPlainRace(const void* address, size_t size) {
  return kKind == memory::AccessKind::kPlainRead
             ? engine.memory->PlainRead(engine.current->id, address, size)
             : engine.memory->PlainWrite(engine.current->id, address, size);
}

// What CheckPlainAccess does with a range of bytes, but for the trace.
template <memory::AccessKind kKind>
[[gnu::noinline]] void CheckPlainRange(const char* begin, size_t size, uintptr_t pc);

// The running thread is about to access `size` bytes plainly, at `pc`, and there is a memory model.
// Ends the execution if that races. Costs a few nanoseconds per 8 bytes, and nothing worth
// mentioning while there is no other thread.
template <memory::AccessKind kKind>
[[gnu::always_inline]] inline void CheckPlainAccess(const void* address, size_t size,
                                                    uintptr_t pc) {
  if (!IsWatchedForRaces(address)) return;
  constexpr bool kWrites = kKind == memory::AccessKind::kPlainWrite;
  if (size > 8) [[unlikely]] {
    CheckPlainRange<kKind>(static_cast<const char*>(address), size, pc);
  } else if (!repeated_accesses.Has<kWrites>(address, size)) {
    if (IsPlainRace<kKind>(address, size)) [[unlikely]]
      OnRace(pc);
    repeated_accesses.Note<kWrites>(address, size);
  }
  if (engine.recorder != nullptr && !engine.memory->IsAlone()) [[unlikely]]
    NotePlainAccess(kKind, address, size, pc);
}

// The running thread is about to use a lock or its like, by a call at `pc`. Ends the execution if
// nothing orders that after what somebody has plainly written there. `size`: of its first bytes, to
// look at. Nothing happens without a memory model, or if a library without hooks calls.
void CheckUseOfLock(const void* lock, size_t size, uintptr_t pc);

// A block is about to be freed: that is a write to all of it. Nothing happens without a memory
// model, or outside of code under test. `verb` says in the report what is done to it.
void CheckFree(const void* block, size_t size, uintptr_t pc, const char* verb = "frees");

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RACES_H_
