// Timers that send signals, as simulated threads use them: they tell the virtual time that is left,
// and expire only where nobody can run otherwise (interruptions.h). A program that needs the
// signal although there is always something to run is told that it is not supported.
#include "sim/timers.h"

#include <limits.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/queued_signals.h"
#include "sim/real.h"
#include "sim/signals.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr uint64_t kMicrosecond = 1000;

struct Timer {
  siginfo_t information = {};
  uint64_t deadline = 0;  // in virtual time; 0: it does not run
  uint64_t interval = 0;
  uint64_t overrun = 0;  // of the last time

  int signal() const { return information.si_signo; }
};
// By their numbers: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF.
constinit Timer timers[3];
constexpr int kSignals[] = {SIGALRM, SIGVTALRM, SIGPROF};
constinit std::vector<Timer> created;  // by the program
constinit bool any_runs = false;
constinit int expired = 0;  // in the execution

void ForEachTimer(auto visit) {
  for (Timer& timer : timers) visit(timer);
  for (Timer& timer : created) visit(timer);
}

// Whether one that runs is such.
bool AnyTimer(auto is_such) {
  bool any = false;
  ForEachTimer([&](const Timer& timer) { any |= timer.deadline != 0 && is_such(timer); });
  return any;
}

timespec ToTimespec(const timeval& time) {
  return {time.tv_sec, static_cast<long>(time.tv_usec * kMicrosecond)};
}

bool IsTime(const timeval& time) { return sim::IsTime(ToTimespec(time)); }

timeval ToTimeval(uint64_t nanoseconds) {
  return {static_cast<time_t>(nanoseconds / kSecond),
          static_cast<suseconds_t>(nanoseconds % kSecond / kMicrosecond)};
}

// At least a microsecond, as long as it runs.
uint64_t Left(const Timer& timer) {
  if (timer.deadline == 0) return 0;
  const uint64_t now = engine.clock.now();
  if (timer.signal() == 0 && timer.deadline <= now) {  // nobody else sees it expire
    if (timer.interval == 0) return 0;
    return timer.interval - (now - timer.deadline) % timer.interval;
  }
  return std::max(timer.deadline, engine.clock.now() + kMicrosecond) - engine.clock.now();
}

// A timer that does not run has no interval.
void Set(Timer& timer, uint64_t time, uint64_t interval) {
  timer.deadline = time == 0 ? 0 : std::min(engine.clock.now() + time, Engine::kEndOfTime);
  timer.interval = time == 0 ? 0 : interval;
  any_runs |= time != 0;
}

Timer& TimerOf(unsigned which) {
  timers[which].information = InformationOf(kSignals[which], SI_KERNEL);
  return timers[which];
}

int Set(unsigned which, const itimerval* value, itimerval* old, uintptr_t pc) {
  if (which >= std::size(timers) ||
      (value != nullptr && !(IsTime(value->it_value) && IsTime(value->it_interval)))) {
    errno = EINVAL;
    return -1;
  }
  Timer& timer = TimerOf(which);
  if (old != nullptr) {
    CheckAccess(old, sizeof(*old), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(old, sizeof(*old));
    *old = {.it_interval = ToTimeval(timer.interval), .it_value = ToTimeval(Left(timer))};
  }
  if (value != nullptr) {
    Set(timer, Nanoseconds(ToTimespec(value->it_value)),
        Nanoseconds(ToTimespec(value->it_interval)));
  }
  return 0;
}

// Returns what was left, in the same unit: to the nearest, as Linux has it, but not 0 if it runs.
unsigned SetAlarm(uint64_t time, uint64_t interval, uint64_t unit) {
  Timer& timer = TimerOf(ITIMER_REAL);
  const uint64_t left = Left(timer);
  Set(timer, time, interval);
  return left == 0 ? 0 : static_cast<unsigned>(std::max<uint64_t>(1, (left + unit / 2) / unit));
}

// Whether it has a handler, or somebody waits for it.
bool SomebodyGets(int signal) {
  if (signal == 0) return false;
  if (HasHandler(signal)) return true;
  for (int i = 0; i < engine.thread_count(); ++i) {
    const SimThread& thread = engine.thread(i);
    if (thread.wait == WaitReason::kSignal && (thread.awaited_signals >> (signal - 1) & 1) != 0)
      return true;
  }
  return false;
}

}  // namespace

bool AnyTimerRuns() {
  return any_runs && AnyTimer([](const Timer& timer) { return timer.signal() != 0; });
}

bool TimerMayBeMissing() {
  return any_runs && AnyTimer([](const Timer& timer) { return SomebodyGets(timer.signal()); });
}

bool TimerMayBePolledFor() {
  return any_runs && AnyTimer([](const Timer& timer) {
           return SomebodyGets(timer.signal()) || HasBeenAwaited(timer.signal());
         });
}

bool TimerMayExpire() {
  constexpr int kMost = 1000;
  return expired < kMost && TimerMayBeMissing();
}

siginfo_t ExpireTimer() {
  Timer* first = nullptr;
  ForEachTimer([&first](Timer& timer) {
    if (timer.deadline == 0 || !SomebodyGets(timer.signal())) return;
    if (first == nullptr || timer.deadline < first->deadline) first = &timer;
  });
  if (first == nullptr) return {};
  ++expired;
  engine.clock.PassTo(first->deadline);
  if (first->interval == 0) {
    first->deadline = first->overrun = 0;
  } else {
    first->overrun = engine.clock.Expire(first->deadline, first->interval) - 1;
  }
  siginfo_t information = first->information;
  if (information.si_code == SI_TIMER) information.si_overrun = ToOverrun(first->overrun);
  return information;
}

int AddTimer(int signal, sigval value) {
  const auto number = static_cast<int>(created.size());
  Timer timer;
  timer.information.si_signo = signal;
  timer.information.si_code = SI_TIMER;
  timer.information.si_timerid = number;
  timer.information.si_value = value;
  const Backstage backstage;
  created.push_back(timer);
  return number;
}

int ToOverrun(uint64_t times) { return static_cast<int>(std::min<uint64_t>(times, INT_MAX)); }

uint64_t OverrunOfTimer(int number) { return created[static_cast<size_t>(number)].overrun; }

void SetTimer(int number, const TimerSetting& setting) {
  Set(created[static_cast<size_t>(number)], setting.time, setting.interval);
}

TimerSetting SettingOfTimer(int number) {
  const Timer& timer = created[static_cast<size_t>(number)];
  return {.time = Left(timer), .interval = timer.interval};
}

void StopTimers() {
  if (!created.empty()) created = {};
  if (!any_runs) return;
  any_runs = false;
  expired = 0;
  for (Timer& timer : timers) timer = {};
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::kMicrosecond;
using jacquard::sim::kSecond;
using jacquard::sim::SetAlarm;

extern "C" {

unsigned alarm(unsigned seconds) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(alarm)(seconds);
  return SetAlarm(seconds * kSecond, 0, kSecond);
}

useconds_t ualarm(useconds_t microseconds, useconds_t interval) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(ualarm)(microseconds, interval);
  constexpr useconds_t kTooMany = 1'000'000;
  if (microseconds >= kTooMany || interval >= kTooMany) {
    errno = EINVAL;
    return static_cast<useconds_t>(-1);
  }
  return SetAlarm(microseconds * kMicrosecond, interval * kMicrosecond, kMicrosecond);
}

int setitimer(__itimer_which_t which, const itimerval* value, itimerval* old) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(setitimer)(which, value, old);
  constexpr itimerval kNever = {};  // what no value means
  return jacquard::sim::Set(which, value != nullptr ? value : &kNever, old, JACQUARD_CALLER);
}

int getitimer(__itimer_which_t which, itimerval* value) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(getitimer)(which, value);
  return jacquard::sim::Set(which, nullptr, value, JACQUARD_CALLER);
}

}  // extern "C"
