// The limits of the process (setrlimit), as an execution leaves them.
#ifndef JACQUARD_SIM_RESOURCE_LIMITS_H_
#define JACQUARD_SIM_RESOURCE_LIMITS_H_

namespace jacquard::sim {

// After an execution: those that it has set are as they were, unless it has lowered a hard one
// without the right to raise that again.
void RestoreLimits();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RESOURCE_LIMITS_H_
