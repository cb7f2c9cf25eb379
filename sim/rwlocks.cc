// Reader/writer locks of the C library, as simulated threads use them.
//
// The state lies in two words that the C library leaves alone, since what it keeps in the others is
// not zero for every lock that is free. Which thread reads the engine knows. Who may enter first, a
// reader or a writer, is left to the schedule, as POSIX has it; only a lock that prefers writers,
// and forbids recursive readers (PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP), lets no reader pass
// a writer that waits.
//
// A reader's unlock happens before a later writer's lock, and not before another reader's: readers
// release to a place of their own.
#include <errno.h>
#include <pthread.h>

#include <cstdint>
#include <string>

#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

uint32_t& Readers(pthread_rwlock_t* lock) {
  return reinterpret_cast<uint32_t&>(lock->__data.__pad3);
}
// The writer's thread number plus 1; 0 if there is none; kDestroyedMark.
uint32_t& Writer(pthread_rwlock_t* lock) {
  return reinterpret_cast<uint32_t&>(lock->__data.__pad4);
}

void CheckLock(pthread_rwlock_t* lock, uintptr_t pc) {
  CheckUse(lock, "reader/writer lock", Writer(lock) == kDestroyedMark, pc);
}

uint32_t Me() { return static_cast<uint32_t>(engine.current->id) + 1; }

// As a step's value: writer in the upper half.
uint64_t StateOf(pthread_rwlock_t* lock) { return uint64_t{Writer(lock)} << 32 | Readers(lock); }

// What readers release to.
const void* OfReaders(const pthread_rwlock_t* lock) { return &lock->__data.__pad3; }

bool WriterWaits(pthread_rwlock_t* lock) {
  bool waits = false;
  engine.ForEachWaiter(WaitReason::kExclusive, lock, [&](const SimThread&) { waits = true; });
  return waits;
}

bool MayShare(pthread_rwlock_t* lock) {
  if (Writer(lock) != 0) return false;
  const bool prefers_writers = lock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
  return !prefers_writers || !WriterWaits(lock);
}

bool IsFree(pthread_rwlock_t* lock) { return Writer(lock) == 0 && Readers(lock) == 0; }

void Set(pthread_rwlock_t* lock, uint32_t& word, uint32_t value) {
  BeforeChange(lock);
  word = value;
  engine.HasWritten(lock, sizeof(*lock));
}

// `waits`: the call does, if it has to, for as long as it takes.
void TakeShared(pthread_rwlock_t* lock, uintptr_t pc, bool waits) {
  Set(lock, Readers(lock), Readers(lock) + 1);
  engine.Acquire(lock);
  lock_holders.Take(lock, HeldKind::kShared, pc, waits);
}

void TakeExclusive(pthread_rwlock_t* lock, uintptr_t pc, bool waits) {
  Set(lock, Writer(lock), Me());
  engine.Acquire(lock);
  engine.Acquire(OfReaders(lock));
  lock_holders.Take(lock, HeldKind::kExclusive, pc, waits);
}

void WakeWaiters(const pthread_rwlock_t* lock) {
  engine.WakeAll(WaitReason::kShared, lock);
  engine.WakeAll(WaitReason::kExclusive, lock);
}

int LockShared(pthread_rwlock_t* lock, uintptr_t pc, uint64_t deadline = Engine::kNoDeadline) {
  engine.DecisionPoint(StepKind::kSharedLock, lock, pc);
  CheckLock(lock, pc);
  if (Writer(lock) == Me()) return EDEADLK;
  const uint64_t old_state = StateOf(lock);
  while (!MayShare(lock)) {
    if (!WaitForLock(WaitReason::kShared, lock, pc, deadline)) {
      Finish(StepKind::kSharedTryLock, lock, old_state, kTimeIsOver, pc);
      return ETIMEDOUT;
    }
    CheckLock(lock, pc);
  }
  TakeShared(lock, pc, deadline == Engine::kNoDeadline);
  Finish(StepKind::kSharedLock, lock, old_state, StateOf(lock), pc);
  return 0;
}

int LockExclusive(pthread_rwlock_t* lock, uintptr_t pc, uint64_t deadline = Engine::kNoDeadline) {
  engine.DecisionPoint(StepKind::kMutexLock, lock, pc);
  CheckLock(lock, pc);
  if (Writer(lock) == Me()) return EDEADLK;
  const uint64_t old_state = StateOf(lock);
  while (!IsFree(lock)) {
    if (!WaitForLock(WaitReason::kExclusive, lock, pc, deadline)) {
      // Readers may have waited for this writer.
      engine.WakeAll(WaitReason::kShared, lock);
      Finish(StepKind::kMutexTryLock, lock, old_state, kTimeIsOver, pc);
      return ETIMEDOUT;
    }
    CheckLock(lock, pc);
  }
  TakeExclusive(lock, pc, deadline == Engine::kNoDeadline);
  Finish(StepKind::kMutexLock, lock, old_state, StateOf(lock), pc);
  return 0;
}

int TryLockShared(pthread_rwlock_t* lock, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kSharedTryLock, lock, pc);
  CheckLock(lock, pc);
  const uint64_t old_state = StateOf(lock);
  const bool takes = MayShare(lock);
  if (takes) {
    TakeShared(lock, pc, false);
  } else {
    engine.HasRead(&Readers(lock), sizeof(uint64_t), old_state);
  }
  Finish(StepKind::kSharedTryLock, lock, old_state, takes, pc);
  return takes ? 0 : EBUSY;
}

int TryLockExclusive(pthread_rwlock_t* lock, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kMutexTryLock, lock, pc);
  CheckLock(lock, pc);
  const uint64_t old_state = StateOf(lock);
  const bool takes = IsFree(lock);
  if (takes) {
    TakeExclusive(lock, pc, false);
  } else {
    engine.HasRead(&Readers(lock), sizeof(uint64_t), old_state);
  }
  Finish(StepKind::kMutexTryLock, lock, old_state, takes, pc);
  return takes ? 0 : EBUSY;
}

int Unlock(pthread_rwlock_t* lock, uintptr_t pc) {
  const bool exclusive = Writer(lock) == Me();
  const StepKind kind = exclusive ? StepKind::kMutexUnlock : StepKind::kSharedUnlock;
  engine.DecisionPoint(kind, lock, pc);
  CheckLock(lock, pc);
  const uint64_t old_state = StateOf(lock);
  if (exclusive) {
    engine.Release(lock);
    Set(lock, Writer(lock), 0);
    lock_holders.Leave(lock, HeldKind::kExclusive);
  } else {
    if (Readers(lock) == 0 || !lock_holders.Leave(lock, HeldKind::kShared)) {
      const std::string holders = lock_holders.Describe(lock);
      Misuse("unlock of a reader/writer lock that the thread does not hold",
             holders.empty() ? "it is not locked" : "it is" + holders.substr(1), pc);
    }
    engine.Release(OfReaders(lock));
    Set(lock, Readers(lock), Readers(lock) - 1);
  }
  WakeWaiters(lock);
  Finish(kind, lock, old_state, StateOf(lock), pc);
  return 0;
}

void Destroy(pthread_rwlock_t* lock, uintptr_t pc) {
  CheckLock(lock, pc);
  if (!IsFree(lock)) {
    Misuse("reader/writer lock destroyed while it is locked",
           "it is" + (lock_holders.Describe(lock) + " ").substr(1), pc);
  }
  for (const WaitReason reason : {WaitReason::kShared, WaitReason::kExclusive}) {
    engine.ForEachWaiter(reason, lock, [pc](const SimThread& thread) {
      Misuse("reader/writer lock destroyed while it is waited for",
             "thread " + std::to_string(thread.id) + " is about to lock it", pc);
    });
  }
  MarkDestroyed(lock, Writer(lock));
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::IsValid;
using jacquard::sim::IsWaitClock;
using jacquard::sim::LockExclusive;
using jacquard::sim::LockShared;
using jacquard::sim::Nanoseconds;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

int pthread_rwlock_init(pthread_rwlock_t* lock, const pthread_rwlockattr_t* attributes) noexcept {
  jacquard::sim::BeforeInit(lock, JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_rwlock_init)(lock, attributes);
}

int pthread_rwlock_destroy(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_destroy)(lock);
  jacquard::sim::DestroyAsStep(lock, JACQUARD_CALLER, jacquard::sim::Destroy);
  return 0;
}

int jacquard_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_rdlock)(lock);
  return LockShared(lock, JACQUARD_CALLER);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock, const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_timedrdlock)(lock, time);
  if (!IsValid(*time)) return EINVAL;
  return LockShared(lock, JACQUARD_CALLER, Nanoseconds(*time));
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_clockrdlock)(lock, clock, time);
  if (!IsValid(*time) || !IsWaitClock(clock)) return EINVAL;
  return LockShared(lock, JACQUARD_CALLER, Nanoseconds(*time));
}

int jacquard_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_wrlock)(lock);
  return LockExclusive(lock, JACQUARD_CALLER);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock, const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_timedwrlock)(lock, time);
  if (!IsValid(*time)) return EINVAL;
  return LockExclusive(lock, JACQUARD_CALLER, Nanoseconds(*time));
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock,
                               const timespec* time) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_clockwrlock)(lock, clock, time);
  if (!IsValid(*time) || !IsWaitClock(clock)) return EINVAL;
  return LockExclusive(lock, JACQUARD_CALLER, Nanoseconds(*time));
}

int jacquard_rwlock_tryrdlock(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_tryrdlock)(lock);
  return jacquard::sim::TryLockShared(lock, JACQUARD_CALLER);
}

int jacquard_rwlock_trywrlock(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_trywrlock)(lock);
  return jacquard::sim::TryLockExclusive(lock, JACQUARD_CALLER);
}

int jacquard_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_rwlock_unlock)(lock);
  return jacquard::sim::Unlock(lock, JACQUARD_CALLER);
}

}  // extern "C"
