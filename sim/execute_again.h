// The program is executed again, from its beginning, in the same process.
#ifndef JACQUARD_SIM_EXECUTE_AGAIN_H_
#define JACQUARD_SIM_EXECUTE_AGAIN_H_

namespace jacquard::sim {

// Before all constructors: what they may change that outlives them. Needs nothing of the runtime.
void RememberProcess();

// With NAME=VALUE in the environment. What has been remembered is as it was then: descriptors, what
// is blocked and ignored of signals, the folder, the place in standard input. Returns only if that
// fails: an error number.
int ExecuteAgain(const char* name, const char* value, char** argv);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_EXECUTE_AGAIN_H_
