// Atomic accesses under MemoryMode::kRc11: what the hooks (atomic_hooks.cc) go on with when the
// execution has a memory model.
//
// The model says what an access reads and where it writes; what is left to chance is asked of the
// strategy. Memory itself always holds the newest value of every object, so that invariants, the
// kernel and code without hooks see that one.
//
// Progress. A thread may read an old value again and again, but not for ever:
// * after ModelOptions::max_stale_reads times in a row it reads the newest one;
// * if it comes back to the very same state (spin.h) and has read old values on the way, going on
//   like that would show nothing new: where it did, its next read sees the newest;
// * only if all that it reads is the newest is a spinning thread disabled until somebody writes.
// A weak compare-exchange does not fail spuriously twice in a row at one call, nor more than
// kMaxSpuriousFailures times in a row in one thread; under sequential consistency neither.
#ifndef JACQUARD_SIM_WEAK_ATOMICS_H_
#define JACQUARD_SIM_WEAK_ATOMICS_H_

#include <cstddef>
#include <cstdint>

#include "sim/library_contracts.h"
#include "sim/step.h"

namespace jacquard::sim {

inline constexpr int kMaxSpuriousFailures = 4;

// How a read-modify-write makes the new value from the old one and its operand.
enum class Update : uint8_t { kExchange, kAdd, kSubtract, kAnd, kOr, kXor, kNand, kNegate };

// If it may be one of the C++ library's, whether its contract permits it. They all are additions to
// integers, with release order.
template <class T>
void CheckContractOfUpdate(Update update, T old_value, T operand, MemoryOrder order, uintptr_t pc) {
  if constexpr (sizeof(T) == sizeof(int32_t)) {
    if (order != MemoryOrder::kRelease) return;
    const int64_t old = static_cast<int32_t>(old_value);
    const int64_t by = static_cast<int32_t>(operand);
    if (update == Update::kAdd) CheckLibraryContract(old, by, pc);
    if (update == Update::kSubtract) CheckLibraryContract(old, -by, pc);
  }
}

template <class T>
constexpr T Updated(Update update, T old, T operand) {
  switch (update) {
    case Update::kExchange:
      return operand;
    case Update::kAdd:
      return static_cast<T>(old + operand);
    case Update::kSubtract:
      return static_cast<T>(old - operand);
    case Update::kAnd:
      return static_cast<T>(old & operand);
    case Update::kOr:
      return static_cast<T>(old | operand);
    case Update::kXor:
      return static_cast<T>(old ^ operand);
    case Update::kNand:
      return static_cast<T>(~(old & operand));
    case Update::kNegate:
      break;
  }
  return static_cast<T>(T{0} - old);
}

// Each is one step of the running thread, from decision point to oracle. `pc` is the call in the
// code under test. T is an unsigned type of 1, 2, 4, 8 or 16 bytes.
template <class T>
T WeakLoad(T* address, MemoryOrder order, uintptr_t pc);
template <class T>
void WeakStore(T* address, T value, MemoryOrder order, uintptr_t pc);
template <class T>
T WeakUpdate(T* address, Update update, T operand, MemoryOrder order, uintptr_t pc);
template <class T>
bool WeakCompareExchange(T* address, T* expected, T desired, bool weak, MemoryOrder order,
                         MemoryOrder failure, uintptr_t pc);

// Whether the running thread's weak compare-exchange, which returns to `pc`, may fail although it
// sees the value that it expects.
bool MayFailSpuriously(uintptr_t pc);
// A compare-exchange has done so, or it has not: it has stored, or seen another value.
void NoteSpuriousFailure(uintptr_t pc);
void NoteStored();
void NoteOtherValue();

// Accesses by the runtime itself on the running thread's behalf: no step, no pick. Nothing happens
// without a memory model.

// The kernel reads the newest value for the thread, which then knows of it; relaxed. Not an access
// of the program's: a word that it writes plainly, under a lock, races with nothing here.
void SeeNewest(const uint32_t* word);
// The runtime is about to write `value` there; release.
void PublishByte(uint8_t* address, uint8_t value);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_WEAK_ATOMICS_H_
