// timer_create: timers of the program's own. One that sends a signal expires as alarm() does
// (timers.h). One that calls a function has a thread, from when it is set, that sleeps until then
// and calls it. If the timer is to expire again, another thread begins to sleep before that. The C
// library does it in the same way, but that only one thread sleeps for all of them. None of these
// threads handles signals.
#include <errno.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/notes.h"
#include "sim/real.h"
#include "sim/signals.h"
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
  uint64_t overrun = 0;  // of the last time
  SimThread* sleeper = nullptr;
  int calls = 0;                   // of the function, that have not returned
  bool sleeps_after_call = false;  // there are too many of these
  uintptr_t set_at = 0;            // the call
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
  SimThread& thread = CreateDetachedThread(RunTimer, reinterpret_cast<void*>(index), timer.set_at);
  engine.UseSignalMasks();
  thread.signal_mask = ~kFaults;
  timer.sleeper = &thread;
}

// While one of these lives, the timer's function has not returned.
class Call {
 public:
  explicit Call(size_t index) : index_(index) { ++created[index_].calls; }
  // Also if the function ends its thread.
  ~Call() {
    CreatedTimer& timer = created[index_];
    --timer.calls;
    if (std::exchange(timer.sleeps_after_call, false)) BeginSleep(index_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  const size_t index_;
};

// What its thread does.
void* RunTimer(void* number) {
  constexpr int kMostCalls = 2;  // at once; threads are few
  const auto index = reinterpret_cast<size_t>(number);
  const uintptr_t pc = created[index].set_at;
  engine.DecisionPoint(StepKind::kSleep, nullptr, pc);
  engine.Block(WaitReason::kSleep, nullptr, pc, created[index].deadline);
  CreatedTimer& timer = created[index];
  timer.sleeper = nullptr;
  const auto function = timer.function;
  const sigval value = timer.value;
  if (timer.interval == 0) {
    timer.deadline = timer.overrun = 0;
  } else {
    timer.overrun = engine.clock.Expire(timer.deadline, timer.interval) - 1;
    timer.sleeps_after_call = timer.calls + 1 >= kMostCalls;
  }
  const bool sleeps_on = timer.interval != 0 && !timer.sleeps_after_call;
  Finish(StepKind::kSleep, nullptr, 0, 0, pc);
  const Call call(index);
  if (sleeps_on) BeginSleep(index);
  function(value);
  return nullptr;
}

TimerSetting SettingOf(const CreatedTimer& timer) {
  if (timer.sends >= 0) return SettingOfTimer(timer.sends);
  if (timer.deadline == 0) return {};
  const uint64_t now = engine.clock.now();
  return {.time = std::max(timer.deadline, now + 1) - now, .interval = timer.interval};
}

uint64_t OverrunOf(const CreatedTimer& timer) {
  return timer.sends >= 0 ? OverrunOfTimer(timer.sends) : timer.overrun;
}

void Stop(CreatedTimer& timer) {
  if (timer.sends >= 0) return SetTimer(timer.sends, {});
  if (timer.sleeper != nullptr) engine.Dismiss(*timer.sleeper);
  timer.sleeper = nullptr;
  timer.sleeps_after_call = false;
  timer.deadline = 0;
}

void Start(CreatedTimer& timer, const TimerSetting& setting, uintptr_t pc) {
  if (timer.sends >= 0) return SetTimer(timer.sends, setting);
  timer.deadline = std::min(engine.clock.now() + setting.time, Engine::kEndOfTime);
  timer.interval = setting.interval;
  timer.set_at = pc;
  BeginSleep(static_cast<size_t>(&timer - created.data()));
}

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

// A step, as all that has to do with a timer's thread. `does`: "sets a timer".
void BeginCall(uintptr_t pc) { engine.DecisionPoint(StepKind::kOther, nullptr, pc); }
void EndCall(const char* does, uintptr_t pc) {
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
  NoteInTrace([does] { return does; });
}

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
      if (!IsSignalNumber(asked.sigev_signo)) return Invalid();
      timer.sends = AddTimer(asked.sigev_signo, asked.sigev_value);
      break;
    case SIGEV_NONE:
      timer.sends = AddTimer(0, {});
      break;
    case SIGEV_THREAD_ID:
      Unsupported("timer_create for one thread");
    default:
      return Invalid();
  }
  CheckAccess(handle, sizeof(*handle), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(handle, sizeof(*handle));
  *handle = reinterpret_cast<timer_t>(kFirstHandle + created.size());
  {
    const Backstage backstage;
    created.push_back(timer);
  }
  EndCall("creates a timer", pc);
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
  EndCall(setting.time != 0 ? "sets a timer" : "stops a timer", pc);
  return 0;
}

}  // namespace

void LetTimersExpireOnce() {
  for (CreatedTimer& timer : created) {
    timer.interval = 0;
    timer.sleeps_after_call = false;
  }
}

void ForgetCreatedTimers() {
  if (!created.empty()) created = {};
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Find;

extern "C" {

int timer_create(clockid_t clock, sigevent* event, timer_t* handle) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(timer_create)(clock, event, handle);
  if (const int error = jacquard::sim::ErrorOfTimerClock(clock); error != 0) {
    errno = error;
    return -1;
  }
  return jacquard::sim::Create(event, handle, JACQUARD_CALLER);
}

int timer_settime(timer_t handle, int flags, const itimerspec* value, itimerspec* old) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr || value == nullptr)
    return JACQUARD_REAL(timer_settime)(handle, flags, value, old);
  return jacquard::sim::SetTime(handle, flags, *value, old, JACQUARD_CALLER);
}

int timer_gettime(timer_t handle, itimerspec* value) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr)
    return JACQUARD_REAL(timer_gettime)(handle, value);
  jacquard::sim::BeginCall(JACQUARD_CALLER);
  engine.current->spin.Reset();
  engine.ReadClock();  // or who asks again and again would never see it end
  jacquard::sim::CreatedTimer* const timer = Find(handle);
  if (timer == nullptr) return jacquard::sim::Invalid();
  jacquard::sim::Tell(*timer, value, JACQUARD_CALLER);
  jacquard::sim::EndCall("asks what is left of a timer", JACQUARD_CALLER);
  return 0;
}

int timer_getoverrun(timer_t handle) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr)
    return JACQUARD_REAL(timer_getoverrun)(handle);
  return jacquard::sim::ToOverrun(jacquard::sim::OverrunOf(*Find(handle)));
}

int timer_delete(timer_t handle) noexcept {
  if (!engine.Simulates() || Find(handle) == nullptr) return JACQUARD_REAL(timer_delete)(handle);
  jacquard::sim::BeginCall(JACQUARD_CALLER);
  jacquard::sim::CreatedTimer* const timer = Find(handle);
  if (timer == nullptr) return jacquard::sim::Invalid();
  jacquard::sim::Stop(*timer);
  timer->exists = false;
  jacquard::sim::EndCall("deletes a timer", JACQUARD_CALLER);
  return 0;
}

}  // extern "C"
