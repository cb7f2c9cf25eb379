// Threads that hand over through the kernel: pipes, eventfds, sockets, and who waits for these.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

struct Pipe {
  Pipe() { Check(pipe(ends) == 0, "opened"); }
  char Read() const {
    char byte = 0;
    Check(read(ends[0], &byte, 1) == 1, "read");
    return byte;
  }
  void Write(char byte = 'x') const { Check(write(ends[1], &byte, 1) == 1, "written"); }
  int ends[2] = {};
};

struct Event {
  explicit Event(int flags = 0) : file(eventfd(0, flags)) { Check(file >= 0, "opened"); }
  void Signal() const { Check(eventfd_write(file, 1) == 0, "written"); }
  bool Drain() const {
    eventfd_t value = 0;
    return eventfd_read(file, &value) == 0;
  }
  int file;
};

// Between two sockets of the program's, with a name that everybody could connect to.
struct Connection {
  explicit Connection(int family)
      : listener(socket(family, SOCK_STREAM, 0)), client(socket(family, SOCK_STREAM, 0)) {
    sockaddr_storage address = {};
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    name->sa_family = static_cast<sa_family_t>(family);
    socklen_t length = sizeof(sa_family_t);  // AF_UNIX: an abstract name, of the system's choice
    if (family == AF_INET) {
      length = sizeof(sockaddr_in);
      reinterpret_cast<sockaddr_in*>(name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    Check(bind(listener, name, length) == 0, "bound");
    length = sizeof(address);
    Check(getsockname(listener, name, &length) == 0 && listen(listener, 1) == 0, "listens");
    Check(connect(client, name, length) == 0, "connected");
    server = accept(listener, nullptr, nullptr);
    Check(server >= 0, "accepted");
  }
  int listener;
  int client;
  int server;
};

void ExpectAllPass(const std::function<void()>& body) {
  const ExploreResult result = SearchAll(body);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_GT(result.executions, 1u);
  ExpectPass(Walk(body));
}

ExploreResult WalkAFew(const std::function<void()>& body) { return Walk(body, 10); }

TEST(Descriptors, HandOver) {
  ExpectAllPass([] {
    const Pipe pipe;
    int data = 0;
    std::thread giver([&] {
      data = 1;
      pipe.Write();
    });
    pipe.Read();
    Check(data == 1, "comes before");
    giver.join();
  });
  ExpectAllPass([] {
    const Event event;
    int data = 0;
    std::thread giver([&] {
      data = 1;
      event.Signal();
    });
    Check(event.Drain() && data == 1, "comes before");
    giver.join();
  });
}

TEST(Descriptors, HandOverNothingToWhoDoesNotRead) {
  ExpectVerdict(
      [] {
        const Pipe pipe;
        int data = 0;
        std::thread giver([&] {
          data = 1;
          pipe.Write();
        });
        Check(data <= 1, "a race");
        pipe.Read();
        giver.join();
      },
      "race|plain read and plain write");
}

// What is written there nobody reads in order to be told.
TEST(Descriptors, OfAFileOrderNothing) {
  const std::string path = testing::TempDir() + "/log";
  const ExploreResult result = Walk([&path] {
    const int log = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
    int data = 0;
    const auto work = [&] {
      char byte = 'x';
      Check(write(log, &byte, 1) == 1 && read(log, &byte, 1) >= 0, "done");
      ++data;
      Check(write(log, &byte, 1) == 1 && read(log, &byte, 1) >= 0, "done");
    };
    std::thread other(work);
    work();
    other.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

TEST(Descriptors, WriterWaitsForRoom) {
  ExpectAllPass([] {
    const Pipe pipe;
    constexpr int kPages = 2;
    constexpr int kPage = 4096;
    Check(fcntl(pipe.ends[1], F_SETPIPE_SZ, kPage) == kPage, "small");
    std::thread writer([&pipe] {
      static const char bytes[kPages * kPage] = {};
      Check(write(pipe.ends[1], bytes, sizeof(bytes)) == sizeof(bytes), "all of it");
    });
    static char bytes[kPage];
    for (int left = kPages * kPage; left > 0;) {
      const ssize_t result = read(pipe.ends[0], bytes, sizeof(bytes));
      Check(result > 0, "read");
      left -= static_cast<int>(result);
    }
    writer.join();
  });
}

TEST(Descriptors, SenderWaitsForRoom) {
  ExpectPass(Walk(
      [] {
        int sockets[2];
        Check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "opened");
        static const char bytes[1 << 18] = {};
        constexpr size_t kPart = sizeof(bytes) / 2 + 1;
        std::thread sender([&sockets] {
          iovec parts[] = {{const_cast<char*>(bytes), kPart},
                           {const_cast<char*>(bytes) + kPart, sizeof(bytes) - kPart}};
          msghdr message = {};
          message.msg_iov = parts;
          message.msg_iovlen = 2;
          Check(sendmsg(sockets[0], &message, 0) == sizeof(bytes), "all of it");
          Check(send(sockets[0], bytes, sizeof(bytes), 0) == sizeof(bytes), "all of it");
        });
        static char buffer[1 << 14];
        for (size_t left = 2 * sizeof(bytes); left > 0;) {
          const ssize_t result = read(sockets[1], buffer, sizeof(buffer));
          Check(result > 0, "read");
          left -= static_cast<size_t>(result);
        }
        sender.join();
      },
      50));
}

// To a socket that it is not connected to: the sender's own says nothing of whether there is room.
TEST(Descriptors, SenderOfDatagramsWaitsForRoom) {
  ExpectPass(Walk(
      [] {
        const int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof(sa_family_t);
        Check(bind(receiver, name, length) == 0, "bound");
        length = sizeof(address);
        Check(getsockname(receiver, name, &length) == 0, "has a name");
        constexpr int kMany = 1000;  // more than may queue
        std::thread sender([&] {
          const int file = socket(AF_UNIX, SOCK_DGRAM, 0);
          for (int i = 0; i < kMany; ++i)
            Check(sendto(file, &i, sizeof(i), 0, name, length) == sizeof(i), "sent");
        });
        for (int i = 0; i < kMany; ++i) {
          int got = 0;
          Check(recvfrom(receiver, &got, sizeof(got), 0, nullptr, nullptr) == sizeof(got), "got");
          Check(got == i, "in their order, and each once");
        }
        sender.join();
      },
      20));
}

// An event loop that drains the wake-up behind the look into its queue loses one.
void RunEventLoop(bool drains_first) {
  const Event event(EFD_NONBLOCK);
  std::mutex mutex;
  int queue = 0;
  std::thread producer([&] {
    {
      const std::lock_guard lock(mutex);
      ++queue;
    }
    event.Signal();
  });
  int seen = 0;
  for (int round = 0; round < 2; ++round) {
    pollfd one = {.fd = event.file, .events = POLLIN, .revents = 0};
    if (round != 0 && seen == 0) Check(poll(&one, 1, -1) == 1, "there is an event");
    if (drains_first) event.Drain();
    {
      const std::lock_guard lock(mutex);
      seen += std::exchange(queue, 0);
    }
    if (!drains_first) event.Drain();
  }
  Check(seen == 1, "nothing is lost");
  producer.join();
}

TEST(Descriptors, CallsAreSteps) {
  ExpectAllPass([] { RunEventLoop(/*drains_first=*/true); });
  const ExploreResult lost = SearchAll([] { RunEventLoop(/*drains_first=*/false); });
  EXPECT_EQ(lost.verdict.kind, VerdictKind::kDeadlock) << lost.verdict.message;
  EXPECT_NE(lost.verdict.message.find("thread 0 is in a poll that waits"), std::string::npos)
      << lost.verdict.message;
  ExpectVerdict(
      [] {
        const Pipe pipe;
        std::thread closer([&pipe] { close(pipe.ends[1]); });
        const bool written = write(pipe.ends[1], "x", 1) == 1;
        closer.join();
        Check(written, "nobody closes it before (planted)");
      },
      "invariant|nobody closes it before (planted)");
}

// Each of the ways to wait for one of several files: how many are ready.
const std::vector<std::function<int(int)>>& WaysToWait() {
  static const std::vector<std::function<int(int)>> ways = {
      [](int file) {
        pollfd files[] = {{.fd = file, .events = POLLIN, .revents = 0},
                          {.fd = file, .events = POLLPRI, .revents = 0}};
        const int ready = poll(files, 2, -1);
        Check((files[0].revents & POLLIN) != 0, "the first");
        return ready;
      },
      [](int file) {
        pollfd one = {.fd = file, .events = POLLIN, .revents = 0};
        return ppoll(&one, 1, nullptr, nullptr);
      },
      [](int file) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(file, &set);
        const int ready = select(file + 1, &set, nullptr, nullptr, nullptr);
        Check(FD_ISSET(file, &set), "this one");
        return ready;
      },
      [](int file) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(file, &set);
        return pselect(file + 1, &set, nullptr, nullptr, nullptr, nullptr);
      },
      [](int file) {
        const int all = epoll_create1(0);
        epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.fd = file}};
        Check(epoll_ctl(all, EPOLL_CTL_ADD, file, &event) == 0, "added");
        return epoll_wait(all, &event, 1, -1);
      },
      [](int file) {
        const int all = epoll_create1(0);
        epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data = {.fd = file}};
        Check(epoll_ctl(all, EPOLL_CTL_ADD, file, &event) == 0, "added");
        return epoll_pwait(all, &event, 1, -1, nullptr);
      },
  };
  return ways;
}

TEST(Descriptors, WaitsForAnyOfSeveral) {
  int way = 0;
  for (const std::function<int(int)>& wait : WaysToWait()) {
    SCOPED_TRACE(way++);
    ExpectAllPass([&wait] {
      const Pipe pipe;
      int data = 0;
      std::thread giver([&] {
        data = 1;
        pipe.Write();
      });
      Check(wait(pipe.ends[0]) == 1, "one is ready");
      Check(data == 1, "comes before");
      giver.join();
    });
  }
}

TEST(Descriptors, WaitsEndWithTheirTime) {
  bool ready = false;
  bool not_ready = false;
  const ExploreResult result = Walk([&] {
    const Pipe pipe;
    std::thread giver([&pipe] { pipe.Write(); });
    pollfd one = {.fd = pipe.ends[0], .events = POLLIN, .revents = 0};
    const int answer = poll(&one, 1, 1000);
    Check(answer == 0 || answer == 1, "no error");
    (answer == 1 ? ready : not_ready) = true;
    giver.join();
  });
  ExpectPass(result);
  EXPECT_TRUE(ready && not_ready);
  ExpectPass(Walk([] {
    const Pipe pipe;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe.ends[0], &set);
    timeval time = {.tv_sec = 1'000'000, .tv_usec = 0};
    Check(select(pipe.ends[0] + 1, &set, nullptr, nullptr, &time) == 0, "nobody writes");
    Check(!FD_ISSET(pipe.ends[0], &set), "none is left in the set");
  }));
}

TEST(Descriptors, AreAskedAgainAndAgain) {
  ExpectPass(Walk([] {
    const Event event(EFD_NONBLOCK);
    int data = 0;
    std::thread giver([&] {
      data = 1;
      event.Signal();
    });
    while (!event.Drain()) sched_yield();
    Check(data == 1, "comes before");
    giver.join();
  }));
}

TEST(Descriptors, OfSockets) {
  ExpectPass(Walk([] {
    int sockets[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "opened");
    int data = 0;
    std::thread server([&] {
      char byte = 0;
      Check(recv(sockets[1], &byte, 1, 0) == 1, "asked");
      ++data;
      Check(send(sockets[1], &byte, 1, 0) == 1, "answered");
    });
    data = 1;
    char byte = 'x';
    iovec part = {&byte, 1};
    Check(writev(sockets[0], &part, 1) == 1, "asks");
    Check(readv(sockets[0], &part, 1) == 1, "is answered");
    Check(data == 2, "comes before");
    server.join();
  }));
  ExpectPass(Walk(
      [] {
        const int server = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address = {};
        address.sun_family = AF_UNIX;  // an abstract name, of the system's choice
        auto* const name = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof(sa_family_t);
        Check(bind(server, name, length) == 0, "bound");
        length = sizeof(address);
        Check(getsockname(server, name, &length) == 0 && listen(server, 1) == 0, "listens");
        std::thread client([&] {
          const int file = socket(AF_UNIX, SOCK_STREAM, 0);
          Check(connect(file, name, length) == 0 && send(file, "x", 1, 0) == 1, "connected");
        });
        const int file = accept(server, nullptr, nullptr);
        char byte = 0;
        Check(file >= 0 && recv(file, &byte, 1, 0) == 1, "accepted");
        client.join();
      },
      100));
}

// Only the program's own threads could do what is waited for, and all of them wait.
TEST(Descriptors, OfNobodyElseDeadlock) {
  int way = 0;
  const auto expect_deadlock = [&way](const std::function<void()>& body) {
    SCOPED_TRACE(way++);
    const ExploreResult result = WalkAFew(body);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  };
  for (const std::function<int(int)>& wait : WaysToWait()) {
    expect_deadlock([&wait] {
      const Pipe pipe;
      std::thread([&] { wait(pipe.ends[0]); }).join();
    });
  }
  expect_deadlock([] { Event().Drain(); });
  expect_deadlock([] {
    int sockets[2];
    Check(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0, "opened");
    char byte = 0;
    recv(dup(sockets[0]), &byte, 1, 0);
  });
  expect_deadlock([] {
    const Pipe pipe;
    static const char bytes[1 << 17] = {};
    Check(write(pipe.ends[1], bytes, sizeof(bytes)) > 0, "never comes here");
  });
  expect_deadlock([] {
    signal(SIGPIPE, SIG_IGN);
    Pipe().Read();
  });
  // Connections of the program with itself.
  for (const int family : {AF_UNIX, AF_INET}) {
    for (const bool server_waits : {false, true}) {
      expect_deadlock([=] {
        const Connection connection(family);
        char byte = 0;
        recv(server_waits ? connection.server : connection.client, &byte, 1, 0);
      });
    }
  }
  // Each waits for what the other one does behind its wait.
  expect_deadlock([] {
    const Pipe pipe;
    const Event event;
    std::thread other([&] {
      event.Drain();
      pipe.Write();
    });
    pipe.Read();
    event.Signal();
    other.join();
  });
}

// Who writes where nobody reads any more gets a signal, which ends the process unless it is told
// otherwise; then that is an error.
TEST(Descriptors, WritersAreToldThatNobodyReads) {
  const std::function<ssize_t(int pipe, int socket)> ways[] = {
      [](int pipe, int) { return write(pipe, "xy", 2); },
      [](int pipe, int) {
        fcntl(pipe, F_SETFL, O_NONBLOCK);
        return write(pipe, "xy", 2);
      },
      [](int pipe, int) {
        iovec part = {const_cast<char*>("xy"), 2};
        return writev(pipe, &part, 1);
      },
      [](int, int socket) { return write(socket, "xy", 2); },
      [](int, int socket) { return send(socket, "xy", 2, 0); },
      [](int, int socket) { return sendto(socket, "xy", 2, MSG_DONTWAIT, nullptr, 0); },
      [](int, int socket) {
        iovec part = {const_cast<char*>("xy"), 2};
        msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        return sendmsg(socket, &message, 0);
      },
  };
  int way = 0;
  for (const auto& try_to_write : ways) {
    SCOPED_TRACE(way++);
    static int handled;  // in this execution
    const auto body = [&try_to_write](void (*prepare)(), int times = 0) {
      return [&try_to_write, prepare, times] {
        const Pipe pipe;
        int sockets[2];
        Check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "opened");
        prepare();
        std::thread([&] {
          close(pipe.ends[0]);
          close(sockets[0]);
        }).join();
        Check(try_to_write(pipe.ends[1], sockets[1]) == -1 && errno == EPIPE, "an error");
        Check(handled == times, "a signal, if there is a handler");
      };
    };
    const ExploreResult ended = WalkAFew(body([] {}));
    EXPECT_EQ(ended.verdict.signature, "abort|signal") << ended.verdict.message;
    EXPECT_NE(ended.verdict.message.find("nobody reads: SIGPIPE, which ends the process"),
              std::string::npos)
        << ended.verdict.message;
    ExpectPass(WalkAFew(body([] { signal(SIGPIPE, SIG_IGN); })));
    ExpectPass(WalkAFew(body([] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
    })));
    ExpectPass(WalkAFew(body([] { signal(SIGPIPE, [](int) { ++handled; }); }, 1)));
  }
  ExpectPass(WalkAFew([] {
    int sockets[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "opened");
    close(sockets[0]);
    Check(send(sockets[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE, "an error alone");
  }));
}

// What the kernel says of a pipe is that there is room for a page.
TEST(Descriptors, WritersNeedNoMoreRoomThanTheyFill) {
  ExpectPass(WalkAFew([] {
    const Pipe pipe;
    Check(fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096) == 4096, "small");
    pipe.Write();
    pipe.Write();
    Check(read(pipe.ends[0], nullptr, 0) == 0, "nothing, at once");
    pipe.Read();
    pipe.Read();
    Check(read(pipe.ends[0], nullptr, 0) == 0, "nothing, at once");
  }));
  // An eventfd has room for what keeps it below its greatest value.
  ExpectAllPass([] {
    const Event event;
    Check(eventfd_write(event.file, UINT64_MAX - 2) == 0, "nearly full");
    std::thread writer([&event] { Check(eventfd_write(event.file, 2) == 0, "waits"); });
    Check(event.Drain() && event.Drain(), "both");
    writer.join();
  });
}

struct Sockets {
  explicit Sockets(int type = SOCK_STREAM) {
    Check(socketpair(AF_UNIX, type, 0, ends) == 0, "opened");
  }
  int ends[2] = {};
};

TEST(Descriptors, ReceiverWaitsForAll) {
  const auto body = [](bool ends_early) {
    return [ends_early] {
      const Sockets sockets;
      std::thread receiver([&] {
        char bytes[7] = {};
        const ssize_t size = recv(sockets.ends[1], bytes, 6, MSG_WAITALL);
        Check(size == (ends_early ? 3 : 6) && std::string(bytes).starts_with("abc"), "all");
        iovec parts[] = {{bytes, 1}, {bytes + 1, 1}};
        msghdr message = {};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        Check(recvmsg(sockets.ends[1], &message, MSG_WAITALL) == (ends_early ? 0 : 2), "the rest");
      });
      for (const char* const part : {"abc", "def", "g", "h"}) {
        Check(send(sockets.ends[0], part, std::strlen(part), 0) > 0, "sent");
        if (ends_early) break;
      }
      close(sockets.ends[0]);
      receiver.join();
    };
  };
  ExpectPass(Walk(body(false)));
  ExpectPass(Walk(body(true)));
}

// Sockets may have a time for each wait.
TEST(Descriptors, WaitsEndWithTheSocketsTime) {
  const auto set_time = [](const Sockets& sockets) {
    const timeval time = {.tv_sec = 1, .tv_usec = 0};
    for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
      for (const int end : sockets.ends)
        Check(setsockopt(end, SOL_SOCKET, option, &time, sizeof(time)) == 0, "set");
    }
  };
  ExpectPass(WalkAFew([set_time] {
    const Sockets sockets;
    set_time(sockets);
    char byte = 0;
    Check(recv(sockets.ends[1], &byte, 1, 0) == -1 && errno == EAGAIN, "nothing comes");
    static const char bytes[1 << 20] = {};
    ssize_t sent = 0;
    while ((sent = send(sockets.ends[0], bytes, sizeof(bytes), 0)) > 0) {
    }
    Check(sent == -1 && errno == EAGAIN, "there is no room");
  }));
  bool comes = false;
  bool is_late = false;
  ExpectPass(Walk([&] {
    const Sockets sockets;
    set_time(sockets);
    std::thread sender([&sockets] { Check(send(sockets.ends[0], "x", 1, 0) == 1, "sent"); });
    char byte = 0;
    const ssize_t size = recv(sockets.ends[1], &byte, 1, 0);
    (size == 1 ? comes : is_late) = true;
    sender.join();
  }));
  EXPECT_TRUE(comes && is_late);
}

// Who waits has the file, and not its number.
TEST(Descriptors, ThatAreClosedAreWaitedForAllTheSame) {
  const auto body = [](bool sends) {
    return [sends] {
      static std::atomic<bool> begun;
      const Sockets sockets;
      std::thread receiver([&] {
        char byte = 0;
        begun = true;
        const ssize_t size = recv(sockets.ends[1], &byte, 1, 0);
        Check(size == 1 || errno == EBADF || errno == ENOTSOCK, "before or behind the close");
      });
      while (!begun) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::seconds(1));
      close(sockets.ends[1]);
      const Pipe other;  // with the same number
      if (sends) send(sockets.ends[0], "x", 1, MSG_NOSIGNAL);
      receiver.join();
    };
  };
  ExpectPass(Walk(body(true)));
  EXPECT_EQ(Walk(body(false)).verdict.kind, VerdictKind::kDeadlock);
}

// Over a connection to a socket of its own that everybody may connect to.
void SendToNamedSocket(int descriptor) {
  const int server = socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof(sa_family_t);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  Check(bind(server, name, length) == 0, "bound");
  length = sizeof(address);
  Check(getsockname(server, name, &length) == 0, "has a name");
  char byte = 'x';
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(descriptor))] = {};
  msghdr message = {};
  message.msg_name = name;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(descriptor));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
  Check(sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0), &message, 0) == 1, "sent");
}

// As before, but somebody else may have the file.
TEST(Descriptors, OfOthersDoNotDeadlock) {
  const std::string path = testing::TempDir() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  int way = 0;
  const auto expect_unsupported = [&way](const std::function<void()>& body) {
    SCOPED_TRACE(way++);
    const ExploreResult result = WalkAFew(body);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kUnsupported) << result.verdict.message;
  };
  char byte = 0;
  expect_unsupported([&] { Check(read(open(path.c_str(), O_RDWR), &byte, 1) == 1, "no"); });
  expect_unsupported([&] {
    const Connection connection(AF_INET);
    Check(accept(connection.listener, nullptr, nullptr) >= 0, "no");
  });
  expect_unsupported([&] {
    const int file = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    Check(bind(file, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) == 0, "bound");
    Check(recv(file, &byte, 1, 0) == 1, "no");
  });
  Pipe outside;
  for (const std::function<int(int)>& wait : WaysToWait())
    expect_unsupported([&] { wait(outside.ends[0]); });
  expect_unsupported([&] {
    const Pipe own;
    pollfd files[] = {{.fd = own.ends[0], .events = POLLIN, .revents = 0},
                      {.fd = outside.ends[0], .events = POLLIN, .revents = 0}};
    Check(poll(files, 2, -1) == 1, "no");
  });
  // Whoever waits for nothing waits for a signal.
  expect_unsupported([] { poll(nullptr, 0, -1); });
  // A handler may write to a pipe.
  expect_unsupported([] {
    signal(SIGTERM, [](int) {});
    Pipe().Read();
  });
  // A child has what its parent has.
  expect_unsupported([&] {
    const Pipe own;
    char name[] = "/bin/true";
    char* const arguments[] = {name, nullptr};
    pid_t child = 0;
    Check(posix_spawn(&child, name, nullptr, nullptr, arguments, nullptr) == 0, "begun");
    Check(read(own.ends[0], &byte, 1) == 1, "no");
  });
  while (waitpid(-1, nullptr, 0) > 0) {
  }
  // One that has been sent to where others may be.
  expect_unsupported([&] {
    const Pipe own;
    SendToNamedSocket(own.ends[0]);
    Check(read(own.ends[0], &byte, 1) == 1, "no");
  });
  close(outside.ends[0]);
  close(outside.ends[1]);
}

// Who waits for the world outside is told so once nobody else can run, and not before.
TEST(Descriptors, OfTheWorldOutsideAreRefused) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  int ended = 0;
  const ExploreResult result = Walk(
      [&] {
        std::thread other([&ended] { ++ended; });
        char byte;
        Check(read(ends[0], &byte, 1) == 1, "never comes here");
      },
      10);
  EXPECT_EQ(result.verdict.signature, "unsupported|a read that waits") << result.verdict.message;
  EXPECT_NE(result.verdict.message.find("thread 0 waits for what another process could do"),
            std::string::npos)
      << result.verdict.message;
  EXPECT_GE(ended, 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace jacquard
