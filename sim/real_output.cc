// Output that may have to wait for a reader: pipes, sockets, connections. Where there is no room
// the simulated thread waits (descriptors.h). The standard streams are the world's own affair:
// their readers do read.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/private_files.h"
#include "sim/real.h"
#include "sim/real_waits.h"
#include "sim/signals.h"
#include "sim/sync.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

int KindOf(int file) {
  struct stat status;
  return fstat(file, &status) == 0 ? static_cast<int>(status.st_mode & S_IFMT) : 0;
}

bool IsStream(int socket) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// Whether a call that has failed so would have to wait.
bool MeansWait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

void AwaitRoom(const DescriptorCall& call, int file, const char* what) {
  call.AwaitOne(what, file, DescriptorCall::Interruption::kIsNone,
                [file] { return IsReady(file, POLLOUT); });
}

// Nobody reads any more: the running thread gets a signal, and if that does not end it all, an
// error.
ssize_t FailToWrite(uintptr_t pc) {
  RaiseBrokenPipe(pc);
  errno = EPIPE;
  return -1;
}

// The end of a pipe where one writes.
bool HasNoReader(int pipe) {
  pollfd one = {.fd = pipe, .events = POLLOUT, .revents = 0};
  return JACQUARD_REAL(poll)(&one, 1, 0) == 1 && (one.revents & POLLERR) != 0;
}

// A pipe that has room takes so many bytes at once.
ssize_t WriteToPipe(const DescriptorCall& call, int file, const char* bytes, size_t size,
                    uintptr_t pc) {
  const bool may_wait = MayWait(file);
  size_t written = 0;
  do {
    if (may_wait) AwaitRoom(call, file, "a write that waits");
    const size_t part = may_wait ? std::min<size_t>(size - written, PIPE_BUF) : size;
    const ssize_t result =
        HasNoReader(file) ? FailToWrite(pc) : JACQUARD_REAL(write)(file, bytes + written, part);
    if (result < 0) return written == 0 ? result : static_cast<ssize_t>(written);
    written += static_cast<size_t>(result);
  } while (may_wait && written < size);
  return static_cast<ssize_t>(written);
}

// The parts one after another, until one is not taken as a whole.
ssize_t WriteToPipe(const DescriptorCall& call, int file, const msghdr& message, uintptr_t pc) {
  if (!MayWait(file)) {
    if (HasNoReader(file)) return FailToWrite(pc);
    return JACQUARD_REAL(writev)(file, message.msg_iov, static_cast<int>(message.msg_iovlen));
  }
  size_t written = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) {
    const iovec& part = message.msg_iov[i];
    if (part.iov_len == 0) continue;
    const ssize_t result =
        WriteToPipe(call, file, static_cast<const char*>(part.iov_base), part.iov_len, pc);
    if (result < 0 && written == 0) return result;
    if (result > 0) written += static_cast<size_t>(result);
    if (result < static_cast<ssize_t>(part.iov_len)) break;
  }
  return static_cast<ssize_t>(written);
}

size_t SizeOf(const msghdr& message) {
  size_t size = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
  return size;
}

// What sendmsg() does that waits until all is sent. Nobody gets a signal.
ssize_t SendAll(const DescriptorCall& call, int socket, const msghdr& message, int flags,
                const char* what) {
  ssize_t sent = -1;
  int error = EAGAIN;
  // Of a datagram nothing else tells whether there is room. Once it is sent, it is.
  call.AwaitOne(what, socket, DescriptorCall::Interruption::kIsNone, [&] {
    if (sent >= 0 || !MeansWait(error)) return true;
    sent = JACQUARD_REAL(sendmsg)(socket, &message, flags | MSG_DONTWAIT);
    error = errno;
    return sent >= 0 || !MeansWait(error);
  });
  errno = error;
  if (sent < 0 || static_cast<size_t>(sent) == SizeOf(message) || !IsStream(socket)) return sent;
  // The rest, part for part.
  auto skipped = static_cast<size_t>(sent);
  for (size_t i = 0; i < message.msg_iovlen; ++i) {
    iovec part = message.msg_iov[i];
    const size_t sent_of_part = std::min(skipped, part.iov_len);
    skipped -= sent_of_part;
    part = {static_cast<char*>(part.iov_base) + sent_of_part, part.iov_len - sent_of_part};
    while (part.iov_len != 0) {
      const ssize_t more =
          JACQUARD_REAL(send)(socket, part.iov_base, part.iov_len, flags | MSG_DONTWAIT);
      if (more >= 0) {
        part = {static_cast<char*>(part.iov_base) + more, part.iov_len - static_cast<size_t>(more)};
        sent += more;
      } else if (MeansWait(errno)) {
        AwaitRoom(call, socket, what);
      } else {
        return sent;
      }
    }
  }
  return sent;
}

ssize_t Send(const DescriptorCall& call, int socket, const msghdr& message, int flags,
             const char* what, uintptr_t pc) {
  const int quiet = flags | MSG_NOSIGNAL;
  const ssize_t sent = MayWait(socket, flags) ? SendAll(call, socket, message, quiet, what)
                                              : JACQUARD_REAL(sendmsg)(socket, &message, quiet);
  const bool is_told = sent < 0 && errno == EPIPE && flags != quiet && IsStream(socket);
  return is_told ? FailToWrite(pc) : sent;
}

// The same for bytes in one piece; `address` may be null.
ssize_t Send(const DescriptorCall& call, int socket, const void* bytes, size_t size, int flags,
             const char* what, uintptr_t pc, const sockaddr* address = nullptr,
             socklen_t length = 0) {
  iovec part = {const_cast<void*>(bytes), size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_name = const_cast<sockaddr*>(address);
  message.msg_namelen = length;
  return Send(call, socket, message, flags, what, pc);
}

// As connect() does for a socket that waits, if it need not.
int Connect(int socket, const sockaddr* address, socklen_t length) {
  const auto control = JACQUARD_REAL(fcntl);
  const int flags = control(socket, F_GETFL);
  control(socket, F_SETFL, flags | O_NONBLOCK);
  int result = JACQUARD_REAL(connect)(socket, address, length);
  int error = result == 0 ? 0 : errno;
  control(socket, F_SETFL, flags);
  if (error == EINPROGRESS && IsReady(socket, POLLOUT)) {
    socklen_t size = sizeof(error);
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    result = error == 0 ? 0 : -1;
  }
  if (error == EINPROGRESS || error == EAGAIN) Unsupported("a connect that waits");
  errno = error;
  return result;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AwaitRoom;
using jacquard::sim::DescriptorCall;
using jacquard::sim::engine;
using jacquard::sim::MayWait;

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  const auto real = JACQUARD_REAL(write);
  if (file <= STDERR_FILENO) return real(file, bytes, size);
  const DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (size == 0 || !engine.Simulates()) return real(file, bytes, size);
  switch (jacquard::sim::KindOf(file)) {
    case S_IFIFO:
      return jacquard::sim::WriteToPipe(call, file, static_cast<const char*>(bytes), size,
                                        JACQUARD_CALLER);
    case S_IFSOCK:
      return jacquard::sim::Send(call, file, bytes, size, 0, "a write that waits", JACQUARD_CALLER);
    default:
      if (MayWait(file)) AwaitRoom(call, file, "a write that waits");
      return real(file, bytes, size);
  }
}

ssize_t writev(int file, const iovec* parts, int count) {
  const auto real = JACQUARD_REAL(writev);
  if (file <= STDERR_FILENO) return real(file, parts, count);
  const DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (count <= 0 || !engine.Simulates()) return real(file, parts, count);
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<size_t>(count);
  switch (jacquard::sim::KindOf(file)) {
    case S_IFIFO:
      return jacquard::sim::WriteToPipe(call, file, message, JACQUARD_CALLER);
    case S_IFSOCK:
      return jacquard::sim::Send(call, file, message, 0, "a writev that waits", JACQUARD_CALLER);
    default:
      if (MayWait(file)) AwaitRoom(call, file, "a writev that waits");
      return real(file, parts, count);
  }
}

int eventfd_write(int file, eventfd_t value) {
  const DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (MayWait(file)) AwaitRoom(call, file, "an eventfd_write that waits");
  return JACQUARD_REAL(eventfd_write)(file, value);
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates()) return JACQUARD_REAL(send)(socket, bytes, size, flags);
  return jacquard::sim::Send(call, socket, bytes, size, flags, "a send that waits",
                             JACQUARD_CALLER);
}

ssize_t sendto(int socket, const void* bytes, size_t size, int flags, const sockaddr* address,
               socklen_t length) {
  const auto real = JACQUARD_REAL(sendto);
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates()) return real(socket, bytes, size, flags, address, length);
  return jacquard::sim::Send(call, socket, bytes, size, flags, "a sendto that waits",
                             JACQUARD_CALLER, address, length);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  const auto real = JACQUARD_REAL(sendmsg);
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates() || message == nullptr) return real(socket, message, flags);
  jacquard::sim::NoteSentFiles(socket, *message);
  return jacquard::sim::Send(call, socket, *message, flags, "a sendmsg that waits",
                             JACQUARD_CALLER);
}

int shutdown(int socket, int how) noexcept {
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  return JACQUARD_REAL(shutdown)(socket, how);
}

int epoll_ctl(int file, int operation, int other, epoll_event* event) noexcept {
  const DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  return JACQUARD_REAL(epoll_ctl)(file, operation, other, event);
}

int connect(int socket, const sockaddr* address, socklen_t length) {
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!MayWait(socket)) return JACQUARD_REAL(connect)(socket, address, length);
  return jacquard::sim::Connect(socket, address, length);
}

}  // extern "C"
