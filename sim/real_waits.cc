// Waits for input (real_output.cc has output, file_locks.cc locks of files, real_processes.cc other
// processes). If it is there already, the real function takes it; if not, the real thread would
// sleep, of which there is only one: the simulated one waits instead (descriptors.h).
#include "sim/real_waits.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/open_files.h"
#include "sim/real.h"
#include "sim/signals.h"
#include "sim/sync.h"

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

int TypeOfSocket(int file) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(file, SOL_SOCKET, SO_TYPE, &type, &size) == 0 ? type : -1;
}

size_t SizeOf(const iovec* parts, int count) {
  size_t size = 0;
  for (int i = 0; i < count; ++i) size += parts[i].iov_len;
  return size;
}

uint64_t DeadlineOfSocket(int file, int option) {
  timeval time = {};
  socklen_t size = sizeof(time);
  if (getsockopt(file, SOL_SOCKET, option, &time, &size) != 0 ||
      (time.tv_sec == 0 && time.tv_usec == 0))
    return Engine::kNoDeadline;
  return engine.clock.now() + Nanoseconds({time.tv_sec, time.tv_usec * 1000});
}

InputCall::InputCall(int file, const char* what, uintptr_t pc, int flags, For which)
    : DescriptorCall(file, Effect::kTakes, pc), what_(what) {
  if (MayWait(file, flags) && (which == For::kAnyFile || TypeOfSocket(file) >= 0)) AwaitMore();
}

bool InputCall::AwaitMore() {
  const auto is_ready = [](int file) { return IsReady(file, POLLIN); };
  if (!is_ready(file())) {
    end_ = AwaitOne(what_, DeadlineOfSocket(file(), SO_RCVTIMEO),
                    Interruption::kEndsUnlessRestarted, is_ready);
  }
  return end_ == End::kReady;
}

namespace {

// Whether a simulated thread reads from the device of random numbers: what the C library answers is
// repeatable (random.cc).
bool IsRandomDevice(int file) {
  struct stat status;
  return engine.Simulates() && fstat(file, &status) == 0 && S_ISCHR(status.st_mode) &&
         (status.st_rdev == makedev(1, 8) || status.st_rdev == makedev(1, 9));
}

// To read nothing never waits.
int FlagsToRead(size_t size) { return size == 0 ? MSG_DONTWAIT : 0; }

}  // namespace

ssize_t ReadFrom(int file, void* buffer, size_t size, uintptr_t pc) {
  if (IsRandomDevice(file)) return getrandom(buffer, size, 0);
  InputCall call(file, "a read that waits", pc, FlagsToRead(size));
  return call.Return([&] { return JACQUARD_REAL(read)(call.file(), buffer, size); });
}

namespace {

bool WaitsForAll(int file, int flags) {
  return (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL && MayWait(file, flags) &&
         TypeOfSocket(file) == SOCK_STREAM;
}

// What recvmsg() does with MSG_WAITALL: waits until there is no room left, or nothing comes any
// more.
ssize_t ReceiveAll(int socket, msghdr& message, int flags, uintptr_t pc) {
  InputCall call(socket, "a receive that waits for all", pc);
  flags = (flags & ~MSG_WAITALL) | MSG_DONTWAIT;
  const ssize_t first =
      call.Return([&] { return JACQUARD_REAL(recvmsg)(call.file(), &message, flags); });
  if (first <= 0) return first;
  return TransferRest(message, first, [&](const iovec& part) {
    if (!call.AwaitMore()) return ssize_t{0};
    return JACQUARD_REAL(recv)(call.file(), part.iov_base, part.iov_len, flags);
  });
}

ssize_t ReceiveAll(int socket, void* buffer, size_t size, int flags, uintptr_t pc) {
  iovec part = {buffer, size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return ReceiveAll(socket, message, flags, pc);
}

// Waits for all `count`, or with MSG_WAITFORONE for the first, and until one has come behind the
// deadline. As many as have come; -1: not even the first.
int ReceiveMany(InputCall& call, mmsghdr* messages, unsigned count, int flags, uint64_t deadline) {
  const auto receive = [&](mmsghdr& message) {
    const ssize_t size =
        JACQUARD_REAL(recvmsg)(call.file(), &message.msg_hdr, flags & ~MSG_WAITFORONE);
    message.msg_len = static_cast<unsigned>(size);
    return size;
  };
  if (call.Return([&] { return receive(messages[0]); }) < 0) return -1;
  if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
  unsigned received = 1;
  while (received < count && engine.clock.now() < deadline) {
    if (MayWait(call.file(), flags) && !call.AwaitMore()) break;
    if (receive(messages[received]) < 0) break;
    ++received;
  }
  return static_cast<int>(received);
}

// Passes virtual time: what a wait for no file at all is used for.
int JustSleep(const timespec& time) { return nanosleep(&time, nullptr); }

timespec FromMilliseconds(int milliseconds) {
  return {milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
}

// When a call that waits so long ends; null and negative: never.
uint64_t DeadlineOf(const timespec* duration) {
  return duration == nullptr ? Engine::kNoDeadline : engine.clock.now() + Nanoseconds(*duration);
}
uint64_t DeadlineOf(int milliseconds) {
  const timespec duration = FromMilliseconds(milliseconds);
  return DeadlineOf(milliseconds < 0 ? nullptr : &duration);
}

// For as long as it exists, the running thread blocks other signals.
class MaskMeanwhile {
 public:
  explicit MaskMeanwhile(const sigset_t* mask) : is_set_(mask != nullptr) {
    if (!is_set_) return;
    BeforeMaskChange();
    before_ = SetRealMask(ToBits(*mask) & ~kFaults);
  }
  ~MaskMeanwhile() {
    if (is_set_) SetRealMask(before_);
  }
  MaskMeanwhile(const MaskMeanwhile&) = delete;
  MaskMeanwhile& operator=(const MaskMeanwhile&) = delete;

 private:
  bool is_set_;
  uint64_t before_ = 0;
};

// A call that asks which of several files are ready, and waits until there are any. `ask()` does
// not wait, and says how many there are; `is_ready()`, which others may call as well, whether there
// are any; `for_each_file(visit)` is asked which files these are.
// Meanwhile the thread blocks the signals of `mask`; null: as otherwise.
int AskUntil(const char* what, uint64_t deadline, const sigset_t* mask, uintptr_t pc,
             auto for_each_file, auto ask, auto is_ready) {
  DescriptorCall call(-1, DescriptorCall::Effect::kTakes, pc);
  const auto answer = [&call](int ready) {
    if (ready <= 0) call.TakeNothing();
    return ready;
  };
  if (deadline <= engine.clock.now()) call.LookAtTimers(for_each_file);
  for (;;) {
    const int ready = ask();
    if (ready != 0 || deadline <= engine.clock.now()) return answer(ready);
    const MaskMeanwhile masked(mask);
    switch (
        call.Await(what, deadline, DescriptorCall::Interruption::kEnds, is_ready, for_each_file)) {
      case DescriptorCall::End::kReady:
        break;
      case DescriptorCall::End::kTimedOut:
        return answer(ask());
      case DescriptorCall::End::kInterrupted:
        errno = EINTR;
        return answer(-1);
    }
  }
}
// Where to ask changes nothing.
int AskUntil(const char* what, uint64_t deadline, const sigset_t* mask, uintptr_t pc,
             auto for_each_file, auto ask) {
  return AskUntil(what, deadline, mask, pc, for_each_file, ask, [&ask] { return ask() != 0; });
}

auto ForOne(int file) {
  return [file](const DescriptorCall::Visit& visit) { visit(file); };
}

// Those of poll().
auto ForEachOf(const pollfd* files, nfds_t count) {
  return [=](const DescriptorCall::Visit& visit) {
    for (nfds_t i = 0; i < count; ++i) {
      if (files[i].fd >= 0) visit(files[i].fd);
    }
  };
}

// What select() is asked for: it answers in the same place.
class FileSets {
 public:
  FileSets(int count, fd_set* reads, fd_set* writes, fd_set* others)
      : count_(std::clamp(count, 0, FD_SETSIZE)),
        size_(std::min((static_cast<size_t>(std::max(count, 0)) + 63) / 64 * 8, sizeof(fd_set))),
        sets_{reads, writes, others} {
    for (int i = 0; i < kSets; ++i) {
      if (sets_[i] != nullptr) std::memcpy(&copies_[i], sets_[i], size_);
    }
  }
  void PutBack() const {
    for (int i = 0; i < kSets; ++i) {
      if (sets_[i] != nullptr) std::memcpy(sets_[i], &copies_[i], size_);
    }
  }
  void ForEach(const DescriptorCall::Visit& visit) const {
    for (int file = 0; file < count_; ++file) {
      for (int i = 0; i < kSets; ++i) {
        if (sets_[i] != nullptr && FD_ISSET(file, &copies_[i])) visit(file);
      }
    }
  }

 private:
  static constexpr int kSets = 3;
  int count_;
  size_t size_;
  fd_set* sets_[kSets];
  fd_set copies_[kSets];
};

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AskUntil;
using jacquard::sim::DeadlineOf;
using jacquard::sim::DescriptorCall;
using jacquard::sim::engine;
using jacquard::sim::FileSets;
using jacquard::sim::FlagsToRead;
using jacquard::sim::ForEachOf;
using jacquard::sim::ForOne;
using jacquard::sim::InputCall;
using jacquard::sim::IsReady;
using jacquard::sim::OpenedFile;
using jacquard::sim::ReadFrom;
using jacquard::sim::ReceiveAll;
using jacquard::sim::ReceiveMany;
using jacquard::sim::SizeOf;
using jacquard::sim::WaitsForAll;

extern "C" {

// The C library's own; no header declares them for everybody.
ssize_t __read_chk(int, void*, size_t, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, sockaddr*, socklen_t*);
int __poll_chk(pollfd*, nfds_t, int, size_t);
int __ppoll_chk(pollfd*, nfds_t, const timespec*, const sigset_t*, size_t);

ssize_t read(int file, void* buffer, size_t size) {
  return ReadFrom(file, buffer, size, JACQUARD_CALLER);
}

ssize_t readv(int file, const iovec* parts, int count) {
  InputCall call(file, "a readv that waits", JACQUARD_CALLER, FlagsToRead(SizeOf(parts, count)));
  return call.Return([&] { return JACQUARD_REAL(readv)(call.file(), parts, count); });
}

int eventfd_read(int file, eventfd_t* value) {
  InputCall call(file, "an eventfd_read that waits", JACQUARD_CALLER);
  return call.Return([&] { return JACQUARD_REAL(eventfd_read)(call.file(), value); });
}

ssize_t recv(int file, void* buffer, size_t size, int flags) {
  if (WaitsForAll(file, flags)) return ReceiveAll(file, buffer, size, flags, JACQUARD_CALLER);
  InputCall call(file, "a recv that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return call.Return([&] { return JACQUARD_REAL(recv)(call.file(), buffer, size, flags); });
}

ssize_t recvfrom(int file, void* buffer, size_t size, int flags, sockaddr* address,
                 socklen_t* length) {
  if (WaitsForAll(file, flags) && address == nullptr)
    return ReceiveAll(file, buffer, size, flags, JACQUARD_CALLER);
  InputCall call(file, "a recvfrom that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return call.Return(
      [&] { return JACQUARD_REAL(recvfrom)(call.file(), buffer, size, flags, address, length); });
}

ssize_t recvmsg(int file, msghdr* message, int flags) {
  if (WaitsForAll(file, flags) && message != nullptr)
    return jacquard::sim::ReceiveAll(file, *message, flags, JACQUARD_CALLER);
  InputCall call(file, "a recvmsg that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return call.Return([&] { return JACQUARD_REAL(recvmsg)(call.file(), message, flags); });
}

int recvmmsg(int file, mmsghdr* messages, unsigned count, int flags, timespec* time) {
  if (!engine.Simulates() || messages == nullptr || count == 0)
    return JACQUARD_REAL(recvmmsg)(file, messages, count, flags, time);
  InputCall call(file, "a recvmmsg that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return ReceiveMany(call, messages, count, flags, DeadlineOf(time));
}

int accept(int file, sockaddr* address, socklen_t* length) {
  InputCall call(file, "an accept that waits", JACQUARD_CALLER, 0, InputCall::For::kSockets);
  return OpenedFile(
      call.Return([&] { return JACQUARD_REAL(accept)(call.file(), address, length); }),
      JACQUARD_RETURN_ADDRESS);
}

int accept4(int file, sockaddr* address, socklen_t* length, int flags) {
  InputCall call(file, "an accept that waits", JACQUARD_CALLER, 0, InputCall::For::kSockets);
  return OpenedFile(
      call.Return([&] { return JACQUARD_REAL(accept4)(call.file(), address, length, flags); }),
      JACQUARD_RETURN_ADDRESS);
}

int poll(pollfd* files, nfds_t count, int milliseconds) {
  const auto real = JACQUARD_REAL(poll);
  if (!engine.Simulates()) return real(files, count, milliseconds);
  if (count == 0 && milliseconds >= 0)
    return jacquard::sim::JustSleep(jacquard::sim::FromMilliseconds(milliseconds));
  return AskUntil("a poll that waits", DeadlineOf(milliseconds), nullptr, JACQUARD_CALLER,
                  ForEachOf(files, count), [=] { return real(files, count, 0); });
}

int ppoll(pollfd* files, nfds_t count, const timespec* time, const sigset_t* set) {
  const auto real = JACQUARD_REAL(ppoll);
  if (!engine.Simulates()) return real(files, count, time, set);
  if (count == 0 && time != nullptr) return jacquard::sim::JustSleep(*time);
  return AskUntil("a ppoll that waits", DeadlineOf(time), set, JACQUARD_CALLER,
                  ForEachOf(files, count), [=] {
                    const timespec none = {0, 0};
                    return real(files, count, &none, set);
                  });
}

int select(int count, fd_set* reads, fd_set* writes, fd_set* others, timeval* time) {
  const auto real = JACQUARD_REAL(select);
  if (!engine.Simulates()) return real(count, reads, writes, others, time);
  if (count == 0 && time != nullptr)
    return jacquard::sim::JustSleep({time->tv_sec, time->tv_usec * 1000});
  const FileSets asked(count, reads, writes, others);
  const timespec duration =
      time != nullptr ? timespec{time->tv_sec, time->tv_usec * 1000} : timespec{};
  return AskUntil(
      "a select that waits", DeadlineOf(time != nullptr ? &duration : nullptr), nullptr,
      JACQUARD_CALLER, [&asked](const DescriptorCall::Visit& visit) { asked.ForEach(visit); },
      [=, &asked] {
        asked.PutBack();
        timeval none = {0, 0};
        return real(count, reads, writes, others, &none);
      });
}

int pselect(int count, fd_set* reads, fd_set* writes, fd_set* others, const timespec* time,
            const sigset_t* set) {
  const auto real = JACQUARD_REAL(pselect);
  if (!engine.Simulates()) return real(count, reads, writes, others, time, set);
  if (count == 0 && time != nullptr) return jacquard::sim::JustSleep(*time);
  const FileSets asked(count, reads, writes, others);
  return AskUntil(
      "a pselect that waits", DeadlineOf(time), set, JACQUARD_CALLER,
      [&asked](const DescriptorCall::Visit& visit) { asked.ForEach(visit); },
      [=, &asked] {
        asked.PutBack();
        const timespec none = {0, 0};
        return real(count, reads, writes, others, &none, set);
      });
}

int epoll_wait(int file, epoll_event* events, int most, int milliseconds) {
  const auto real = JACQUARD_REAL(epoll_wait);
  if (!engine.Simulates()) return real(file, events, most, milliseconds);
  return AskUntil(
      "an epoll_wait that waits", DeadlineOf(milliseconds), nullptr, JACQUARD_CALLER, ForOne(file),
      [=] { return real(file, events, most, 0); }, [file] { return IsReady(file, POLLIN); });
}

int epoll_pwait(int file, epoll_event* events, int most, int milliseconds, const sigset_t* set) {
  const auto real = JACQUARD_REAL(epoll_pwait);
  if (!engine.Simulates()) return real(file, events, most, milliseconds, set);
  return AskUntil(
      "an epoll_pwait that waits", DeadlineOf(milliseconds), set, JACQUARD_CALLER, ForOne(file),
      [=] { return real(file, events, most, 0, set); }, [file] { return IsReady(file, POLLIN); });
}

int epoll_pwait2(int file, epoll_event* events, int most, const timespec* time,
                 const sigset_t* set) {
  const auto real = JACQUARD_REAL(epoll_pwait2);
  if (!engine.Simulates()) return real(file, events, most, time, set);
  return AskUntil(
      "an epoll_pwait2 that waits", DeadlineOf(time), set, JACQUARD_CALLER, ForOne(file),
      [=] {
        const timespec none = {0, 0};
        return real(file, events, most, &none, set);
      },
      [file] { return IsReady(file, POLLIN); });
}

// ---- what glibc's headers put in the place of some of them when _FORTIFY_SOURCE is defined: they
// know the size of what a pointer points to

ssize_t __read_chk(int file, void* buffer, size_t size, size_t room) {
  if (size > room) return JACQUARD_REAL(__read_chk)(file, buffer, size, room);
  return ReadFrom(file, buffer, size, JACQUARD_CALLER);
}

ssize_t __recv_chk(int file, void* buffer, size_t size, size_t room, int flags) {
  if (size > room) return JACQUARD_REAL(__recv_chk)(file, buffer, size, room, flags);
  if (WaitsForAll(file, flags)) return ReceiveAll(file, buffer, size, flags, JACQUARD_CALLER);
  InputCall call(file, "a recv that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return call.Return([&] { return JACQUARD_REAL(recv)(call.file(), buffer, size, flags); });
}

ssize_t __recvfrom_chk(int file, void* buffer, size_t size, size_t room, int flags,
                       sockaddr* address, socklen_t* length) {
  if (size > room)
    return JACQUARD_REAL(__recvfrom_chk)(file, buffer, size, room, flags, address, length);
  if (WaitsForAll(file, flags) && address == nullptr)
    return ReceiveAll(file, buffer, size, flags, JACQUARD_CALLER);
  InputCall call(file, "a recvfrom that waits", JACQUARD_CALLER, flags, InputCall::For::kSockets);
  return call.Return(
      [&] { return JACQUARD_REAL(recvfrom)(call.file(), buffer, size, flags, address, length); });
}

int __poll_chk(pollfd* files, nfds_t count, int milliseconds, size_t room) {
  if (room / sizeof(pollfd) < count)
    return JACQUARD_REAL(__poll_chk)(files, count, milliseconds, room);
  return poll(files, count, milliseconds);
}

int __ppoll_chk(pollfd* files, nfds_t count, const timespec* time, const sigset_t* set,
                size_t room) {
  if (room / sizeof(pollfd) < count)
    return JACQUARD_REAL(__ppoll_chk)(files, count, time, set, room);
  return ppoll(files, count, time, set);
}

}  // extern "C"
