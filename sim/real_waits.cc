// Waits for what the simulation does not have: other processes, signals, input (real_output.cc has
// output, file_locks.cc locks of files). If it is there already, the real function takes it; if not,
// the only thread that there is would sleep, perhaps for ever. That ends the execution as
// "unsupported" instead.
#include "sim/real_waits.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/engine.h"
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
using jacquard::sim::Unsupported;

extern "C" {

// ---- other processes and signals

pid_t fork() noexcept {
  if (engine.Simulates()) Unsupported("fork");
  return JACQUARD_REAL(fork)();
}

int pause() {
  if (engine.Simulates()) Unsupported("pause");
  return JACQUARD_REAL(pause)();
}

int sigsuspend(const sigset_t* set) {
  if (engine.Simulates()) Unsupported("sigsuspend");
  return JACQUARD_REAL(sigsuspend)(set);
}

int sigwait(const sigset_t* set, int* signal) {
  if (engine.Simulates()) Unsupported("sigwait");
  return JACQUARD_REAL(sigwait)(set, signal);
}

int sigwaitinfo(const sigset_t* set, siginfo_t* information) {
  if (engine.Simulates()) Unsupported("sigwaitinfo");
  return JACQUARD_REAL(sigwaitinfo)(set, information);
}

int sigtimedwait(const sigset_t* set, siginfo_t* information, const timespec* time) {
  if (engine.Simulates()) Unsupported("sigtimedwait");
  return JACQUARD_REAL(sigtimedwait)(set, information, time);
}

// ---- input

ssize_t read(int file, void* buffer, size_t size) {
  CheckInput(file, "a read that waits");
  return JACQUARD_REAL(read)(file, buffer, size);
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
  return JACQUARD_REAL(accept)(file, address, length);
}

int accept4(int file, sockaddr* address, socklen_t* length, int flags) {
  CheckInput(file, "an accept that waits");
  return JACQUARD_REAL(accept4)(file, address, length, flags);
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

int epoll_wait(int file, epoll_event* events, int most, int milliseconds) {
  if (!engine.Simulates()) return JACQUARD_REAL(epoll_wait)(file, events, most, milliseconds);
  engine.current->spin.Reset();
  const int ready = JACQUARD_REAL(epoll_wait)(file, events, most, 0);
  if (ready == 0 && milliseconds != 0) Unsupported("an epoll_wait that waits");
  return ready;
}

}  // extern "C"
