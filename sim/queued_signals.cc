#include "sim/queued_signals.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "sim/real.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

struct Queued {
  const SimThread* thread;
  siginfo_t information;
};

// In the order in which they were sent.
constexpr int kMost = 1024;
constinit Queued queued[kMost] = {};
constinit int count = 0;
constinit bool too_many = false;  // in this execution

Queued* End() { return queued + count; }

Queued* Find(const SimThread* thread, int signal) {
  return std::find_if(queued, End(), [=](const Queued& one) {
    return one.thread == thread && one.information.si_signo == signal;
  });
}

}  // namespace

siginfo_t InformationOf(int signal, int code, sigval value) {
  siginfo_t information = {};
  information.si_signo = signal;
  information.si_code = code;
  if (code == SI_KERNEL) return information;
  information.si_pid = getpid();
  information.si_uid = getuid();
  information.si_value = value;
  return information;
}

void QueueSignal(const SimThread* thread, const siginfo_t& information) {
  const int signal = information.si_signo;
  if (signal < SIGRTMIN && IsQueued(thread, signal)) return;
  too_many |= count == kMost;
  if (count < kMost) queued[count++] = {thread, information};
}

void RefuseTooMany() {
  if (too_many) Unsupported("more than a thousand signals that wait");
}

bool TakeQueued(const SimThread* thread, int signal, siginfo_t& information) {
  Queued* const found = Find(thread, signal);
  if (found == End()) return false;
  information = found->information;
  std::copy(found + 1, End(), found);
  --count;
  return true;
}

bool IsQueued(const SimThread* thread, int signal) { return Find(thread, signal) != End(); }

void ForgetQueued(const SimThread* thread) {
  Queued* const end =
      std::remove_if(queued, End(), [=](const Queued& one) { return one.thread == thread; });
  count = static_cast<int>(end - queued);
}

void ForgetAllQueued() {
  count = 0;
  too_many = false;
}

void RaiseWith(const siginfo_t& information) {
  const int64_t result = RawSyscall(
      SYS_rt_tgsigqueueinfo, static_cast<uint64_t>(RawSyscall(SYS_getpid)),
      static_cast<uint64_t>(RawSyscall(SYS_gettid)), static_cast<uint64_t>(information.si_signo),
      reinterpret_cast<uint64_t>(&information));
  too_many |= result == -EAGAIN;
}

}  // namespace jacquard::sim
