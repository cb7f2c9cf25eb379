// Timers that are files, in virtual time.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

timespec ToTimespec(milliseconds time) {
  return {time.count() / 1000, time.count() % 1000 * 1'000'000};
}

struct Timer {
  explicit Timer(int flags = 0) : file(timerfd_create(CLOCK_MONOTONIC, flags)) {
    Check(file >= 0, "opened");
  }
  void Set(milliseconds first, milliseconds interval = {}) const {
    const itimerspec value = {.it_interval = ToTimespec(interval), .it_value = ToTimespec(first)};
    Check(timerfd_settime(file, 0, &value, nullptr) == 0, "set");
  }
  // How often it has expired.
  uint64_t Read() const {
    uint64_t times = 0;
    Check(read(file, &times, sizeof(times)) == sizeof(times), "read");
    return times;
  }
  bool IsReady(int wait_milliseconds = 0) const {
    pollfd one = {.fd = file, .events = POLLIN, .revents = 0};
    return poll(&one, 1, wait_milliseconds) == 1;
  }
  int file;
};

TEST(TimerFiles, ExpireInVirtualTime) {
  ExpectPass(Walk([] {
    const auto begin = Clock::now();
    const Timer timer;
    timer.Set(std::chrono::hours(1));
    Check(timer.Read() == 1, "once");
    const auto passed = Clock::now() - begin;
    Check(passed >= std::chrono::hours(1) && passed < std::chrono::hours(2), "an hour");
    Check(!timer.IsReady() && !timer.IsReady(10'000), "and not again");
  }));
}

// Who looks again and again without waiting looks at the clock.
TEST(TimerFiles, ExpireForWhoDoesNotWait) {
  constexpr uint64_t kExecutions = 20;  // of many system calls each
  const auto expires = [](auto is_ready) {
    ExpectPass(Walk(
        [=] {
          const Timer timer(TFD_NONBLOCK);
          timer.Set(milliseconds(1000));
          std::atomic<int> work{0};
          while (!is_ready(timer.file)) ++work;
          Check(timer.Read() == 1, "once");
        },
        kExecutions));
  };
  expires([](int file) {
    pollfd one = {file, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
  });
  expires([](int file) {
    const int all = epoll_create1(0);
    epoll_event event = {EPOLLIN, {}};
    Check(epoll_ctl(all, EPOLL_CTL_ADD, file, &event) == 0, "added");
    const bool is_ready = epoll_wait(all, &event, 1, 0) == 1;
    close(all);
    return is_ready;
  });
  ExpectPass(Walk(
      [] {
        const Timer timer(TFD_NONBLOCK);
        timer.Set(milliseconds(1000));
        std::atomic<int> work{0};
        uint64_t times = 0;
        while (read(timer.file, &times, sizeof(times)) < 0) ++work;
        Check(times == 1, "once");
      },
      kExecutions));
}

TEST(TimerFiles, CountHowOftenTheyExpire) {
  ExpectPass(Walk([] {
    const Timer timer(TFD_NONBLOCK | TFD_CLOEXEC);
    timer.Set(milliseconds(10), milliseconds(20));
    uint64_t times = 0;
    Check(read(timer.file, &times, sizeof(times)) == -1 && errno == EAGAIN, "not yet");
    std::this_thread::sleep_for(milliseconds(60));
    Check(timer.Read() == 3, "at 10, 30 and 50");
    Check(timer.IsReady(-1) && timer.Read() == 1, "at 70");
    timer.Set(milliseconds(10));
    std::this_thread::sleep_for(milliseconds(60));
    timer.Set({});
    Check(!timer.IsReady(1000), "what has not been read is forgotten");
  }));
}

TEST(TimerFiles, TellWhatIsLeft) {
  ExpectPass(Walk([] {
    const Timer timer;
    timer.Set(milliseconds(2000), milliseconds(7));
    std::this_thread::sleep_for(milliseconds(500));
    itimerspec left = {};
    Check(timerfd_gettime(timer.file, &left) == 0, "told");
    Check(left.it_value.tv_sec == 1 && left.it_interval.tv_nsec == 7'000'000, "its time");
    itimerspec absolute = {};
    clock_gettime(CLOCK_MONOTONIC, &absolute.it_value);
    absolute.it_value.tv_sec += 5;
    Check(timerfd_settime(timer.file, TFD_TIMER_ABSTIME, &absolute, &left) == 0, "set");
    Check(left.it_value.tv_sec == 1 && left.it_interval.tv_nsec == 7'000'000, "as before");
    Check(!timer.IsReady(4000) && timer.IsReady(4000), "after five seconds");
  }));
}

TEST(TimerFiles, RefuseWhatTheyCannotDo) {
  ExpectPass(Walk([] {
    const Timer timer;
    itimerspec value = {};
    value.it_value.tv_nsec = 1'000'000'000;
    Check(timerfd_settime(timer.file, 0, &value, nullptr) == -1 && errno == EINVAL, "too many");
    value.it_value.tv_nsec = 1;
    Check(timerfd_settime(timer.file, 1 << 10, &value, nullptr) == -1 && errno == EINVAL, "flags");
    Check(timerfd_create(99, 0) == -1 && errno == EINVAL, "no clock");
    close(timer.file);
    Check(timerfd_settime(timer.file, 0, &value, nullptr) == -1 && errno == EBADF, "closed");
  }));
}

TEST(TimerFiles, MayNeverExpire) {
  EXPECT_EQ(Walk([] {
              const Timer timer;
              timer.Set(milliseconds(INT64_MAX / 1'000'000));
              std::thread([&timer] { timer.Read(); }).join();
            }).verdict.kind,
            VerdictKind::kDeadlock);
  EXPECT_EQ(Walk([] { Timer().Read(); }).verdict.kind, VerdictKind::kDeadlock);
}

TEST(TimerFiles, HaveSeveralDescriptors) {
  ExpectPass(Walk([] {
    const Timer timer;
    const int copy = dup(timer.file);
    close(timer.file);
    const itimerspec value = {.it_interval = {}, .it_value = {.tv_sec = 1, .tv_nsec = 0}};
    Check(timerfd_settime(copy, 0, &value, nullptr) == 0, "set");
    uint64_t times = 0;
    Check(read(copy, &times, sizeof(times)) == sizeof(times) && times == 1, "expired");
  }));
}

// A loop that counts and is told to stop.
void RunLoop(milliseconds interval) {
  const Timer timer(TFD_NONBLOCK);
  const Timer stop(TFD_NONBLOCK);
  const int all = epoll_create1(0);
  for (const int file : {timer.file, stop.file}) {
    epoll_event event = {.events = EPOLLIN, .data = {.fd = file}};
    Check(epoll_ctl(all, EPOLL_CTL_ADD, file, &event) == 0, "added");
  }
  timer.Set(milliseconds(1), interval);
  std::mutex mutex;
  uint64_t count = 0;
  std::thread loop([&] {
    for (;;) {
      epoll_event event = {};
      Check(epoll_wait(all, &event, 1, -1) == 1, "there is one");
      if (event.data.fd == stop.file) return;
      const std::lock_guard lock(mutex);
      const uint64_t before = count;
      count += timer.Read();
      if (before < 3 && count >= 3) stop.Set(milliseconds(1));
    }
  });
  loop.join();
  Check(count >= 3, "counted");
}

TEST(TimerFiles, WakeEventLoops) {
  ExpectPass(Walk([] { RunLoop(milliseconds(1)); }));
  const ExploreResult once = Walk([] { RunLoop({}); });
  EXPECT_EQ(once.verdict.kind, VerdictKind::kDeadlock) << once.verdict.message;
}

TEST(TimerFiles, OrderWhatWasDoneBeforeTheyWereSet) {
  const auto hand_over = [](bool looks_first) {
    return [looks_first] {
      const Timer timer;
      int data = 0;
      std::thread giver([&] {
        data = 1;
        timer.Set(milliseconds(5));
      });
      if (!looks_first) timer.Read();
      Check(data <= 1, "a race, unless it has been told");
      if (looks_first) timer.Read();
      giver.join();
    };
  };
  ExpectPass(SearchAll(hand_over(false)));
  EXPECT_EQ(SearchAll(hand_over(true)).verdict.signature, "race|plain read and plain write");
}

TEST(TimerFiles, AreRealOutsideOfExecutions) {
  const auto begin = Clock::now();
  const Timer timer;
  timer.Set(milliseconds(3));
  EXPECT_EQ(timer.Read(), 1u);
  EXPECT_GE(Clock::now() - begin, milliseconds(3));
  close(timer.file);
}

}  // namespace
}  // namespace jacquard
