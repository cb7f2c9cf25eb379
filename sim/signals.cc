// Signals are the program's own affair, as real ones of the one real thread. A few things are the
// runtime's.
//
// What a thread blocks is its own: once an execution has changed a mask, or has raised a signal,
// whose handler blocks it, a switch also changes the mask, and takes along what waits for the
// thread that blocks it. So is the stack for handlers. After the execution masks, handlers and
// their stack are as before.
//
// A first access to thread-local storage is a segmentation fault (thread_storage.h). A program that
// handles or blocks these has its storage all the time.
#include "sim/signals.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/names.h"
#include "sim/notes.h"
#include "sim/queued_signals.h"
#include "sim/real.h"
#include "sim/sync.h"

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

// The actions that the execution has changed, as they were.
struct sigaction old_actions[NSIG];
bool is_changed[NSIG];
bool any_changed = false;

// The stack for handlers, if a thread has changed its own.
stack_t old_stack;  // the runtime's, which those have who have none
bool is_stack_changed = false;
// The actions of the execution that ask for it (SA_ONSTACK). As long as no thread has one, the
// handlers run where they would without the runtime's: on the thread's own stack, on which others
// may run in between. Those of faults are the runtime's affair.
bool asks_for_stack[NSIG];
bool any_asks_for_stack = false;
// What the real thread blocked before the execution changed a mask or an action: a handler that
// never returns leaves its signal blocked.
uint64_t old_mask = 0;
bool has_old_mask = false;

void NoteOldMask() {
  if (!has_old_mask) old_mask = RealMask();
  has_old_mask = true;
}

// What the kernel keeps of `set`, which is blocked, waits for `thread` from now on.
void TakeAlong(const SimThread& thread, uint64_t set) {
  const timespec no_time = {};
  siginfo_t information;
  while (set != 0 && RawSyscall(SYS_rt_sigtimedwait, reinterpret_cast<uint64_t>(&set),
                                reinterpret_cast<uint64_t>(&information),
                                reinterpret_cast<uint64_t>(&no_time), sizeof(set)) > 0)
    QueueSignal(&thread, information);
}

// The action of a signal is about to be changed.
void BeforeActionChange(int signal) {
  if (!engine.OnExecutingThread() || !IsSignalNumber(signal) || is_changed[signal]) return;
  if (JACQUARD_REAL(sigaction)(signal, nullptr, &old_actions[signal]) != 0) return;
  NoteOldMask();
  is_changed[signal] = any_changed = true;
}

bool IsFault(int signal) { return signal > 0 && (kFaults & SetOf(signal)) != 0; }

// A thread is about to have one.
void LetHandlersRunOnStacks() {
  for (int signal = 1; any_asks_for_stack && signal < NSIG; ++signal) {
    struct sigaction action;
    if (!asks_for_stack[signal] || JACQUARD_REAL(sigaction)(signal, nullptr, &action) != 0)
      continue;
    action.sa_flags |= SA_ONSTACK;
    JACQUARD_REAL(sigaction)(signal, &action, nullptr);
  }
}

// The kernel's for a thread that has none.
stack_t StackOfNone() {
  if (any_asks_for_stack) return {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  return old_stack;
}

// sigaction() for the program.
int ChangeAction(int signal, const struct sigaction* action, struct sigaction* old) {
  struct sigaction changed;
  struct sigaction before;  // as the program has set it
  const bool in_execution = engine.OnExecutingThread();
  if (old != nullptr && JACQUARD_REAL(sigaction)(signal, nullptr, &before) == 0) {
    HideCatching(signal, before);
    if (asks_for_stack[signal]) before.sa_flags |= SA_ONSTACK;
  }
  bool asks = false;
  if (action != nullptr) {
    NoteHandler(signal);
    NoteBlocked(action->sa_mask);
    BeforeActionChange(signal);
    changed = *action;
    asks = in_execution && (action->sa_flags & SA_ONSTACK) != 0 && !IsFault(signal);
    if (asks && !is_stack_changed) changed.sa_flags &= ~SA_ONSTACK;
    ChangesAction(signal, changed);
    action = &changed;
  }
  const int result = JACQUARD_REAL(sigaction)(signal, action, old);
  if (result != 0) return result;
  if (old != nullptr) *old = before;
  if (action != nullptr && in_execution) {
    asks_for_stack[signal] = asks;
    any_asks_for_stack |= asks;
  }
  return result;
}

void BeforeStackChange() {
  if (!engine.OnExecutingThread()) return;
  engine.UseSignalMasks();
  if (is_stack_changed || JACQUARD_REAL(sigaltstack)(nullptr, &old_stack) != 0) return;
  is_stack_changed = true;
  LetHandlersRunOnStacks();
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
  const stack_t wanted = none ? StackOfNone() : *stack;
  if (JACQUARD_REAL(sigaltstack)(&wanted, nullptr) != 0) return -1;
  me.has_signal_stack = !none;
  me.signal_stack = *stack;
  return 0;
}

// The program has set a handler by one of the functions that return the `old` one, or SIG_ERR.
sighandler_t AfterSignal(int signal, sighandler_t old) {
  struct sigaction action = {};
  if (old == SIG_ERR || JACQUARD_REAL(sigaction)(signal, nullptr, &action) != 0) return old;
  struct sigaction before = {};
  before.sa_flags = SA_SIGINFO;
  before.sa_handler = old;
  HideCatching(signal, before);
  if (ChangesAction(signal, action)) JACQUARD_REAL(sigaction)(signal, &action, nullptr);
  return before.sa_handler;
}

// sigprocmask(), which is `real`.
int ChangeMask(int (*real)(int, const sigset_t*, sigset_t*), int how, const sigset_t* set,
               sigset_t* old, uintptr_t pc) {
  NoteBlocked(how, set);
  if (set != nullptr) BeforeMaskChange();
  BeforeUnblock(how, set, pc);
  const int result = real(how, set, old);
  AfterMaskChange(pc);
  return result;
}

// The same for the older functions. `old` may be null.
int ChangeMask(int how, const sigset_t& set, sigset_t* old, uintptr_t pc) {
  return ChangeMask(JACQUARD_REAL(sigprocmask), how, &set, old, pc);
}

// `mask`, and the result: a bit for each signal, from 1 on.
int ChangeMask(int how, int mask, uintptr_t pc) {
  sigset_t set;
  sigset_t old;
  sigemptyset(&set);
  std::memcpy(&set, &mask, sizeof(mask));
  ChangeMask(how, set, &old, pc);
  std::memcpy(&mask, &old, sizeof(mask));
  return mask;
}

sigset_t SetWith(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

bool IsSignal(int signal) {
  if (IsSignalNumber(signal)) return true;
  errno = EINVAL;
  return false;
}

}  // namespace

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

void BeforeMaskChange() {
  if (engine.OnExecutingThread()) engine.UseSignalMasks();
}

void RaisePending(SimThread& thread) {
  if (thread.pending_signals != 0) RefuseTooMany();
  for (uint64_t left = std::exchange(thread.pending_signals, 0); left != 0; left &= left - 1) {
    const int signal = std::countr_zero(left) + 1;
    siginfo_t information;
    while (TakeQueued(&thread, signal, information)) RaiseWith(information);
  }
}

uint64_t BlockedBy(const SimThread& thread) {
  return &thread == engine.current ? RealMask() : thread.signal_mask;
}

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
  from.signal_mask = SetRealMask(~kFaults);
  uint64_t pending = 0;
  RawSyscall(SYS_rt_sigpending, reinterpret_cast<uint64_t>(&pending), sizeof(pending));
  pending &= from.signal_mask;
  from.pending_signals |= pending;
  TakeAlong(from, pending);
}

namespace {

// Where all signals are blocked: the kernel hears of those that wait for the running thread.
// `mask`: what the thread blocks.
void TellPending(SimThread& thread, uint64_t mask) {
  for (uint64_t left = thread.pending_signals & ~mask; left != 0; left &= left - 1) {
    NoteInTrace([left] { return "handles " + SignalName(std::countr_zero(left) + 1); });
  }
  AcquireSent(thread);  // also what it blocks, as it does in a handler: that comes at its end
  RaisePending(thread);
}

}  // namespace

bool Engine::LetSignalsWait(SimThread& thread) {
  // Else it may have to wait, or is a plain access, which comes behind its step.
  if (!IsAtomic(pending_[thread.id].kind)) return false;
  if (thread.in_timers_handler || thread.is_amid_call) return false;
  if ((thread.pending_signals & ~thread.signal_mask) == 0) return false;
  thread.handles_late = Choose(PickKind::kSignalHandler, 2) != 0;
  if (thread.handles_late) next_limit_ = step_ + 1;
  return thread.handles_late;
}

void EnterSignals(SimThread& to) {
  // Fails, without harm, if it is the one that the thread runs on.
  if (is_stack_changed) {
    const stack_t stack = to.has_signal_stack ? to.signal_stack : StackOfNone();
    RawSyscall(SYS_sigaltstack, reinterpret_cast<uint64_t>(&stack), 0);
  }
  const KeptWait wait(to);
  if (to.pending_signals != 0 && !engine.LetSignalsWait(to)) TellPending(to, to.signal_mask);
  SetRealMask(to.signal_mask);
}

void HandlePending(SimThread& thread) {
  const KeptWait wait(thread);
  // One by one, a handler that jumps away would leave the others behind.
  const uint64_t mask = SetRealMask(~kFaults);
  TellPending(thread, mask);
  SetRealMask(mask);
}

void InheritSignals(SimThread& thread) {
  thread.signal_mask = RealMask();
  thread.pending_signals = 0;
  ForgetQueued(&thread);
  thread.has_signal_stack = false;
}

namespace {

struct sigaction ActionOf(int signal) {
  struct sigaction action = {};
  JACQUARD_REAL(sigaction)(signal, nullptr, &action);
  return action;
}

}  // namespace

bool HasHandler(int signal) {
  const struct sigaction action = ActionOf(signal);
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

bool RestartsCalls(int signal) { return (ActionOf(signal).sa_flags & SA_RESTART) != 0; }

bool HandlesSignal(int signal) { return is_changed[signal] && HasHandler(signal); }

bool HandlesSignals() {
  for (int signal = 1; any_changed && signal < NSIG; ++signal) {
    if (HandlesSignal(signal)) return true;
  }
  return false;
}

bool HandlesSignalOfThreads() {
  constexpr uint64_t kFromOutside = kFaults | SetOf(SIGABRT) | SetOf(SIGHUP) | SetOf(SIGINT) |
                                    SetOf(SIGQUIT) | SetOf(SIGPIPE) | SetOf(SIGTERM) |
                                    SetOf(SIGCHLD);
  for (int signal = 1; any_changed && signal < NSIG; ++signal) {
    if ((kFromOutside & SetOf(signal)) == 0 && HandlesSignal(signal)) return true;
  }
  return false;
}

void RestoreSignals() {
  DropSentSignals();
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
    is_changed[signal] = asks_for_stack[signal] = false;
  }
  any_asks_for_stack = false;
}

bool FaultsMayBeBlocked() {
  sigset_t mask;  // perhaps inherited from the process that has started this one
  sigemptyset(&mask);
  JACQUARD_REAL(pthread_sigmask)(SIG_BLOCK, nullptr, &mask);
  return faults_may_be_blocked || sigismember(&mask, SIGSEGV) != 0;
}

}  // namespace jacquard::sim

using jacquard::sim::BeforeActionChange;
using jacquard::sim::BeforeStackChange;
using jacquard::sim::ChangeAction;
using jacquard::sim::ChangeMask;
using jacquard::sim::IsSignal;
using jacquard::sim::NoteHandler;
using jacquard::sim::SetWith;

extern "C" {

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) noexcept {
  return ChangeAction(signal, action, old);
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return jacquard::sim::AfterSignal(number, JACQUARD_REAL(signal)(number, handler));
}

// These two under names of their own, not as the header declares them: the handler of what has been
// blocked until then may call pthread_exit, which unwinds.
int jacquard_sigprocmask(int how, const sigset_t* set, sigset_t* old) asm("sigprocmask");
int jacquard_sigprocmask(int how, const sigset_t* set, sigset_t* old) {
  return ChangeMask(JACQUARD_REAL(sigprocmask), how, set, old, JACQUARD_CALLER);
}

int jacquard_pthread_sigmask(int how, const sigset_t* set, sigset_t* old) asm("pthread_sigmask");
int jacquard_pthread_sigmask(int how, const sigset_t* set, sigset_t* old) {
  return ChangeMask(JACQUARD_REAL(pthread_sigmask), how, set, old, JACQUARD_CALLER);
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

// Those that may unblock a signal under names of their own, as above.
sighandler_t jacquard_sigset(int number, sighandler_t handler) asm("sigset");
sighandler_t jacquard_sigset(int number, sighandler_t handler) {
  if (!IsSignal(number)) return SIG_ERR;
  const bool holds = handler == SIG_HOLD;
  struct sigaction action = {};
  action.sa_handler = handler;
  if (sigaction(number, holds ? nullptr : &action, &action) != 0) return SIG_ERR;
  sigset_t old;
  ChangeMask(holds ? SIG_BLOCK : SIG_UNBLOCK, SetWith(number), &old, JACQUARD_CALLER);
  return sigismember(&old, number) != 0 ? SIG_HOLD : action.sa_handler;
}

int sighold(int number) noexcept {
  if (!IsSignal(number)) return -1;
  return ChangeMask(SIG_BLOCK, SetWith(number), nullptr, JACQUARD_CALLER);
}

int jacquard_sigrelse(int number) asm("sigrelse");
int jacquard_sigrelse(int number) {
  if (!IsSignal(number)) return -1;
  return ChangeMask(SIG_UNBLOCK, SetWith(number), nullptr, JACQUARD_CALLER);
}

int sigignore(int number) noexcept {
  struct sigaction action = {};
  action.sa_handler = SIG_IGN;
  return sigaction(number, &action, nullptr);
}

int sigblock(int mask) noexcept { return ChangeMask(SIG_BLOCK, mask, JACQUARD_CALLER); }

int jacquard_sigsetmask(int mask) asm("sigsetmask");
int jacquard_sigsetmask(int mask) { return ChangeMask(SIG_SETMASK, mask, JACQUARD_CALLER); }

}  // extern "C"
