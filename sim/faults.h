// Faults of the processor and std::terminate() within an execution are its verdict, and not the end
// of the process.
#ifndef JACQUARD_SIM_FAULTS_H_
#define JACQUARD_SIM_FAULTS_H_

#include <signal.h>

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

// What an action that the program sets for `signal` becomes, if it is one of those: where it leaves
// the signal alone, also from the second time on (SA_RESETHAND), CatchFaults() goes on, and any
// handler of its own gets to know the circumstances (SA_SIGINFO), which FailIfInHandlerOfFault()
// needs. True if that is another one.
bool ChangesAction(int signal, struct sigaction& action);
// The other way round: what an execution is told that an action has been.
void HideCatching(int signal, struct sigaction& action);
// After an execution.
void ForgetHandlersOfFaults();

// Whether the running thread is in the handler of a signal. Costs microseconds.
bool IsInHandler();

// Ends the execution if the running thread is in a handler of the program's for a fault, as when it
// is about to end the process from there.
void FailIfInHandlerOfFault();

// Where the program has called what has led here, through whatever libraries: a return address; 0
// if it has not. Costs microseconds.
uintptr_t CallOfProgram();

// Ends the execution: the running thread has used up its stack, at `pc`.
[[noreturn]] void ReportStackOverflow(uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FAULTS_H_
