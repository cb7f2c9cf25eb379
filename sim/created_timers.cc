// timer_create: timers of the program's own. One that sends a signal expires as alarm() does
// (timers.h). For one that calls a function there is a thread, from when it is set, that sleeps
// until then and calls it; one that is due again begins the next one first. The C library does it
// in the same way, but that only one thread sleeps for all of them.
#include <errno.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/queued_signals.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/threads.h"
#include "sim/timers.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

struct CreatedTimer {
  bool exists = true;
  int sends = -1;  // the number of the timer that sends its signal; -1: it calls a function
  void (*function)(sigval) = nullptr;
  sigval value = {};
  uint64_t deadline = 0;  // 0: it does not run
  uint64_t interval = 0;
  SimThread* sleeper = nullptr;
  uintptr_t set_at = 0;  // the call
};

// Those of the execution. Real ones have other numbers.
constinit std::vector<CreatedTimer> created;
constexpr uintptr_t kFirstHandle = 0x4A00'0000;

// Null: it is none of them, or no more.
CreatedTimer* Find(timer_t handle) {
  const uintptr_t index = reinterpret_cast<uintptr_t>(handle) - kFirstHandle;
  return index < created.size() && created[index].exists ? &created[index] : nullptr;
}

void* RunTimer(void* number);

void BeginSleep(size_t index) {
  CreatedTimer& timer = created[index];
  timer.sleeper = &CreateDetachedThread(RunTimer, reinterpret_cast<void*>(index), timer.set_at);
}

// What its thread does.
void* RunTimer(void* number) {
  const auto index = reinterpret_cast<size_t>(number);
  const uintptr_t pc = created[index].set_at;
  engine.DecisionPoint(StepKind::kSleep, nullptr, pc);
  do {
    engine.Block(WaitReason::kSleep, nullptr, pc, created[index].deadline);
  } while (!engine.current->timed_out && created[index].deadline > engine.clock.now());
  Finish(StepKind::kSleep, nullptr, 0, 0, pc);
  CreatedTimer& timer = created[index];
  const auto function = timer.function;
  const sigval value = timer.value;
  timer.sleeper = nullptr;
  if (timer.interval == 0) {
    timer.deadline = 0;
  } else {
    // Those that it is too late for are overrun.
    const uint64_t late = engine.clock.now() - std::min(timer.deadline, engine.clock.now());
    timer.deadline += (1 + late / timer.interval) * timer.interval;
    BeginSleep(index);
  }
  function(value);
  return nullptr;
}

TimerSetting SettingOf(const CreatedTimer& timer) {
  if (timer.sends >= 0) return SettingOfTimer(timer.sends);
  if (timer.deadline == 0) return {};
  const uint64_t now = engine.clock.now();
  return {.time = std::max(timer.deadline, now + 1) - now, .interval = timer.interval};
}

void Stop(CreatedTimer& timer) {
  if (timer.sends >= 0) return SetTimer(timer.sends, {});
  if (timer.sleeper != nullptr) engine.Dismiss(*timer.sleeper);
  timer.sleeper = nullptr;
  timer.deadline = 0;
}

void Start(CreatedTimer& timer, const TimerSetting& setting, uintptr_t pc) {
  if (timer.sends >= 0) return SetTimer(timer.sends, setting);
  timer.deadline = std::min(engine.clock.now() + setting.time, Engine::kEndOfTime);
  timer.interval = setting.interval;
  timer.set_at = pc;
  BeginSleep(static_cast<size_t>(&timer - created.data()));
}

bool IsTime(const timespec& time) { return time.tv_sec >= 0 && IsValid(time); }

void Tell(const CreatedTimer& timer, itimerspec* value, uintptr_t pc) {
  CheckAccess(value, sizeof(*value), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(value, sizeof(*value));
  const TimerSetting setting = SettingOf(timer);
  *value = {.it_interval = ToTimespec(setting.interval), .it_value = ToTimespec(setting.time)};
}

int Invalid() {
  errno = EINVAL;
  return -1;
}

// A step, as all that has to do with a timer's thread.
void BeginCall(uintptr_t pc) { engine.DecisionPoint(StepKind::kOther, nullptr, pc); }
void EndCall(uintptr_t pc) { Finish(StepKind::kOther, nullptr, 0, 0, pc); }

int Create(sigevent* event, timer_t* handle, uintptr_t pc) {
  constexpr size_t kMost = 1000;
  BeginCall(pc);
  if (created.size() == kMost) Unsupported("more than a thousand calls of timer_create");
  sigevent usual = {};
  usual.sigev_notify = SIGEV_SIGNAL;
  usual.sigev_signo = SIGALRM;
  usual.sigev_value.sival_int = static_cast<int>(created.size());
  if (event != nullptr) CheckAccess(event, sizeof(*event), AccessKind::kRead, pc);
  const sigevent& asked = event != nullptr ? *event : usual;
  CreatedTimer timer;
  switch (asked.sigev_notify) {
    case SIGEV_THREAD:
      timer.function = asked.sigev_notify_function;
      timer.value = asked.sigev_value;
      break;
    case SIGEV_SIGNAL:
      if (asked.sigev_signo <= 0 || asked.sigev_signo >= NSIG) return Invalid();
      timer.sends = AddTimer(InformationOf(asked.sigev_signo, SI_TIMER, asked.sigev_value));
      break;
    case SIGEV_NONE:
      timer.sends = AddTimer({});
      break;
    default:
      Unsupported("timer_create for one thread");
  }
  CheckAccess(handle, sizeof(*handle), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(handle, sizeof(*handle));
  *handle = reinterpret_cast<timer_t>(kFirstHandle + created.size());
  {
    const Backstage backstage;
    created.push_back(timer);
  }
  EndCall(pc);
  return 0;
}

int SetTime(timer_t handle, int flags, const itimerspec& value, itimerspec* old, uintptr_t pc) {
  CheckAccess(&value, sizeof(value), AccessKind::kRead, pc);
  if (!IsTime(value.it_value) || !IsTime(value.it_interval)) return Invalid();
  BeginCall(pc);
  CreatedTimer* const timer = Find(handle);
  if (timer == nullptr) return Invalid();
  if (old != nullptr) Tell(*timer, old, pc);
  Stop(*timer);
  TimerSetting setting = {.time = Nanoseconds(value.it_value),
                          .interval = Nanoseconds(value.it_interval)};
  if (setting.time != 0) {
    const uint64_t now = engine.clock.now();
    // All clocks agree. What lies behind comes at once.
    if ((flags & TIMER_ABSTIME) != 0) setting.time = std::max(setting.time, now + 1) - now;
    Start(*timer, setting, pc);
  }
  EndCall(pc);
  return 0;
}

}  // namespace

void ForgetCreatedTimers() {
  if (!created.empty()) created = {};
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Find;

extern "C" {

int timer_create(clockid_t clock, sigevent* event, timer_t* handle) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(timer_create)(clock, event, handle);
  timespec resolution;
  if (JACQUARD_REAL(clock_getres)(clock, &resolution) != 0) return -1;
  return jacquard::sim::Create(event, handle, JACQUARD_CALLER);
}

int timer_settime(timer_t handle, int flags, const itimerspec* value, itimerspec* old) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr)
    return JACQUARD_REAL(timer_settime)(handle, flags, value, old);
  return jacquard::sim::SetTime(handle, flags, *value, old, JACQUARD_CALLER);
}

int timer_gettime(timer_t handle, itimerspec* value) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr)
    return JACQUARD_REAL(timer_gettime)(handle, value);
  jacquard::sim::Tell(*Find(handle), value, JACQUARD_CALLER);
  return 0;
}

int timer_getoverrun(timer_t handle) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr)
    return JACQUARD_REAL(timer_getoverrun)(handle);
  return 0;
}

int timer_delete(timer_t handle) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr) return JACQUARD_REAL(timer_delete)(handle);
  jacquard::sim::BeginCall(JACQUARD_CALLER);
  jacquard::sim::CreatedTimer* const timer = Find(handle);
  if (timer == nullptr) return jacquard::sim::Invalid();
  jacquard::sim::Stop(*timer);
  timer->exists = false;
  jacquard::sim::EndCall(JACQUARD_CALLER);
  return 0;
}

}  // extern "C"
