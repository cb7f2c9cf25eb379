// What functions of the C library share among all that call them: the place where strtok goes on,
// the result that gmtime points to, the environment.
#ifndef JACQUARD_SIM_SHARED_STATE_H_
#define JACQUARD_SIM_SHARED_STATE_H_

#include <cstdint>

namespace jacquard::sim {

// "the environment", if the state that stands for it lies at `address`. Null: none does.
const char* NameOfSharedState(uintptr_t address);

// An execution begins.
void BeginEnvironment();
// After an execution, and the roll-back: what it has changed in the environment.
void RestoreEnvironment();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SHARED_STATE_H_
