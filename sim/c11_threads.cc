// Threads, mutexes and condition variables of C11, as simulated threads use them: those of POSIX
// under other names, as in the C library, which lays them out alike.
#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include <cstdint>

#include "sim/condition_variables.h"
#include "sim/mutexes.h"
#include "sim/once.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/threads.h"

namespace jacquard::sim {

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));

pthread_mutex_t* Posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* Posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

// C11's name for an error.
int Status(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case EBUSY:
      return thrd_busy;
    case ENOMEM:
    case EAGAIN:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    default:
      return thrd_error;
  }
}

// A thread's result, which is an int, as a pointer and back.
void* AsPointer(int result) { return reinterpret_cast<void*>(static_cast<intptr_t>(result)); }
int AsInt(void* result) { return static_cast<int>(reinterpret_cast<intptr_t>(result)); }

void* Run(void* argument) { return AsPointer(engine.current->c11_start(argument)); }

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Engine;
using jacquard::sim::IsValid;
using jacquard::sim::Nanoseconds;
using jacquard::sim::Posix;
using jacquard::sim::Status;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

// ---- threads

int thrd_create(thrd_t* thread, thrd_start_t start, void* argument) {
  if (!engine.Simulates()) return JACQUARD_REAL(thrd_create)(thread, start, argument);
  const int error =
      jacquard::sim::CreateThread(thread, nullptr, jacquard::sim::Run, argument, JACQUARD_CALLER);
  if (error == 0) engine.FindThread(*thread)->c11_start = start;
  return Status(error);
}

int thrd_join(thrd_t thread, int* result) {
  if (!engine.Simulates()) return JACQUARD_REAL(thrd_join)(thread, result);
  void* value = nullptr;
  const int error = jacquard::sim::JoinThread(thread, &value, Engine::kNoDeadline, JACQUARD_CALLER);
  if (error == 0 && result != nullptr) {
    engine.rollback.BeforeWrite(result, sizeof(*result));
    *result = jacquard::sim::AsInt(value);
  }
  return Status(error);
}

int thrd_detach(thrd_t thread) {
  if (!engine.Simulates()) return JACQUARD_REAL(thrd_detach)(thread);
  return Status(jacquard::sim::DetachThread(thread, JACQUARD_CALLER));
}

void thrd_exit(int result) {
  if (engine.Simulates())
    jacquard::sim::LeaveThread(jacquard::sim::AsPointer(result), JACQUARD_CALLER);
  JACQUARD_REAL(thrd_exit)(result);
  __builtin_unreachable();
}

void jacquard_thrd_yield() {
  if (engine.Simulates()) {
    engine.current->spin.NoteCall();
    engine.Yield();
    engine.FinishStep(jacquard::StepKind::kYield, jacquard::MemoryOrder::kRelaxed, 0, nullptr, 0, 0,
                      JACQUARD_CALLER);
  } else {
    JACQUARD_REAL(thrd_yield)();
  }
}

// ---- mutexes

int mtx_init(mtx_t* mutex, int type) {
  jacquard::sim::BeforeInit(mutex, JACQUARD_CALLER);
  return JACQUARD_REAL(mtx_init)(mutex, type);
}

void mtx_destroy(mtx_t* mutex) {
  if (engine.Simulates())
    jacquard::sim::DestroyAsStep(Posix(mutex), JACQUARD_CALLER,
                                 jacquard::sim::CheckC11MutexForDestruction);
  jacquard::sim::BeforeInit(mutex, JACQUARD_CALLER);
  JACQUARD_REAL(mtx_destroy)(mutex);  // the mark of one that has been destroyed, as on a POSIX one
}

int jacquard_mtx_lock(mtx_t* mutex) {
  if (!engine.Simulates()) return JACQUARD_REAL(mtx_lock)(mutex);
  return Status(jacquard::sim::LockMutex(Posix(mutex), JACQUARD_CALLER));
}

int mtx_timedlock(mtx_t* mutex, const timespec* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(mtx_timedlock)(mutex, time);
  if (!IsValid(*time)) return thrd_error;
  return Status(jacquard::sim::LockMutex(Posix(mutex), JACQUARD_CALLER, Nanoseconds(*time)));
}

int jacquard_mtx_trylock(mtx_t* mutex) {
  if (!engine.Simulates()) return JACQUARD_REAL(mtx_trylock)(mutex);
  return Status(jacquard::sim::TryLockMutex(Posix(mutex), JACQUARD_CALLER));
}

int jacquard_mtx_unlock(mtx_t* mutex) {
  if (!engine.Simulates()) return JACQUARD_REAL(mtx_unlock)(mutex);
  return Status(jacquard::sim::UnlockMutex(Posix(mutex), JACQUARD_CALLER));
}

// ---- condition variables

int cnd_init(cnd_t* condition) {
  jacquard::sim::BeforeInit(condition, JACQUARD_CALLER);
  return JACQUARD_REAL(cnd_init)(condition);
}

void cnd_destroy(cnd_t* condition) {
  if (engine.Simulates()) {
    jacquard::sim::DestroyAsStep(Posix(condition), JACQUARD_CALLER,
                                 jacquard::sim::DestroyCondition);
  } else {
    JACQUARD_REAL(cnd_destroy)(condition);
  }
}

int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  if (!engine.Simulates()) return JACQUARD_REAL(cnd_wait)(condition, mutex);
  return Status(jacquard::sim::WaitForCondition(Posix(condition), Posix(mutex), JACQUARD_CALLER,
                                                Engine::kNoDeadline));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(cnd_timedwait)(condition, mutex, time);
  if (!IsValid(*time)) return thrd_error;
  return Status(jacquard::sim::WaitForCondition(Posix(condition), Posix(mutex), JACQUARD_CALLER,
                                                Nanoseconds(*time)));
}

int cnd_signal(cnd_t* condition) {
  if (!engine.Simulates()) return JACQUARD_REAL(cnd_signal)(condition);
  return Status(jacquard::sim::NotifyCondition(Posix(condition), 1, JACQUARD_CALLER));
}

int cnd_broadcast(cnd_t* condition) {
  if (!engine.Simulates()) return JACQUARD_REAL(cnd_broadcast)(condition);
  return Status(
      jacquard::sim::NotifyCondition(Posix(condition), jacquard::kMaxThreads, JACQUARD_CALLER));
}

// ---- the rest

// Not noexcept: `function` may throw.
void call_once(once_flag* once, void (*function)()) {
  if (!engine.Simulates()) return JACQUARD_REAL(call_once)(once, function);
  jacquard::sim::Once(reinterpret_cast<pthread_once_t*>(once), function, JACQUARD_CALLER);
}

int tss_create(tss_t* key, tss_dtor_t destructor) {
  return Status(pthread_key_create(key, destructor));
}
void tss_delete(tss_t key) { pthread_key_delete(key); }
void* tss_get(tss_t key) { return pthread_getspecific(key); }
int tss_set(tss_t key, void* value) { return Status(pthread_setspecific(key, value)); }

}  // extern "C"
