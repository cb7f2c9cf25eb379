// Waits for what the simulation does not have: input (real_output.cc has output, file_locks.cc
// locks of files, real_processes.cc other processes). If it is there already, the real function
// takes it; if not, the only thread that there is would sleep, perhaps for ever. That ends the
// execution as "unsupported" instead.
#include "sim/real_waits.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/files.h"
#include "sim/real.h"
#include "sim/unsupported.h"

namespace jacquard::sim {

bool MayWait(int file, int flags) {
  if (!engine.Simulates()) return false;
  engine.current->spin.Reset();
  const int status = JACQUARD_REAL(fcntl)(file, F_GETFL);
  return status >= 0 && (status & O_NONBLOCK) == 0 && (flags & MSG_DONTWAIT) == 0;
}

bool IsReady(int file, short events) {
  pollfd one = {.fd = file, .events = events, .revents = 0};
  return JACQUARD_REAL(poll)(&one, 1, 0) != 0;
}

void CheckInput(int file, const char* what, int flags) {
  if (MayWait(file, flags) && !IsReady(file, POLLIN)) Unsupported(what);
}

namespace {

// Passes virtual time: what a wait for no file at all is used for.
int JustSleep(const timespec& time) { return nanosleep(&time, nullptr); }

timespec FromMilliseconds(int milliseconds) {
  return {milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::CheckInput;
using jacquard::sim::engine;
using jacquard::sim::OpenedFile;
using jacquard::sim::Unsupported;

extern "C" {

// The C library's own; no header declares them for everybody.
ssize_t __read_chk(int, void*, size_t, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, sockaddr*, socklen_t*);
int __poll_chk(pollfd*, nfds_t, int, size_t);

ssize_t read(int file, void* buffer, size_t size) {
  CheckInput(file, "a read that waits");
  return JACQUARD_REAL(read)(file, buffer, size);
}

ssize_t readv(int file, const iovec* parts, int count) {
  CheckInput(file, "a readv that waits");
  return JACQUARD_REAL(readv)(file, parts, count);
}

int eventfd_read(int file, eventfd_t* value) {
  CheckInput(file, "an eventfd_read that waits");
  return JACQUARD_REAL(eventfd_read)(file, value);
}

ssize_t recv(int file, void* buffer, size_t size, int flags) {
  CheckInput(file, "a recv that waits", flags);
  return JACQUARD_REAL(recv)(file, buffer, size, flags);
}

ssize_t recvfrom(int file, void* buffer, size_t size, int flags, sockaddr* address,
                 socklen_t* length) {
  CheckInput(file, "a recvfrom that waits", flags);
  return JACQUARD_REAL(recvfrom)(file, buffer, size, flags, address, length);
}

ssize_t recvmsg(int file, msghdr* message, int flags) {
  CheckInput(file, "a recvmsg that waits", flags);
  return JACQUARD_REAL(recvmsg)(file, message, flags);
}

int accept(int file, sockaddr* address, socklen_t* length) {
  CheckInput(file, "an accept that waits");
  return OpenedFile(JACQUARD_REAL(accept)(file, address, length), JACQUARD_RETURN_ADDRESS);
}

int accept4(int file, sockaddr* address, socklen_t* length, int flags) {
  CheckInput(file, "an accept that waits");
  return OpenedFile(JACQUARD_REAL(accept4)(file, address, length, flags), JACQUARD_RETURN_ADDRESS);
}

int poll(pollfd* files, nfds_t count, int milliseconds) {
  if (!engine.Simulates()) return JACQUARD_REAL(poll)(files, count, milliseconds);
  if (count == 0 && milliseconds >= 0)
    return jacquard::sim::JustSleep(jacquard::sim::FromMilliseconds(milliseconds));
  engine.current->spin.Reset();
  const int ready = JACQUARD_REAL(poll)(files, count, 0);
  if (ready == 0 && milliseconds != 0) Unsupported("a poll that waits");
  return ready;
}

int ppoll(pollfd* files, nfds_t count, const timespec* time, const sigset_t* set) {
  if (!engine.Simulates()) return JACQUARD_REAL(ppoll)(files, count, time, set);
  if (count == 0 && time != nullptr) return jacquard::sim::JustSleep(*time);
  engine.current->spin.Reset();
  const timespec none = {0, 0};
  const int ready = JACQUARD_REAL(ppoll)(files, count, &none, set);
  const bool waits = time == nullptr || time->tv_sec != 0 || time->tv_nsec != 0;
  if (ready == 0 && waits) Unsupported("a ppoll that waits");
  return ready;
}

int select(int count, fd_set* reads, fd_set* writes, fd_set* others, timeval* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(select)(count, reads, writes, others, time);
  if (count == 0 && time != nullptr)
    return jacquard::sim::JustSleep({time->tv_sec, time->tv_usec * 1000});
  engine.current->spin.Reset();
  const bool waits = time == nullptr || time->tv_sec != 0 || time->tv_usec != 0;
  timeval none = {0, 0};
  const int ready = JACQUARD_REAL(select)(count, reads, writes, others, &none);
  if (ready == 0 && waits) Unsupported("a select that waits");
  return ready;
}

int pselect(int count, fd_set* reads, fd_set* writes, fd_set* others, const timespec* time,
            const sigset_t* set) {
  if (!engine.Simulates()) return JACQUARD_REAL(pselect)(count, reads, writes, others, time, set);
  if (count == 0 && time != nullptr) return jacquard::sim::JustSleep(*time);
  engine.current->spin.Reset();
  const bool waits = time == nullptr || time->tv_sec != 0 || time->tv_nsec != 0;
  const timespec none = {0, 0};
  const int ready = JACQUARD_REAL(pselect)(count, reads, writes, others, &none, set);
  if (ready == 0 && waits) Unsupported("a pselect that waits");
  return ready;
}

int epoll_wait(int file, epoll_event* events, int most, int milliseconds) {
  if (!engine.Simulates()) return JACQUARD_REAL(epoll_wait)(file, events, most, milliseconds);
  engine.current->spin.Reset();
  const int ready = JACQUARD_REAL(epoll_wait)(file, events, most, 0);
  if (ready == 0 && milliseconds != 0) Unsupported("an epoll_wait that waits");
  return ready;
}

int epoll_pwait(int file, epoll_event* events, int most, int milliseconds, const sigset_t* set) {
  const auto real = JACQUARD_REAL(epoll_pwait);
  if (!engine.Simulates()) return real(file, events, most, milliseconds, set);
  engine.current->spin.Reset();
  const int ready = real(file, events, most, 0, set);
  if (ready == 0 && milliseconds != 0) Unsupported("an epoll_pwait that waits");
  return ready;
}

// ---- what glibc's headers put in the place of some of them when _FORTIFY_SOURCE is defined: they
// know the size of what a pointer points to

ssize_t __read_chk(int file, void* buffer, size_t size, size_t room) {
  CheckInput(file, "a read that waits");
  return JACQUARD_REAL(__read_chk)(file, buffer, size, room);
}

ssize_t __recv_chk(int file, void* buffer, size_t size, size_t room, int flags) {
  CheckInput(file, "a recv that waits", flags);
  return JACQUARD_REAL(__recv_chk)(file, buffer, size, room, flags);
}

ssize_t __recvfrom_chk(int file, void* buffer, size_t size, size_t room, int flags,
                       sockaddr* address, socklen_t* length) {
  CheckInput(file, "a recvfrom that waits", flags);
  return JACQUARD_REAL(__recvfrom_chk)(file, buffer, size, room, flags, address, length);
}

int __poll_chk(pollfd* files, nfds_t count, int milliseconds, size_t room) {
  if (room / sizeof(pollfd) < count)
    return JACQUARD_REAL(__poll_chk)(files, count, milliseconds, room);
  return poll(files, count, milliseconds);
}

}  // extern "C"
