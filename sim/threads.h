// Threads, for those who build upon them: C11.
#ifndef JACQUARD_SIM_THREADS_H_
#define JACQUARD_SIM_THREADS_H_

#include <pthread.h>

#include <cstdint>

#include "sim/thread.h"

namespace jacquard::sim {

// As the C library's functions of the same names, by a simulated thread. `pc` is the call.
int CreateThread(pthread_t* handle, const pthread_attr_t* attributes, void* (*start)(void*),
                 void* argument, uintptr_t pc);
// Nobody asks for this one.
SimThread& CreateDetachedThread(void* (*start)(void*), void* argument, uintptr_t pc);
int JoinThread(pthread_t handle, void** result, uint64_t deadline, uintptr_t pc);
int DetachThread(pthread_t handle, uintptr_t pc);
// Destroys what is on the stack, as the C library does.
[[noreturn]] void LeaveThread(void* result, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_THREADS_H_
