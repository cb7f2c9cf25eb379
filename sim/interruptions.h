// Handlers of signals in the middle of a wait, by a signal that has been sent or that of a timer.
//
// Where somebody can run, a signal waits until the thread runs that it has been sent to. Where
// nobody can, a signal may be what the execution goes on with: the handler runs on the stack of a
// thread that waits, which then looks again whether it still has to.
#ifndef JACQUARD_SIM_INTERRUPTIONS_H_
#define JACQUARD_SIM_INTERRUPTIONS_H_

#include "sim/thread.h"

namespace jacquard::sim {

// The rule of a verdict: all that are left wait.
inline constexpr const char* kNoThreadCanRun = "no thread can run";

// The handler of a signal runs in the middle of the thread's wait. False: it blocks that, or may
// not be interrupted there.
bool Interrupt(SimThread& thread, int signal);

// Nobody can run, but perhaps later: somebody who has been sent a signal handles it in the middle
// of a wait. False if there is nobody.
bool InterruptBySent();

// Nobody can run: whether a timer has expired, and somebody gets its signal.
bool LetTimerExpire();

// The thread, which waits on, has been switched to for that handler.
void HandleInterruption(SimThread& me);
// The same by a timer that has expired, of a thread that spins.
void HandleTimer(SimThread& me);

// Ends the execution if the running thread, in a handler that was called so, is about to end the
// program: that is what such a timer is for.
void FailInTimersHandler();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_INTERRUPTIONS_H_
