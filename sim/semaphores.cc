// POSIX semaphores, as simulated threads use them.
//
// The value lies where the C library keeps it, in the first four bytes. What a thread did before it
// posts happens before what another does after it has taken one.
#include <errno.h>
#include <limits.h>
#include <semaphore.h>

#include <cstdint>
#include <string>

#include "sim/cancellation.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// kDestroyedMark is more than a semaphore can have.
uint32_t& ValueOf(sem_t* semaphore) { return *reinterpret_cast<uint32_t*>(semaphore); }

void CheckSemaphore(sem_t* semaphore, uintptr_t pc) {
  CheckUse(semaphore, "semaphore", ValueOf(semaphore) == kDestroyedMark, pc);
}

void SetValue(sem_t* semaphore, uint32_t value) {
  BeforeChange(semaphore);
  ValueOf(semaphore) = value;
  engine.HasWritten(semaphore, sizeof(*semaphore));
}

int Fails(int error) {
  errno = error;
  return -1;
}

void TakeOne(sem_t* semaphore) {
  SetValue(semaphore, ValueOf(semaphore) - 1);
  engine.Acquire(semaphore);
}

int Wait(sem_t* semaphore, uintptr_t pc, uint64_t deadline = Engine::kNoDeadline) {
  TestCancel(pc);
  engine.DecisionPoint(StepKind::kSemaphoreWait, semaphore, pc);
  CheckSemaphore(semaphore, pc);
  while (ValueOf(semaphore) == 0) {
    engine.Block(WaitReason::kSemaphore, semaphore, pc, deadline);
    const SimThread& me = *engine.current;
    LeaveIfCancelled(me, pc);
    if (me.timed_out) {
      Finish(StepKind::kSemaphoreTryWait, semaphore, 0, kTimeIsOver, pc);
      return Fails(ETIMEDOUT);
    }
    if (me.woken_spuriously && !me.restarts_calls) {  // by the handler of a signal
      Finish(StepKind::kSemaphoreTryWait, semaphore, 0, 0, pc);
      return Fails(EINTR);
    }
    CheckSemaphore(semaphore, pc);
  }
  const uint32_t old_value = ValueOf(semaphore);
  TakeOne(semaphore);
  Finish(StepKind::kSemaphoreWait, semaphore, old_value, old_value - 1, pc);
  return 0;
}

int TryWait(sem_t* semaphore, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kSemaphoreTryWait, semaphore, pc);
  CheckSemaphore(semaphore, pc);
  const uint32_t old_value = ValueOf(semaphore);
  if (old_value != 0) {
    TakeOne(semaphore);
  } else {
    engine.HasRead(semaphore, sizeof(uint32_t), 0);
  }
  Finish(StepKind::kSemaphoreTryWait, semaphore, old_value, old_value != 0, pc);
  return old_value != 0 ? 0 : Fails(EAGAIN);
}

int Post(sem_t* semaphore, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kSemaphorePost, semaphore, pc);
  CheckSemaphore(semaphore, pc);
  const uint32_t old_value = ValueOf(semaphore);
  if (old_value >= SEM_VALUE_MAX)
    Misuse("semaphore overflow", "sem_post at " + std::to_string(old_value), pc);
  engine.Release(semaphore);
  SetValue(semaphore, old_value + 1);
  engine.WakeAll(WaitReason::kSemaphore, semaphore);
  Finish(StepKind::kSemaphorePost, semaphore, old_value, old_value + 1, pc);
  return 0;
}

int GetValue(sem_t* semaphore, int* value, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, semaphore, pc);
  CheckSemaphore(semaphore, pc);
  const uint32_t now = ValueOf(semaphore);
  engine.current->spin.Reset();
  CheckAccess(value, sizeof(*value), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(value, sizeof(*value));
  *value = static_cast<int>(now);
  Finish(StepKind::kOther, semaphore, now, now, pc);
  return 0;
}

// A constructor before main waits.
int WaitBeforeProgram(sem_t* semaphore, const timespec& deadline) {
  if (JACQUARD_REAL(sem_trywait)(semaphore) == 0) return 0;
  PassTimeBeforeProgram(deadline);
  return Fails(ETIMEDOUT);
}

void Destroy(sem_t* semaphore, uintptr_t pc) {
  CheckSemaphore(semaphore, pc);
  engine.ForEachWaiter(WaitReason::kSemaphore, semaphore, [pc](const SimThread& thread) {
    Misuse("semaphore destroyed while it is waited for",
           "thread " + std::to_string(thread.id) + " waits", pc);
  });
  MarkDestroyed(semaphore, ValueOf(semaphore));
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Fails;
using jacquard::sim::IsValid;
using jacquard::sim::Nanoseconds;
using jacquard::sim::Wait;
using jacquard::sim::WaitBeforeProgram;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

int sem_init(sem_t* semaphore, int shared, unsigned value) noexcept {
  jacquard::sim::BeforeInit(semaphore, JACQUARD_CALLER);
  return JACQUARD_REAL(sem_init)(semaphore, shared, value);
}

int sem_destroy(sem_t* semaphore) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_destroy)(semaphore);
  jacquard::sim::DestroyAsStep(semaphore, JACQUARD_CALLER, jacquard::sim::Destroy);
  return 0;
}

int jacquard_sem_wait(sem_t* semaphore) {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_wait)(semaphore);
  return Wait(semaphore, JACQUARD_CALLER);
}

int sem_timedwait(sem_t* semaphore, const timespec* time) {
  if (engine.IsBeforeProgram()) return WaitBeforeProgram(semaphore, *time);
  if (!engine.Simulates()) return JACQUARD_REAL(sem_timedwait)(semaphore, time);
  if (!IsValid(*time)) return Fails(EINVAL);
  return Wait(semaphore, JACQUARD_CALLER, Nanoseconds(*time));
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* time) {
  if (engine.IsBeforeProgram()) return WaitBeforeProgram(semaphore, *time);
  if (!engine.Simulates()) return JACQUARD_REAL(sem_clockwait)(semaphore, clock, time);
  if (!IsValid(*time) || !jacquard::sim::IsWaitClock(clock)) return Fails(EINVAL);
  return Wait(semaphore, JACQUARD_CALLER, Nanoseconds(*time));
}

int jacquard_sem_trywait(sem_t* semaphore) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_trywait)(semaphore);
  return jacquard::sim::TryWait(semaphore, JACQUARD_CALLER);
}

int jacquard_sem_post(sem_t* semaphore) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_post)(semaphore);
  return jacquard::sim::Post(semaphore, JACQUARD_CALLER);
}

int sem_getvalue(sem_t* semaphore, int* value) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_getvalue)(semaphore, value);
  return jacquard::sim::GetValue(semaphore, value, JACQUARD_CALLER);
}

}  // extern "C"
