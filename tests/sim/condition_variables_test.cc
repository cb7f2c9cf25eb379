// Condition variables, and what stands upon them.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// The mutex orders what the threads do; the signal comes after it has been released.
TEST(ConditionVariables, PingPong) {
  ExpectPass(Walk([] {
    std::mutex mutex;
    std::condition_variable changed;
    int turn = 0;
    auto play = [&](int me) {
      for (int i = 0; i < 3; ++i) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return turn % 2 == me; });
        ++turn;
        lock.unlock();
        changed.notify_one();
      }
    };
    std::thread other(play, 1);
    play(0);
    other.join();
    Check(turn == 6, "all turns");
  }));
}

TEST(ConditionVariables, ExhaustivelyCorrect) {
  const ExploreResult result = SearchAll(
      [] {
        std::mutex mutex;
        std::condition_variable changed;
        int value = 0;
        std::thread other([&] {
          {
            const std::lock_guard lock(mutex);
            value = 1;
          }
          changed.notify_all();
        });
        {
          std::unique_lock lock(mutex);
          changed.wait(lock, [&] { return value == 1; });
        }
        other.join();
      },
      2);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(ConditionVariables, ASignalAloneOrdersNothing) {
  const ExploreResult result = Walk([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    int value = 0;
    std::thread other([&] {
      value = 1;  // not under the mutex
      pthread_cond_signal(&condition);
    });
    timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    pthread_mutex_lock(&mutex);
    pthread_cond_timedwait(&condition, &mutex, &soon);
    Check(value >= 0, "read");
    pthread_mutex_unlock(&mutex);
    other.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

// How a timed wait ends, over many executions.
TEST(ConditionVariables, WaitsEndInEveryWay) {
  auto body = [](bool Way(bool timed_out, bool notified), const char* name) {
    std::mutex mutex;
    std::condition_variable changed;
    bool notified = false;
    std::thread other([&] {
      const std::lock_guard lock(mutex);
      notified = true;
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      if (!notified) {
        const bool timed_out =
            changed.wait_for(lock, std::chrono::seconds(1)) == std::cv_status::timeout;
        Check(!Way(timed_out, notified), name);
      }
    }
    other.join();
  };
  auto signature = [&](bool Way(bool, bool), const char* name, const ExecutionOptions& options) {
    return Walk([&] { body(Way, name); }, 1000, options).verdict.signature;
  };
  auto woken = [](bool timed_out, bool notified) { return !timed_out && notified; };
  auto times_out = [](bool timed_out, bool notified) { return timed_out && !notified; };
  auto for_no_reason = [](bool timed_out, bool notified) { return !timed_out && !notified; };
  const ExecutionOptions all = TestOptions();
  EXPECT_EQ(signature(woken, "woken", all), "invariant|woken");
  EXPECT_EQ(signature(times_out, "timed out", all), "invariant|timed out");
  EXPECT_EQ(signature(for_no_reason, "for no reason", all), "invariant|for no reason");
  EXPECT_EQ(signature(for_no_reason, "for no reason", WithoutSpuriousWakeUps()), "");
  ExecutionOptions patient = WithoutSpuriousWakeUps();
  patient.time_outs = kNever;
  EXPECT_EQ(signature(times_out, "timed out", patient), "");
}

// To chrono that is a time like any other, which comes in the year 2262: what waits for it must not
// set the clocks.
TEST(ConditionVariables, WaitUntilTheEndOfTime) {
  using Clock = std::chrono::steady_clock;
  const auto program = [](bool notifies) {
    return [notifies] {
      std::mutex mutex;
      std::condition_variable condition;
      bool ready = false;
      const auto begin = Clock::now();
      std::thread waiter([&] {
        std::unique_lock lock(mutex);
        while (!ready) condition.wait_until(lock, Clock::time_point::max());
      });
      {
        const std::lock_guard lock(mutex);
        ready = true;
      }
      if (notifies) condition.notify_one();
      waiter.join();
      Check(Clock::now() - begin < std::chrono::hours(1), "nobody has waited for long");
    };
  };
  ExpectPass(Walk(program(true)));
  ExpectVerdict(program(false), "deadlock|lost wake-up");  // no time-out covers that
  ExpectPass(Walk([] {
    std::thread sleeper([] { std::this_thread::sleep_for(std::chrono::nanoseconds::max()); });
    const auto begin = Clock::now();
    sleeper.join();
    Check(Clock::now() > begin, "time passes, and the clock still says so");
  }));
}

TEST(ConditionVariables, AnyWaiterMayBeWoken) {
  // 0 and 1 wait, one is woken: the other one than the longest waiter, sooner or later.
  const ExploreResult result = Walk(
      [] {
        std::mutex mutex;
        std::condition_variable changed;
        int waiting = 0, woken = -1;
        bool go = false;
        auto wait = [&](int me) {
          std::unique_lock lock(mutex);
          const int place = waiting++;
          while (!go) changed.wait(lock);
          if (woken < 0) woken = place;
          (void)me;
        };
        std::thread a(wait, 0), b(wait, 1);
        for (;;) {
          const std::lock_guard lock(mutex);
          if (waiting < 2) continue;
          go = true;
          changed.notify_one();
          break;
        }
        for (;;) {
          std::this_thread::yield();
          const std::lock_guard lock(mutex);
          if (woken < 0) continue;
          Check(woken == 0, "the longest waiter first");
          changed.notify_all();
          break;
        }
        a.join();
        b.join();
      },
      1000, WithoutSpuriousWakeUps());
  EXPECT_EQ(result.verdict.signature, "invariant|the longest waiter first")
      << result.verdict.message;
}

TEST(ConditionVariables, WithAnyLock) {
  ExpectPass(Walk([] {
    std::shared_mutex mutex;
    std::condition_variable_any changed;
    bool ready = false;
    std::thread other([&] {
      const std::lock_guard lock(mutex);
      ready = true;
      changed.notify_all();
    });
    {
      std::shared_lock lock(mutex);
      changed.wait(lock, [&] { return ready; });
    }
    other.join();
  }));
}

TEST(ConditionVariables, MonotonicClockAndAttributes) {
  ExpectPass(Walk([] {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_t condition;
    Check(pthread_cond_init(&condition, &attributes) == 0, "made");
    pthread_condattr_destroy(&attributes);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    timespec soon;
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_sec += 5;
    pthread_mutex_lock(&mutex);
    int result = 0;
    while (result == 0) result = pthread_cond_timedwait(&condition, &mutex, &soon);
    Check(result == ETIMEDOUT, "timed out");
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    Check(now.tv_sec >= soon.tv_sec, "time has passed");
    const timespec wrong = {0, -1};
    Check(pthread_cond_timedwait(&condition, &mutex, &wrong) == EINVAL, "no such time");
    result = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &soon);
    Check(result == ETIMEDOUT, "had passed before");
    pthread_mutex_unlock(&mutex);
    Check(pthread_cond_destroy(&condition) == 0, "destroyed");
  }));
}

// ---- misuse

TEST(MisuseOfConditionVariables, WithoutTheMutex) {
  ExpectVerdict(
      [] {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
        pthread_cond_wait(&condition, &mutex);
      },
      "misuse|wait for a condition without holding the mutex");
}

TEST(MisuseOfConditionVariables, WithTwoMutexes) {
  ExpectVerdict(
      [] {
        static std::condition_variable condition;
        auto wait = [] {
          std::mutex mutex;
          std::unique_lock lock(mutex);
          condition.wait_for(lock, std::chrono::seconds(1));
        };
        std::thread a(wait), b(wait);
        a.join();
        b.join();
      },
      "misuse|wait for a condition variable with two mutexes");
}

TEST(MisuseOfConditionVariables, DestroyedWhileWaitedFor) {
  ExpectVerdict(
      [] {
        std::mutex mutex;
        std::atomic<bool> is_about_to_wait = false;
        auto* const condition = new std::condition_variable;
        std::thread waiter([&, condition] {
          std::unique_lock lock(mutex);
          is_about_to_wait = true;
          condition->wait(lock);
        });
        while (!is_about_to_wait) {
        }
        mutex.lock();  // who waits has released it
        mutex.unlock();
        delete condition;
        waiter.join();
      },
      "misuse|condition variable destroyed while it is waited for");
}

// Whoever has been woken does not look at it again.
TEST(MisuseOfConditionVariables, MayBeDestroyedAfterABroadcast) {
  ExpectPass(Walk([] {
    std::mutex mutex;
    auto condition = std::make_unique<std::condition_variable>();
    bool ready = false;
    int waiting = 0;
    auto wait = [&] {
      std::unique_lock lock(mutex);
      ++waiting;
      if (!ready) condition->wait(lock, [&] { return ready; });
    };
    std::thread a(wait), b(wait);
    for (;;) {
      const std::lock_guard lock(mutex);
      if (waiting < 2) continue;
      ready = true;
      condition->notify_all();
      condition.reset();
      break;
    }
    a.join();
    b.join();
  }));
}

// ---- the library above

TEST(Futures, AsyncAndPromise) {
  ExpectPass(Walk(
      [] {
        std::future<int> answer = std::async(std::launch::async, [] { return 41; });
        std::promise<int> promise;
        std::future<int> one = promise.get_future();
        std::thread other([&] { promise.set_value(1); });
        Check(answer.get() + one.get() == 42, "both have come");
        other.join();
        std::packaged_task<int()> task([] { return 7; });
        std::future<int> seven = task.get_future();
        std::thread(std::move(task)).join();
        Check(seven.wait_for(std::chrono::seconds(0)) == std::future_status::ready, "ready");
        Check(seven.get() == 7, "the result");
      },
      300));
}

TEST(Futures, JthreadStops) {
  ExpectPass(Walk(
      [] {
        std::mutex mutex;
        std::condition_variable_any changed;
        int rounds = 0;
        std::jthread worker([&](const std::stop_token& token) {
          std::unique_lock lock(mutex);
          while (!changed.wait(lock, token, [] { return false; })) {
            ++rounds;
            if (token.stop_requested()) return;
          }
        });
      },
      300));
}

}  // namespace
}  // namespace jacquard
