// What functions have in common that wait for the world outside of the simulation (real_output.h
// has output).
#ifndef JACQUARD_SIM_REAL_WAITS_H_
#define JACQUARD_SIM_REAL_WAITS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "sim/descriptors.h"

namespace jacquard::sim {

// Whether a call by a simulated thread may wait for `file`: not if the file, or MSG_DONTWAIT among
// the call's `flags`, says that no call does. Counts as the thread's own doing, which the spin
// detector does not see.
bool MayWait(int file, int flags = 0);

// Whether `file` is ready for `events` (poll) now, or has an error to tell.
bool IsReady(int file, short events);

// In bytes, all of them.
size_t SizeOf(const iovec* parts, int count);

// Calls `transfer(part)` for the rest of the message behind its first `done` bytes, again and
// again, until it transfers nothing, or an error, or all is done. Returns how much that is.
template <class Transfer>
ssize_t TransferRest(const msghdr& message, ssize_t done, const Transfer& transfer) {
  auto skipped = static_cast<size_t>(done);
  for (size_t i = 0; i < message.msg_iovlen; ++i) {
    const iovec& part = message.msg_iov[i];
    const size_t skipped_of_part = std::min(skipped, part.iov_len);
    skipped -= skipped_of_part;
    for (size_t at = skipped_of_part; at < part.iov_len;) {
      const ssize_t more =
          transfer(iovec{static_cast<char*>(part.iov_base) + at, part.iov_len - at});
      if (more <= 0) return done;
      at += static_cast<size_t>(more);
      done += more;
    }
  }
  return done;
}

// What read() does that is called at `pc`.
ssize_t ReadFrom(int file, void* buffer, size_t size, uintptr_t pc);

// SOCK_STREAM or the like; -1 if it is no socket.
int TypeOfSocket(int file);

// When a call for the socket that waits from now on gives up, by its option SO_RCVTIMEO or
// SO_SNDTIMEO; Engine::kNoDeadline if never, or if it is no socket.
uint64_t DeadlineOfSocket(int file, int option);

// A call that reads from, or accepts at, file(): from the time on when there is something, unless
// the handler of a signal interrupts it before, or the socket's time is over.
class InputCall : public DescriptorCall {
 public:
  // `flags` as for MayWait(). A call that is for sockets alone fails at once for other files.
  enum class For : bool { kAnyFile, kSockets };
  InputCall(int file, const char* what, uintptr_t pc, int flags = 0, For which = For::kAnyFile);
  // What it returns.
  template <class Real>
  auto Return(const Real& real) -> decltype(real()) {
    decltype(real()) result = -1;
    if (end_ == End::kReady) {
      result = real();
    } else {
      errno = end_ == End::kTimedOut ? EAGAIN : EINTR;
    }
    if (result < 0 && (errno == EAGAIN || errno == EINTR)) TakeNothing();
    return result;
  }
  // Waits until there is more. Whether there is.
  bool AwaitMore();

 private:
  const char* what_;
  End end_ = End::kReady;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REAL_WAITS_H_
