// Atomic accesses of the code under test: what hooks.S jumps to.
//
// Sequential consistency stands here: an access takes effect on memory as it stands when the thread
// is picked. With a memory model weak_atomics.cc goes on.
#include <cstdint>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/weak_atomics.h"

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
  T* const object = const_cast<T*>(address);
  if (!engine.Simulates()) [[unlikely]] {
    CheckAtomicAccess<T>(object, AccessKind::kRead, pc);
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);
  }
  if (engine.memory != nullptr) return WeakLoad(object, Order(order), pc);
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
  T* const object = const_cast<T*>(address);
  if (engine.memory != nullptr) return WeakStore(object, value, Order(order), pc);
  engine.DecisionPointOfAtomic(StepKind::kStore, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(object, sizeof(T));
  const T old = *address;
  *address = value;
  engine.HasWritten(object, sizeof(T));
  engine.FinishStep(StepKind::kStore, Order(order), sizeof(T), object, Low(old), Low(value), pc);
}

template <class T>
T ReadModifyWrite(volatile T* address, Update update, T operand, int order, uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    NoteWrite(address, pc);
    T old = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(address, &old, Updated(update, old, operand), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return old;
  }
  T* const object = const_cast<T*>(address);
  if (engine.memory != nullptr) return WeakUpdate(object, update, operand, Order(order), pc);
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  const T old = *address;
  const T value = Updated(update, old, operand);
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
bool CompareExchange(volatile T* address, T* expected, T desired, bool weak, int order,
                     int failure_order, uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    NoteWrite(address, pc);
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
  }
  T* const object = const_cast<T*>(address);
  if (engine.memory != nullptr) {
    return WeakCompareExchange(object, expected, desired, weak, Order(order), Order(failure_order),
                               pc);
  }
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
using jacquard::sim::Update;

// The names and signatures are those of the instrumentation's interface.
#define JACQUARD_UPDATE_HOOK(BITS, T, NAME, UPDATE)                                 \
  T jacquard_atomic##BITS##_##NAME(volatile T* address, T value, int order) {       \
    return ReadModifyWrite(address, Update::UPDATE, value, order, JACQUARD_CALLER); \
  }

#define JACQUARD_ATOMIC_HOOKS(BITS, T)                                                             \
  T jacquard_atomic##BITS##_load(const volatile T* address, int order) {                           \
    return Load(address, order, JACQUARD_CALLER);                                                  \
  }                                                                                                \
  void jacquard_atomic##BITS##_store(volatile T* address, T value, int order) {                    \
    StoreValue(address, value, order, JACQUARD_CALLER);                                            \
  }                                                                                                \
  JACQUARD_UPDATE_HOOK(BITS, T, exchange, kExchange)                                               \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_add, kAdd)                                                   \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_sub, kSubtract)                                              \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_and, kAnd)                                                   \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_or, kOr)                                                     \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_xor, kXor)                                                   \
  JACQUARD_UPDATE_HOOK(BITS, T, fetch_nand, kNand)                                                 \
  int jacquard_atomic##BITS##_compare_exchange_strong(volatile T* address, T* expected, T desired, \
                                                      int order, int failure) {                    \
    return CompareExchange(address, expected, desired, false, order, failure, JACQUARD_CALLER);    \
  }                                                                                                \
  int jacquard_atomic##BITS##_compare_exchange_weak(volatile T* address, T* expected, T desired,   \
                                                    int order, int failure) {                      \
    return CompareExchange(address, expected, desired, true, order, failure, JACQUARD_CALLER);     \
  }                                                                                                \
  T jacquard_atomic##BITS##_compare_exchange_val(volatile T* address, T expected, T desired,       \
                                                 int order, int failure) {                         \
    CompareExchange(address, &expected, desired, false, order, failure, JACQUARD_CALLER);          \
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
  engine.FenceMemory(Order(order));
  engine.FinishStep(jacquard::StepKind::kFence, Order(order), 0, nullptr, 0, 0, JACQUARD_CALLER);
}

void __tsan_atomic_signal_fence(int /*order*/) {}

}  // extern "C"
