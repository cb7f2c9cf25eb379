// Timers that are files (timerfd_create), in virtual time. Behind the program's descriptor stands
// an eventfd, which has the same way of being read; when a timer's time has come, the runtime
// writes there how often it has expired.
//
// Time does not pass by itself (time.cc): who waits for a timer has a wait with a deadline.
#ifndef JACQUARD_SIM_TIMER_FILES_H_
#define JACQUARD_SIM_TIMER_FILES_H_

#include <cstdint>

namespace jacquard::sim {

// Whether the execution has any.
bool HasTimerFiles();

// When the timer behind the descriptor, or the first of those that an epoll instance watches, is
// going to expire, in virtual time; Engine::kNoDeadline if none is. Nothing to speak of where the
// execution has no such timers, else some system calls for an epoll instance.
uint64_t DeadlineOfTimerFile(int descriptor);

// Those whose time has come can be read from now on.
void ExpireTimerFiles();

// `to` is another descriptor of the same file from now on; the descriptor is closed.
void CopyTimerFile(int from, int to);
void ForgetTimerFile(int descriptor);
// After an execution.
void ForgetTimerFiles();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TIMER_FILES_H_
