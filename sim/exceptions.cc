// Exceptions that several threads own: std::exception_ptr counts the owners inside the C++ library,
// without hooks. Who gives up its share happens before whoever destroys the exception.
#include <cxxabi.h>

#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// In front of a thrown object lies a header, the same in size for one that stands for another's
// object (Itanium C++ ABI, exception handling, 2.2.1; of libstdc++).
struct ExceptionHeader {
  void* primary;  // of one that stands for another: that one's object
  char others[72];
  uint64_t exception_class;  // of the unwinder's part; the low byte says whether it stands for one
  char unwinder[24];
};
static_assert(sizeof(ExceptionHeader) == 112);

// The object of the exception that the innermost handler of this thread has caught; null if none.
const void* CaughtObject() {
  const auto* const globals = reinterpret_cast<ExceptionHeader* const*>(abi::__cxa_get_globals());
  const ExceptionHeader* const caught = *globals;
  if (caught == nullptr) return nullptr;
  constexpr uint64_t kLanguageMask = ~uint64_t{0xFF};
  constexpr uint64_t kGnuCxx = 0x474E'5543'432B'2B00;  // "GNUCC++\0"
  if ((caught->exception_class & kLanguageMask) != kGnuCxx) return nullptr;
  const bool stands_for_another = (caught->exception_class & 1) != 0;
  return stands_for_another ? caught->primary : caught + 1;
}

// How many own the exception: what lies in front of the header, which is aligned like any object.
int OwnersOf(const void* object) {
  constexpr size_t kCount = (sizeof(ExceptionHeader) + sizeof(int) + 15) & ~size_t{15};
  int owners = 0;
  std::memcpy(&owners, static_cast<const char*>(object) - kCount, sizeof(owners));
  return owners;
}

// The library's read-modify-write of the object's count. It is a step where others own it as well:
// what they do to the exception may come before.
void GiveUpShare(const void* object, uintptr_t pc) {
  if (object == nullptr || engine.memory == nullptr || !engine.Simulates()) return;
  const bool is_shared = OwnersOf(object) > 1;
  if (is_shared) engine.DecisionPoint(StepKind::kOther, object, pc);
  engine.Acquire(object);
  engine.Release(object);
  if (is_shared) Finish(StepKind::kOther, object, 0, 0, pc);
}

}  // namespace
}  // namespace jacquard::sim

// std::__exception_ptr::exception_ptr::_M_release(); its only member is the object.
void JacquardReleaseExceptionPointer(void** pointer) noexcept
    asm("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");

void JacquardReleaseExceptionPointer(void** pointer) noexcept {
  jacquard::sim::GiveUpShare(*pointer, JACQUARD_CALLER);
  static const auto real = reinterpret_cast<void (*)(void**)>(
      jacquard::sim::FindReal("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv"));
  real(pointer);
}

extern "C" void __cxa_end_catch() {
  jacquard::sim::GiveUpShare(jacquard::sim::CaughtObject(), JACQUARD_CALLER);
  static const auto real = reinterpret_cast<void (*)()>(jacquard::sim::FindReal("__cxa_end_catch"));
  real();
}
