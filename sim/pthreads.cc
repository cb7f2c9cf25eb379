// Threads and mutexes of the C library, as simulated threads use them.
//
// A mutex keeps its state in its own memory, where the C library's also lies: whether it is locked,
// and by whom.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/real.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// Step values of a mutex: 0 free, else the owner's thread number plus 1.
uint64_t MutexState(const pthread_mutex_t* mutex) {
  return mutex->__data.__lock != 0 ? static_cast<uint64_t>(mutex->__data.__owner) : 0;
}

bool OwnedByMe(const pthread_mutex_t* mutex) {
  return MutexState(mutex) == static_cast<uint64_t>(engine.current->id) + 1;
}

void Finish(StepKind kind, const void* object, uint64_t old_value, uint64_t new_value,
            uintptr_t pc) {
  engine.FinishStep(kind, MemoryOrder::kAcqRel, 0, object, old_value, new_value, pc);
}

void SetOwner(pthread_mutex_t* mutex, int owner) {
  engine.rollback.BeforeLockWrite(mutex, sizeof(*mutex));
  mutex->__data.__lock = owner != 0;
  mutex->__data.__owner = owner;
  engine.HasWritten(mutex, sizeof(*mutex));
}

// They look again whether it is free.
void WakeWaitersFor(const void* object) {
  for (int i = 0; i < engine.thread_count(); ++i) {
    SimThread& thread = engine.thread(i);
    if (thread.wait == WaitReason::kMutex && thread.wait_address == object)
      engine.MakeRunnable(thread);
  }
}

bool IsRecursive(const pthread_mutex_t* mutex) {
  return (mutex->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE;
}

bool EnterAgain(pthread_mutex_t* mutex) {
  if (!IsRecursive(mutex) || !OwnedByMe(mutex)) return false;
  engine.rollback.BeforeLockWrite(mutex, sizeof(*mutex));
  ++mutex->__data.__count;
  engine.HasWritten(mutex, sizeof(*mutex));
  return true;
}

void CheckMutex(const pthread_mutex_t* mutex, uintptr_t pc) {
  CheckAccess(mutex, sizeof(*mutex), AccessKind::kWrite, pc);
}

int Lock(pthread_mutex_t* mutex, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexLock, mutex);
  CheckMutex(mutex, pc);
  if (!EnterAgain(mutex)) {
    if (OwnedByMe(mutex)) {
      if ((mutex->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK) return EDEADLK;
      engine.Fail(VerdictKind::kMisuse, "recursive lock",
                  "a thread locks a mutex that it holds already, and would wait for itself");
    }
    while (MutexState(mutex) != 0) {
      engine.Block(WaitReason::kMutex, mutex, pc);
      CheckMutex(mutex, pc);  // it may have been freed in the meantime
    }
    SetOwner(mutex, engine.current->id + 1);
    engine.Acquire(mutex);
  }
  Finish(StepKind::kMutexLock, mutex, 0, MutexState(mutex), pc);
  return 0;
}

int TryLock(pthread_mutex_t* mutex, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kMutexTryLock, mutex, pc);
  CheckMutex(mutex, pc);
  const uint64_t old_state = MutexState(mutex);
  bool taken = EnterAgain(mutex);
  if (!taken && old_state == 0) {
    SetOwner(mutex, engine.current->id + 1);
    engine.Acquire(mutex);
    taken = true;
  }
  if (!taken) engine.HasRead(&mutex->__data.__lock, sizeof(int), mutex->__data.__lock);
  Finish(StepKind::kMutexTryLock, mutex, old_state, taken, pc);
  return taken ? 0 : EBUSY;
}

int Unlock(pthread_mutex_t* mutex, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexUnlock, mutex);
  CheckMutex(mutex, pc);
  const uint64_t old_state = MutexState(mutex);
  if (!OwnedByMe(mutex)) {
    engine.Fail(VerdictKind::kMisuse, "unlock by a thread that does not hold the mutex",
                old_state == 0 ? std::string("it is not locked")
                               : "thread " + std::to_string(old_state - 1) + " holds it");
  }
  if (mutex->__data.__count != 0) {
    --mutex->__data.__count;
  } else {
    engine.Release(mutex);
    SetOwner(mutex, 0);
    WakeWaitersFor(mutex);
  }
  Finish(StepKind::kMutexUnlock, mutex, old_state, MutexState(mutex), pc);
  return 0;
}

// pthread_once_t is an int, 0 at first; the values are also those of the C library.
constexpr int kOnceRuns = 1;
constexpr int kOnceDone = 2;

void SetOnce(pthread_once_t* once, int state) {
  engine.Release(once);
  engine.rollback.BeforeWrite(once, sizeof(*once));
  *once = state;
  engine.HasWritten(once, sizeof(*once));
  WakeWaitersFor(once);
}

int Once(pthread_once_t* once, void (*function)(), uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, once);
  CheckAccess(once, sizeof(*once), AccessKind::kWrite, pc);
  while (*once == kOnceRuns) engine.Block(WaitReason::kMutex, once, pc);
  engine.Acquire(once);  // also after an attempt that threw
  if (*once == kOnceDone) {
    engine.HasRead(once, sizeof(*once), kOnceDone);
    Finish(StepKind::kOther, once, kOnceDone, kOnceDone, pc);
    return 0;
  }
  SetOnce(once, kOnceRuns);
  Finish(StepKind::kOther, once, 0, kOnceRuns, pc);
  try {
    function();
  } catch (...) {
    SetOnce(once, 0);
    throw;
  }
  SetOnce(once, kOnceDone);
  return 0;
}

int Create(pthread_t* handle, const pthread_attr_t* attributes, void* (*start)(void*),
           void* argument, uintptr_t pc) {
  SimThread* const thread = engine.CreateThread(start, argument);
  if (thread == nullptr) return EAGAIN;
  int detach_state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &detach_state);
  thread->detached = detach_state == PTHREAD_CREATE_DETACHED;
  engine.rollback.BeforeWrite(handle, sizeof(*handle));
  *handle = thread->storage.pthread;
  Finish(StepKind::kThreadCreate, nullptr, 0, thread->id, pc);
  return 0;
}

int Join(pthread_t handle, void** result, uintptr_t pc) {
  SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) return ESRCH;
  if (thread == engine.current) return EDEADLK;
  if (thread->detached) {
    engine.Fail(VerdictKind::kMisuse, "join of a detached thread",
                "it was detached or joined before");
  }
  if (!engine.HasEnded(*thread)) {
    engine.current->wait_thread = thread->id;
    engine.Block(WaitReason::kJoin, nullptr, pc);
  }
  thread->detached = true;
  engine.TellJoin(thread->id);
  engine.current->spin.Reset();
  if (result != nullptr) {
    engine.rollback.BeforeWrite(result, sizeof(*result));
    *result = thread->result;
  }
  Finish(StepKind::kThreadJoin, nullptr, 0, thread->id, pc);
  return 0;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Unsupported;

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  if (!engine.Simulates())
    return jacquard::sim::real::pthread_create(handle, attributes, start, argument);
  return jacquard::sim::Create(handle, attributes, start, argument, JACQUARD_CALLER);
}

int pthread_join(pthread_t handle, void** result) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_join)(handle, result);
  return jacquard::sim::Join(handle, result, JACQUARD_CALLER);
}

int pthread_detach(pthread_t handle) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_detach)(handle);
  jacquard::sim::SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) return ESRCH;
  thread->detached = true;
  return 0;
}

int pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) noexcept {
  if (engine.OnExecutingThread()) engine.rollback.BeforeWrite(mutex, sizeof(*mutex));
  return JACQUARD_REAL(pthread_mutex_init)(mutex, attributes);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_lock)(mutex);
  return jacquard::sim::Lock(mutex, JACQUARD_CALLER);
}

// Entered through hooks.S, which defines pthread_mutex_trylock.
int jacquard_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_trylock)(mutex);
  return jacquard::sim::TryLock(mutex, JACQUARD_CALLER);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_mutex_unlock)(mutex);
  return jacquard::sim::Unlock(mutex, JACQUARD_CALLER);
}

// Not noexcept: `function` may throw.
int pthread_once(pthread_once_t* once, void (*function)()) {
  // What a shared library does once stays done, so that only a first execution would show it.
  const bool of_program = jacquard::sim::FromExecutable(__builtin_return_address(0));
  if (!engine.Simulates() || !of_program) return JACQUARD_REAL(pthread_once)(once, function);
  return jacquard::sim::Once(once, function, JACQUARD_CALLER);
}

// Thread ids that are the same in every process.
pid_t gettid() noexcept {
  if (!engine.Simulates()) return static_cast<pid_t>(jacquard::sim::RawSyscall(SYS_gettid));
  return jacquard::sim::kFirstTid + engine.current->id;
}

// What would block the real thread for ever, or end or disturb it: said at once.
#define JACQUARD_UNSUPPORTED(name, parameters, arguments) \
  int name parameters {                                   \
    if (engine.Simulates()) Unsupported(#name);           \
    return JACQUARD_REAL(name) arguments;                 \
  }

JACQUARD_UNSUPPORTED(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t* mutex),
                     (condition, mutex))
JACQUARD_UNSUPPORTED(pthread_cond_timedwait,
                     (pthread_cond_t * condition, pthread_mutex_t* mutex, const timespec* time),
                     (condition, mutex, time))
JACQUARD_UNSUPPORTED(pthread_cond_clockwait,
                     (pthread_cond_t * condition, pthread_mutex_t* mutex, clockid_t clock,
                      const timespec* time),
                     (condition, mutex, clock, time))
JACQUARD_UNSUPPORTED(pthread_barrier_wait, (pthread_barrier_t * barrier) noexcept, (barrier))
JACQUARD_UNSUPPORTED(pthread_rwlock_rdlock, (pthread_rwlock_t * lock) noexcept, (lock))
JACQUARD_UNSUPPORTED(pthread_rwlock_wrlock, (pthread_rwlock_t * lock) noexcept, (lock))
JACQUARD_UNSUPPORTED(pthread_spin_lock, (pthread_spinlock_t * lock) noexcept, (lock))
JACQUARD_UNSUPPORTED(sem_wait, (sem_t * semaphore), (semaphore))
JACQUARD_UNSUPPORTED(sem_timedwait, (sem_t * semaphore, const timespec* time), (semaphore, time))
JACQUARD_UNSUPPORTED(pthread_mutex_timedlock,
                     (pthread_mutex_t * mutex, const timespec* time) noexcept, (mutex, time))

JACQUARD_UNSUPPORTED(pthread_mutex_clocklock,
                     (pthread_mutex_t * mutex, clockid_t clock, const timespec* time) noexcept,
                     (mutex, clock, time))
JACQUARD_UNSUPPORTED(pthread_rwlock_timedrdlock,
                     (pthread_rwlock_t * lock, const timespec* time) noexcept, (lock, time))
JACQUARD_UNSUPPORTED(pthread_rwlock_timedwrlock,
                     (pthread_rwlock_t * lock, const timespec* time) noexcept, (lock, time))
JACQUARD_UNSUPPORTED(pthread_rwlock_clockrdlock,
                     (pthread_rwlock_t * lock, clockid_t clock, const timespec* time) noexcept,
                     (lock, clock, time))
JACQUARD_UNSUPPORTED(pthread_rwlock_clockwrlock,
                     (pthread_rwlock_t * lock, clockid_t clock, const timespec* time) noexcept,
                     (lock, clock, time))
JACQUARD_UNSUPPORTED(sem_clockwait, (sem_t * semaphore, clockid_t clock, const timespec* time),
                     (semaphore, clock, time))
JACQUARD_UNSUPPORTED(pthread_tryjoin_np, (pthread_t thread, void** result) noexcept,
                     (thread, result))
JACQUARD_UNSUPPORTED(pthread_timedjoin_np, (pthread_t thread, void** result, const timespec* time),
                     (thread, result, time))
JACQUARD_UNSUPPORTED(pthread_clockjoin_np,
                     (pthread_t thread, void** result, clockid_t clock, const timespec* time),
                     (thread, result, clock, time))
JACQUARD_UNSUPPORTED(pthread_cancel, (pthread_t thread), (thread))
JACQUARD_UNSUPPORTED(pthread_kill, (pthread_t thread, int signal) noexcept, (thread, signal))
JACQUARD_UNSUPPORTED(thrd_create, (thrd_t * thread, thrd_start_t start, void* argument),
                     (thread, start, argument))
JACQUARD_UNSUPPORTED(mtx_lock, (mtx_t * mutex), (mutex))
JACQUARD_UNSUPPORTED(mtx_timedlock, (mtx_t * mutex, const timespec* time), (mutex, time))
JACQUARD_UNSUPPORTED(cnd_wait, (cnd_t * condition, mtx_t* mutex), (condition, mutex))
JACQUARD_UNSUPPORTED(cnd_timedwait, (cnd_t * condition, mtx_t* mutex, const timespec* time),
                     (condition, mutex, time))

void pthread_exit(void* result) {
  if (engine.Simulates()) Unsupported("pthread_exit");
  JACQUARD_REAL(pthread_exit)(result);
  __builtin_unreachable();
}

}  // extern "C"
