// pthread_once, as simulated threads use it. The values are also those of the C library.
#include "sim/once.h"

#include <vector>

#include "sim/caller.h"
#include "sim/hooked_library.h"
#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr int kRuns = 1;
constexpr int kDone = 2;

void Set(pthread_once_t* once, int state) {
  engine.Release(once);
  engine.rollback.BeforeLockWrite(once, sizeof(*once));
  *once = state;
  engine.HasWritten(once, sizeof(*once));
  if (state != kRuns) lock_holders.Leave(once, HeldKind::kOnce);
  engine.WakeAll(WaitReason::kOnce, once);
}

// What a shared library without hooks does once stays done, so that only a first execution would
// show it. That of one with hooks is undone with the rest, or would be left half done.
bool IsOfProgram(const pthread_once_t* once, const void* caller) {
  if (FromProgram(caller) || !engine.rollback.IsInLibraries(once)) return true;
  const Backstage backstage;
  static const auto& hooked = *new std::vector(DataOfHookedLibraries());
  return IsIn(hooked, once);
}

}  // namespace

int Once(pthread_once_t* once, void (*function)(), uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, once, pc);
  CheckObject(once, pc);
  while (*once == kRuns) WaitForLock(WaitReason::kOnce, once, pc, Engine::kNoDeadline);
  engine.Acquire(once);  // also after an attempt that threw
  if (*once == kDone) {
    engine.HasRead(once, sizeof(*once), kDone);
    Finish(StepKind::kOther, once, kDone, kDone, pc);
    return 0;
  }
  lock_holders.Take(once, HeldKind::kOnce, pc, false);
  Set(once, kRuns);
  Finish(StepKind::kOther, once, 0, kRuns, pc);
  try {
    function();
  } catch (...) {
    Set(once, 0);
    throw;
  }
  Set(once, kDone);
  return 0;
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

// Not noexcept: `function` may throw.
extern "C" int pthread_once(pthread_once_t* once, void (*function)()) {
  const void* const caller = __builtin_return_address(0);
  if (!engine.Simulates() || !jacquard::sim::IsOfProgram(once, caller))
    return JACQUARD_REAL(pthread_once)(once, function);
  return jacquard::sim::Once(once, function, JACQUARD_CALLER);
}
