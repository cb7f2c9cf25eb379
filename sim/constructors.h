// Constructors of a program's globals.
//
// As a rule they run once, before main, as without Jacquard, and each execution begins with what
// they have left. Threads that they start would be real ones, which the simulation does not know:
// before the first one, or if somebody asks for it, the program is executed again, its constructors
// are put aside before the C library calls them, and each execution begins with them.
#ifndef JACQUARD_SIM_CONSTRUCTORS_H_
#define JACQUARD_SIM_CONSTRUCTORS_H_

namespace jacquard::sim {

// A constructor is about to start a thread, and is not part of an execution: executes the program
// again, unless the options forbid that or it has been done.
void BeforeThreadOfConstructor();

// Before the first execution of a program.
void PrepareConstructors();

// Whether they run now, in an execution.
bool ConstructorsRun();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CONSTRUCTORS_H_
