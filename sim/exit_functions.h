// What an execution registers for the end of a thread, of the process, or of a library that it has
// opened: destructors of variables, and the functions of atexit.
#ifndef JACQUARD_SIM_EXIT_FUNCTIONS_H_
#define JACQUARD_SIM_EXIT_FUNCTIONS_H_

#include "sim/hooked_library.h"

namespace jacquard::sim {

// The running thread ends: the destructors of its thread_local objects, the last one first.
void RunThreadDestructors();
// Whether a thread has still to call one for a variable of the module that lies there.
bool HasThreadDestructorOf(const DataRange& module);
// Those that are known now belong to thread 0 of each execution.
void KeepThreadDestructors();

// What the execution has registered for the end of the process, the last one first.
void RunExitFunctions();

// After an execution: nothing of it is left to be called.
void DropExitFunctions();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_EXIT_FUNCTIONS_H_
