// Output that may have to wait for a reader outside of the simulation: pipes, sockets, connections.
// What there is room for is done; what would wait ends the execution as "unsupported". The standard
// streams are the world's own affair: their readers do read.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "sim/engine.h"
#include "sim/real.h"
#include "sim/real_waits.h"
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

// The result of a call that was told not to wait, for one that waits until all `size` bytes are
// sent.
ssize_t Sent(int socket, ssize_t result, size_t size, const char* what) {
  const bool all = result >= 0 && (static_cast<size_t>(result) >= size || !IsStream(socket));
  if (result < 0 ? errno == EAGAIN || errno == EWOULDBLOCK : !all) Unsupported(what);
  return result;
}

// A pipe that has room takes so many bytes at once.
ssize_t WriteToPipe(int file, const char* bytes, size_t size) {
  size_t written = 0;
  do {
    if (!IsReady(file, POLLOUT)) Unsupported("a write that waits");
    const size_t part = std::min<size_t>(size - written, PIPE_BUF);
    const ssize_t result = JACQUARD_REAL(write)(file, bytes + written, part);
    if (result < 0) return written == 0 ? result : static_cast<ssize_t>(written);
    written += static_cast<size_t>(result);
  } while (written < size);
  return static_cast<ssize_t>(written);
}

// The parts one after another, until one is not taken as a whole.
ssize_t WriteToPipe(int file, const msghdr& message) {
  size_t written = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) {
    const iovec& part = message.msg_iov[i];
    if (part.iov_len == 0) continue;
    const ssize_t result = WriteToPipe(file, static_cast<const char*>(part.iov_base), part.iov_len);
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

using jacquard::sim::MayWait;
using jacquard::sim::Sent;
using jacquard::sim::SizeOf;
using jacquard::sim::Unsupported;

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  const auto real = JACQUARD_REAL(write);
  if (file <= STDERR_FILENO || size == 0 || !MayWait(file)) return real(file, bytes, size);
  switch (jacquard::sim::KindOf(file)) {
    case S_IFIFO:
      return jacquard::sim::WriteToPipe(file, static_cast<const char*>(bytes), size);
    case S_IFSOCK:
      return Sent(file, JACQUARD_REAL(send)(file, bytes, size, MSG_DONTWAIT), size,
                  "a write that waits");
    default:
      if (!jacquard::sim::IsReady(file, POLLOUT)) Unsupported("a write that waits");
      return real(file, bytes, size);
  }
}

ssize_t writev(int file, const iovec* parts, int count) {
  const auto real = JACQUARD_REAL(writev);
  if (file <= STDERR_FILENO || !MayWait(file)) return real(file, parts, count);
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<size_t>(count);
  switch (jacquard::sim::KindOf(file)) {
    case S_IFIFO:
      return jacquard::sim::WriteToPipe(file, message);
    case S_IFSOCK:
      return Sent(file, JACQUARD_REAL(sendmsg)(file, &message, MSG_DONTWAIT), SizeOf(message),
                  "a writev that waits");
    default:
      if (!jacquard::sim::IsReady(file, POLLOUT)) Unsupported("a writev that waits");
      return real(file, parts, count);
  }
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  const auto real = JACQUARD_REAL(send);
  if (!MayWait(socket, flags)) return real(socket, bytes, size, flags);
  return Sent(socket, real(socket, bytes, size, flags | MSG_DONTWAIT), size, "a send that waits");
}

ssize_t sendto(int socket, const void* bytes, size_t size, int flags, const sockaddr* address,
               socklen_t length) {
  const auto real = JACQUARD_REAL(sendto);
  if (!MayWait(socket, flags)) return real(socket, bytes, size, flags, address, length);
  return Sent(socket, real(socket, bytes, size, flags | MSG_DONTWAIT, address, length), size,
              "a sendto that waits");
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  const auto real = JACQUARD_REAL(sendmsg);
  if (!MayWait(socket, flags)) return real(socket, message, flags);
  return Sent(socket, real(socket, message, flags | MSG_DONTWAIT), SizeOf(*message),
              "a sendmsg that waits");
}

int connect(int socket, const sockaddr* address, socklen_t length) {
  if (!MayWait(socket)) return JACQUARD_REAL(connect)(socket, address, length);
  return jacquard::sim::Connect(socket, address, length);
}

}  // extern "C"
