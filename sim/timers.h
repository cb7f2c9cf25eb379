// Timers that send signals: alarm, setitimer, timer_create. They expire where nobody else can run.
#ifndef JACQUARD_SIM_TIMERS_H_
#define JACQUARD_SIM_TIMERS_H_

#include <signal.h>

#include <cstdint>

namespace jacquard::sim {

// Whether there is any that runs and sends a signal.
bool AnyTimerRuns();

// Whether the signal of a timer that runs would be noticed: it has a handler, or a thread waits for
// it. Where the execution cannot go on, or goes on for ever, that signal might be what is missing.
bool TimerMayBeMissing();
// The same, also for a signal that somebody has waited for before.
bool TimerMayBePolledFor();
// Whether it may expire now: not after so many in this execution that it would go on for ever.
bool TimerMayExpire();

// The first such timer expires: returns its signal, which somebody is to get, and time has passed
// until then. Its si_signo is 0 if there is none.
siginfo_t ExpireTimer();

// Of a timer: in nanoseconds, from now on. It does not run if `time` is 0.
struct TimerSetting {
  uint64_t time = 0;
  uint64_t interval = 0;
};
// A timer that the program creates, which does not run yet: returns its number in this execution.
// It sends `signal`, with `value`; nothing if that is 0.
int AddTimer(int signal, sigval value);
void SetTimer(int number, const TimerSetting& setting);
TimerSetting SettingOfTimer(int number);
// How often it should have expired, too, when it did so last.
uint64_t OverrunOfTimer(int number);
// As programs are told of it.
int ToOverrun(uint64_t times);

// After an execution.
void StopTimers();

// Those that call functions (created_timers.cc): after the body, each does so once more at most;
// after the execution there are none.
void LetTimersExpireOnce();
void ForgetCreatedTimers();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TIMERS_H_
