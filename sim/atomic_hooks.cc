// Atomic accesses of the code under test: what hooks.S jumps to.
//
// Sequential consistency stands here: an access takes effect on memory as it stands when the thread
// is picked. With a memory model weak_atomics.cc goes on.
#include <bit>
#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/inline_assembly.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {
namespace {

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

template <class T>
uint64_t Low(T value) {
  return static_cast<uint64_t>(value);
}

MemoryOrder Order(int order) { return static_cast<MemoryOrder>(order & 7); }

// Code under test may also run with the hooks off (in Begin, in invariants): then only the log and
// the heap matter.
template <class T>
void NoteWrite(T* object, uintptr_t pc) {
  if (AlignedOnHeap<sizeof(T)>(object, kNearTag)) return;
  CheckAccess(object, sizeof(T), AccessKind::kWrite, pc);
  engine.LogGlobal(object, sizeof(T));
}

template <class T>
[[gnu::noinline]] T LoadUnsimulated(T* object, uintptr_t pc) {
  CheckAtomicAccess<T>(object, AccessKind::kRead, pc);
  return __atomic_load_n(object, __ATOMIC_SEQ_CST);
}

template <class T>
[[gnu::noinline]] void StoreUnsimulated(T* object, T value, uintptr_t pc) {
  NoteWrite(object, pc);
  __atomic_store_n(object, value, __ATOMIC_SEQ_CST);
}

template <class T>
[[gnu::noinline]] T UpdateUnsimulated(T* object, Update update, T operand, uintptr_t pc) {
  NoteWrite(object, pc);
  T old = __atomic_load_n(object, __ATOMIC_SEQ_CST);
  while (!__atomic_compare_exchange_n(object, &old, Updated(update, old, operand), false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  return old;
}

template <class T>
[[gnu::noinline]] bool CompareExchangeUnsimulated(T* object, T* expected, T desired, uintptr_t pc) {
  NoteWrite(object, pc);
  return __atomic_compare_exchange_n(object, expected, desired, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

// ---- sequential consistency

template <class T>
[[gnu::noinline]] T StrongLoad(T* object, int order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kLoad, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kRead, pc);
  const T value = *object;
  engine.HasRead(object, sizeof(T), Low(value));
  engine.FinishStep(StepKind::kLoad, Order(order), sizeof(T), object, Low(value), Low(value), pc);
  return value;
}

template <class T>
[[gnu::noinline]] void StrongStore(T* object, T value, int order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kStore, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(object, sizeof(T));
  const T old = *object;
  *object = value;
  engine.HasWritten(object, sizeof(T));
  engine.FinishStep(StepKind::kStore, Order(order), sizeof(T), object, Low(old), Low(value), pc);
}

template <class T>
[[gnu::noinline]] T StrongUpdate(T* object, Update update, T operand, int order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  const T old = *object;
  const T value = Updated(update, old, operand);
  CheckContractOfUpdate(update, old, operand, Order(order), pc);
  if (value != old) {
    engine.rollback.BeforeWrite(object, sizeof(T));
    *object = value;
    engine.HasWritten(object, sizeof(T));
  } else {
    engine.HasRead(object, sizeof(T),
                   Low(old));  // a spin lock that writes "taken" over "taken" only looks
  }
  engine.FinishStep(StepKind::kReadModifyWrite, Order(order), sizeof(T), object, Low(old),
                    Low(value), pc);
  return old;
}

bool FailsSpuriously(bool weak, uintptr_t pc) {
  return weak && MayFailSpuriously(pc) &&
         engine.ChooseForMemory(PickKind::kWeakCompareExchange, 2) != 0;
}

template <class T>
[[gnu::noinline]] bool StrongCompareExchange(T* object, T* expected, T desired, bool weak,
                                             int order, int failure_order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  CheckAtomicAccess<T>(object, AccessKind::kWrite, pc);
  const T old = *object;
  const bool differs = old != *expected;
  if (differs || FailsSpuriously(weak, pc)) {
    if (differs) {
      NoteOtherValue();
      *expected = old;
      engine.HasRead(object, sizeof(T), Low(old));
    } else {
      NoteSpuriousFailure(pc);
    }
    engine.FinishStep(StepKind::kLoad, Order(failure_order), sizeof(T), object, Low(old), Low(old),
                      pc);
    return false;
  }
  NoteStored();
  if (desired != old) {
    engine.rollback.BeforeWrite(object, sizeof(T));
    *object = desired;
    engine.HasWritten(object, sizeof(T));
  } else {
    engine.HasRead(object, sizeof(T), Low(old));
  }
  engine.FinishStep(StepKind::kReadModifyWrite, Order(order), sizeof(T), object, Low(old),
                    Low(desired), pc);
  return true;
}

// ---- which of the three it is

template <class T>
T Load(const volatile T* address, int order, uintptr_t pc) {
  T* const object = const_cast<T*>(address);
  if (!engine.Simulates()) [[unlikely]]
    return LoadUnsimulated(object, pc);
  if (engine.memory != nullptr) return WeakLoad(object, Order(order), pc);
  return StrongLoad(object, order, pc);
}

template <class T>
void StoreValue(volatile T* address, T value, int order, uintptr_t pc) {
  T* const object = const_cast<T*>(address);
  if (!engine.Simulates()) [[unlikely]]
    return StoreUnsimulated(object, value, pc);
  if (engine.memory != nullptr) return WeakStore(object, value, Order(order), pc);
  StrongStore(object, value, order, pc);
}

template <class T>
T ReadModifyWrite(volatile T* address, Update update, T operand, int order, uintptr_t pc) {
  T* const object = const_cast<T*>(address);
  if (!engine.Simulates()) [[unlikely]]
    return UpdateUnsimulated(object, update, operand, pc);
  if (engine.memory != nullptr) return WeakUpdate(object, update, operand, Order(order), pc);
  return StrongUpdate(object, update, operand, order, pc);
}

template <class T>
bool CompareExchange(volatile T* address, T* expected, T desired, bool weak, int order,
                     int failure_order, uintptr_t pc) {
  T* const object = const_cast<T*>(address);
  if (!engine.Simulates()) [[unlikely]]
    return CompareExchangeUnsimulated(object, expected, desired, pc);
  if (engine.memory != nullptr) {
    return WeakCompareExchange(object, expected, desired, weak, Order(order), Order(failure_order),
                               pc);
  }
  return StrongCompareExchange(object, expected, desired, weak, order, failure_order, pc);
}

// A weak compare-exchange is about to be made (tools/mode.bzl says how that is known; clang's hook
// returns the old value alone, and so cannot tell of a failure that has seen what it expected). If
// it is to fail, it does so here, as a load. Only where it would succeed is there anything to ask;
// its decision point is here.
template <class T>
[[clang::no_sanitize("nonnull-attribute")]] bool WeakCompareExchangeFails(T* object, void* expected,
                                                                          int failure,
                                                                          uintptr_t pc) {
  if (!engine.Simulates() || !MayFailSpuriously(pc)) return false;
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, object, pc);
  engine.current->fresh = true;  // whichever of the two comes now
  T newest;
  T seen;  // what is expected may have another alignment
  std::memcpy(&newest, object, sizeof(T));
  std::memcpy(&seen, expected, sizeof(T));
  if (newest != seen || !FailsSpuriously(true, pc)) return false;
  const T value = Load(object, failure, pc);
  if (value == seen) {
    NoteSpuriousFailure(pc);
  } else {
    engine.rollback.BeforeWrite(expected, sizeof(T));
    std::memcpy(expected, &value, sizeof(T));
  }
  return true;
}

// Calls `act(object)`, an object of `size` bytes.
auto WithObject(void* object, size_t size, auto act) {
  switch (size) {
    case 1:
      return act(static_cast<uint8_t*>(object));
    case 2:
      return act(static_cast<uint16_t*>(object));
    case 4:
      return act(static_cast<uint32_t*>(object));
    case 8:
      return act(static_cast<uint64_t*>(object));
    default:
      return act(static_cast<unsigned __int128*>(object));
  }
}

}  // namespace

uint64_t LoadObject(void* object, size_t size, MemoryOrder order, uintptr_t pc) {
  return WithObject(object, size, [&]<class T>(T* address) {
    return Low(Load(address, static_cast<int>(order), pc));
  });
}

uint64_t UpdateObject(void* object, size_t size, Update update, uint64_t operand, MemoryOrder order,
                      uintptr_t pc) {
  return WithObject(object, size, [&]<class T>(T* address) {
    return Low(
        ReadModifyWrite(address, update, static_cast<T>(operand), static_cast<int>(order), pc));
  });
}

bool CompareExchangeObject(void* object, size_t size, void* expected, const void* desired,
                           MemoryOrder order, uintptr_t pc) {
  return WithObject(object, size, [&]<class T>(T* address) {
    T value;
    T seen;
    std::memcpy(&value, desired, sizeof(T));
    std::memcpy(&seen, expected, sizeof(T));
    const bool stored = CompareExchange(address, &seen, value, false, static_cast<int>(order),
                                        static_cast<int>(order), pc);
    std::memcpy(expected, &seen, sizeof(T));
    return stored;
  });
}

void Fence(MemoryOrder order, uintptr_t pc) {
  if (!engine.Simulates()) [[unlikely]] {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return;
  }
  engine.DecisionPoint(StepKind::kFence, nullptr, pc);
  engine.FenceMemory(order);
  engine.FinishStep(StepKind::kFence, order, 0, nullptr, 0, 0, pc);
}

}  // namespace jacquard::sim

using jacquard::sim::CompareExchange;
using jacquard::sim::Load;
using jacquard::sim::ReadModifyWrite;
using jacquard::sim::StoreValue;
using jacquard::sim::Update;
using jacquard::sim::WeakCompareExchangeFails;
using jacquard::sim::WithObject;

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

// Called by the instrumented code, by way of hooks.S.
int jacquard_fail_weak_compare_exchange(const volatile void* address, void* expected, size_t size,
                                        int failure) {
  const uintptr_t pc = JACQUARD_CALLER;
  // Objects of other sizes are libatomic's (large_atomics.cc).
  if (!std::has_single_bit(size) || size > sizeof(unsigned __int128)) return 0;
  return WithObject(const_cast<void*>(address), size, [&]<class T>(T* object) {
    return WeakCompareExchangeFails(object, expected, failure, pc);
  });
}

void __tsan_atomic_thread_fence(int order) {
  jacquard::sim::Fence(jacquard::sim::Order(order), JACQUARD_CALLER);
}

void __tsan_atomic_signal_fence(int /*order*/) {}

}  // extern "C"
