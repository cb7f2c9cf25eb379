// Time as simulated threads see it: virtual. It passes when somebody reads a clock or a timed wait
// ends, never by itself. So it does before the main of a program that has one of its own: what
// constructors of globals have read must not lie in another age.
#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "sim/cancellation.h"
#include "sim/inline_assembly.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/virtual_clock.h"

namespace jacquard::sim {
namespace {

// The time before main, which is an hour before the executions begin.
uint64_t before_program = kClockEpoch - 3600 * kSecond;

// Whether the caller is a simulated thread, or a constructor before main.
bool TimeIsVirtual() { return engine.Simulates() || engine.IsBeforeProgram(); }

// All clocks agree.
timespec ReadClock(uintptr_t pc) {
  if (!engine.Simulates()) return ToTimespec(before_program += 1000);
  engine.DecisionPoint(StepKind::kClock, nullptr, pc);
  engine.current->spin.Reset();  // time has passed: the next round is another one
  const uint64_t now = engine.ReadClock();
  engine.FinishStep(StepKind::kClock, MemoryOrder::kRelaxed, 0, nullptr, now, now, pc);
  return ToTimespec(now);
}

// Clocks of what a process or a thread has computed, also of others (negative numbers): the program
// has done nothing else since it began.
bool IsCpuClock(clockid_t clock) {
  return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID || clock < 0;
}

timespec SinceBegin(timespec time) {
  constexpr auto kEpoch = static_cast<time_t>(kClockEpoch / kSecond);
  time.tv_sec = std::max<time_t>(0, time.tv_sec - kEpoch);
  return time;
}

bool IsClock(clockid_t clock) {
  if (clock >= CLOCK_REALTIME && clock <= CLOCK_BOOTTIME) return true;
  return RawSyscall(SYS_clock_getres, static_cast<uint64_t>(clock)) == 0;
}

// What clock_nanosleep says of a clock; 0: one may sleep by it.
int ErrorOfSleepClock(clockid_t clock) {
  return clock == CLOCK_THREAD_CPUTIME_ID ? EINVAL : ErrorOfTimerClock(clock);
}

// Returns how much is left where the handler of a signal has ended it, whatever SA_RESTART says; 0:
// the time is over.
uint64_t Sleep(uint64_t nanoseconds, bool absolute, uintptr_t pc) {
  if (!engine.Simulates()) {
    before_program =
        std::max(before_program, absolute ? nanoseconds : before_program + nanoseconds);
    return 0;
  }
  engine.DecisionPoint(StepKind::kSleep, nullptr, pc);
  const uint64_t deadline = absolute ? nanoseconds : engine.clock.now() + nanoseconds;
  engine.Block(WaitReason::kSleep, nullptr, pc, deadline);
  LeaveIfCancelled(*engine.current, pc);
  const bool is_over = engine.current->timed_out || deadline <= engine.clock.now();
  engine.FinishStep(StepKind::kSleep, MemoryOrder::kRelaxed, 0, nullptr, 0, 0, pc);
  return is_over ? 0 : deadline - engine.clock.now();
}

// The same for a time that a call is given, which wants to know what is left.
bool SleepAll(const timespec& duration, timespec* remaining, uintptr_t pc) {
  const uint64_t left = Sleep(Nanoseconds(duration), false, pc);
  if (left == 0) return true;
  if (remaining == nullptr) return false;
  CheckAccess(remaining, sizeof(*remaining), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(remaining, sizeof(*remaining));
  *remaining = ToTimespec(left);
  return false;
}

int Interrupted() {
  errno = EINTR;
  return -1;
}

}  // namespace

uint64_t ReadTimeStamp(uintptr_t pc) {
  timespec time = {};
  if (TimeIsVirtual()) {
    time = ReadClock(pc);
  } else {
    JACQUARD_REAL(clock_gettime)(CLOCK_MONOTONIC, &time);
  }
  return Nanoseconds(time);
}

int ErrorOfTimerClock(clockid_t clock) {
  if (!IsClock(clock)) return EINVAL;
  const bool is_other = clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
                        clock == CLOCK_MONOTONIC_COARSE;
  return is_other ? EOPNOTSUPP : 0;
}

void PassTimeBeforeProgram(const timespec& deadline) {
  before_program = std::max(before_program, Nanoseconds(deadline));
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::ErrorOfSleepClock;
using jacquard::sim::Interrupted;
using jacquard::sim::IsClock;
using jacquard::sim::IsCpuClock;
using jacquard::sim::IsValid;
using jacquard::sim::kClockEpoch;
using jacquard::sim::kSecond;
using jacquard::sim::Nanoseconds;
using jacquard::sim::ReadClock;
using jacquard::sim::SinceBegin;
using jacquard::sim::Sleep;
using jacquard::sim::SleepAll;
using jacquard::sim::TimeIsVirtual;

extern "C" {

// jacquard_...: entered through hooks.S, which defines the functions of the C library.
int jacquard_sched_yield() noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sched_yield)();
  engine.current->spin.NoteCall();
  engine.Yield();
  engine.FinishStep(jacquard::StepKind::kYield, jacquard::MemoryOrder::kRelaxed, 0, nullptr, 0, 0,
                    JACQUARD_CALLER);
  return 0;
}

int jacquard_nanosleep(const timespec* duration, timespec* remaining) {
  if (!TimeIsVirtual()) return JACQUARD_REAL(nanosleep)(duration, remaining);
  if (!IsValid(*duration) || duration->tv_sec < 0) {
    errno = EINVAL;
    return -1;
  }
  return SleepAll(*duration, remaining, JACQUARD_CALLER) ? 0 : Interrupted();
}

int jacquard_clock_nanosleep(clockid_t clock, int flags, const timespec* time,
                             timespec* remaining) {
  if (!TimeIsVirtual()) return JACQUARD_REAL(clock_nanosleep)(clock, flags, time, remaining);
  if (!IsValid(*time) || time->tv_sec < 0) return EINVAL;
  if (const int error = ErrorOfSleepClock(clock); error != 0) return error;
  if ((flags & TIMER_ABSTIME) == 0) return SleepAll(*time, remaining, JACQUARD_CALLER) ? 0 : EINTR;
  const uint64_t begin = IsCpuClock(clock) ? kClockEpoch : 0;
  return Sleep(begin + Nanoseconds(*time), true, JACQUARD_CALLER) == 0 ? 0 : EINTR;
}

int jacquard_thrd_sleep(const timespec* duration, timespec* remaining) {
  if (!TimeIsVirtual()) return JACQUARD_REAL(thrd_sleep)(duration, remaining);
  if (!IsValid(*duration) || duration->tv_sec < 0) return -2;
  return SleepAll(*duration, remaining, JACQUARD_CALLER) ? 0 : -1;
}

int jacquard_usleep(useconds_t microseconds) {
  if (!TimeIsVirtual()) return JACQUARD_REAL(usleep)(microseconds);
  return Sleep(microseconds * uint64_t{1000}, false, JACQUARD_CALLER) == 0 ? 0 : Interrupted();
}

// Returns whole seconds, as the C library does.
unsigned jacquard_sleep(unsigned seconds) {
  if (!TimeIsVirtual()) return JACQUARD_REAL(sleep)(seconds);
  const uint64_t left = Sleep(seconds * kSecond, false, JACQUARD_CALLER);
  return static_cast<unsigned>(left / kSecond);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(clock_gettime)(clock, time);
  if (!IsClock(clock)) {
    errno = EINVAL;
    return -1;
  }
  const timespec now = ReadClock(JACQUARD_CALLER);
  *time = IsCpuClock(clock) ? SinceBegin(now) : now;
  return 0;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(gettimeofday)(time, zone);
  const timespec now = ReadClock(JACQUARD_CALLER);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

int timespec_get(timespec* time, int base) noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(timespec_get)(time, base);
  if (base != TIME_UTC) return 0;
  *time = ReadClock(JACQUARD_CALLER);
  return base;
}

clock_t clock() noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(clock)();
  const timespec time = SinceBegin(ReadClock(JACQUARD_CALLER));
  return time.tv_sec * CLOCKS_PER_SEC + time.tv_nsec / (1'000'000'000 / CLOCKS_PER_SEC);
}

clock_t times(tms* computed) noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(times)(computed);
  constexpr long kTicks = 100;  // in a second, on Linux
  const auto ticks = [](timespec time) {
    return time.tv_sec * kTicks + time.tv_nsec / (1'000'000'000 / kTicks);
  };
  const timespec now = ReadClock(JACQUARD_CALLER);
  if (computed != nullptr) *computed = {ticks(SinceBegin(now)), 0, 0, 0};
  return ticks(now);
}

// The clocks of the simulation are not set, and the system's are out of its reach: that takes a
// privilege which a simulated program does not have.
#define JACQUARD_SETS_CLOCK(name, changes, parameters, arguments)             \
  int name parameters noexcept {                                              \
    if (!(changes) || !TimeIsVirtual()) return JACQUARD_REAL(name) arguments; \
    errno = EPERM;                                                            \
    return -1;                                                                \
  }
JACQUARD_SETS_CLOCK(clock_settime, true, (clockid_t clock, const timespec* time), (clock, time))
JACQUARD_SETS_CLOCK(settimeofday, true, (const timeval* time, const struct timezone* zone),
                    (time, zone))
JACQUARD_SETS_CLOCK(adjtime, delta != nullptr, (const timeval* delta, timeval* old), (delta, old))
JACQUARD_SETS_CLOCK(adjtimex, state->modes != 0, (timex * state), (state))
JACQUARD_SETS_CLOCK(ntp_adjtime, state->modes != 0, (timex * state), (state))
JACQUARD_SETS_CLOCK(clock_adjtime, state->modes != 0, (clockid_t clock, timex* state),
                    (clock, state))

// What else is counted there is the real process's: nothing, here.
int getrusage(__rusage_who_t who, rusage* usage) noexcept {
  const int result = JACQUARD_REAL(getrusage)(who, usage);
  if (result != 0 || !TimeIsVirtual()) return result;
  *usage = {};
  if (who == RUSAGE_CHILDREN) return 0;
  const timespec time = SinceBegin(ReadClock(JACQUARD_CALLER));
  usage->ru_utime = {time.tv_sec, time.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* result) noexcept {
  if (!TimeIsVirtual()) return JACQUARD_REAL(time)(result);
  const timespec now = ReadClock(JACQUARD_CALLER);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
