// What ThreadSanitizer's pass calls instead of an atomic access (llvm-project,
// compiler-rt/include/sanitizer/tsan_interface_atomic.h), without ThreadSanitizer: the access, as
// the processor does it, with a random delay in front. NAME_delayed_stress is built so.
//
// A call orders more than an access for the compiler, not for the processor: on x86-64 all loads
// acquire, all stores release and all read-modify-writes are sequentially consistent, so only
// sequentially consistent stores and fences need more.
#include <atomic>
#include <cstdint>

#include "stress/delays.h"

namespace jacquard {
namespace {

// As the pass numbers them.
constexpr int kSequentiallyConsistent = 5;

inline void Delay() {
  if (delays_at_accesses != nullptr) delays_at_accesses->PerturbAtAccess();
}

template <class T>
T Load(const volatile T* object) {
  Delay();
  return __atomic_load_n(object, __ATOMIC_ACQUIRE);
}

template <class T>
void Store(volatile T* object, T value, int order) {
  Delay();
  if (order == kSequentiallyConsistent) {
    __atomic_store_n(object, value, __ATOMIC_SEQ_CST);
  } else {
    __atomic_store_n(object, value, __ATOMIC_RELEASE);
  }
}

template <class T>
bool CompareExchange(volatile T* object, T* expected, T desired) {
  Delay();
  return __atomic_compare_exchange_n(object, expected, desired, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

}  // namespace
}  // namespace jacquard

#define JACQUARD_READ_MODIFY_WRITE(bits, T, name, builtin)                     \
  T __tsan_atomic##bits##_##name(volatile T* object, T value, int /*order*/) { \
    jacquard::Delay();                                                         \
    return builtin(object, value, __ATOMIC_SEQ_CST);                           \
  }

#define JACQUARD_ACCESSES(bits, T)                                                              \
  T __tsan_atomic##bits##_load(const volatile T* object, int /*order*/) {                       \
    return jacquard::Load(object);                                                              \
  }                                                                                             \
  void __tsan_atomic##bits##_store(volatile T* object, T value, int order) {                    \
    jacquard::Store(object, value, order);                                                      \
  }                                                                                             \
  JACQUARD_READ_MODIFY_WRITE(bits, T, exchange, __atomic_exchange_n)                            \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_add, __atomic_fetch_add)                            \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_sub, __atomic_fetch_sub)                            \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_and, __atomic_fetch_and)                            \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_or, __atomic_fetch_or)                              \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_xor, __atomic_fetch_xor)                            \
  JACQUARD_READ_MODIFY_WRITE(bits, T, fetch_nand, __atomic_fetch_nand)                          \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* object, T* expected, T desired, \
                                                    int /*order*/, int /*failure_order*/) {     \
    return jacquard::CompareExchange(object, expected, desired);                                \
  }                                                                                             \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* object, T* expected, T desired,   \
                                                  int /*order*/, int /*failure_order*/) {       \
    return jacquard::CompareExchange(object, expected, desired);                                \
  }                                                                                             \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* object, T expected, T desired,       \
                                               int /*order*/, int /*failure_order*/) {          \
    jacquard::CompareExchange(object, &expected, desired);                                      \
    return expected;                                                                            \
  }

extern "C" {

void __tsan_init() {}

JACQUARD_ACCESSES(8, uint8_t)
JACQUARD_ACCESSES(16, uint16_t)
JACQUARD_ACCESSES(32, uint32_t)
JACQUARD_ACCESSES(64, uint64_t)
JACQUARD_ACCESSES(128, unsigned __int128)

void __tsan_atomic_thread_fence(int order) {
  jacquard::Delay();
  if (order == jacquard::kSequentiallyConsistent) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } else {
    std::atomic_thread_fence(std::memory_order_acq_rel);
  }
}

void __tsan_atomic_signal_fence(int /*order*/) {}
}
