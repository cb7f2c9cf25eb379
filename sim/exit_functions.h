// What an execution registers for the end of a thread, of the process, or of a library that it has
// opened: destructors of variables, and the functions of atexit and its like.
#ifndef JACQUARD_SIM_EXIT_FUNCTIONS_H_
#define JACQUARD_SIM_EXIT_FUNCTIONS_H_

#include <cstdint>

#include "sim/hooked_library.h"

namespace jacquard::sim {

// The running thread ends: the destructors of its thread_local objects, the last one first.
void RunThreadDestructors();
// Whether a thread has still to call one for a variable of the module that lies there.
bool HasThreadDestructorOf(const DataRange& module);

// How a program ends.
enum class Ending : uint8_t {
  kInOrder,  // what has been registered for it is called
  kQuick,    // what has been registered for at_quick_exit is
  kAtOnce,
};

// What the execution has registered for the end of the process with `status`, the last one first.
void RunExitFunctions(int status);
// What at_quick_exit was given, the last one first.
void RunQuickExitFunctions();
// Whether there is something that RunAllExitFunctions would call.
bool HasExitFunctions();
// That, then the functions with the attribute "destructor" if the execution has begun with the
// constructors: what is called when a program ends. What has been called is not called again: one
// of them may end the process.
void RunAllExitFunctions(int status);
// Whether there are others, which nobody calls, as they belong to constructors that have run once
// before main.
bool HasEarlierExitFunctions();

// For programs with a main of their own, before it: what is known now belongs to each execution,
// and its thread-local variables to thread 0.
void KeepExitFunctions();

// After an execution: nothing of it is left to be called.
void DropExitFunctions();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_EXIT_FUNCTIONS_H_
