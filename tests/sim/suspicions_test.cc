// Who sleeps while others poll may have lost a wake-up: it is found out by waking it, and no
// program that is right is called wrong for that.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/waiting.h"

namespace jacquard {
namespace {

using std::chrono::milliseconds;

// Works once it has been told to, and sleeps without having looked whether it has.
void WorkOnce(std::mutex& mutex, std::condition_variable& work, const bool& is_there,
              std::atomic<bool>& done) {
  std::unique_lock<std::mutex> lock(mutex);
  if (!is_there) {
    lock.unlock();
    lock.lock();  // the window
    do {
      work.wait(lock);
    } while (!is_there);
  }
  done = true;
}

// Gives work, and looks for the result again and again, itself or in a thread whose end it waits
// for.
void PollForWork(bool in_thread) {
  std::mutex mutex;
  std::condition_variable work;
  bool is_there = false;
  std::atomic<bool> done{false};
  std::thread works([&] { WorkOnce(mutex, work, is_there, done); });
  {
    const std::lock_guard<std::mutex> lock(mutex);
    is_there = true;
  }
  work.notify_one();
  const auto poll = [&] {
    while (!done) std::this_thread::sleep_for(milliseconds(1));
  };
  in_thread ? std::thread(poll).join() : poll();
  works.join();
}

void ExpectLostWakeUp(const ExploreResult& result) {
  ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_TRUE(Says(result, "lost wake-up: thread 1 waits for the condition variable"))
      << result.verdict.message;
  EXPECT_TRUE(Says(result, "only waited for time to pass, again and again"))
      << result.verdict.message;
  EXPECT_LT(result.verdict.step, kFewSteps);
  EXPECT_FALSE(result.not_deterministic);
  // The trace ends where all still wait.
  ASSERT_FALSE(result.trace.events.empty());
  EXPECT_EQ(result.trace.events.back().text, "lost wake-up");
  for (const TraceEvent& event : result.trace.events)
    EXPECT_NE(event.step.kind, StepKind::kThreadEnd) << event.step.thread;
}

TEST(Suspicions, WhoPollsMayWaitForAWakeUpThatWasLost) {
  for (const bool in_thread : {false, true})
    ExpectLostWakeUp(Walk([in_thread] { PollForWork(in_thread); }, 100));
}

// Behind the work, it takes its time to end: by more polls than there are in some searches.
TEST(Suspicions, WhoIsWokenMayEndLate) {
  ExpectLostWakeUp(Walk(
      [] {
        PollForWork(/*in_thread=*/false);
        for (int i = 0; i < 2000; ++i) std::this_thread::sleep_for(milliseconds(1));
      },
      100));
}

// Whoever works for others sleeps again when it has done something, until it is told to stop.
class Worker {
 public:
  Worker() : thread_([this] { Run(); }) {}
  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  // `notifies_first`: before it is there, which is wrong.
  void Add(bool notifies_first) {
    if (notifies_first) changed_.notify_one();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++to_do_;
    }
    if (!notifies_first) changed_.notify_one();
  }
  int done() const { return done_; }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return to_do_ != 0 || is_over_; });
      if (is_over_) return;
      done_ += to_do_;
      to_do_ = 0;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int to_do_ = 0;
  bool is_over_ = false;
  std::atomic<int> done_{0};
  std::thread thread_;
};

void WorkForOneWhoPolls(bool notifies_first) {
  Worker worker;
  worker.Add(notifies_first);
  while (worker.done() == 0) std::this_thread::sleep_for(milliseconds(1));
}

TEST(Suspicions, WhoSleepsMayWorkAgainAndAgain) {
  ExpectLostWakeUp(Walk([] { WorkForOneWhoPolls(/*notifies_first=*/true); }, 100));
  EXPECT_EQ(Walk([] { WorkForOneWhoPolls(/*notifies_first=*/false); }, 100).verdict.kind,
            VerdictKind::kPass);
}

// The program may end in other ways than by returning.
TEST(Suspicions, WhoPollsMayExit) {
  ExecutionOptions options = TestOptions();
  options.exits = ExitMode::kIsFree;
  const ExploreResult result = Walk(
      [] {
        PollForWork(/*in_thread=*/false);
        std::exit(0);
      },
      100, options);
  EXPECT_TRUE(Says(result, "lost wake-up: thread 1 waits")) << result.verdict.message;
}

// Polls for what a worker is to do, and tells it in the end. `early`: what it is to do is there
// before that.
void PollAndTell(bool early) {
  std::mutex mutex;
  std::condition_variable work;
  bool is_there = false;
  std::atomic<bool> done{false};
  std::thread works([&] { WorkOnce(mutex, work, is_there, done); });
  const auto give = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    is_there = true;
  };
  usleep(1000);  // until it sleeps
  if (early) give();
  for (int i = 0; !done && i < 150'000; ++i) usleep(1000);
  if (!early) give();
  work.notify_one();
  works.join();
}

// Meanwhile, to be woken would not help the worker.
TEST(Suspicions, WhoPollsMayCount) {
  const ExploreResult result = WalkOnce([] { PollAndTell(/*early=*/false); });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

// It would, but it is told as well.
TEST(Suspicions, WhoPollsMayHelpItself) {
  const ExploreResult result = WalkOnce([] { PollAndTell(/*early=*/true); });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

// Each of these comes to its end right behind a suspicion in some of the executions: 50,000 steps,
// which are as many polls here, come before every thread gets its turn, and 12,288 after that.
void ExpectPassAtAnyLength(const std::function<void(int polls)>& body) {
  for (int polls = 62'200; polls < 62'400; polls += 1) {
    const ExploreResult result = WalkOnce([&body, polls] { body(polls); });
    ASSERT_EQ(result.verdict.kind, VerdictKind::kPass) << polls << ": " << result.verdict.message;
  }
}

void Poll(int times) {
  for (int i = 0; i < times; ++i) usleep(1000);
}

// Somebody sleeps who has nothing to do until the end.
class Idle {
 public:
  Idle() : thread_([this] { Run(); }) {}
  ~Idle() { thread_.join(); }

  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return is_over; });
  }

  std::thread thread_;
};

TEST(Suspicions, WhoSleepsMayHaveNothingToDo) {
  ExpectPassAtAnyLength([](int polls) {
    Idle idle;
    Poll(polls);
    {
      const std::lock_guard<std::mutex> lock(idle.mutex);
      idle.is_over = true;
    }
    idle.changed.notify_one();
  });
}

TEST(Suspicions, WhoPollsMayHoldTheMutex) {
  ExpectPassAtAnyLength([](int polls) {
    Idle idle;
    Poll(100);  // until it sleeps
    const std::lock_guard<std::mutex> lock(idle.mutex);
    Poll(polls - 100);
    idle.is_over = true;
    idle.changed.notify_one();
  });
}

// A condition that counts who waits, and is notified only if there is anybody. Whoever is woken is
// no longer counted, before it has looked.
class EventCount {
 public:
  void Wait(std::unique_lock<std::mutex>& lock) {
    ++waiters_;
    const uint32_t word = word_;
    lock.unlock();
    syscall(SYS_futex, &word_, FUTEX_WAIT, word, nullptr);
    --waiters_;
    lock.lock();
  }
  void Notify() {
    if (waiters_ == 0) return;
    ++word_;
    syscall(SYS_futex, &word_, FUTEX_WAKE, 1);
  }

 private:
  std::atomic<uint32_t> word_{0};
  std::atomic<int> waiters_{0};
};

void CountAndPoll(int polls, bool holds_mutex) {
  std::mutex mutex;
  EventCount changed;
  bool is_over = false;
  std::thread idle([&] {
    std::unique_lock<std::mutex> lock(mutex);
    while (!is_over) changed.Wait(lock);
  });
  std::unique_lock<std::mutex> lock(mutex, std::defer_lock);
  Poll(100);  // until it sleeps
  if (holds_mutex) lock.lock();
  Poll(polls - 100);
  if (!holds_mutex) lock.lock();
  is_over = true;
  changed.Notify();
  lock.unlock();
  idle.join();
}

TEST(Suspicions, WhoIsCountedMayNotBeNotified) {
  for (const bool holds_mutex : {false, true})
    ExpectPassAtAnyLength([=](int polls) { CountAndPoll(polls, holds_mutex); });
}

// Whoever finds nothing sleeps in another place the next time, where it is notified.
TEST(Suspicions, WhoSleepsMayChangeItsPlace) {
  ExpectPassAtAnyLength([](int polls) {
    std::mutex mutex;
    std::condition_variable places[2];
    int place = 0;
    bool is_over = false;
    std::thread idle([&] {
      std::unique_lock<std::mutex> lock(mutex);
      while (!is_over) {
        place = 1 - place;
        places[place].wait(lock);
      }
    });
    Poll(polls);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      is_over = true;
      places[place].notify_one();
    }
    idle.join();
  });
}

TEST(Suspicions, ANotificationMayComeLate) {
  ExpectPassAtAnyLength([](int polls) {
    Idle idle;
    Poll(100);
    {
      const std::lock_guard<std::mutex> lock(idle.mutex);
      idle.is_over = true;
    }
    Poll(polls - 100);
    idle.changed.notify_one();
  });
}

// Who spins for it counts, so that each turn is another one.
TEST(Suspicions, WhoHoldsALockMaySleep) {
  const ExploreResult result = WalkOnce([] {
    Idle idle;
    std::atomic<bool> is_locked{false};
    std::thread spins([&is_locked] {
      for (int i = 0; i < 40'000; ++i) {
        volatile int turns = 0;
        while (is_locked.exchange(true)) turns = turns + 1;
        is_locked = false;
        usleep(1000);
      }
    });
    for (int i = 0; i < 40'000; ++i) {
      while (is_locked.exchange(true)) usleep(1000);
      usleep(1000);
      is_locked = false;
      usleep(1000);
    }
    spins.join();
    {
      const std::lock_guard<std::mutex> lock(idle.mutex);
      idle.is_over = true;
    }
    idle.changed.notify_one();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
