// Waits for what the simulation does not have: refused at once, unless there is nothing to wait
// for.
#include <aio.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

TEST(RealWaits, AreRefusedAtOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int input = ends[0];
  const std::vector<std::function<void()>> bodies = {
      [] { fork(); },
      [] { pause(); },
      [] {
        sigset_t set;
        sigemptyset(&set);
        int signal;
        sigwait(&set, &signal);
      },
      [input] {
        char byte;
        (void)!read(input, &byte, 1);
      },
      [input] {
        pollfd one = {.fd = input, .events = POLLIN, .revents = 0};
        poll(&one, 1, -1);
      },
      [input] {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(input, &set);
        select(input + 1, &set, nullptr, nullptr, nullptr);
      },
  };
  for (const std::function<void()>& body : bodies) {
    const ExploreResult result = Walk([&body] {
      timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);  // a step
      body();
    });
    EXPECT_FALSE(result.no_step);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kUnsupported) << result.verdict.message;
  }
  close(ends[0]);
  close(ends[1]);
}

// Executes `body` once, and says whether it was refused.
bool IsRefused(const std::function<void()>& body) {
  const ExploreResult result = Walk(
      [&body] {
        timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);  // a step
        body();
      },
      1);
  EXPECT_FALSE(result.no_step);
  EXPECT_TRUE(result.verdict.passed() || result.verdict.kind == VerdictKind::kUnsupported)
      << result.verdict.message;
  return !result.verdict.passed();
}

TEST(RealWaits, OutputThatNobodyReads) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  static const char bytes[1 << 16] = {};
  const auto fill = [&](int file) {
    return [file] {
      for (int i = 0; i < 100; ++i) (void)!write(file, bytes, sizeof(bytes));
    };
  };
  EXPECT_FALSE(IsRefused([&] { Check(write(pipe_ends[1], bytes, 10'000) == 10'000, "room"); }));
  EXPECT_TRUE(IsRefused(fill(pipe_ends[1])));
  EXPECT_TRUE(IsRefused([&] { (void)!write(pipe_ends[1], bytes, 1); }));
  EXPECT_FALSE(IsRefused([&] { Check(send(sockets[0], bytes, 100, 0) == 100, "room"); }));
  EXPECT_TRUE(IsRefused(fill(sockets[0])));
  EXPECT_TRUE(IsRefused([&] { send(sockets[0], bytes, sizeof(bytes), 0); }));
  EXPECT_TRUE(IsRefused([&] { sendto(sockets[0], bytes, sizeof(bytes), 0, nullptr, 0); }));
  EXPECT_TRUE(IsRefused([&] {
    iovec part = {const_cast<char*>(bytes), sizeof(bytes)};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    sendmsg(sockets[0], &message, 0);
  }));
  // Who says that it does not wait is answered.
  EXPECT_FALSE(IsRefused([&] {
    Check(send(sockets[0], bytes, sizeof(bytes), MSG_DONTWAIT) == -1 && errno == EAGAIN, "full");
    Check(fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK) == 0, "set");
    Check(write(pipe_ends[1], bytes, 1) == -1 && errno == EAGAIN, "full");
  }));
  for (const int file : {pipe_ends[0], pipe_ends[1], sockets[0], sockets[1]}) close(file);
}

TEST(RealWaits, InputOfSockets) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  const auto receive = [&] {
    char byte;
    iovec part = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return recvmsg(sockets[1], &message, 0);
  };
  EXPECT_FALSE(IsRefused([&] {
    Check(send(sockets[0], "ab", 2, 0) == 2, "sent");
    char byte;
    Check(receive() == 1, "received");
    Check(recvfrom(sockets[1], &byte, 1, 0, nullptr, nullptr) == 1, "received");
    Check(recvfrom(sockets[1], &byte, 1, MSG_DONTWAIT, nullptr, nullptr) == -1, "nothing there");
  }));
  EXPECT_TRUE(IsRefused([&] { receive(); }));
  EXPECT_TRUE(IsRefused([&] {
    char byte;
    recvfrom(sockets[1], &byte, 1, 0, nullptr, nullptr);
  }));
  EXPECT_TRUE(IsRefused([&] {
    pollfd one = {.fd = sockets[1], .events = POLLIN, .revents = 0};
    ppoll(&one, 1, nullptr, nullptr);
  }));
  close(sockets[0]);
  close(sockets[1]);
}

TEST(RealWaits, Connections) {
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;  // an abstract name, of the system's choice
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  socklen_t length = sizeof(address);
  ASSERT_EQ(getsockname(server, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ASSERT_EQ(listen(server, 0), 0);
  EXPECT_TRUE(IsRefused([&] { accept4(server, nullptr, nullptr, SOCK_CLOEXEC); }));
  const auto connect_once = [&] {
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    Check(connect(client, reinterpret_cast<sockaddr*>(&address), length) == 0, "connected");
  };
  EXPECT_FALSE(IsRefused([&] {
    connect_once();
    const int accepted = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    Check(accepted >= 0, "accepted");
    close(accepted);
  }));
  EXPECT_TRUE(IsRefused([&] {
    for (int i = 0; i < 10; ++i) connect_once();  // more than may queue
  }));
  close(server);
}

TEST(RealWaits, ConnectionsOverTheNetwork) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (server < 0 || bind(server, reinterpret_cast<sockaddr*>(&address), length) != 0)
    GTEST_SKIP() << "there is no network here";
  ASSERT_EQ(getsockname(server, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ASSERT_EQ(listen(server, 1), 0);
  EXPECT_FALSE(IsRefused([&] {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    Check(connect(client, reinterpret_cast<sockaddr*>(&address), length) == 0, "connected");
    Check((fcntl(client, F_GETFL) & O_NONBLOCK) == 0, "as it was");
    close(client);
  }));
  close(server);
}

TEST(RealWaits, LocksOfFiles) {
  const std::string path = testing::TempDir() + "/locked";
  const int one = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  const int other = open(path.c_str(), O_RDWR);
  ASSERT_TRUE(one >= 0 && other >= 0);
  EXPECT_FALSE(IsRefused([&] { Check(flock(one, LOCK_EX) == 0, "free"); }));
  EXPECT_FALSE(IsRefused([&] {
    Check(flock(other, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK, "does not wait");
  }));
  EXPECT_TRUE(IsRefused([&] { flock(other, LOCK_EX); }));
  // These are the open file's, as flock's are; F_SETLKW's are the process's.
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  EXPECT_FALSE(IsRefused([&] { Check(fcntl(one, F_OFD_SETLKW, &whole) == 0, "free"); }));
  EXPECT_TRUE(IsRefused([&] { fcntl(other, F_OFD_SETLKW, &whole); }));
  EXPECT_TRUE(IsRefused([&] { fcntl(other, F_SETLKW, &whole); }));
  EXPECT_TRUE(IsRefused([&] { (void)!lockf(other, F_LOCK, 0); }));
  close(one);
  EXPECT_FALSE(IsRefused([&] { Check(fcntl(other, F_SETLKW, &whole) == 0, "free by now"); }));
  close(other);
}

TEST(RealWaits, OtherWaysToReadAndWrite) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int event = eventfd(0, 0);
  char byte = 'x';
  iovec parts[] = {{&byte, 1}, {&byte, 0}, {&byte, 1}};
  EXPECT_TRUE(IsRefused([&] { (void)!readv(ends[0], parts, 3); }));
  EXPECT_FALSE(IsRefused([&] {
    Check(writev(ends[1], parts, 3) == 2, "room");
    Check(readv(ends[0], parts, 3) == 2, "there by now");
  }));
  EXPECT_TRUE(IsRefused([&] {
    static char many[1 << 16];
    iovec part = {many, sizeof(many)};
    for (int i = 0; i < 100; ++i) (void)!writev(ends[1], &part, 1);
  }));
  EXPECT_TRUE(IsRefused([&] {
    eventfd_t value;
    eventfd_read(event, &value);
  }));
  EXPECT_FALSE(IsRefused([&] {
    eventfd_t value;
    Check(eventfd_write(event, 3) == 0 && eventfd_read(event, &value) == 0 && value == 3, "there");
  }));
  EXPECT_TRUE(IsRefused([&] {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(event, &set);
    pselect(event + 1, &set, nullptr, nullptr, nullptr, nullptr);
  }));
  const int watched = epoll_create1(0);
  epoll_event interest = {};
  interest.events = EPOLLIN;
  ASSERT_EQ(epoll_ctl(watched, EPOLL_CTL_ADD, event, &interest), 0);
  EXPECT_TRUE(IsRefused([&] { epoll_pwait(watched, &interest, 1, -1, nullptr); }));
  EXPECT_FALSE(IsRefused(
      [&] { Check(epoll_pwait(watched, &interest, 1, 0, nullptr) == 0, "nothing, and no wait"); }));
  for (const int file : {ends[0], ends[1], event, watched}) close(file);
}

// Datagrams stay whole.
TEST(RealWaits, PartsOfADatagram) {
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets), 0);
  char bytes[2] = {'a', 'b'};
  iovec parts[] = {{&bytes[0], 1}, {&bytes[1], 1}};
  EXPECT_FALSE(IsRefused([&] {
    char got[4];
    Check(writev(sockets[0], parts, 2) == 2 && read(sockets[1], got, 4) == 2, "one datagram");
  }));
  EXPECT_TRUE(IsRefused([&] {
    for (int i = 0; i < 10'000; ++i) (void)!writev(sockets[0], parts, 2);
  }));
  close(sockets[0]);
  close(sockets[1]);
}

TEST(RealWaits, ForChildren) {
  EXPECT_FALSE(IsRefused([] { Check(wait(nullptr) == -1 && errno == ECHILD, "no child"); }));
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  EXPECT_TRUE(IsRefused([] { wait(nullptr); }));
  EXPECT_TRUE(IsRefused([child] { waitpid(child, nullptr, 0); }));
  EXPECT_TRUE(IsRefused([child] {
    siginfo_t information;
    waitid(P_PID, static_cast<id_t>(child), &information, WEXITED);
  }));
  EXPECT_FALSE(IsRefused([child] { Check(waitpid(child, nullptr, WNOHANG) == 0, "it lives"); }));
  kill(child, SIGKILL);
  siginfo_t information;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &information, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(IsRefused([child] {
    int status;
    Check(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL, "it has ended");
  }));
}

TEST(RealWaits, AsynchronousInputAndOutput) {
  const auto request = [](int notify, int signal = SIGRTMIN) {
    aiocb control = {};
    control.aio_reqprio = -1;  // which is refused, before there is a thread for it
    control.aio_sigevent.sigev_notify = notify;
    control.aio_sigevent.sigev_signo = signal;
    return control;
  };
  EXPECT_FALSE(IsRefused([&] {
    aiocb control = request(SIGEV_NONE);
    Check(aio_read(&control) == -1 && errno == EINVAL, "as by itself");
  }));
  EXPECT_FALSE(IsRefused([&] {
    aiocb control = request(SIGEV_SIGNAL, 0);
    Check(aio_read(&control) == -1 && errno == EINVAL, "without a signal, too");
  }));
  EXPECT_TRUE(IsRefused([&] {
    aiocb control = request(SIGEV_SIGNAL);
    aio_read(&control);
  }));
  EXPECT_TRUE(IsRefused([&] {
    aiocb control = request(SIGEV_THREAD);
    aio_write(&control);
  }));
  EXPECT_TRUE(IsRefused([&] {
    aiocb control = request(SIGEV_NONE);
    aiocb* const list[] = {&control};
    sigevent event = {};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    lio_listio(LIO_NOWAIT, list, 1, &event);
  }));
}

TEST(RealWaits, MessagesAndSemaphoresOfOtherProcesses) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  const int set = semget(IPC_PRIVATE, 1, 0600);
  ASSERT_GE(queue, 0);
  ASSERT_GE(set, 0);
  struct {
    long type = 1;
    char text = 'x';
  } message;
  EXPECT_TRUE(IsRefused([&] { msgrcv(queue, &message, 1, 0, 0); }));
  EXPECT_FALSE(IsRefused([&] {
    Check(msgrcv(queue, &message, 1, 0, IPC_NOWAIT) == -1 && errno == ENOMSG, "asked not to wait");
    Check(msgsnd(queue, &message, 1, 0) == 0, "room");
    Check(msgrcv(queue, &message, 1, 0, 0) == 1, "there by now");
  }));
  EXPECT_TRUE(IsRefused([&] {
    for (int i = 0; i < 1'000'000; ++i) msgsnd(queue, &message, 1, 0);
  }));
  sembuf down = {.sem_num = 0, .sem_op = -1, .sem_flg = 0};
  sembuf up = {.sem_num = 0, .sem_op = 1, .sem_flg = 0};
  EXPECT_TRUE(IsRefused([&] { semop(set, &down, 1); }));
  EXPECT_FALSE(IsRefused([&] { Check(semop(set, &up, 1) == 0 && semop(set, &down, 1) == 0, ""); }));
  msgctl(queue, IPC_RMID, nullptr);
  semctl(set, 0, IPC_RMID);
}

TEST(RealWaits, WhatIsThereIsRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const ExploreResult result = Walk([&] {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);  // a step
    const char out = 'x';
    char in = 0;
    Check(write(ends[1], &out, 1) == 1, "written");
    pollfd one = {.fd = ends[0], .events = POLLIN, .revents = 0};
    Check(poll(&one, 1, -1) == 1, "there is something");
    Check(read(ends[0], &in, 1) == 1 && in == 'x', "read");
    Check(poll(&one, 1, 0) == 0, "nothing more");
  });
  ExpectPass(result);
  close(ends[0]);
  close(ends[1]);
}

TEST(RealWaits, OfNoFileIsASleep) {
  const ExploreResult result = Walk([] {
    timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    Check(poll(nullptr, 0, 3'600'000) == 0, "slept");
    timeval hour = {3600, 0};
    Check(select(0, nullptr, nullptr, nullptr, &hour) == 0, "slept");
    clock_gettime(CLOCK_MONOTONIC, &after);
    Check(after.tv_sec - before.tv_sec >= 7200, "for so long");
  });
  ExpectPass(result);
}

}  // namespace
}  // namespace jacquard
