#include "sim/timer_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "sim/caller.h"
#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/open_files.h"
#include "sim/proc_files.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

struct Timer {
  uint64_t deadline = Engine::kNoDeadline;  // it does not run
  uint64_t interval = 0;                    // it does so once
};

struct Descriptor {
  int number;
  size_t timer;
};

// Those of the execution.
constinit std::vector<Timer> timers;
constinit std::vector<Descriptor> descriptors;

const Descriptor* FindDescriptor(int number) {
  const auto found = std::find_if(descriptors.begin(), descriptors.end(),
                                  [number](const Descriptor& one) { return one.number == number; });
  return found == descriptors.end() ? nullptr : &*found;
}

Timer* Find(int descriptor) {
  const Descriptor* const found = FindDescriptor(descriptor);
  return found != nullptr ? &timers[found->timer] : nullptr;
}

// Of a timer whose time has come: how often it has expired. It goes on with the next time.
uint64_t Expire(Timer& timer) {
  if (timer.interval == 0) {
    timer.deadline = Engine::kNoDeadline;
    return 1;
  }
  return engine.clock.Expire(timer.deadline, timer.interval);
}

// What is left of a timer that runs is not 0.
itimerspec ValueOf(const Timer& timer) {
  if (timer.deadline == Engine::kNoDeadline) return {};
  return {.it_interval = ToTimespec(timer.interval),
          .it_value =
              ToTimespec(std::max(timer.deadline, engine.clock.now() + 1) - engine.clock.now())};
}

void Tell(const Timer& timer, itimerspec* value, uintptr_t pc) {
  CheckAccess(value, sizeof(*value), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(value, sizeof(*value));
  *value = ValueOf(timer);
}

// What has not been read yet of how often it has expired is forgotten.
void Drain(int descriptor) {
  const auto control = JACQUARD_REAL(fcntl);
  const int flags = control(descriptor, F_GETFL);
  control(descriptor, F_SETFL, flags | O_NONBLOCK);
  uint64_t times;
  [[maybe_unused]] const ssize_t size = JACQUARD_REAL(read)(descriptor, &times, sizeof(times));
  control(descriptor, F_SETFL, flags);
}

int Set(int descriptor, int flags, const itimerspec& value, itimerspec* old, uintptr_t pc) {
  CheckAccess(&value, sizeof(value), AccessKind::kRead, pc);
  Timer& timer = *Find(descriptor);
  if (!IsTime(value.it_value) || !IsTime(value.it_interval) ||
      (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) != 0) {
    errno = EINVAL;
    return -1;
  }
  if (old != nullptr) Tell(timer, old, pc);
  Drain(descriptor);
  timer = {};
  const uint64_t time = Nanoseconds(value.it_value);
  if (time == 0) return 0;
  const bool is_absolute = (flags & TFD_TIMER_ABSTIME) != 0;  // all clocks agree
  timer = {.deadline = is_absolute ? time : engine.clock.now() + time,
           .interval = Nanoseconds(value.it_interval)};
  return 0;
}

// The timer has been asked for with a clock and flags that there are.
int OpenInPlaceOf(int real_timer, int flags, const void* caller) {
  static_assert(int{TFD_NONBLOCK} == int{EFD_NONBLOCK} && int{TFD_CLOEXEC} == int{EFD_CLOEXEC});
  JACQUARD_REAL(close)(real_timer);
  const int descriptor = OpenedNewFile(JACQUARD_REAL(eventfd)(0, flags), caller);
  if (descriptor < 0) return descriptor;
  const Backstage backstage;
  timers.push_back({});
  descriptors.push_back({descriptor, timers.size() - 1});
  return descriptor;
}

// Whether it is one of the execution's timers.
bool IsOurs(int descriptor) {
  return !timers.empty() && engine.Simulates() && Find(descriptor) != nullptr;
}

}  // namespace

uint64_t DeadlineOfTimerFile(int descriptor) {
  if (timers.empty()) return Engine::kNoDeadline;
  if (const Timer* const timer = Find(descriptor))
    return timer->deadline < Engine::kEndOfTime ? timer->deadline : Engine::kNoDeadline;
  uint64_t first = Engine::kNoDeadline;
  if (OpenFileName(descriptor).IsEpoll()) {
    ForEachWatched(descriptor, [&first](const Watched& watched) {
      first = std::min(first, DeadlineOfTimerFile(watched.descriptor));
    });
  }
  return first;
}

bool HasTimerFiles() { return !descriptors.empty(); }

void ExpireTimerFiles() {
  for (size_t i = 0; i < timers.size(); ++i) {
    if (timers[i].deadline > engine.clock.now()) continue;
    const uint64_t times = Expire(timers[i]);
    const auto open = std::find_if(descriptors.begin(), descriptors.end(),
                                   [i](const Descriptor& one) { return one.timer == i; });
    if (open == descriptors.end()) continue;
    [[maybe_unused]] const ssize_t size = JACQUARD_REAL(write)(open->number, &times, sizeof(times));
  }
}

void CopyTimerFile(int from, int to) {
  const Descriptor* const original = FindDescriptor(from);
  if (to < 0 || original == nullptr) return;
  const Backstage backstage;
  descriptors.push_back({to, original->timer});
}

void ForgetTimerFile(int descriptor) {
  std::erase_if(descriptors,
                [descriptor](const Descriptor& one) { return one.number == descriptor; });
}

void ForgetTimerFiles() {
  timers = {};
  descriptors = {};
}

}  // namespace jacquard::sim

using jacquard::sim::DescriptorCall;
using jacquard::sim::IsOurs;

extern "C" {

int timerfd_create(clockid_t clock, int flags) noexcept {
  const void* const caller = JACQUARD_RETURN_ADDRESS;
  const int descriptor = JACQUARD_REAL(timerfd_create)(clock, flags);
  if (descriptor < 0 || !jacquard::sim::IsByProgram(caller))
    return jacquard::sim::OpenedFile(descriptor, caller);
  return jacquard::sim::OpenInPlaceOf(descriptor, flags, caller);
}

int timerfd_settime(int descriptor, int flags, const itimerspec* value, itimerspec* old) noexcept {
  const auto real = JACQUARD_REAL(timerfd_settime);
  if (!IsOurs(descriptor)) return real(descriptor, flags, value, old);
  const DescriptorCall call(descriptor, DescriptorCall::Effect::kGives, JACQUARD_CALLER,
                            DescriptorCall::Cancellation::kIsNoPoint);
  // It may have been closed in the meantime.
  if (!IsOurs(descriptor) || value == nullptr) return real(descriptor, flags, value, old);
  return jacquard::sim::Set(descriptor, flags, *value, old, JACQUARD_CALLER);
}

int timerfd_gettime(int descriptor, itimerspec* value) noexcept {
  const auto real = JACQUARD_REAL(timerfd_gettime);
  if (!IsOurs(descriptor)) return real(descriptor, value);
  const DescriptorCall call(descriptor, DescriptorCall::Effect::kTakes, JACQUARD_CALLER,
                            DescriptorCall::Cancellation::kIsNoPoint);
  if (!IsOurs(descriptor) || value == nullptr) return real(descriptor, value);
  jacquard::sim::Tell(*jacquard::sim::Find(descriptor), value, JACQUARD_CALLER);
  return 0;
}

}  // extern "C"
