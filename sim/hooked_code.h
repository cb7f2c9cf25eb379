// Code with hooks, among all that a program is linked of.
#ifndef JACQUARD_SIM_HOOKED_CODE_H_
#define JACQUARD_SIM_HOOKED_CODE_H_

namespace jacquard::sim {

// Whether the function of the program that a call returns to, at `caller`, was compiled with the
// hooks: then it says at its entry that it is there. What has none, such as a harness or a library,
// may synchronise in ways that are not to be seen. To look at a caller costs
// microseconds, the answers of the last ones nanoseconds. For the executing thread only.
bool IsHookedCode(const void* caller);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_HOOKED_CODE_H_
