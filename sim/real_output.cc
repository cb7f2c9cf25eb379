// Output that may have to wait for a reader: pipes, sockets, connections. Where there is no room
// the simulated thread waits (descriptors.h). The standard streams are the world's own affair:
// their readers do read.
#include "sim/real_output.h"

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

constexpr auto kGoesOn = DescriptorCall::Interruption::kIsNone;

// What writev() does if the file says that no call waits. Nobody gets a signal.
ssize_t TryToWrite(int file, const iovec* parts, int count) {
  if (KindOf(file) == S_IFIFO && NobodyReads(file)) {
    errno = EPIPE;
    return -1;
  }
  const NonBlocking does_not_wait(file);
  return JACQUARD_REAL(writev)(file, parts, count);
}

// To a pipe or an eventfd, whose being ready does not say how much there is room for. In one piece,
// for which others make room.
ssize_t WritePiece(DescriptorCall& call, const iovec* parts, int count, uintptr_t pc) {
  Attempt attempt;
  call.AwaitOne("a write that waits", Engine::kNoDeadline, kGoesOn, [&](int file) {
    return attempt.Succeeds([&] { return TryToWrite(file, parts, count); });
  });
  const ssize_t result = attempt.Result();
  return result < 0 && errno == EPIPE ? FailToWrite(pc) : result;
}

// What a pipe takes in one piece goes there so, and more than that piece for piece, until one is
// not taken.
ssize_t Write(DescriptorCall& call, const iovec* parts, int count, uintptr_t pc) {
  if (SizeOf(parts, count) <= PIPE_BUF) return WritePiece(call, parts, count, pc);
  ssize_t written = 0;
  for (int i = 0; i < count; ++i) {
    for (size_t begin = 0; begin < parts[i].iov_len; begin += PIPE_BUF) {
      const iovec piece = {static_cast<char*>(parts[i].iov_base) + begin,
                           std::min<size_t>(parts[i].iov_len - begin, PIPE_BUF)};
      const ssize_t result = WritePiece(call, &piece, 1, pc);
      if (result < 0) return written == 0 ? result : written;
      written += result;
    }
  }
  return written;
}

// What sendmsg() does that waits until all is sent. Nobody gets a signal.
ssize_t SendAll(DescriptorCall& call, const msghdr& message, int flags, const char* what) {
  const uint64_t deadline = DeadlineOfSocket(call.file(), SO_SNDTIMEO);
  // Nothing else tells whether there is room for a datagram.
  Attempt first;
  call.AwaitOne(what, deadline, kGoesOn, [&](int socket) {
    return first.Succeeds(
        [&] { return JACQUARD_REAL(sendmsg)(socket, &message, flags | MSG_DONTWAIT); });
  });
  const ssize_t sent = first.Result();
  if (sent < 0 || TypeOfSocket(call.file()) != SOCK_STREAM) return sent;
  return TransferRest(message, sent, [&](const iovec& part) {
    Attempt next;
    call.AwaitOne(what, deadline, kGoesOn, [&](int socket) {
      return next.Succeeds([&] {
        return JACQUARD_REAL(send)(socket, part.iov_base, part.iov_len, flags | MSG_DONTWAIT);
      });
    });
    return next.Result();
  });
}

ssize_t Send(DescriptorCall& call, const msghdr& message, int flags, const char* what,
             uintptr_t pc) {
  const int quiet = flags | MSG_NOSIGNAL;
  const ssize_t sent = MayWait(call.file(), flags)
                           ? SendAll(call, message, quiet, what)
                           : JACQUARD_REAL(sendmsg)(call.file(), &message, quiet);
  const bool is_told =
      sent < 0 && errno == EPIPE && flags != quiet && TypeOfSocket(call.file()) == SOCK_STREAM;
  return is_told ? FailToWrite(pc) : sent;
}

// The same for bytes in one piece; `address` may be null.
ssize_t Send(DescriptorCall& call, const void* bytes, size_t size, int flags, const char* what,
             uintptr_t pc, const sockaddr* address = nullptr, socklen_t length = 0) {
  iovec part = {const_cast<void*>(bytes), size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_name = const_cast<sockaddr*>(address);
  message.msg_namelen = length;
  return Send(call, message, flags, what, pc);
}

// As many as can be sent; -1: not even the first.
int SendMany(DescriptorCall& call, mmsghdr* messages, unsigned count, int flags, uintptr_t pc) {
  unsigned sent = 0;
  for (; sent < count; ++sent) {
    NoteSentFiles(call.file(), messages[sent].msg_hdr);
    const ssize_t size = Send(call, messages[sent].msg_hdr, flags, "a sendmmsg that waits", pc);
    if (size < 0) break;
    messages[sent].msg_len = static_cast<unsigned>(size);
  }
  return sent == 0 && count != 0 ? -1 : static_cast<int>(sent);
}

enum class Way : uint8_t {
  kAtOnce,     // does not wait
  kNever,      // nobody reads
  kInParts,    // waits for room
  kAsMessage,  // a socket
};

Way HowToWrite(int file) {
  const int kind = KindOf(file);
  constexpr int kAnonymous = 0;  // an eventfd
  if (kind == S_IFSOCK) return Way::kAsMessage;
  if (kind == S_IFIFO && NobodyReads(file)) return Way::kNever;
  return (kind == S_IFIFO || kind == kAnonymous) && MayWait(file) ? Way::kInParts : Way::kAtOnce;
}

// As connect() does for a socket that waits, if it need not.
int Connect(int socket, const sockaddr* address, socklen_t length) {
  int result = -1;
  {
    const NonBlocking does_not_wait(socket);
    result = JACQUARD_REAL(connect)(socket, address, length);
  }
  int error = result == 0 ? 0 : errno;
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

NonBlocking::NonBlocking(int file) : file_(file), flags_(JACQUARD_REAL(fcntl)(file, F_GETFL)) {
  JACQUARD_REAL(fcntl)(file_, F_SETFL, flags_ | O_NONBLOCK);
}

NonBlocking::~NonBlocking() {
  const int error = errno;
  JACQUARD_REAL(fcntl)(file_, F_SETFL, flags_);
  errno = error;
}

bool NobodyReads(int file) {
  pollfd one = {.fd = file, .events = POLLOUT, .revents = 0};
  if (JACQUARD_REAL(poll)(&one, 1, 0) != 1) return false;
  return (one.revents & (KindOf(file) == S_IFSOCK ? POLLHUP : POLLERR)) != 0;
}

ssize_t FailToWrite(uintptr_t pc) {
  RaiseBrokenPipe(pc);
  errno = EPIPE;
  return -1;
}

ssize_t WriteWithoutWait(int file, const void* bytes, size_t size) {
  if (KindOf(file) == S_IFSOCK)
    return JACQUARD_REAL(send)(file, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  const iovec part = {const_cast<void*>(bytes), size};
  return TryToWrite(file, &part, 1);
}

ssize_t WriteTo(int file, const void* bytes, size_t size, uintptr_t pc) {
  const auto real = JACQUARD_REAL(write);
  if (file <= STDERR_FILENO) return real(file, bytes, size);
  DescriptorCall call(file, DescriptorCall::Effect::kGives, pc);
  if (size == 0 || !engine.Simulates()) return real(file, bytes, size);
  switch (HowToWrite(file)) {
    case Way::kAtOnce:
      return real(file, bytes, size);
    case Way::kNever:
      return FailToWrite(pc);
    case Way::kInParts: {
      const iovec part = {const_cast<void*>(bytes), size};
      return Write(call, &part, 1, pc);
    }
    case Way::kAsMessage:
      return Send(call, bytes, size, 0, "a write that waits", pc);
  }
}

}  // namespace jacquard::sim

using jacquard::sim::DescriptorCall;
using jacquard::sim::engine;
using jacquard::sim::FailToWrite;
using jacquard::sim::HowToWrite;
using jacquard::sim::MayWait;
using jacquard::sim::Send;
using jacquard::sim::SendMany;
using jacquard::sim::Way;
using jacquard::sim::Write;

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) {
  return jacquard::sim::WriteTo(file, bytes, size, JACQUARD_CALLER);
}

ssize_t writev(int file, const iovec* parts, int count) {
  const auto real = JACQUARD_REAL(writev);
  if (file <= STDERR_FILENO) return real(file, parts, count);
  DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (count <= 0 || count > IOV_MAX || !engine.Simulates()) return real(file, parts, count);
  switch (HowToWrite(file)) {
    case Way::kAtOnce:
      return real(file, parts, count);
    case Way::kNever:
      return FailToWrite(JACQUARD_CALLER);
    case Way::kInParts:
      return Write(call, parts, count, JACQUARD_CALLER);
    case Way::kAsMessage: {
      msghdr message = {};
      message.msg_iov = const_cast<iovec*>(parts);
      message.msg_iovlen = static_cast<size_t>(count);
      return Send(call, message, 0, "a writev that waits", JACQUARD_CALLER);
    }
  }
}

int eventfd_write(int file, eventfd_t value) {
  DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates() || HowToWrite(file) != Way::kInParts)
    return JACQUARD_REAL(eventfd_write)(file, value);
  const iovec part = {&value, sizeof(value)};
  return Write(call, &part, 1, JACQUARD_CALLER) == sizeof(value) ? 0 : -1;
}

ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates()) return JACQUARD_REAL(send)(socket, bytes, size, flags);
  return Send(call, bytes, size, flags, "a send that waits", JACQUARD_CALLER);
}

ssize_t sendto(int socket, const void* bytes, size_t size, int flags, const sockaddr* address,
               socklen_t length) {
  const auto real = JACQUARD_REAL(sendto);
  DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates()) return real(socket, bytes, size, flags, address, length);
  return Send(call, bytes, size, flags, "a sendto that waits", JACQUARD_CALLER, address, length);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  const auto real = JACQUARD_REAL(sendmsg);
  DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates() || message == nullptr) return real(socket, message, flags);
  jacquard::sim::NoteSentFiles(socket, *message);
  return Send(call, *message, flags, "a sendmsg that waits", JACQUARD_CALLER);
}

int sendmmsg(int socket, mmsghdr* messages, unsigned count, int flags) {
  const auto real = JACQUARD_REAL(sendmmsg);
  DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!engine.Simulates() || messages == nullptr) return real(socket, messages, count, flags);
  return SendMany(call, messages, std::min<unsigned>(count, IOV_MAX), flags, JACQUARD_CALLER);
}

int shutdown(int socket, int how) noexcept {
  const DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER,
                            DescriptorCall::Cancellation::kIsNoPoint);
  return JACQUARD_REAL(shutdown)(socket, how);
}

int epoll_ctl(int file, int operation, int other, epoll_event* event) noexcept {
  const DescriptorCall call(file, DescriptorCall::Effect::kGives, JACQUARD_CALLER,
                            DescriptorCall::Cancellation::kIsNoPoint);
  return JACQUARD_REAL(epoll_ctl)(file, operation, other, event);
}

int connect(int socket, const sockaddr* address, socklen_t length) {
  DescriptorCall call(socket, DescriptorCall::Effect::kGives, JACQUARD_CALLER);
  if (!MayWait(socket)) return JACQUARD_REAL(connect)(socket, address, length);
  return jacquard::sim::Connect(socket, address, length);
}

}  // extern "C"
