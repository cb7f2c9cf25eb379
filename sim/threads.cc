// Threads of the C library, as simulated threads.
//
// Of the attributes the detach state and the signals count: every simulated thread has the same
// stack.
#include "sim/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>

#include "sim/cancellation.h"
#include "sim/constructors.h"
#include "sim/lock_order.h"
#include "sim/processors.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/unsupported.h"
#include "sim/worker_pools.h"

namespace jacquard::sim {
namespace {

constexpr const char* kJoinOfDetached = "join of a detached thread";

// Null: there is no such thread.
SimThread* Joinable(pthread_t handle, const char* rule, uintptr_t pc) {
  SimThread* const thread = engine.FindThread(handle);
  if (thread != nullptr && thread->detached)
    Misuse(rule, thread->joined ? "it was joined before" : "it was detached before", pc);
  return thread;
}

// The thread has ended.
int FinishJoin(SimThread& thread, void** result, uintptr_t pc) {
  thread.detached = thread.joined = true;
  engine.TellJoin(thread.id);
  lock_order.Joined(engine.current->id, thread);
  engine.current->spin.Reset();
  if (result != nullptr) {
    CheckAccess(result, sizeof(*result), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(result, sizeof(*result));
    *result = thread.result;
  }
  Finish(StepKind::kThreadJoin, nullptr, 0, thread.id, pc);
  return 0;
}

int TryJoin(pthread_t handle, void** result, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kThreadJoin, nullptr, pc);
  SimThread* const thread = Joinable(handle, kJoinOfDetached, pc);
  if (thread == nullptr) return ESRCH;
  engine.current->spin.Reset();
  if (engine.HasEnded(*thread)) return FinishJoin(*thread, result, pc);
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
  return EBUSY;
}

// Real threads that the program has started and not joined.
std::atomic<int> real_threads = 0;

// Whether the program calls from there: it, or the C++ library on its behalf (std::thread).
bool IsProgram(uintptr_t pc) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(pc), &info) == 0) return false;
  Dl_info mine;
  dladdr(reinterpret_cast<void*>(&IsProgram), &mine);
  return info.dli_fbase == mine.dli_fbase ||
         std::string_view(info.dli_fname).find("libstdc++") != std::string_view::npos;
}

// 0: nobody has said how large a stack is to be; then that is the process's limit.
size_t StackWantedBy(const pthread_attr_t& attributes) {
  const auto size_in = [](const pthread_attr_t& of) {
    size_t size = 0;
    pthread_attr_getstacksize(&of, &size);
    return size;
  };
  pthread_attr_t untouched;
  pthread_attr_init(&untouched);
  const size_t size = size_in(attributes);
  const size_t usual = size_in(untouched);
  pthread_attr_destroy(&untouched);
  return size != usual ? size : 0;
}

// Whether they say on which processors a thread may run. Those that do not name all there can be.
bool SaysWhere(const pthread_attr_t& attributes, cpu_set_t& set) {
  return pthread_attr_getaffinity_np(&attributes, sizeof(set), &set) == 0 &&
         CPU_COUNT(&set) != CPU_SETSIZE;
}

SimThread& MakeThread(void* (*start)(void*), void* argument, uintptr_t pc) {
  SimThread* const thread = engine.CreateThread(start, argument, pc);
  if (thread != nullptr) return *thread;
  static_assert(kMaxThreads == 256);
  engine.Fail(VerdictKind::kUnsupported, "too many threads", "more than 256 threads at once",
              {.pc = pc});
}

}  // namespace

SimThread& CreateDetachedThread(void* (*start)(void*), void* argument, uintptr_t pc) {
  SimThread& thread = MakeThread(start, argument, pc);
  thread.detached = true;
  Finish(StepKind::kThreadCreate, nullptr, 0, static_cast<uint64_t>(thread.id), pc);
  return thread;
}

int CreateThread(pthread_t* handle, const pthread_attr_t* attributes, void* (*start)(void*),
                 void* argument, uintptr_t pc) {
  RefuseThreadOfWorkerPool(pc);
  const cpu_set_t* processors = nullptr;
  cpu_set_t wanted;
  if (attributes != nullptr && SaysWhere(*attributes, wanted)) {
    processors = ProcessorsAmong(wanted);
    if (processors == nullptr) return EINVAL;
  }
  SimThread* const thread = &MakeThread(start, argument, pc);
  int detach_state = PTHREAD_CREATE_JOINABLE;
  if (attributes != nullptr) {
    pthread_attr_getdetachstate(attributes, &detach_state);
    thread->stack_wanted = StackWantedBy(*attributes);
  }
  thread->detached = detach_state == PTHREAD_CREATE_DETACHED;
  if (processors != nullptr) thread->processors = processors;
  sigset_t mask;
  if (attributes != nullptr && pthread_attr_getsigmask_np(attributes, &mask) == 0) {
    engine.UseSignalMasks();
    std::memcpy(&thread->signal_mask, &mask, sizeof(thread->signal_mask));
  }
  CheckAccess(handle, sizeof(*handle), AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(handle, sizeof(*handle));
  *handle = thread->storage.pthread;
  Finish(StepKind::kThreadCreate, nullptr, 0, thread->id, pc);
  return 0;
}

int JoinThread(pthread_t handle, void** result, uint64_t deadline, uintptr_t pc) {
  SimThread* const thread = Joinable(handle, kJoinOfDetached, pc);
  if (thread == nullptr) return ESRCH;
  if (thread == engine.current) return EDEADLK;
  for (int i = 0; i < engine.thread_count(); ++i) {
    const SimThread& other = engine.thread(i);
    if (other.wait != WaitReason::kJoin || other.wait_thread != thread->id) continue;
    Misuse("two threads join the same one", "thread " + std::to_string(i) + " does so, too", pc);
  }
  while (!engine.HasEnded(*thread)) {
    if (deadline == Engine::kNoDeadline)
      engine.CheckCycle(WaitReason::kJoin, nullptr, thread->id, pc);
    engine.current->wait_thread = thread->id;
    engine.Block(WaitReason::kJoin, nullptr, pc, deadline);
    LeaveIfCancelled(*engine.current, pc);
    if (engine.current->timed_out) {
      Finish(StepKind::kOther, nullptr, 0, 0, pc);
      return ETIMEDOUT;
    }
  }
  return FinishJoin(*thread, result, pc);
}

void Engine::ResetLocaleOf(SimThread& thread) {
  thread.has_locale = false;
  WriteFsBase(thread.storage.fs_base);
  JACQUARD_REAL(uselocale)(thread.old_locale);
  WriteFsBase(fs_base_);
}

int DetachThread(pthread_t handle, uintptr_t pc) {
  SimThread* const thread = Joinable(handle, "detach of a detached thread", pc);
  if (thread == nullptr) return ESRCH;
  thread->detached = true;
  return 0;
}

}  // namespace jacquard::sim

int jacquard::RealThreadsOfProgram() { return sim::real_threads; }

using jacquard::sim::engine;
using jacquard::sim::Engine;
using jacquard::sim::IsValid;
using jacquard::sim::JoinThread;
using jacquard::sim::Nanoseconds;

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  if (!engine.Simulates()) {
    if (engine.OnStage() && engine.InExecution() && jacquard::sim::IsProgram(JACQUARD_CALLER)) {
      engine.Fail(
          jacquard::VerdictKind::kUnsupported, "thread of the harness",
          "pthread_create() is called by what is prepared or cleared away for the threads, as in "
          "a scenario's constructor or destructor; operations may start threads",
          {.pc = JACQUARD_CALLER});
    }
    const bool is_program = jacquard::sim::IsProgram(JACQUARD_CALLER);
    if (is_program) jacquard::sim::BeforeThreadOfConstructor();
    const int error = jacquard::sim::real::pthread_create(handle, attributes, start, argument);
    if (error == 0 && is_program) ++jacquard::sim::real_threads;
    return error;
  }
  return jacquard::sim::CreateThread(handle, attributes, start, argument, JACQUARD_CALLER);
}

int pthread_join(pthread_t handle, void** result) {
  if (!engine.Simulates()) {
    const int error = JACQUARD_REAL(pthread_join)(handle, result);
    if (error == 0 && jacquard::sim::IsProgram(JACQUARD_CALLER)) --jacquard::sim::real_threads;
    return error;
  }
  return JoinThread(handle, result, Engine::kNoDeadline, JACQUARD_CALLER);
}

int pthread_tryjoin_np(pthread_t handle, void** result) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_tryjoin_np)(handle, result);
  return jacquard::sim::TryJoin(handle, result, JACQUARD_CALLER);
}

int pthread_timedjoin_np(pthread_t handle, void** result, const timespec* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_timedjoin_np)(handle, result, time);
  if (time == nullptr) return JoinThread(handle, result, Engine::kNoDeadline, JACQUARD_CALLER);
  if (!IsValid(*time)) return EINVAL;
  return JoinThread(handle, result, Nanoseconds(*time), JACQUARD_CALLER);
}

int pthread_clockjoin_np(pthread_t handle, void** result, clockid_t clock, const timespec* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_clockjoin_np)(handle, result, clock, time);
  if (time == nullptr) return JoinThread(handle, result, Engine::kNoDeadline, JACQUARD_CALLER);
  if (!IsValid(*time) || !jacquard::sim::IsWaitClock(clock)) return EINVAL;
  return JoinThread(handle, result, Nanoseconds(*time), JACQUARD_CALLER);
}

int pthread_detach(pthread_t handle) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_detach)(handle);
  return jacquard::sim::DetachThread(handle, JACQUARD_CALLER);
}

// The stack that the thread has in the simulation.
int pthread_getattr_np(pthread_t handle, pthread_attr_t* attributes) noexcept {
  const jacquard::sim::SimThread* const thread =
      engine.Simulates() ? engine.FindThread(handle) : nullptr;
  if (thread == nullptr) return JACQUARD_REAL(pthread_getattr_np)(handle, attributes);
  jacquard::sim::BeforeInit(attributes, JACQUARD_CALLER);
  pthread_attr_init(attributes);
  pthread_attr_setdetachstate(attributes,
                              thread->detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
  return pthread_attr_setstack(attributes, reinterpret_cast<void*>(thread->stack_bottom),
                               jacquard::sim::kStackSize);
}

pid_t gettid() noexcept {
  if (!engine.Simulates()) return static_cast<pid_t>(jacquard::sim::RawSyscall(SYS_gettid));
  return engine.CurrentTid();
}

// It is each thread's own, and the C library keeps it in the storage, which threads take over from
// each other.
locale_t uselocale(locale_t locale) noexcept {
  const locale_t old = JACQUARD_REAL(uselocale)(locale);
  if (locale == nullptr || !engine.OnExecutingThread()) return old;
  jacquard::sim::SimThread& me = *engine.current;
  if (!me.has_locale) me.old_locale = old;
  me.has_locale = true;
  return old;
}

}  // extern "C"
