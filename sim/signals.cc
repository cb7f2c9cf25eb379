// Signals are the program's own affair, as real ones of the one real thread. Three things are the
// runtime's.
//
// What a thread blocks is its own: once an execution has changed a mask, or has raised a signal,
// whose handler blocks it, a switch also changes the mask, and takes along what waits for the
// thread that blocks it. So is the stack for handlers. After the execution masks, handlers and
// their stack are as before.
//
// Who gets a signal that is sent to the process or to a thread is decided here; sigwait waits. One
// that would end the process ends the execution.
//
// A first access to thread-local storage is a segmentation fault (thread_storage.h). A program that
// handles or blocks these has its storage all the time.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// Set before the runtime is there, by constructors of global objects, or while it is.
bool faults_may_be_blocked = false;

void NoteFaultsAreTheProgramsOwn() {
  if (FaultsAreCaught()) engine.GiveStorageToAll();
}

void NoteFaultsMayBeBlocked() {
  faults_may_be_blocked = true;
  if (FaultsAreCaught()) engine.GiveStorageToAll();
}

void NoteHandler(int signal) {
  if (signal == SIGSEGV) NoteFaultsAreTheProgramsOwn();
}

// `set` is blocked, perhaps only while a handler runs.
void NoteBlocked(const sigset_t& set) {
  if (sigismember(&set, SIGSEGV) != 0) NoteFaultsMayBeBlocked();
}

void NoteBlocked(int how, const sigset_t* set) {
  if (set != nullptr && how != SIG_UNBLOCK) NoteBlocked(*set);
}

// A mask of the old functions: a bit for each signal, from 1 on.
void NoteBlocked(int mask) {
  if ((mask >> (SIGSEGV - 1) & 1) != 0) NoteFaultsMayBeBlocked();
}

// The actions that the execution has changed, as they were.
struct sigaction old_actions[NSIG];
bool is_changed[NSIG];
bool any_changed = false;

// The real thread blocks `to` from now on; returns what it has blocked.
uint64_t SetRealMask(uint64_t to) {
  uint64_t from = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<uint64_t>(&to),
             reinterpret_cast<uint64_t>(&from), sizeof(to));
  return from;
}

uint64_t RealMask() {
  uint64_t mask = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, reinterpret_cast<uint64_t>(&mask), sizeof(mask));
  return mask;
}

// The stack for handlers, if a thread has changed its own.
stack_t old_stack;  // the runtime's, which those have who have none
bool is_stack_changed = false;
// What the real thread blocked before the execution changed a mask or an action: a handler that
// never returns leaves its signal blocked.
uint64_t old_mask = 0;
bool has_old_mask = false;

void NoteOldMask() {
  if (!has_old_mask) old_mask = RealMask();
  has_old_mask = true;
}

// Sent to the process, and all threads block it.
uint64_t waits_for_any = 0;

constexpr uint64_t SetOf(int signal) { return uint64_t{1} << (signal - 1); }

// Takes the pending ones of `set`, which are blocked: nobody will get them.
void Drop(uint64_t set) {
  const timespec no_time = {};
  while (set != 0 && RawSyscall(SYS_rt_sigtimedwait, reinterpret_cast<uint64_t>(&set), 0,
                                reinterpret_cast<uint64_t>(&no_time), sizeof(set)) > 0) {
  }
}

void BeforeMaskChange() {
  if (engine.OnExecutingThread()) engine.UseSignalMasks();
}

// The action of a signal is about to be changed.
void BeforeActionChange(int signal) {
  if (!engine.OnExecutingThread() || signal <= 0 || signal >= NSIG || is_changed[signal]) return;
  if (JACQUARD_REAL(sigaction)(signal, nullptr, &old_actions[signal]) != 0) return;
  NoteOldMask();
  is_changed[signal] = any_changed = true;
}

void BeforeStackChange() {
  if (!engine.OnExecutingThread()) return;
  engine.UseSignalMasks();
  if (is_stack_changed || JACQUARD_REAL(sigaltstack)(nullptr, &old_stack) != 0) return;
  is_stack_changed = true;
  for (int i = 0; i < engine.thread_count(); ++i) engine.thread(i).has_signal_stack = false;
}

int ChangeStack(const stack_t* stack, stack_t* old, uintptr_t pc) {
  SimThread& me = *engine.current;
  const bool has_stack = is_stack_changed && me.has_signal_stack;
  if (old != nullptr) {
    CheckAccess(old, sizeof(*old), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(old, sizeof(*old));
    JACQUARD_REAL(sigaltstack)(nullptr, old);
    if (!has_stack) *old = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  }
  if (stack == nullptr) return 0;
  BeforeStackChange();
  const bool none = (stack->ss_flags & SS_DISABLE) != 0;
  if (JACQUARD_REAL(sigaltstack)(none ? &old_stack : stack, nullptr) != 0) return -1;
  me.has_signal_stack = !none;
  me.signal_stack = *stack;
  return 0;
}

// The program has set a handler by one of the functions that return the `old` one, or SIG_ERR.
sighandler_t AfterSignal(int signal, sighandler_t old) {
  struct sigaction action = {};
  if (old == SIG_ERR || JACQUARD_REAL(sigaction)(signal, nullptr, &action) != 0) return old;
  if (ChangesAction(signal, action)) JACQUARD_REAL(sigaction)(signal, &action, nullptr);
  struct sigaction before = {};
  before.sa_flags = SA_SIGINFO;
  before.sa_handler = old;
  HideCatching(signal, before);
  return before.sa_handler;
}

// A thread gets the signal that `call` has sent.
void CheckIsHandled(int signal, const char* call, uintptr_t pc) {
  if (signal == SIGABRT || !IsFatal(signal)) return;
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    const char* const name = sigabbrev_np(signal);
    message = std::string(call) + " of " +
              (name != nullptr ? "SIG" + std::string(name) : std::to_string(signal)) +
              ", which ends the process";
  }
  engine.Fail(VerdictKind::kAbort, "signal", message, {.pc = pc});
}

// `call` sends the signal to the running thread.
int Raise(int signal, const char* call, uintptr_t pc) {
  BeforeMaskChange();
  const bool is_known = signal > 0 && signal < NSIG;
  if (engine.Simulates() && is_known && (RealMask() & SetOf(signal)) == 0)
    CheckIsHandled(signal, call, pc);
  // Not as the header declares it: the handler may call pthread_exit, which unwinds.
  static const auto real = reinterpret_cast<int (*)(int)>(FindReal("raise"));
  return real(signal);
}

// To send is a step, and what was done before it happens before what who gets the signal does.
char sent_signals;
void BeginSending(uintptr_t pc) {
  BeforeMaskChange();
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  engine.Release(&sent_signals);
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
}

// Whether the thread waits for the signal, and gets it.
bool GivenToWaiter(SimThread& thread, int signal) {
  if (thread.wait != WaitReason::kSignal || (thread.awaited_signals & SetOf(signal)) == 0)
    return false;
  thread.pending_signals |= SetOf(signal);
  engine.WakeAll(WaitReason::kSignal, &thread);
  return true;
}

// To any thread that waits for it or does not block it: the running one, if possible.
int SendToProcess(int signal, uintptr_t pc) {
  BeginSending(pc);
  const uint64_t bit = SetOf(signal);
  for (int i = 0; i < engine.thread_count(); ++i) {
    if (GivenToWaiter(engine.thread(i), signal)) return 0;
  }
  if ((RealMask() & bit) != 0) {
    SimThread* receiver = nullptr;
    for (int i = 0; i < engine.thread_count(); ++i) {
      SimThread& thread = engine.thread(i);
      if (engine.HasEnded(thread) || (thread.signal_mask & bit) != 0 || &thread == engine.current)
        continue;
      CheckIsHandled(signal, "kill", pc);
      // Rather to one that can run: in the middle of a wait there is no handler.
      if (receiver == nullptr || engine.IsBlocked(*receiver)) receiver = &thread;
    }
    if (receiver != nullptr) {
      receiver->pending_signals |= bit;
      return 0;
    }
    waits_for_any |= bit;
    return 0;
  }
  return Raise(signal, "kill", pc);
}

int SendToThread(pthread_t handle, int signal, uintptr_t pc) {
  if (signal < 0 || signal >= NSIG) return EINVAL;
  BeginSending(pc);
  SimThread* const thread = engine.FindThread(handle);
  if (thread == engine.current) return Raise(signal, "pthread_kill", pc) == 0 ? 0 : errno;
  if (thread != nullptr && !engine.HasEnded(*thread)) {
    if (signal == 0 || GivenToWaiter(*thread, signal)) return 0;
    if ((thread->signal_mask & SetOf(signal)) != 0) {
      thread->pending_signals |= SetOf(signal);
      return 0;
    }
  }
  Unsupported("pthread_kill");
}

// The running thread has changed what it blocks.
void AfterMaskChange(uintptr_t pc) {
  if (waits_for_any == 0 || !engine.Simulates()) return;
  const uint64_t set = waits_for_any & ~RealMask();
  waits_for_any &= ~set;
  for (uint64_t left = set; left != 0; left &= left - 1)
    Raise(std::countr_zero(left) + 1, "kill", pc);
}

// It is about to block less: what waits for it comes.
void BeforeUnblock(int how, const sigset_t* set, uintptr_t pc) {
  if (set == nullptr || how == SIG_BLOCK || !engine.Simulates()) return;
  uint64_t pending = 0;
  RawSyscall(SYS_rt_sigpending, reinterpret_cast<uint64_t>(&pending), sizeof(pending));
  uint64_t bits = 0;
  std::memcpy(&bits, set, sizeof(bits));
  const uint64_t comes = pending & RealMask() & (how == SIG_UNBLOCK ? bits : ~bits);
  for (uint64_t left = comes; left != 0; left &= left - 1)
    CheckIsHandled(std::countr_zero(left) + 1, "raise", pc);
}

// Takes one of `set` that waits for the running thread, or for any; 0 if there is none.
// `information` may be null.
int TakePending(uint64_t set, siginfo_t* information) {
  // If it has not been switched from in the meantime.
  for (uint64_t left = std::exchange(engine.current->pending_signals, 0); left != 0;
       left &= left - 1)
    JACQUARD_REAL(raise)(std::countr_zero(left) + 1);
  if (const uint64_t for_any = waits_for_any & set; for_any != 0) {
    const int signal = std::countr_zero(for_any) + 1;
    waits_for_any &= ~SetOf(signal);
    if (information != nullptr) {
      *information = {};
      information->si_signo = signal;
    }
    return signal;
  }
  const timespec no_time = {};
  const int64_t signal = RawSyscall(SYS_rt_sigtimedwait, reinterpret_cast<uint64_t>(&set),
                                    reinterpret_cast<uint64_t>(information),
                                    reinterpret_cast<uint64_t>(&no_time), sizeof(set));
  // As the C library has it: from raise() or kill() is the same.
  if (information != nullptr && signal > 0 && information->si_code == SI_TKILL)
    information->si_code = SI_USER;
  return signal > 0 ? static_cast<int>(signal) : 0;
}

// `information` may be null. 0: the time is over.
int WaitForSignal(const sigset_t* set, siginfo_t* information, uint64_t deadline, uintptr_t pc) {
  BeforeMaskChange();
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  SimThread& me = *engine.current;
  uint64_t wanted = 0;
  std::memcpy(&wanted, set, sizeof(wanted));
  int signal = 0;
  const uint64_t blocked = RealMask();
  SetRealMask(blocked | wanted);  // no handler gets it
  while ((signal = TakePending(wanted, information)) == 0) {
    if (deadline <= engine.now()) break;
    me.awaited_signals = wanted;
    engine.Block(WaitReason::kSignal, &me, pc, deadline);
    if (me.timed_out) break;
  }
  SetRealMask(blocked);
  engine.Acquire(&sent_signals);
  Finish(StepKind::kOther, nullptr, 0, static_cast<uint64_t>(signal), pc);
  return signal;
}

}  // namespace

bool GiveToWaiter(int signal) {
  engine.UseSignalMasks();
  for (int i = 0; i < engine.thread_count(); ++i) {
    if (GivenToWaiter(engine.thread(i), signal)) return true;
  }
  return false;
}

uint64_t BlockedBy(const SimThread& thread) {
  return &thread == engine.current ? RealMask() : thread.signal_mask;
}

void Deliver(int signal) { Raise(signal, "alarm", 0); }

void Engine::UseSignalMasks() {
  if (signal_masks_used) return;
  signal_masks_used = true;
  NoteOldMask();
  const uint64_t mask = old_mask;
  driver_.signal_mask = stage_.signal_mask = mask;
  driver_.pending_signals = stage_.pending_signals = 0;
  for (int i = 0; i < thread_count_; ++i) {
    threads_[i].signal_mask = mask;
    threads_[i].pending_signals = 0;
  }
}

// What waits for the thread waits here. Nothing is delivered before EnterSignals: the handler would
// run on a stack that is nobody's.
void LeaveSignals(SimThread& from) {
  constexpr uint64_t kFaults = SetOf(SIGSEGV) | SetOf(SIGBUS) | SetOf(SIGFPE) | SetOf(SIGILL);
  from.signal_mask = SetRealMask(~kFaults);
  RawSyscall(SYS_rt_sigpending, reinterpret_cast<uint64_t>(&from.pending_signals),
             sizeof(from.pending_signals));
  from.pending_signals &= from.signal_mask;
  Drop(from.pending_signals);
}

void EnterSignals(SimThread& to) {
  // Fails, without harm, if it is the one that the thread runs on.
  if (is_stack_changed) {
    const stack_t& stack = to.has_signal_stack ? to.signal_stack : old_stack;
    RawSyscall(SYS_sigaltstack, reinterpret_cast<uint64_t>(&stack), 0);
  }
  for (uint64_t left = std::exchange(to.pending_signals, 0); left != 0; left &= left - 1)
    JACQUARD_REAL(raise)(std::countr_zero(left) + 1);
  SetRealMask(to.signal_mask);
}

void InheritSignals(SimThread& thread) {
  thread.signal_mask = RealMask();
  thread.pending_signals = 0;
  thread.has_signal_stack = false;
}

void RestoreSignals() {
  waits_for_any = 0;
  engine.signal_masks_used = false;  // the driver's has been put back when it took over
  if (is_stack_changed) JACQUARD_REAL(sigaltstack)(&old_stack, nullptr);
  is_stack_changed = false;
  if (has_old_mask) SetRealMask(old_mask);
  has_old_mask = false;
  ForgetHandlersOfFaults();
  if (!any_changed) return;
  any_changed = false;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (is_changed[signal]) JACQUARD_REAL(sigaction)(signal, &old_actions[signal], nullptr);
    is_changed[signal] = false;
  }
}

bool FaultsMayBeBlocked() {
  sigset_t mask;  // perhaps inherited from the process that has started this one
  sigemptyset(&mask);
  JACQUARD_REAL(pthread_sigmask)(SIG_BLOCK, nullptr, &mask);
  return faults_may_be_blocked || sigismember(&mask, SIGSEGV) != 0;
}

}  // namespace jacquard::sim

using jacquard::sim::AfterMaskChange;
using jacquard::sim::BeforeActionChange;
using jacquard::sim::BeforeMaskChange;
using jacquard::sim::BeforeStackChange;
using jacquard::sim::BeforeUnblock;
using jacquard::sim::ChangesAction;
using jacquard::sim::HideCatching;
using jacquard::sim::NoteBlocked;
using jacquard::sim::NoteFaultsMayBeBlocked;
using jacquard::sim::NoteHandler;

extern "C" {

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) noexcept {
  struct sigaction changed;
  if (action != nullptr) {
    NoteHandler(signal);
    NoteBlocked(action->sa_mask);
    BeforeActionChange(signal);
    changed = *action;
    if (ChangesAction(signal, changed)) action = &changed;
  }
  const int result = JACQUARD_REAL(sigaction)(signal, action, old);
  if (result == 0 && old != nullptr) HideCatching(signal, *old);
  return result;
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return jacquard::sim::AfterSignal(number, JACQUARD_REAL(signal)(number, handler));
}

int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  if (set != nullptr) BeforeMaskChange();
  BeforeUnblock(how, set, JACQUARD_CALLER);
  const int result = JACQUARD_REAL(sigprocmask)(how, set, old);
  AfterMaskChange(JACQUARD_CALLER);
  return result;
}

int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  if (set != nullptr) BeforeMaskChange();
  BeforeUnblock(how, set, JACQUARD_CALLER);
  const int result = JACQUARD_REAL(pthread_sigmask)(how, set, old);
  AfterMaskChange(JACQUARD_CALLER);
  return result;
}

// The handler runs before it returns, with the signal blocked. Under a name of its own in C++:
// Raise() says why.
int jacquard_raise(int signal) asm("raise");
int jacquard_raise(int signal) { return jacquard::sim::Raise(signal, "raise", JACQUARD_CALLER); }

int kill(pid_t process, int signal) noexcept {
  using jacquard::sim::engine;
  if (!engine.Simulates() || process != getpid() || signal <= 0 || signal >= NSIG)
    return JACQUARD_REAL(kill)(process, signal);
  return jacquard::sim::SendToProcess(signal, JACQUARD_CALLER);
}

int pthread_kill(pthread_t thread, int signal) noexcept {
  if (!jacquard::sim::engine.Simulates()) return JACQUARD_REAL(pthread_kill)(thread, signal);
  return jacquard::sim::SendToThread(thread, signal, JACQUARD_CALLER);
}

int sigwait(const sigset_t* set, int* signal) {
  if (!jacquard::sim::engine.Simulates()) return JACQUARD_REAL(sigwait)(set, signal);
  *signal = jacquard::sim::WaitForSignal(set, nullptr, jacquard::sim::Engine::kNoDeadline,
                                         JACQUARD_CALLER);
  return 0;
}

int sigwaitinfo(const sigset_t* set, siginfo_t* information) {
  if (!jacquard::sim::engine.Simulates()) return JACQUARD_REAL(sigwaitinfo)(set, information);
  return jacquard::sim::WaitForSignal(set, information, jacquard::sim::Engine::kNoDeadline,
                                      JACQUARD_CALLER);
}

int sigtimedwait(const sigset_t* set, siginfo_t* information, const timespec* time) {
  using jacquard::sim::Engine;
  using jacquard::sim::engine;
  if (!engine.Simulates()) return JACQUARD_REAL(sigtimedwait)(set, information, time);
  const bool is_valid = time == nullptr || (jacquard::sim::IsValid(*time) && time->tv_sec >= 0);
  const uint64_t deadline =
      time != nullptr ? engine.now() + jacquard::sim::Nanoseconds(*time) : Engine::kNoDeadline;
  const int signal =
      is_valid ? jacquard::sim::WaitForSignal(set, information, deadline, JACQUARD_CALLER) : 0;
  if (signal != 0) return signal;
  errno = is_valid ? EAGAIN : EINVAL;
  return -1;
}

int sigaltstack(const stack_t* stack, stack_t* old) noexcept {
  if (!jacquard::sim::engine.Simulates()) {
    if (stack != nullptr) BeforeStackChange();
    return JACQUARD_REAL(sigaltstack)(stack, old);
  }
  return jacquard::sim::ChangeStack(stack, old, JACQUARD_CALLER);
}

// ---- older names for the same

// What signal() means with a strict standard.
sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return jacquard::sim::AfterSignal(number, JACQUARD_REAL(__sysv_signal)(number, handler));
}

sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
  return __sysv_signal(number, handler);
}

sighandler_t ssignal(int number, sighandler_t handler) noexcept { return signal(number, handler); }

sighandler_t sigset(int number, sighandler_t handler) noexcept {
  if (number == SIGSEGV) NoteFaultsMayBeBlocked();  // the handler may be SIG_HOLD
  BeforeActionChange(number);
  BeforeMaskChange();
  return JACQUARD_REAL(sigset)(number, handler);
}

int sighold(int number) noexcept {
  if (number == SIGSEGV) NoteFaultsMayBeBlocked();
  BeforeMaskChange();
  return JACQUARD_REAL(sighold)(number);
}

int sigignore(int number) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return JACQUARD_REAL(sigignore)(number);
}

int sigblock(int mask) noexcept {
  NoteBlocked(mask);
  BeforeMaskChange();
  return JACQUARD_REAL(sigblock)(mask);
}

int sigsetmask(int mask) noexcept {
  NoteBlocked(mask);
  BeforeMaskChange();
  return JACQUARD_REAL(sigsetmask)(mask);
}

}  // extern "C"
