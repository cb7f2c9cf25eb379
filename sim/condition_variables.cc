// Condition variables of the C library, as simulated threads use them.
//
// The object's memory says only which clock it uses, and whether it has been destroyed. Who waits
// the engine knows: a thread is woken before anybody may destroy the object, and does not look at
// it again. A signal by itself orders nothing; the mutex does.
#include "sim/condition_variables.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <cstdint>
#include <string>

#include "sim/cancellation.h"
#include "sim/mutexes.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// For the C library it is how many threads wait.
uint32_t& Mark(pthread_cond_t* condition) { return condition->__data.__g_size[0]; }

void CheckCondition(pthread_cond_t* condition, uintptr_t pc) {
  CheckUse(condition, "condition variable", Mark(condition) == kDestroyedMark, pc);
}

}  // namespace

int WaitForCondition(pthread_cond_t* condition, pthread_mutex_t* mutex, uintptr_t pc,
                     uint64_t deadline) {
  engine.DecisionPoint(StepKind::kConditionWait, condition, pc);
  CheckCondition(condition, pc);
  if (const int error = CheckOwnership(mutex, pc); error != 0) return error;
  SimThread& me = *engine.current;
  engine.ForEachWaiter(WaitReason::kCondition, condition, [mutex, pc](const SimThread& other) {
    if (other.wait_mutex == mutex || !engine.IsBlocked(other)) return;
    Misuse("wait for a condition variable with two mutexes",
           "thread " + std::to_string(other.id) + " waits with another mutex", pc);
  });
  ReleaseForWait(mutex);
  Finish(StepKind::kConditionWait, condition, 0, 0, pc);
  me.wait_mutex = mutex;
  engine.Block(WaitReason::kCondition, condition, pc, deadline);
  const WakeUp why = HowWoken(me);
  Finish(StepKind::kConditionWakeUp, condition, 0, why, pc);
  engine.DecisionPoint(StepKind::kMutexLock, mutex, pc);
  const int error = RegainAfterWait(mutex, pc);
  Finish(StepKind::kMutexLock, mutex, 0, static_cast<uint64_t>(me.id) + 1, pc);
  if (why == kCancelled) TestCancel(pc);
  if (error != 0) return error;
  return why == kTimedOut ? ETIMEDOUT : 0;
}

int NotifyCondition(pthread_cond_t* condition, int most, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kConditionNotify, condition, pc);
  CheckCondition(condition, pc);
  SimThread* waiters[kMaxThreads];
  const int count = WaitersLongestFirst(WaitReason::kCondition, condition, waiters,
                                        [](const SimThread&) { return true; });
  const int woken = engine.WakeSome(waiters, count, most);
  engine.current->spin.Reset();
  Finish(StepKind::kConditionNotify, condition, 0, static_cast<uint64_t>(woken), pc);
  return 0;
}

namespace {

// A constructor before main waits, perhaps for a real thread that it has started.
int WaitBeforeProgram(pthread_mutex_t* mutex, const timespec& deadline) {
  JACQUARD_REAL(pthread_mutex_unlock)(mutex);
  JACQUARD_REAL(sched_yield)();
  JACQUARD_REAL(pthread_mutex_lock)(mutex);
  PassTimeBeforeProgram(deadline);
  return ETIMEDOUT;
}

}  // namespace

// Those whose wait somebody or something has ended do not count: they do not look at it any more.
void DestroyCondition(pthread_cond_t* condition, uintptr_t pc) {
  CheckCondition(condition, pc);
  engine.ForEachWaiter(WaitReason::kCondition, condition, [pc](const SimThread& thread) {
    if (!engine.IsBlocked(thread)) return;
    Misuse("condition variable destroyed while it is waited for",
           "thread " + std::to_string(thread.id) + " waits", pc);
  });
  // A destructor at the end of a program leaves a global's bytes, and the C library does nothing to
  // a condition variable that nobody waits for: a detached thread may still be about to notify, as
  // with std::notify_all_at_thread_exit.
  if (!engine.is_ending()) MarkDestroyed(condition, Mark(condition));
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

int pthread_cond_init(pthread_cond_t* condition, const pthread_condattr_t* attributes) noexcept {
  jacquard::sim::BeforeInit(condition, JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_cond_init)(condition, attributes);
}

int pthread_cond_destroy(pthread_cond_t* condition) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cond_destroy)(condition);
  jacquard::sim::DestroyAsStep(condition, JACQUARD_CALLER, jacquard::sim::DestroyCondition);
  return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  using jacquard::sim::Engine;
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cond_wait)(condition, mutex);
  return jacquard::sim::WaitForCondition(condition, mutex, JACQUARD_CALLER, Engine::kNoDeadline);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* time) {
  if (engine.IsBeforeProgram()) return jacquard::sim::WaitBeforeProgram(mutex, *time);
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cond_timedwait)(condition, mutex, time);
  if (!jacquard::sim::IsValid(*time)) return EINVAL;
  return jacquard::sim::WaitForCondition(condition, mutex, JACQUARD_CALLER,
                                         jacquard::sim::Nanoseconds(*time));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* time) {
  if (engine.IsBeforeProgram()) return jacquard::sim::WaitBeforeProgram(mutex, *time);
  if (!engine.Simulates())
    return JACQUARD_REAL(pthread_cond_clockwait)(condition, mutex, clock, time);
  if (!jacquard::sim::IsValid(*time) || !jacquard::sim::IsWaitClock(clock)) return EINVAL;
  return jacquard::sim::WaitForCondition(condition, mutex, JACQUARD_CALLER,
                                         jacquard::sim::Nanoseconds(*time));
}

int jacquard_cond_signal(pthread_cond_t* condition) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cond_signal)(condition);
  return jacquard::sim::NotifyCondition(condition, 1, JACQUARD_CALLER);
}

int jacquard_cond_broadcast(pthread_cond_t* condition) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cond_broadcast)(condition);
  return jacquard::sim::NotifyCondition(condition, jacquard::kMaxThreads, JACQUARD_CALLER);
}

}  // extern "C"
