// Faults of the processor and std::terminate() within an execution are its verdict, and not the end
// of the process.
#ifndef JACQUARD_SIM_FAULTS_H_
#define JACQUARD_SIM_FAULTS_H_

#include <cstdint>

namespace jacquard::sim {

// Installs the handlers of SIGSEGV, SIGBUS, SIGFPE and SIGILL, and of std::terminate. What happens
// outside of executions, or is sent by somebody, goes to those that were there before. Call once.
void CatchFaults();
// Whether that has been done.
bool FaultsAreCaught();
// Whether `signal` would end the process: nobody has said what it is to do.
bool IsFatal(int signal);
// Whether the program has asked, or been started, in such a way that SIGSEGV may be blocked: a
// fault then is the end of the process. Defined in signals.cc.
bool FaultsMayBeBlocked();

// Where the program has called what has led here, through whatever libraries: a return address; 0
// if it has not. Costs microseconds.
uintptr_t CallOfProgram();

// Ends the execution: the running thread has used up its stack, at `pc`.
[[noreturn]] void ReportStackOverflow(uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FAULTS_H_
