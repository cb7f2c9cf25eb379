#include "sim/execute_again.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "sim/real.h"
#include "sim/signals.h"

namespace jacquard::sim {
namespace {

uint64_t Word(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// As the kernel has it.
struct KernelAction {
  uint64_t handler, flags, restorer, mask;
};
KernelAction ActionOf(int signal) {
  KernelAction action = {};
  RawSyscall(SYS_rt_sigaction, static_cast<uint64_t>(signal), 0, Word(&action), sizeof(uint64_t));
  return action;
}
bool IsIgnored(int signal) {
  return ActionOf(signal).handler == reinterpret_cast<uint64_t>(SIG_IGN);
}

// What constructors may change that outlives the program when it is executed again.
struct ProcessState {
  static constexpr int kFiles = 256;
  bool is_open[kFiles];
  bool is_ignored[_NSIG];
  uint64_t blocked_signals;
  int64_t input;  // the place in standard input; negative: it is no file
  char folder[PATH_MAX];
};
constinit ProcessState at_begin = {};
constinit bool is_remembered = false;

void RestoreState() {
  for (int file = 0; file < ProcessState::kFiles; ++file) {
    if (!at_begin.is_open[file])
      RawSyscall(SYS_fcntl, static_cast<uint64_t>(file), F_SETFD, FD_CLOEXEC);
  }
  RawSyscall(SYS_close_range, ProcessState::kFiles, UINT32_MAX, CLOSE_RANGE_CLOEXEC);
  constexpr KernelAction kDefault = {};
  for (int signal = 1; signal < _NSIG; ++signal) {
    if (at_begin.is_ignored[signal] || !IsIgnored(signal)) continue;
    RawSyscall(SYS_rt_sigaction, static_cast<uint64_t>(signal), Word(&kDefault), 0,
               sizeof(uint64_t));
  }
  SetRealMask(at_begin.blocked_signals);
  if (at_begin.input >= 0)
    RawSyscall(SYS_lseek, STDIN_FILENO, static_cast<uint64_t>(at_begin.input), SEEK_SET);
  RawSyscall(SYS_chdir, Word(at_begin.folder));
}

}  // namespace

void RememberProcess() {
  for (int file = 0; file < ProcessState::kFiles; ++file)
    at_begin.is_open[file] = RawSyscall(SYS_fcntl, static_cast<uint64_t>(file), F_GETFD) >= 0;
  for (int signal = 1; signal < _NSIG; ++signal) at_begin.is_ignored[signal] = IsIgnored(signal);
  at_begin.blocked_signals = RealMask();
  at_begin.input = RawSyscall(SYS_lseek, STDIN_FILENO, 0, SEEK_CUR);
  RawSyscall(SYS_getcwd, Word(at_begin.folder), sizeof(at_begin.folder));
  is_remembered = true;
}

int ExecuteAgain(const char* name, const char* value, char** argv) {
  setenv(name, value, 1);
  if (is_remembered) RestoreState();
  // By its own name, since that is what the first thread is called.
  char path[PATH_MAX] = {};
  if (readlink("/proc/self/exe", path, sizeof(path) - 1) > 0) execv(path, argv);
  execv("/proc/self/exe", argv);
  const int error = errno;
  unsetenv(name);
  return error;
}

}  // namespace jacquard::sim
