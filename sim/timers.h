// Timers that send signals: alarm, setitimer. They expire where nobody else can run.
#ifndef JACQUARD_SIM_TIMERS_H_
#define JACQUARD_SIM_TIMERS_H_

namespace jacquard::sim {

// Whether there is any.
bool AnyTimerRuns();

// Whether the signal of a timer that runs would be noticed: it has a handler, or a thread waits for
// it. Where the execution cannot go on, or goes on for ever, that signal might be what is missing.
bool TimerMayBeMissing();
// Whether it may expire now: not after so many in this execution that it would go on for ever.
bool TimerMayExpire();

// The first such timer expires: returns its signal, which somebody is to get, and time has passed
// until then. 0: there is none.
int ExpireTimer();

// After an execution.
void StopTimers();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TIMERS_H_
