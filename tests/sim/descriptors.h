// Files of the kernel's by which threads of a test hand over, and ways to wait for them.
#ifndef JACQUARD_TESTS_SIM_DESCRIPTORS_H_
#define JACQUARD_TESTS_SIM_DESCRIPTORS_H_

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {

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
  explicit Event(int flags = 0) : Event(eventfd(0, flags), kIsOpen) {}
  enum Open { kIsOpen };
  Event(int descriptor, Open /*is_open*/) : file(descriptor) { Check(file >= 0, "opened"); }
  void Signal() const { Check(eventfd_write(file, 1) == 0, "written"); }
  bool Drain() const {
    eventfd_t value = 0;
    return eventfd_read(file, &value) == 0;
  }
  int file;
};

struct Sockets {
  explicit Sockets(int type = SOCK_STREAM) {
    Check(socketpair(AF_UNIX, type, 0, ends) == 0, "opened");
  }
  int ends[2] = {};
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

// Each of the ways to wait for one of several files: how many are ready.
inline const std::vector<std::function<int(int)>>& WaysToWait() {
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

inline void ExpectAllPass(const std::function<void()>& body) {
  const ExploreResult result = SearchAll(body);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_GT(result.executions, 1u);
  ExpectPass(Walk(body));
}

inline ExploreResult WalkAFew(const std::function<void()>& body) { return Walk(body, 10); }

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_DESCRIPTORS_H_
