// Mutexes of the C library, of all types, as simulated threads use them.
//
// The state lies where the C library's also does: whether it is locked, by whom, and how many times
// more the owner has locked it. A robust mutex keeps in `__spins`, which the C library does not use
// for those, what has become of it.
#include "sim/mutexes.h"

#include <errno.h>
#include <pthread.h>

#include <cstdint>
#include <string>

#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr int kTypeMask = 3;
constexpr int kRobustBit = 16;
// Of PTHREAD_PRIO_PROTECT, whose ceiling lies in these bits of `__lock`.
constexpr int kProtectedBit = 64;
constexpr int kCeilingBits = ~0x7FFFF;
// What pthread_mutex_destroy makes of the kind.
constexpr int kDestroyed = -1;
// In `__spins` of a robust mutex.
constexpr short kOwnerDied = 1;
constexpr short kNotRecoverable = 2;

int TypeOf(const pthread_mutex_t* mutex) { return mutex->__data.__kind & kTypeMask; }
bool IsRobust(const pthread_mutex_t* mutex) { return (mutex->__data.__kind & kRobustBit) != 0; }

// Of such a mutex an error is an error, and not undefined behaviour.
bool TellsErrors(const pthread_mutex_t* mutex) {
  return TypeOf(mutex) == PTHREAD_MUTEX_ERRORCHECK || IsRobust(mutex);
}

int CeilingOf(const pthread_mutex_t* mutex) {
  return (mutex->__data.__kind & kProtectedBit) != 0 ? mutex->__data.__lock & kCeilingBits : 0;
}

// Step values of a mutex: 0 free, else the owner's thread number plus 1. Whoever has locked it
// outside of the execution has another number than any of them.
uint64_t StateOf(const pthread_mutex_t* mutex) {
  if (mutex->__data.__lock == CeilingOf(mutex)) return 0;
  return static_cast<uint32_t>(engine.ThreadOfTid(mutex->__data.__owner) + 1);
}

bool OwnedByMe(const pthread_mutex_t* mutex) {
  return StateOf(mutex) == static_cast<uint64_t>(engine.current->id) + 1;
}

// Null: nobody.
void SetOwner(pthread_mutex_t* mutex, const SimThread* owner) {
  BeforeChange(mutex);
  mutex->__data.__lock = CeilingOf(mutex) | static_cast<int>(owner != nullptr);
  mutex->__data.__owner = owner != nullptr ? engine.TidOf(*owner) : 0;
  engine.HasWritten(mutex, sizeof(*mutex));
}

void CheckMutex(const pthread_mutex_t* mutex, uintptr_t pc) {
  CheckUse(mutex, "mutex", mutex->__data.__kind == kDestroyed, pc);
}

// How often its owner has locked it: only of a recursive one, as in the C library, where a
// constructor of a global may have locked it.
void ChangeCount(pthread_mutex_t* mutex, int by) {
  BeforeChange(mutex);
  mutex->__data.__count += by;
  engine.HasWritten(mutex, sizeof(*mutex));
}

void SetFate(pthread_mutex_t* mutex, short fate) {
  BeforeChange(mutex);
  mutex->__data.__spins = fate;
  engine.HasWritten(mutex, sizeof(*mutex));
}

bool EnterAgain(pthread_mutex_t* mutex) {
  if (TypeOf(mutex) != PTHREAD_MUTEX_RECURSIVE || !OwnedByMe(mutex)) return false;
  ChangeCount(mutex, 1);
  return true;
}

// The mutex is free. The result of the call that takes it, and that `waits` if it is not.
int Take(pthread_mutex_t* mutex, uintptr_t pc, bool waits) {
  if (mutex->__data.__spins == kNotRecoverable && IsRobust(mutex)) return ENOTRECOVERABLE;
  SetOwner(mutex, engine.current);
  if (TypeOf(mutex) == PTHREAD_MUTEX_RECURSIVE) ChangeCount(mutex, 1);
  engine.Acquire(mutex);
  lock_holders.Take(mutex, HeldKind::kMutex, pc, waits);
  return mutex->__data.__spins == kOwnerDied && IsRobust(mutex) ? EOWNERDEAD : 0;
}

void Free(pthread_mutex_t* mutex) {
  if (IsRobust(mutex) && mutex->__data.__spins == kOwnerDied) SetFate(mutex, kNotRecoverable);
  engine.Release(mutex);
  SetOwner(mutex, nullptr);
  if (mutex->__data.__count != 0) ChangeCount(mutex, -1);
  lock_holders.Leave(mutex, HeldKind::kMutex);
  engine.WakeAll(WaitReason::kMutex, mutex);  // they look again whether it is free
}

// Waits until the mutex is free.
bool AwaitFree(pthread_mutex_t* mutex, uintptr_t pc, uint64_t deadline) {
  while (StateOf(mutex) != 0) {
    if (!WaitForLock(WaitReason::kMutex, mutex, pc, deadline)) return false;
    CheckMutex(mutex, pc);
  }
  return true;
}

std::string WhoHolds(uint64_t state) {
  if (state == 0) return "it is not locked";
  if (state > kMaxThreads) return "it was locked outside of the execution";
  return "thread " + std::to_string(state - 1) + " holds it";
}

void CheckNobodyWaits(const pthread_mutex_t* mutex, uintptr_t pc) {
  engine.ForEachWaiter(WaitReason::kMutex, mutex, [pc](const SimThread& thread) {
    Misuse("mutex destroyed while it is waited for",
           "thread " + std::to_string(thread.id) + " is about to lock it", pc);
  });
}

}  // namespace

int LockMutex(pthread_mutex_t* mutex, uintptr_t pc, uint64_t deadline) {
  engine.DecisionPoint(StepKind::kMutexLock, mutex, pc);
  CheckMutex(mutex, pc);
  int result = 0;
  if (!EnterAgain(mutex)) {
    if (OwnedByMe(mutex)) {
      if (TypeOf(mutex) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
      if (deadline == Engine::kNoDeadline) {
        Misuse("recursive lock",
               "a thread locks a mutex that it holds already, and would wait for itself", pc);
      }
    }
    if (!AwaitFree(mutex, pc, deadline)) {
      Finish(StepKind::kMutexTryLock, mutex, StateOf(mutex), kTimeIsOver, pc);
      return ETIMEDOUT;
    }
    result = Take(mutex, pc, deadline == Engine::kNoDeadline);
  }
  Finish(StepKind::kMutexLock, mutex, 0, StateOf(mutex), pc);
  return result;
}

int TryLockMutex(pthread_mutex_t* mutex, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kMutexTryLock, mutex, pc);
  CheckMutex(mutex, pc);
  const uint64_t old_state = StateOf(mutex);
  int result = EBUSY;
  if (EnterAgain(mutex)) {
    result = 0;
  } else if (old_state == 0) {
    result = Take(mutex, pc, false);
  } else {
    engine.HasRead(&mutex->__data.__lock, sizeof(int), mutex->__data.__lock);
  }
  Finish(StepKind::kMutexTryLock, mutex, old_state, OwnedByMe(mutex) && result != EBUSY, pc);
  return result;
}

int UnlockMutex(pthread_mutex_t* mutex, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexUnlock, mutex, pc);
  CheckMutex(mutex, pc);
  const uint64_t old_state = StateOf(mutex);
  if (!OwnedByMe(mutex)) {
    if (TellsErrors(mutex)) return EPERM;
    Misuse("unlock by a thread that does not hold the mutex", WhoHolds(old_state), pc);
  }
  if (mutex->__data.__count > 1) {
    ChangeCount(mutex, -1);
  } else {
    Free(mutex);
  }
  Finish(StepKind::kMutexUnlock, mutex, old_state, StateOf(mutex), pc);
  return 0;
}

void CheckMutexForDestruction(const pthread_mutex_t* mutex, uintptr_t pc) {
  CheckMutex(mutex, pc);
  if (StateOf(mutex) != 0)
    Misuse("mutex destroyed while it is locked", WhoHolds(StateOf(mutex)), pc);
  CheckNobodyWaits(mutex, pc);
}

void CheckC11MutexForDestruction(const pthread_mutex_t* mutex, uintptr_t pc) {
  CheckMutex(mutex, pc);
  if (!OwnedByMe(mutex)) return CheckMutexForDestruction(mutex, pc);
  CheckNobodyWaits(mutex, pc);
  lock_holders.Leave(mutex, HeldKind::kMutex);
}

int CheckOwnership(const pthread_mutex_t* mutex, uintptr_t pc) {
  CheckMutex(mutex, pc);
  if (OwnedByMe(mutex)) return 0;
  if (TellsErrors(mutex)) return EPERM;
  Misuse("wait for a condition without holding the mutex", WhoHolds(StateOf(mutex)), pc);
}

void ReleaseForWait(pthread_mutex_t* mutex) {
  // One that the owner has locked more than once stays locked, as in the C library.
  if (mutex->__data.__count > 1) {
    ChangeCount(mutex, -1);
  } else {
    Free(mutex);
  }
}

int RegainAfterWait(pthread_mutex_t* mutex, uintptr_t pc) {
  CheckMutex(mutex, pc);
  if (EnterAgain(mutex)) return 0;
  AwaitFree(mutex, pc, Engine::kNoDeadline);
  return Take(mutex, pc, true);
}

void AbandonRobustMutexes(SimThread& thread) {
  for (;;) {
    pthread_mutex_t* mutex = nullptr;
    for (const HeldLock& held : thread.held) {
      auto* const candidate = static_cast<pthread_mutex_t*>(const_cast<void*>(held.lock));
      if (held.kind == HeldKind::kMutex && IsRobust(candidate)) mutex = candidate;
    }
    if (mutex == nullptr) return;
    SetFate(mutex, kOwnerDied);
    BeforeChange(mutex);
    mutex->__data.__count = 0;
    engine.Release(mutex);
    SetOwner(mutex, nullptr);
    lock_holders.Leave(mutex, HeldKind::kMutex);
    engine.WakeAll(WaitReason::kMutex, mutex);
  }
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) noexcept {
  jacquard::sim::BeforeInit(mutex, JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_mutex_init)(mutex, attributes);
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) noexcept {
  if (engine.Simulates())
    jacquard::sim::DestroyAsStep(mutex, JACQUARD_CALLER, jacquard::sim::CheckMutexForDestruction);
  jacquard::sim::BeforeInit(mutex, JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_mutex_destroy)(mutex);
}

int jacquard_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_lock)(mutex);
  return jacquard::sim::LockMutex(mutex, JACQUARD_CALLER);
}

int jacquard_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_trylock)(mutex);
  return jacquard::sim::TryLockMutex(mutex, JACQUARD_CALLER);
}

int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_timedlock)(mutex, time);
  if (!jacquard::sim::IsValid(*time)) return EINVAL;
  return jacquard::sim::LockMutex(mutex, JACQUARD_CALLER, jacquard::sim::Nanoseconds(*time));
}

int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                            const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_clocklock)(mutex, clock, time);
  if (!jacquard::sim::IsValid(*time) || !jacquard::sim::IsWaitClock(clock)) return EINVAL;
  return jacquard::sim::LockMutex(mutex, JACQUARD_CALLER, jacquard::sim::Nanoseconds(*time));
}

int jacquard_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_unlock)(mutex);
  return jacquard::sim::UnlockMutex(mutex, JACQUARD_CALLER);
}

int pthread_mutex_consistent(pthread_mutex_t* mutex) noexcept {
  using jacquard::sim::kOwnerDied;
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_consistent)(mutex);
  jacquard::sim::CheckObject(mutex, JACQUARD_CALLER);
  const bool may_be = jacquard::sim::IsRobust(mutex) && jacquard::sim::OwnedByMe(mutex) &&
                      mutex->__data.__spins == kOwnerDied;
  if (!may_be) return EINVAL;
  jacquard::sim::SetFate(mutex, 0);
  return 0;
}

}  // extern "C"
