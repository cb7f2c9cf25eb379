// Timers that send signals: alarm, setitimer.
#ifndef JACQUARD_SIM_TIMERS_H_
#define JACQUARD_SIM_TIMERS_H_

namespace jacquard::sim {

// Whether the signal of a timer that runs would be noticed: it has a handler, or a thread waits for
// it. Where the execution cannot go on, or goes on for ever, that signal might be what is missing.
bool TimerMayBeMissing();

// After an execution.
void StopTimers();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TIMERS_H_
