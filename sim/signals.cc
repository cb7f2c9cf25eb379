// Signals are the program's own affair, as real ones of the one real thread. Two things are the
// runtime's.
//
// What a thread blocks is its own: once an execution has changed a mask, or has raised a signal,
// whose handler blocks it, a switch also changes the mask, and takes along what waits for the
// thread that blocks it. After the execution masks, handlers and their stack are as before.
//
// A first access to thread-local storage is a segmentation fault (thread_storage.h). A program that
// handles or blocks these has its storage all the time.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include <bit>
#include <cstdint>
#include <utility>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/real.h"

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

// The stack for handlers, if that has been changed.
stack_t old_stack;
bool is_stack_changed = false;

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
  is_changed[signal] = any_changed = true;
}

void BeforeStackChange() {
  if (engine.OnExecutingThread() && !is_stack_changed)
    is_stack_changed = JACQUARD_REAL(sigaltstack)(nullptr, &old_stack) == 0;
}

}  // namespace

void Engine::UseSignalMasks() {
  if (signal_masks_used) return;
  signal_masks_used = true;
  const uint64_t mask = RealMask();
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
  for (uint64_t left = std::exchange(to.pending_signals, 0); left != 0; left &= left - 1)
    JACQUARD_REAL(raise)(std::countr_zero(left) + 1);
  SetRealMask(to.signal_mask);
}

void InheritSignals(SimThread& thread) {
  thread.signal_mask = RealMask();
  thread.pending_signals = 0;
}

void RestoreSignals() {
  engine.signal_masks_used = false;  // the driver's has been put back when it took over
  if (is_stack_changed) JACQUARD_REAL(sigaltstack)(&old_stack, nullptr);
  is_stack_changed = false;
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

using jacquard::sim::BeforeActionChange;
using jacquard::sim::BeforeMaskChange;
using jacquard::sim::BeforeStackChange;
using jacquard::sim::NoteBlocked;
using jacquard::sim::NoteFaultsMayBeBlocked;
using jacquard::sim::NoteHandler;

extern "C" {

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) noexcept {
  if (action != nullptr) {
    NoteHandler(signal);
    NoteBlocked(action->sa_mask);
    BeforeActionChange(signal);
  }
  return JACQUARD_REAL(sigaction)(signal, action, old);
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return JACQUARD_REAL(signal)(number, handler);
}

int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  if (set != nullptr) BeforeMaskChange();
  return JACQUARD_REAL(sigprocmask)(how, set, old);
}

int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  if (set != nullptr) BeforeMaskChange();
  return JACQUARD_REAL(pthread_sigmask)(how, set, old);
}

// The handler runs before it returns, with the signal blocked.
int raise(int signal) noexcept {
  BeforeMaskChange();
  return JACQUARD_REAL(raise)(signal);
}

int sigaltstack(const stack_t* stack, stack_t* old) noexcept {
  if (stack != nullptr) BeforeStackChange();
  return JACQUARD_REAL(sigaltstack)(stack, old);
}

// ---- older names for the same

// What signal() means with a strict standard.
sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  BeforeActionChange(number);
  return JACQUARD_REAL(__sysv_signal)(number, handler);
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
