// Signals are the program's own affair, but for one: a first access to thread-local storage is a
// segmentation fault (thread_storage.h). A program that handles or blocks these has its storage all
// the time.
#include <signal.h>

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

}  // namespace

bool FaultsMayBeBlocked() {
  sigset_t mask;  // perhaps inherited from the process that has started this one
  sigemptyset(&mask);
  JACQUARD_REAL(pthread_sigmask)(SIG_BLOCK, nullptr, &mask);
  return faults_may_be_blocked || sigismember(&mask, SIGSEGV) != 0;
}

}  // namespace jacquard::sim

using jacquard::sim::NoteBlocked;
using jacquard::sim::NoteFaultsMayBeBlocked;
using jacquard::sim::NoteHandler;

extern "C" {

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) noexcept {
  if (action != nullptr) {
    NoteHandler(signal);
    NoteBlocked(action->sa_mask);
  }
  return JACQUARD_REAL(sigaction)(signal, action, old);
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  return JACQUARD_REAL(signal)(number, handler);
}

int sigprocmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  return JACQUARD_REAL(sigprocmask)(how, set, old);
}

int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) noexcept {
  NoteBlocked(how, set);
  return JACQUARD_REAL(pthread_sigmask)(how, set, old);
}

// ---- older names for the same

// What signal() means with a strict standard.
sighandler_t __sysv_signal(int number, sighandler_t handler) noexcept {
  NoteHandler(number);
  return JACQUARD_REAL(__sysv_signal)(number, handler);
}

sighandler_t sysv_signal(int number, sighandler_t handler) noexcept {
  return __sysv_signal(number, handler);
}

sighandler_t ssignal(int number, sighandler_t handler) noexcept { return signal(number, handler); }

sighandler_t sigset(int number, sighandler_t handler) noexcept {
  if (number == SIGSEGV) NoteFaultsMayBeBlocked();  // the handler may be SIG_HOLD
  return JACQUARD_REAL(sigset)(number, handler);
}

int sighold(int number) noexcept {
  if (number == SIGSEGV) NoteFaultsMayBeBlocked();
  return JACQUARD_REAL(sighold)(number);
}

int sigignore(int number) noexcept {
  NoteHandler(number);
  return JACQUARD_REAL(sigignore)(number);
}

int sigblock(int mask) noexcept {
  NoteBlocked(mask);
  return JACQUARD_REAL(sigblock)(mask);
}

int sigsetmask(int mask) noexcept {
  NoteBlocked(mask);
  return JACQUARD_REAL(sigsetmask)(mask);
}

}  // extern "C"
