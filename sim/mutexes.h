// Mutexes, for those who build upon them: condition variables, C11.
#ifndef JACQUARD_SIM_MUTEXES_H_
#define JACQUARD_SIM_MUTEXES_H_

#include <pthread.h>

#include <cstdint>

#include "sim/engine.h"

namespace jacquard::sim {

// As the C library's functions of similar names, by a simulated thread. `pc` is the call.
int LockMutex(pthread_mutex_t* mutex, uintptr_t pc, uint64_t deadline = Engine::kNoDeadline);
int TryLockMutex(pthread_mutex_t* mutex, uintptr_t pc);
int UnlockMutex(pthread_mutex_t* mutex, uintptr_t pc);
void CheckMutexForDestruction(const pthread_mutex_t* mutex, uintptr_t pc);
// The same for mtx_destroy, which asks only that nobody waits: who holds the mutex may destroy it
// (C11, 7.26.4.1).
void CheckC11MutexForDestruction(const pthread_mutex_t* mutex, uintptr_t pc);

// Whether the running thread may wait for a condition with the mutex: 0, or the error that the call
// returns. Ends the execution if the mutex is of a type that makes no difference between errors and
// undefined behaviour.
int CheckOwnership(const pthread_mutex_t* mutex, uintptr_t pc);
// The two halves of a wait for a condition: no steps of their own.
void ReleaseForWait(pthread_mutex_t* mutex);
int RegainAfterWait(pthread_mutex_t* mutex, uintptr_t pc);

// `thread` ends: who waits for the robust mutexes that it holds hears of it.
void AbandonRobustMutexes(SimThread& thread);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_MUTEXES_H_
