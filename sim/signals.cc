// Signals are the program's own affair, but for one: a first access to thread-local storage is a
// segmentation fault (thread_storage.h). A program that handles or blocks these has its storage all
// the time.
#include <signal.h>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

void NoteHandler(int signal) {
  if (signal == SIGSEGV && FaultsAreCaught()) engine.GiveStorageToAll();
}

void NoteBlocked(int how, const sigset_t* set) {
  const bool may_block = set != nullptr && how != SIG_UNBLOCK && sigismember(set, SIGSEGV) != 0;
  if (may_block && FaultsAreCaught()) engine.GiveStorageToAll();
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::NoteBlocked;
using jacquard::sim::NoteHandler;

extern "C" {

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) noexcept {
  if (action != nullptr) NoteHandler(signal);
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

}  // extern "C"
