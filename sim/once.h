// Initialisations that happen once, for those who build upon them: C11.
#ifndef JACQUARD_SIM_ONCE_H_
#define JACQUARD_SIM_ONCE_H_

#include <pthread.h>

#include <cstdint>

namespace jacquard::sim {

// As pthread_once(), by a simulated thread. `function` may throw.
int Once(pthread_once_t* once, void (*function)(), uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ONCE_H_
