// What comes along with signals that have been sent and wait: who has sent each, and a value.
#ifndef JACQUARD_SIM_QUEUED_SIGNALS_H_
#define JACQUARD_SIM_QUEUED_SIGNALS_H_

#include <signal.h>

#include "sim/thread.h"

namespace jacquard::sim {

// Of a signal that the process sends itself: `code` is SI_USER, SI_TKILL or SI_QUEUE; or that of a
// timer: SI_KERNEL.
siginfo_t InformationOf(int signal, int code, sigval value = {});

// The signal waits for `thread`, or, null, for any, behind those that wait already. One that does
// already, and is none of real time, stays the only one. Where there are too many it is lost: see
// RefuseTooMany.
void QueueSignal(const SimThread* thread, const siginfo_t& information);
// Ends the execution if one has been lost.
void RefuseTooMany();
// Takes the first `signal` that waits for `thread`, or, null, for any. False: there is none.
bool TakeQueued(const SimThread* thread, int signal, siginfo_t& information);
// Whether there is one.
bool IsQueued(const SimThread* thread, int signal);
// What waits for `thread` is gone.
void ForgetQueued(const SimThread* thread);
// All of it.
void ForgetAllQueued();

// The running thread sends itself the signal, as it is told: the handler runs before this returns,
// unless the signal is blocked. It may leave by unwinding.
void RaiseWith(const siginfo_t& information);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_QUEUED_SIGNALS_H_
