// Condition variables, for those who build upon them: C11.
#ifndef JACQUARD_SIM_CONDITION_VARIABLES_H_
#define JACQUARD_SIM_CONDITION_VARIABLES_H_

#include <pthread.h>

#include <cstdint>

namespace jacquard::sim {

// As the C library's functions, by a simulated thread. `deadline` may be Engine::kNoDeadline; at
// most `most` waiters are woken.
int WaitForCondition(pthread_cond_t* condition, pthread_mutex_t* mutex, uintptr_t pc,
                     uint64_t deadline);
int NotifyCondition(pthread_cond_t* condition, int most, uintptr_t pc);
void DestroyCondition(pthread_cond_t* condition, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CONDITION_VARIABLES_H_
