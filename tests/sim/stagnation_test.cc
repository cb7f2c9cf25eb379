// Threads that wait for ever beside others that only wait for time to pass, and programs that only
// look like that.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/waiting.h"

namespace jacquard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A worker that looks for work once in ten seconds, and somebody who waits until it is done.
class Worker {
 public:
  explicit Worker(bool notifies) : notifies_(notifies), thread_([this] { Run(); }) {}
  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    work_.notify_one();
    thread_.join();
  }

  void Do() {
    std::unique_lock<std::mutex> lock(mutex_);
    is_done_ = false;
    work_.notify_one();
    done_.wait(lock, [this] { return is_done_; });
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!ends_) {
      if (!is_done_) {
        is_done_ = true;
        if (notifies_) done_.notify_one();
      }
      work_.wait_for(lock, seconds(10));
    }
  }

  const bool notifies_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  bool is_done_ = true;
  bool ends_ = false;
  std::thread thread_;
};

TEST(Stagnation, ALostWakeUpIsOneBesideAThreadThatPolls) {
  const ExploreResult result = WalkOnce([] { Worker(/*notifies=*/false).Do(); });
  ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_TRUE(Says(result, "lost wake-up")) << result.verdict.message;
  EXPECT_TRUE(Says(result, "thread 0 waits for the condition variable")) << result.verdict.message;
  EXPECT_FALSE(Says(result, "thread 1 ")) << result.verdict.message;
  EXPECT_LT(result.verdict.step, kFewSteps);
  EXPECT_FALSE(result.not_deterministic);
  // The trace begins with what has led there.
  EXPECT_FALSE(result.trace.events.empty());
}

TEST(Stagnation, WorkThatIsDoneIsNone) {
  const ExploreResult result = WalkOnce([] {
    Worker worker(/*notifies=*/true);
    worker.Do();
    worker.Do();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

// Whoever waits would not get on if it were woken, either.
TEST(Stagnation, WhatNeverHappensIsWaitedForInVain) {
  const ExploreResult result = WalkOnce([] {
    std::thread([] {
      for (;;) std::this_thread::sleep_for(seconds(1));
    }).detach();
    std::mutex mutex;
    std::condition_variable condition;
    std::unique_lock<std::mutex> lock(mutex);
    condition.wait(lock, [] { return false; });
  });
  ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_TRUE(Says(result, "threads wait for ever")) << result.verdict.message;
  EXPECT_LT(result.verdict.step, kFewSteps);
}

// Two have lost theirs, and one that polls has a number between them.
TEST(Stagnation, AllWhoSleepAreWoken) {
  const ExploreResult result = Walk(
      [] {
        std::mutex mutex;
        std::condition_variable polls;
        std::condition_variable sleeps;
        int waiting = 0;
        int left = 2;
        bool is_over = false;
        std::thread polling([&] {
          std::unique_lock<std::mutex> lock(mutex);
          while (left != 0) {
            is_over = waiting == 2;  // and tells nobody
            polls.wait_for(lock, seconds(10));
          }
        });
        const auto wait = [&] {
          std::unique_lock<std::mutex> lock(mutex);
          ++waiting;
          sleeps.wait(lock, [&is_over] { return is_over; });
          --left;
        };
        std::thread other(wait);
        wait();
        other.join();
        polling.join();
      },
      1, WithoutSpuriousWakeUps());
  ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_TRUE(Says(result, "lost wake-up")) << result.verdict.message;
}

// The first thread waits for the end of one that waits for the end of one that sleeps.
TEST(Stagnation, TheEndOfAThreadThatSleepsMayBeWaitedFor) {
  const ExploreResult result = WalkOnce([] {
    std::thread sleeps([] {
      for (int i = 0; i < 150'000; ++i) std::this_thread::sleep_for(seconds(1));
    });
    std::thread([&sleeps] { sleeps.join(); }).join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

// A socket on which another process might call.
int Listen() {
  const int file = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  Check(bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address.sun_family)) == 0 &&
            listen(file, 1) == 0,
        "listens");
  return file;
}

// An event loop that looks each second whether it is to end, at a file that only the program has,
// or at one on which another process might call.
class EventLoop {
 public:
  explicit EventLoop(bool is_private)
      : file_(is_private ? eventfd(0, EFD_NONBLOCK) : Listen()), thread_([this] { Run(); }) {}
  ~EventLoop() {
    ends_ = true;
    thread_.join();
    close(file_);
  }

 private:
  void Run() {
    pollfd events = {.fd = file_, .events = POLLIN, .revents = 0};
    while (!ends_) {
      poll(&events, 1, 1000);
      ++turns_;
    }
  }

  const int file_;
  std::atomic<bool> ends_{false};
  std::atomic<int> turns_{0};
  std::thread thread_;
};

// The first thread looks, and waits without having looked again.
void LoseAWakeUp() {
  std::mutex mutex;
  std::condition_variable condition;
  bool is_done = false;
  std::thread works([&] {
    const std::lock_guard<std::mutex> lock(mutex);
    is_done = true;
    condition.notify_one();
  });
  works.join();
  std::unique_lock<std::mutex> lock(mutex);
  condition.wait(lock);
}

TEST(Stagnation, ALostWakeUpIsOneBesideAnEventLoop) {
  const ExploreResult result = Walk(
      [] {
        const EventLoop loop(/*is_private=*/true);
        LoseAWakeUp();
      },
      1, WithoutSpuriousWakeUps());
  ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_TRUE(Says(result, "lost wake-up: thread 0 waits")) << result.verdict.message;
  EXPECT_TRUE(Says(result, "only waited for time to pass")) << result.verdict.message;
  EXPECT_LT(result.verdict.step, kFewSteps);
}

TEST(Stagnation, ACallFromOutsideMayEndIt) {
  ExecutionOptions options = WithoutSpuriousWakeUps();
  options.max_steps = 3 * kFewSteps;
  const ExploreResult result = Walk(
      [] {
        const EventLoop loop(/*is_private=*/false);
        LoseAWakeUp();
      },
      1, options);
  EXPECT_EQ(result.verdict.step, options.max_steps) << result.verdict.message;
  EXPECT_FALSE(Says(result, "only waited for time to pass")) << result.verdict.message;
}

// The first thread waits for what nobody writes, or what another process might.
TEST(Stagnation, AFileIsWaitedForInVain) {
  for (const bool is_private : {true, false}) {
    ExecutionOptions options = TestOptions();
    options.max_steps = 3 * kFewSteps;
    const ExploreResult result = Walk(
        [is_private] {
          const EventLoop loop(/*is_private=*/true);
          if (!is_private) {
            Check(accept(Listen(), nullptr, nullptr) >= 0, "somebody has called");
            return;
          }
          int ends[2];
          Check(pipe(ends) == 0, "a pipe");
          char byte = 0;
          Check(read(ends[0], &byte, 1) == 1, "read");
        },
        1, options);
    EXPECT_EQ(result.verdict.kind, is_private ? VerdictKind::kDeadlock : VerdictKind::kLivelock)
        << result.verdict.message;
    EXPECT_EQ(result.verdict.step < kFewSteps, is_private) << result.verdict.message;
  }
}

// Time jumps to the end of the long sleeps, again and again; the short ones take some minutes.
TEST(Stagnation, ShortSleepsBesideLongOnesAreNone) {
  const ExploreResult result = WalkOnce([] {
    std::mutex mutex;
    std::condition_variable condition;
    std::atomic<bool> is_over{false};
    std::thread keeps_house([&is_over] {
      while (!is_over) std::this_thread::sleep_for(seconds(1));
    });
    std::thread works([&] {
      for (int i = 0; i < 400'000; ++i) std::this_thread::sleep_for(milliseconds(1));
      const std::lock_guard<std::mutex> lock(mutex);
      is_over = true;
      condition.notify_one();
    });
    {
      std::unique_lock<std::mutex> lock(mutex);
      condition.wait(lock, [&is_over] { return is_over.load(); });
    }
    works.join();
    keeps_house.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

// A hundred thousand looks that take less than an hour, and ten thousand that take more.
TEST(Stagnation, WhoSleepsForLongMayBeWaitedFor) {
  struct Sleeps {
    int count;
    milliseconds each;
  };
  for (const Sleeps& sleeps : {Sleeps{150'000, milliseconds(10)}, Sleeps{10'000, hours(1)}}) {
    const ExploreResult result = WalkOnce([&sleeps] {
      std::mutex mutex;
      std::condition_variable condition;
      bool is_over = false;
      std::thread other([&] {
        for (int i = 0; i < sleeps.count; ++i) std::this_thread::sleep_for(sleeps.each);
        const std::lock_guard<std::mutex> lock(mutex);
        is_over = true;
        condition.notify_one();
      });
      std::unique_lock<std::mutex> lock(mutex);
      condition.wait(lock, [&is_over] { return is_over; });
      lock.unlock();
      other.join();
    });
    EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
    EXPECT_GT(result.steps, static_cast<uint64_t>(sleeps.count));
  }
}

// Now and then something else happens.
TEST(Stagnation, AHeartbeatIsNone) {
  const ExploreResult result = WalkOnce([] {
    constexpr int kBeats = 8;
    std::mutex mutex;
    std::condition_variable condition;
    int beats = 0;
    std::thread heart([&] {
      for (int i = 0; i < kBeats; ++i) {
        for (int j = 0; j < 20'000; ++j) std::this_thread::sleep_for(seconds(1));
        const std::lock_guard<std::mutex> lock(mutex);
        ++beats;
        condition.notify_one();
      }
    });
    {
      std::unique_lock<std::mutex> lock(mutex);
      for (int i = 1; i <= kBeats; ++i) condition.wait(lock, [&beats, i] { return beats >= i; });
    }
    heart.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
