// Threads that hand over through the kernel: pipes, eventfds, sockets, and who waits for these.
#include "tests/sim/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

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

// Who takes from one file is not told what went to another one.
TEST(Descriptors, HandOverNothingToWhoReadsAnother) {
  const auto body = [](bool reads_the_same) {
    return [reads_the_same] {
      const Event told;
      const Event other;
      const Event copy(dup(told.file), Event::kIsOpen);
      other.Signal();
      int data = 0;
      std::thread giver([&] {
        data = 1;
        copy.Signal();
      });
      if (reads_the_same) told.Drain();
      Check(other.Drain() && data <= 1, "a race, if it has not been told");
      giver.join();
    };
  };
  ExpectPass(SearchAll(body(true)));
  EXPECT_EQ(SearchAll(body(false)).verdict.kind, VerdictKind::kRace);
}

TEST(Descriptors, HandOverNothingToWhoComesTooEarly) {
  ExpectVerdict(
      [] {
        const Event event(EFD_NONBLOCK);
        int data = 0;
        std::thread giver([&] {
          data = 1;
          event.Signal();
        });
        event.Drain();
        Check(data <= 1, "a race");
        giver.join();
      },
      "race|plain read and plain write");
}

// A file that is known by its name may be another one's.
TEST(Descriptors, HandOverByWhateverTheyAreOpened) {
  const std::string path = testing::TempDir() + "/named_pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  ExpectAllPass([&path] {
    const int reads = open(path.c_str(), O_RDWR);
    int data = 0;
    std::thread giver([&] {
      const int writes = open(path.c_str(), O_WRONLY);
      data = 1;
      Check(write(writes, "x", 1) == 1, "written");
    });
    char byte = 0;
    Check(read(reads, &byte, 1) == 1 && data == 1, "comes before");
    giver.join();
  });
}

// To make room is to hand over, too.
TEST(Descriptors, HandOverToWhoWaitsForRoom) {
  ExpectAllPass([] {
    const Event event;
    Check(eventfd_write(event.file, UINT64_MAX - 1) == 0, "full");
    int data = 0;
    std::thread reader([&] {
      data = 1;
      Check(event.Drain(), "read");
    });
    event.Signal();
    Check(data == 1, "comes before");
    reader.join();
  });
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

// Who calls the system by itself has made them all the same: nobody else could write there.
TEST(Descriptors, ThatSystemCallsHaveMade) {
  const auto wait_for = [](const std::function<int()>& make) {
    const int file = make();
    Check(file >= 0, "made");
    pollfd files = {.fd = file, .events = POLLIN, .revents = 0};
    poll(&files, 1, -1);
  };
  const auto call = [](auto... arguments) { return static_cast<int>(syscall(arguments...)); };
  const std::function<int()> ways[] = {
      [&] { return call(SYS_eventfd2, 0, EFD_CLOEXEC); },
      [&] { return call(SYS_eventfd, 0); },
      [&] {
        int ends[2];
        return call(SYS_pipe2, ends, O_CLOEXEC) == 0 ? ends[0] : -1;
      },
      [&] {
        int ends[2];
        return call(SYS_pipe, ends) == 0 ? ends[0] : -1;
      },
      [&] {
        int ends[2];
        return call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? ends[0] : -1;
      },
  };
  for (const auto& way : ways) {
    const Verdict verdict = Walk([&] { wait_for(way); }, 10).verdict;
    EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << verdict.message;
  }
  // They go with the execution.
  ExpectPass(Walk(
      [&] {
        TakeStep();
        Check(call(SYS_eventfd2, 0, 0) < 200, "the first of this execution");
        Check(call(SYS_epoll_create1, EPOLL_CLOEXEC) < 200, "the second");
        Check(call(SYS_timerfd_create, CLOCK_MONOTONIC, 0) < 200, "the third");
      },
      500));
}

// By the program's numbers, whatever the runtime has instead.
TEST(Descriptors, AreNamedInDeadlocks) {
  int reader = -1;
  int first = -1;
  int second = -1;
  const Verdict verdict = SearchAll([&] {
                            const Pipe pipe;
                            const Event events[2];
                            reader = pipe.ends[0];
                            first = events[0].file;
                            second = events[1].file;
                            std::thread poller([&] {
                              pollfd files[] = {{.fd = first, .events = POLLIN, .revents = 0},
                                                {.fd = second, .events = POLLIN, .revents = 0},
                                                {.fd = first, .events = POLLPRI, .revents = 0}};
                              poll(files, 3, -1);
                            });
                            pipe.Read();
                            poller.join();
                          }).verdict;
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock);
  const std::string numbers[] = {std::to_string(reader),
                                 std::to_string(first) + " and " + std::to_string(second)};
  for (const std::string& wait : {"is in a read that waits for descriptor " + numbers[0],
                                  "is in a poll that waits for descriptors " + numbers[1]})
    EXPECT_NE(verdict.message.find(wait), std::string::npos) << verdict.message;
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
        Check(size == 1 || (size == -1 && (errno == EBADF || errno == ENOTSOCK)),
              "before or behind the close");
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

}  // namespace
}  // namespace jacquard
