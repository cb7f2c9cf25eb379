// Atomic accesses of the code under test: what hooks.S jumps to.
//
// Sequential consistency: an access takes effect on memory as it stands when the thread is picked.
#include <cstdint>

#include "sim/engine.h"
#include "sim/heap_check.h"

namespace jacquard::sim {
namespace {

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

template <class T>
uint64_t Low(T value) {
  return static_cast<uint64_t>(value);
}

MemoryOrder Order(int order) { return static_cast<MemoryOrder>(order & 7); }

template <class T>
T Load(const volatile T* address, int order, uintptr_t pc) {
  const void* const object = const_cast<const T*>(address);
  if (!engine.Simulates()) [[unlikely]] {
    CheckAtomicAccess<T>(object, AccessKind::kRead, pc);
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);
  }
  engine.DecisionPointOfAtomic(StepKind::kLoad, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kRead, pc);
  const T value = *address;
  engine.HasRead(object, sizeof(T), Low(value));
  engine.FinishStep(StepKind::kLoad, Order(order), sizeof(T), object, Low(value), Low(value), pc);
  return value;
}

// Code under test may also run with the hooks off (in Begin, in invariants): then only the log and
// the heap matter.
template <class T>
void NoteWrite(volatile T* address, uintptr_t pc) {
  void* const object = const_cast<T*>(address);
  if (AlignedOnHeap<sizeof(T)>(object, kNearTag)) return;
  CheckAccess(object, sizeof(T), AccessKind::kWrite, pc);
  if (engine.rollback.Covers(object)) engine.LogGlobal(object, sizeof(T));
}

template <class T>
void StoreValue(volatile T* address, T value, int order, uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    NoteWrite(address, pc);
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);
    return;
  }
  void* const object = const_cast<T*>(address);
  engine.DecisionPointOfAtomic(StepKind::kStore, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(object, sizeof(T));
  const T old = *address;
  *address = value;
  engine.HasWritten(object, sizeof(T));
  engine.FinishStep(StepKind::kStore, Order(order), sizeof(T), object, Low(old), Low(value), pc);
}

// `update` maps the old value to the new one.
template <class T, class Update>
T ReadModifyWrite(volatile T* address, Update update, int order, uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    NoteWrite(address, pc);
    T old = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(address, &old, update(old), false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
    }
    return old;
  }
  void* const object = const_cast<T*>(address);
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  const T old = *address;
  const T value = update(old);
  if (value != old) {
    engine.rollback.BeforeWrite(object, sizeof(T));
    *address = value;
    engine.HasWritten(object, sizeof(T));
  } else {
    engine.HasRead(object, sizeof(T),
                   Low(old));  // a spin lock that writes "taken" over "taken" only looks
  }
  engine.FinishStep(StepKind::kReadModifyWrite, Order(order), sizeof(T), object, Low(old),
                    Low(value), pc);
  return old;
}

template <class T>
bool CompareExchange(volatile T* address, T* expected, T desired, int order, int failure_order,
                     uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    NoteWrite(address, pc);
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
  }
  void* const object = const_cast<T*>(address);
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  const T old = *address;
  if (old != *expected) {
    *expected = old;
    engine.HasRead(object, sizeof(T), Low(old));
    engine.FinishStep(StepKind::kLoad, Order(failure_order), sizeof(T), object, Low(old), Low(old),
                      pc);
    return false;
  }
  if (desired != old) {
    engine.rollback.BeforeWrite(object, sizeof(T));
    *address = desired;
    engine.HasWritten(object, sizeof(T));
  } else {
    engine.HasRead(object, sizeof(T), Low(old));
  }
  engine.FinishStep(StepKind::kReadModifyWrite, Order(order), sizeof(T), object, Low(old),
                    Low(desired), pc);
  return true;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::CompareExchange;
using jacquard::sim::engine;
using jacquard::sim::Load;
using jacquard::sim::ReadModifyWrite;
using jacquard::sim::StoreValue;

// The names and signatures are those of the instrumentation's interface.
#define JACQUARD_ATOMIC_HOOKS(BITS, T)                                                             \
  T jacquard_atomic##BITS##_load(const volatile T* address, int order) {                           \
    return Load(address, order, JACQUARD_CALLER);                                                  \
  }                                                                                                \
  void jacquard_atomic##BITS##_store(volatile T* address, T value, int order) {                    \
    StoreValue(address, value, order, JACQUARD_CALLER);                                            \
  }                                                                                                \
  T jacquard_atomic##BITS##_exchange(volatile T* address, T value, int order) {                    \
    return ReadModifyWrite(                                                                        \
        address, [value](T) { return value; }, order, JACQUARD_CALLER);                            \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_add(volatile T* address, T value, int order) {                   \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(old + value); }, order, JACQUARD_CALLER);  \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_sub(volatile T* address, T value, int order) {                   \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(old - value); }, order, JACQUARD_CALLER);  \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_and(volatile T* address, T value, int order) {                   \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(old & value); }, order, JACQUARD_CALLER);  \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_or(volatile T* address, T value, int order) {                    \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(old | value); }, order, JACQUARD_CALLER);  \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_xor(volatile T* address, T value, int order) {                   \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(old ^ value); }, order, JACQUARD_CALLER);  \
  }                                                                                                \
  T jacquard_atomic##BITS##_fetch_nand(volatile T* address, T value, int order) {                  \
    return ReadModifyWrite(                                                                        \
        address, [value](T old) { return static_cast<T>(~(old & value)); }, order,                 \
        JACQUARD_CALLER);                                                                          \
  }                                                                                                \
  int jacquard_atomic##BITS##_compare_exchange_strong(volatile T* address, T* expected, T desired, \
                                                      int order, int failure) {                    \
    return CompareExchange(address, expected, desired, order, failure, JACQUARD_CALLER);           \
  }                                                                                                \
  int jacquard_atomic##BITS##_compare_exchange_weak(volatile T* address, T* expected, T desired,   \
                                                    int order, int failure) {                      \
    return CompareExchange(address, expected, desired, order, failure, JACQUARD_CALLER);           \
  }                                                                                                \
  T jacquard_atomic##BITS##_compare_exchange_val(volatile T* address, T expected, T desired,       \
                                                 int order, int failure) {                         \
    CompareExchange(address, &expected, desired, order, failure, JACQUARD_CALLER);                 \
    return expected;                                                                               \
  }

extern "C" {

JACQUARD_ATOMIC_HOOKS(8, uint8_t)
JACQUARD_ATOMIC_HOOKS(16, uint16_t)
JACQUARD_ATOMIC_HOOKS(32, uint32_t)
JACQUARD_ATOMIC_HOOKS(64, uint64_t)
JACQUARD_ATOMIC_HOOKS(128, unsigned __int128)

void __tsan_atomic_thread_fence(int order) {
  using jacquard::sim::Order;
  if (!engine.Simulates()) [[unlikely]] {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return;
  }
  engine.DecisionPoint(jacquard::StepKind::kFence, nullptr);
  engine.FinishStep(jacquard::StepKind::kFence, Order(order), 0, nullptr, 0, 0, JACQUARD_CALLER);
}

void __tsan_atomic_signal_fence(int /*order*/) {}

}  // extern "C"
