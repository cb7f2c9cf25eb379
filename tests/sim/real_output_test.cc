// What is written to where somebody reads: it waits for room, and for somebody who reads at all.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

TEST(RealOutput, WriterWaitsForRoom) {
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

TEST(RealOutput, SenderWaitsForRoom) {
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
TEST(RealOutput, SenderOfDatagramsWaitsForRoom) {
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

// What the kernel says of a pipe is that there is room for a page.
TEST(RealOutput, WritersNeedNoMoreRoomThanTheyFill) {
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

// Whatever it is put together from.
TEST(RealOutput, WritersDoNotCutRecordsUp) {
  ExpectPass(Walk([] {
    const Pipe pipe;
    Check(fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096) == 4096, "small");
    const auto put = [&pipe](char byte) {
      char bytes[] = {byte, byte, byte, byte};
      const iovec parts[] = {{bytes, 1}, {bytes + 1, 3}};
      Check(writev(pipe.ends[1], parts, 2) == 4, "written");
    };
    std::thread other(put, 'a');
    std::thread another(put, 'b');
    for (int i = 0; i < 2; ++i) {
      const char first = pipe.Read();
      for (int j = 1; j < 4; ++j) Check(pipe.Read() == first, "of one writer");
    }
    other.join();
    another.join();
  }));
}

// Who writes where nobody reads any more gets a signal, which ends the process unless it is told
// otherwise; then that is an error.
TEST(RealOutput, WritersAreToldThatNobodyReads) {
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

TEST(RealOutput, ReceiverWaitsForAll) {
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
TEST(RealOutput, WaitsEndWithTheSocketsTime) {
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

TEST(RealOutput, OfTheWrongEndIsAnError) {
  ExpectPass(WalkAFew([] {
    std::thread([] {}).join();
    const Pipe pipe;
    pipe.Write();
    close(pipe.ends[1]);
    errno = 0;
    Check(write(pipe.ends[0], "x", 1) == -1 && errno == EBADF, "one cannot write there");
  }));
}

}  // namespace
}  // namespace jacquard
