// Parts of the C and C++ runtime libraries that keep state which an execution must not leave
// behind, and the ways in which a program gives up.
#include <assert.h>
#include <cxxabi.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {
namespace {

// The guard of a function-local static (Itanium C++ ABI, 3.3.3): byte 0 says "initialised", byte 1
// is the implementation's.
struct Guard {
  uint8_t initialised;
  uint8_t busy;
};

// Guards that code under test takes are rolled back; the harness's own statics stay.
bool GuardIsSimulated() { return engine.InExecution(); }

void SetGuard(Guard* guard, Guard value) {
  // The program looks at the first byte by itself, with an atomic acquire load.
  engine.Release(guard);
  PublishByte(&guard->initialised, value.initialised);
  engine.rollback.BeforeWrite(guard, sizeof(uint64_t));
  *guard = value;
  if (!engine.hooks_on) return;
  engine.HasWritten(guard, sizeof(uint64_t));
  if (value.busy == 0) lock_holders.Leave(guard, HeldKind::kOnce);
  engine.WakeAll(WaitReason::kOnce, guard);
}

}  // namespace

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Guard;
using jacquard::sim::GuardIsSimulated;
using jacquard::sim::lock_holders;
using jacquard::sim::ServingProgram;
using jacquard::sim::SetGuard;
using jacquard::sim::WaitReason;

extern "C" {

int __cxa_guard_acquire(abi::__guard* word) {
  auto* const guard = reinterpret_cast<Guard*>(word);
  if (guard->initialised != 0) {
    engine.Acquire(guard);  // the program's own look at it has seen an older value
    return 0;
  }
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_acquire)(word);
  const auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  while (guard->busy != 0 && engine.hooks_on) {
    engine.CheckCycle(WaitReason::kOnce, guard, 0, pc);
    engine.Block(WaitReason::kOnce, guard, pc);
  }
  engine.Acquire(guard);  // also after an attempt that threw
  if (guard->initialised != 0) return 0;
  if (engine.hooks_on) lock_holders.Take(guard, jacquard::sim::HeldKind::kOnce, pc, false);
  SetGuard(guard, {0, 1});
  return 1;
}

void __cxa_guard_release(abi::__guard* word) {
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_release)(word);
  SetGuard(reinterpret_cast<Guard*>(word), {1, 0});
}

void __cxa_guard_abort(abi::__guard* word) {
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_abort)(word);
  SetGuard(reinterpret_cast<Guard*>(word), {0, 0});
}

void* __cxa_allocate_exception(size_t size) noexcept {
  if (!engine.OnExecutingThread()) return JACQUARD_REAL(abi::__cxa_allocate_exception)(size);
  return ServingProgram([size] { return JACQUARD_REAL(abi::__cxa_allocate_exception)(size); });
}

abi::__cxa_dependent_exception* __cxa_allocate_dependent_exception() noexcept {
  if (!engine.OnExecutingThread()) return JACQUARD_REAL(abi::__cxa_allocate_dependent_exception)();
  return ServingProgram([] { return JACQUARD_REAL(abi::__cxa_allocate_dependent_exception)(); });
}

void abort() noexcept {
  if (engine.executing && engine.OnExecutingThread()) {
    engine.Fail(jacquard::VerdictKind::kAbort, "abort", "the program called abort()",
                {.pc = jacquard::sim::CallOfProgram()});
  }
  JACQUARD_REAL(abort)();
  __builtin_unreachable();
}

void __assert_fail(const char* expression, const char* file, unsigned line,
                   const char* function) noexcept {
  if (engine.executing && engine.OnExecutingThread()) {
    // Texts from the arena: this stack is given up.
    engine.Fail(jacquard::VerdictKind::kAbort, std::string("assert(") + expression + ")",
                std::string("failed at ") + file + ":" + std::to_string(line) + " in " + function,
                {.pc = jacquard::sim::CallOfProgram()});
  }
  JACQUARD_REAL(__assert_fail)(expression, file, line, function);
  __builtin_unreachable();
}

}  // extern "C"
