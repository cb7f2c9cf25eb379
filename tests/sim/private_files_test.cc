// Whether somebody else could end a wait for a file where no thread can run any more.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Only the program's own threads could do what is waited for, and all of them wait.
TEST(PrivateFiles, Deadlock) {
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
TEST(PrivateFiles, AreNotThoseOfOthers) {
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
TEST(PrivateFiles, AreNotThoseOfTheWorldOutside) {
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
  const std::string why =
      "thread 0 waits for what another process could do, in a read that waits " +
      ("for descriptor " + std::to_string(ends[0]));
  EXPECT_NE(result.verdict.message.find(why), std::string::npos) << result.verdict.message;
  EXPECT_GE(ended, 1);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace jacquard
