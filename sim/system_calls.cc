// System calls by syscall(): those that the simulation knows are its own, and the rest the
// kernel's.
#include "sim/system_calls.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>

#include "sim/engine.h"
#include "sim/files.h"
#include "sim/open_files.h"
#include "sim/processors.h"
#include "sim/real.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

constexpr long kRegistrations =
    MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;

// The commands of membarrier(2) by which the program has said that it will use it, and those that
// were given outside of the executions, which all of them begin with.
long registrations = 0;
long lasting_registrations = 0;

// Whether the program has said before that it is going to use this command. One that needs no
// saying it always may.
bool IsRegistered(long command) {
  switch (command) {
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
      return (registrations & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0;
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
      return (registrations & MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) != 0;
    default:
      return true;
  }
}

// A full fence of every thread, wherever it is. Not of C++'s memory model, but of membarrier(2).
long Membarrier(long command, uintptr_t pc) {
  constexpr long kKnown = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                          MEMBARRIER_CMD_PRIVATE_EXPEDITED | kRegistrations;
  engine.BeginEpochsAtSteps();
  if (command == MEMBARRIER_CMD_QUERY) return kKnown;
  if ((command & kKnown) == 0) Unsupported("a membarrier of another kind");
  if ((command & kRegistrations) != 0) {
    registrations |= command;
    return 0;
  }
  if (!IsRegistered(command)) {
    // The other command reaches the threads of those who have registered.
    return command == MEMBARRIER_CMD_PRIVATE_EXPEDITED ? ResultOf(EPERM) : 0;
  }
  engine.DecisionPoint(StepKind::kFence, nullptr, pc);
  engine.FenceAll();
  engine.FinishStep(StepKind::kFence, MemoryOrder::kSeqCst, 0, nullptr, 0, 0, pc);
  return 0;
}

// A call that may have made descriptors, by who called it.
void NoteDescriptors(long number, const long (&a)[6], int64_t result, const void* caller) {
  switch (number) {
    case SYS_eventfd:
    case SYS_eventfd2:
      OpenedNewFile(static_cast<int>(result), caller);
      break;
    case SYS_epoll_create:
    case SYS_epoll_create1:
    case SYS_timerfd_create:
    case SYS_memfd_create:
      OpenedFile(static_cast<int>(result), caller);
      break;
    case SYS_pipe:
    case SYS_pipe2:
      OpenedPair(reinterpret_cast<const int*>(a[0]), static_cast<int>(result), caller);
      break;
    case SYS_socketpair:
      OpenedPair(reinterpret_cast<const int*>(a[3]), static_cast<int>(result), caller);
      break;
    default:
      break;
  }
}

// What the C library has functions for that the runtime stands for: as they do it. False: it is
// none of those.
bool CallFunction(long number, const long (&a)[6], uintptr_t pc, long& result) {
  switch (number) {
    case SYS_clock_gettime:
      result = clock_gettime(static_cast<clockid_t>(a[0]), reinterpret_cast<timespec*>(a[1]));
      return true;
    case SYS_gettimeofday:
      result = gettimeofday(reinterpret_cast<timeval*>(a[0]), reinterpret_cast<void*>(a[1]));
      return true;
    case SYS_clock_settime:
      result = clock_settime(static_cast<clockid_t>(a[0]), reinterpret_cast<const timespec*>(a[1]));
      return true;
    case SYS_settimeofday:
      result = settimeofday(reinterpret_cast<const timeval*>(a[0]),
                            reinterpret_cast<const struct timezone*>(a[1]));
      return true;
    case SYS_adjtimex:
      result = adjtimex(reinterpret_cast<timex*>(a[0]));
      return true;
    case SYS_clock_adjtime:
      result = clock_adjtime(static_cast<clockid_t>(a[0]), reinterpret_cast<timex*>(a[1]));
      return true;
    case SYS_times:
      result = times(reinterpret_cast<tms*>(a[0]));
      return true;
    case SYS_getrusage:
      result = getrusage(static_cast<__rusage_who_t>(a[0]), reinterpret_cast<rusage*>(a[1]));
      return true;
    case SYS_nanosleep:
      result =
          nanosleep(reinterpret_cast<const timespec*>(a[0]), reinterpret_cast<timespec*>(a[1]));
      return true;
    case SYS_clock_nanosleep:
      result = ResultOf(clock_nanosleep(static_cast<clockid_t>(a[0]), static_cast<int>(a[1]),
                                        reinterpret_cast<const timespec*>(a[2]),
                                        reinterpret_cast<timespec*>(a[3])));
      return true;
    case SYS_close:
      result = CloseFile(static_cast<int>(a[0]), reinterpret_cast<const void*>(pc));
      return true;
    case SYS_sched_yield:
      result = sched_yield();
      return true;
    case SYS_sched_getaffinity:
      result = GetAffinity(static_cast<pid_t>(a[0]), static_cast<size_t>(a[1]),
                           reinterpret_cast<cpu_set_t*>(a[2]), pc);
      if (result < 0) result = ResultOf(static_cast<int>(-result));
      return true;
    case SYS_sched_setaffinity:
      result = ResultOf(
          static_cast<int>(-SetAffinity(static_cast<pid_t>(a[0]), static_cast<size_t>(a[1]),
                                        reinterpret_cast<const cpu_set_t*>(a[2]), pc)));
      return true;
    case SYS_tgkill: {
      const SimThread* const thread = engine.FindThreadOfTid(static_cast<int>(a[1]));
      if (thread == nullptr || a[0] != getpid()) return false;
      result = ResultOf(pthread_kill(thread->storage.pthread, static_cast<int>(a[2])));
      return true;
    }
    case SYS_getrandom:
      result = getrandom(reinterpret_cast<void*>(a[0]), static_cast<size_t>(a[1]),
                         static_cast<unsigned>(a[2]));
      return true;
    default:
      return false;
  }
}

// Where the first argument is a thread that is scheduled so or so.
void NameRealThread(long number, long (&a)[6]) {
  switch (number) {
    case SYS_sched_getattr:
    case SYS_sched_setattr:
    case SYS_sched_getparam:
    case SYS_sched_setparam:
    case SYS_sched_getscheduler:
    case SYS_sched_setscheduler:
      a[0] = RealThreadOf(static_cast<pid_t>(a[0]));
      break;
    default:
      break;
  }
}

}  // namespace

void BeginMembarriers() {
  registrations = lasting_registrations;
  if (registrations != 0) engine.BeginEpochsAtSteps();
}
}  // namespace jacquard::sim

extern "C" long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  using jacquard::sim::engine;
  const auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  if (engine.Simulates()) {
    if (number == SYS_futex) {
      return jacquard::sim::Futex(a, pc);
    }
    if (number == SYS_membarrier) {
      return jacquard::sim::Membarrier(a[0], pc);
    }
    if (number == SYS_gettid) return engine.CurrentTid();
    if (number == SYS_getcpu) {
      return jacquard::sim::GetProcessor(reinterpret_cast<unsigned*>(a[0]),
                                         reinterpret_cast<unsigned*>(a[1]), pc);
    }
    if (long result = 0; jacquard::sim::CallFunction(number, a, pc, result)) return result;
    engine.current->spin.Reset();
    jacquard::sim::NameRealThread(number, a);
  }
  const int64_t result = jacquard::sim::RawSyscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result >= 0 && engine.Simulates())
    jacquard::sim::NoteDescriptors(number, a, result, reinterpret_cast<const void*>(pc));
  if (number == SYS_membarrier && result == 0)
    jacquard::sim::lasting_registrations |= a[0] & jacquard::sim::kRegistrations;
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}
