// Cancellation: pthread_cancel, and where it takes effect.
//
// A thread that is to be cancelled leaves, as by pthread_exit, at its next cancellation point: in
// pthread_testcancel, a call for a descriptor or sem_wait, where it would wait in another call of
// which POSIX says so, or, if its type is asynchronous, behind any atomic operation. Whoever waits
// at such a point is woken for that. What was done before the request happens before what the
// thread does from then on.
#ifndef JACQUARD_SIM_CANCELLATION_H_
#define JACQUARD_SIM_CANCELLATION_H_

#include <cstdint>

#include "sim/thread.h"

namespace jacquard::sim {

// Whether the thread, which begins to wait, does not do so, since it is to be cancelled.
bool IsCancelledIn(const SimThread& thread, WaitReason reason);

// A cancellation point of the running thread, which `pc` has called. Does not return if it is to
// be cancelled.
void TestCancel(uintptr_t pc);

// The running thread has waited at a cancellation point. Does not return if it was woken to be
// cancelled.
inline void LeaveIfCancelled(const SimThread& me, uintptr_t pc) {
  if (me.wait_is_cancelled) [[unlikely]]
    TestCancel(pc);
}

// The running thread has taken a step: it leaves if it is to be cancelled anywhere.
void TestAsynchronousCancel(const SimThread& me);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CANCELLATION_H_
