// Locks of files, which belong to processes and not to threads: whoever holds one that a simulated
// thread wants is outside of the simulation. To wait for it ends the execution as "unsupported".
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdarg>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/open_files.h"
#include "sim/real.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// The form of a command that does not wait; the command itself if it does not.
int WithoutWaiting(int command) {
  if (command == F_SETLKW) return F_SETLK;
#ifdef F_OFD_SETLKW
  if (command == F_OFD_SETLKW) return F_OFD_SETLK;
#endif
  return command;
}

int FileControl(int file, int command, void* argument, const void* caller) {
  const auto real = JACQUARD_REAL(fcntl);
  if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
    return CopiedFile(file, real(file, command, argument), caller);
  if (command == F_SETFL) BeforeFlagsChange(file, caller);
  const int at_once = WithoutWaiting(command);
  if (!engine.Simulates() || at_once == command) return real(file, command, argument);
  engine.current->spin.Reset();
  const int result = real(file, at_once, argument);
  if (result < 0 && (errno == EAGAIN || errno == EACCES)) Unsupported("a file lock that waits");
  return result;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Unsupported;

extern "C" {

int flock(int file, int operation) noexcept {
  const auto real = JACQUARD_REAL(flock);
  if (!engine.Simulates()) return real(file, operation);
  engine.current->spin.Reset();
  const int result = real(file, operation | LOCK_NB);
  if (result < 0 && errno == EWOULDBLOCK && (operation & LOCK_NB) == 0)
    Unsupported("a flock that waits");
  return result;
}

int lockf(int file, int command, off_t length) {
  const auto real = JACQUARD_REAL(lockf);
  if (!engine.Simulates() || command != F_LOCK) return real(file, command, length);
  engine.current->spin.Reset();
  const int result = real(file, F_TLOCK, length);
  if (result < 0 && (errno == EAGAIN || errno == EACCES)) Unsupported("a file lock that waits");
  return result;
}

// The argument is a number, a pointer, or absent.
int fcntl(int file, int command, ...) {
  va_list list;
  va_start(list, command);
  void* const argument = va_arg(list, void*);
  va_end(list);
  return jacquard::sim::FileControl(file, command, argument, JACQUARD_RETURN_ADDRESS);
}

// The name under which large files know it; the same on 64 bits.
int fcntl64(int file, int command, ...) {
  va_list list;
  va_start(list, command);
  void* const argument = va_arg(list, void*);
  va_end(list);
  return jacquard::sim::FileControl(file, command, argument, JACQUARD_RETURN_ADDRESS);
}

}  // extern "C"
