// Bytes that go from file to file within the kernel, and several messages at once.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Ways for a byte from the one pipe to the other.
const std::vector<std::function<ssize_t(int, int)>>& WaysToTransfer() {
  static const std::vector<std::function<ssize_t(int, int)>> ways = {
      [](int in, int out) { return splice(in, nullptr, out, nullptr, 1, 0); },
      [](int in, int out) { return tee(in, out, 1, 0); },
  };
  return ways;
}

// What the writer has done comes before what the reader does, who has it from a third thread.
TEST(Transfers, HandOver) {
  for (const auto& transfer : WaysToTransfer()) {
    const auto body = [&transfer](bool before) {
      return [&transfer, before] {
        const Pipe from;
        const Pipe to;
        int value = 0;
        std::thread writer([&] {
          if (before) ++value;
          from.Write('y');
          if (!before) ++value;
        });
        std::thread middle([&] { Check(transfer(from.ends[0], to.ends[1]) == 1, "one byte"); });
        Check(to.Read() == 'y', "the same");
        ++value;
        writer.join();
        middle.join();
      };
    };
    ExpectAllPass(body(/*before=*/true));
    EXPECT_EQ(SearchAll(body(/*before=*/false)).verdict.kind, VerdictKind::kRace);
  }
}

TEST(Transfers, WaitForInput) {
  for (const auto& transfer : WaysToTransfer()) {
    const Verdict verdict = WalkAFew([&transfer] {
                              const Pipe from;
                              const Pipe to;
                              std::thread other([] {});
                              transfer(from.ends[0], to.ends[1]);
                              other.join();
                            }).verdict;
    EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << verdict.message;
  }
}

// Of two that want one byte, one waits for another: as good as if they read it.
TEST(Transfers, WaitForWhatOthersHaveTaken) {
  ExpectAllPass([] {
    const Pipe from;
    const Pipe to;
    const auto move = [&] {
      Check(splice(from.ends[0], nullptr, to.ends[1], nullptr, 1, 0) == 1, "one byte");
    };
    from.Write('a');
    std::thread one(move);
    std::thread other(move);
    to.Read();
    from.Write('b');
    to.Read();
    one.join();
    other.join();
  });
}

// Whoever reads from the same pipe meanwhile.
TEST(Transfers, LeaveOthersWaiting) {
  ExpectAllPass([] {
    const Pipe from;
    const Pipe to;
    std::thread reader([&] {
      from.Read();
      from.Read();
    });
    std::thread mover(
        [&] { Check(splice(from.ends[0], nullptr, to.ends[1], nullptr, 1, 0) == 1, "one byte"); });
    for (int i = 0; i < 3; ++i) from.Write();
    reader.join();
    mover.join();
  });
}

TEST(Transfers, WaitForRoom) {
  const auto body = [](bool reads) {
    return [reads] {
      const Sockets sockets;
      FILE* const file = tmpfile();
      const std::string text(3 << 20, 'x');
      Check(fwrite(text.data(), 1, text.size(), file) == text.size(), "a file");
      std::thread sender([&] {
        off_t place = 0;
        const auto size = static_cast<off_t>(text.size());
        while (place < size) {
          const auto left = static_cast<size_t>(size - place);
          Check(sendfile(sockets.ends[0], fileno(file), &place, left) > 0, "sent");
        }
        shutdown(sockets.ends[0], SHUT_WR);
      });
      std::string bytes(1 << 20, ' ');
      size_t size = 0;
      while (reads) {
        const ssize_t part = read(sockets.ends[1], bytes.data(), bytes.size());
        Check(part >= 0, "received");
        if (part == 0) break;
        size += static_cast<size_t>(part);
      }
      sender.join();
      Check(size == text.size(), "all of it");
    };
  };
  ExpectPass(Walk(body(/*reads=*/true), 5));
  const Verdict verdict = Walk(body(/*reads=*/false), 5).verdict;
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock);
  EXPECT_NE(verdict.message.find("is in a sendfile that waits for descriptor "), std::string::npos)
      << verdict.message;
}

TEST(Transfers, OfMemory) {
  ExpectAllPass([] {
    const Pipe pipe;
    int value = 0;
    char there[] = "ab";
    std::thread writer([&] {
      ++value;
      const iovec part = {there, 2};
      Check(vmsplice(pipe.ends[1], &part, 1, 0) == 2, "written");
    });
    char here[2] = {};
    const iovec part = {here, 2};
    Check(vmsplice(pipe.ends[0], &part, 1, 0) == 2, "read");
    Check(here[0] == 'a' && here[1] == 'b' && ++value == 2, "what has been written");
    writer.join();
  });
}

TEST(Transfers, DoNotWaitIfTheyMustNot) {
  ExpectPass(WalkAFew([] {
    std::thread([] {}).join();
    int from[2];
    int to[2];
    Check(pipe2(from, O_NONBLOCK) == 0 && pipe2(to, O_NONBLOCK) == 0, "opened");
    errno = 0;
    Check(splice(from[0], nullptr, to[1], nullptr, 1, 0) == -1 && errno == EAGAIN, "nothing there");
    Check(write(from[1], "x", 1) == 1, "written");
    Check(splice(from[0], nullptr, to[1], nullptr, 1, 0) == 1, "moved");
    close(from[1]);
    Check(splice(from[0], nullptr, to[1], nullptr, 1, 0) == 0, "the end");
  }));
}

TEST(Transfers, FailWhereNobodyReads) {
  const auto body = [] {
    std::thread([] {}).join();
    const Pipe from;
    const Pipe to;
    from.Write();
    close(to.ends[0]);
    errno = 0;
    Check(splice(from.ends[0], nullptr, to.ends[1], nullptr, 1, 0) == -1 && errno == EPIPE,
          "a broken pipe");
  };
  EXPECT_EQ(WalkAFew(body).verdict.kind, VerdictKind::kAbort);
  ExpectPass(WalkAFew([&body] {
    signal(SIGPIPE, SIG_IGN);
    body();
  }));
}

struct Messages {
  Messages() {
    for (int i = 0; i < 2; ++i) {
      parts[i] = {bytes + i, 1};
      headers[i].msg_hdr.msg_iov = parts + i;
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  char bytes[2] = {'a', 'b'};
  iovec parts[2] = {};
  mmsghdr headers[2] = {};
};

TEST(ManyMessages, HandOver) {
  const auto body = [](bool before) {
    return [before] {
      const Sockets sockets(SOCK_DGRAM);
      int value = 0;
      std::thread sender([&] {
        if (before) ++value;
        Messages messages;
        Check(sendmmsg(sockets.ends[0], messages.headers, 2, 0) == 2, "both");
        Check(messages.headers[1].msg_len == 1, "as long as it is");
        if (!before) ++value;
      });
      Messages messages;
      Check(recvmmsg(sockets.ends[1], messages.headers, 2, 0, nullptr) == 2, "both");
      Check(messages.bytes[1] == 'b' && messages.headers[1].msg_len == 1, "the second");
      ++value;
      sender.join();
    };
  };
  ExpectAllPass(body(/*before=*/true));
  EXPECT_EQ(SearchAll(body(/*before=*/false)).verdict.kind, VerdictKind::kRace);
}

TEST(ManyMessages, AreWaitedFor) {
  const auto receive = [](int flags, timespec* time) {
    const Sockets sockets(SOCK_DGRAM);
    std::thread sender([&] { Check(send(sockets.ends[0], "x", 1, 0) == 1, "one"); });
    Messages messages;
    const int received = recvmmsg(sockets.ends[1], messages.headers, 2, flags, time);
    sender.join();
    return received;
  };
  EXPECT_EQ(WalkAFew([&] { receive(0, nullptr); }).verdict.kind, VerdictKind::kDeadlock);
  ExpectAllPass([&] { Check(receive(MSG_WAITFORONE, nullptr) == 1, "the first is enough"); });
  ExpectAllPass([&] {
    timespec none = {0, 0};
    Check(receive(0, &none) == 1, "the time is over behind the first");
  });
  ExpectPass(WalkAFew([] {
    std::thread([] {}).join();
    const Sockets sockets(SOCK_DGRAM);
    Messages messages;
    errno = 0;
    Check(recvmmsg(sockets.ends[1], messages.headers, 2, MSG_DONTWAIT, nullptr) == -1, "none");
    Check(errno == EAGAIN, "it would wait");
    Check(recvmmsg(sockets.ends[1], messages.headers, 0, 0, nullptr) == 0, "of none");
    Check(sendmmsg(sockets.ends[0], messages.headers, 1, 0) == 1, "one");
    Check(recvmmsg(sockets.ends[1], messages.headers, 2, MSG_DONTWAIT, nullptr) == 1, "that");
  }));
}

}  // namespace
}  // namespace jacquard
