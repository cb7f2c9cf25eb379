// Mutexes and spin locks of the C library, and the C++ classes above them: each works, blocks,
// times out; misuse is a verdict, and correct use is not.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

timespec In(int seconds) {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_sec += seconds;
  return time;
}

// Two threads add under what `lock` and `unlock` do.
void Count(const std::function<void()>& lock, const std::function<void()>& unlock) {
  int count = 0;
  auto work = [&] {
    lock();
    ++count;
    unlock();
  };
  std::thread a(work), b(work);
  a.join();
  b.join();
  Check(count == 2, "both have counted");
}

pthread_mutex_t MutexOfType(int type, int robust = PTHREAD_MUTEX_STALLED) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return mutex;
}

// ---- they exclude, and order

TEST(Mutexes, Exclude) {
  static pthread_mutex_t by_initializer = PTHREAD_MUTEX_INITIALIZER;
  ExpectPass(SearchAll([] {
    Count([] { pthread_mutex_lock(&by_initializer); },
          [] { pthread_mutex_unlock(&by_initializer); });
  }));
  for (const int type : {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                         PTHREAD_MUTEX_ADAPTIVE_NP}) {
    ExpectPass(Walk([type] {
      pthread_mutex_t mutex = MutexOfType(type);
      Count([&] { pthread_mutex_lock(&mutex); }, [&] { pthread_mutex_unlock(&mutex); });
      Check(pthread_mutex_destroy(&mutex) == 0, "destroyed");
    }));
  }
}

// The ceiling lies where others say whether they are locked.
TEST(Mutexes, WithAPriorityCeiling) {
  ExpectPass(Walk([] {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
    pthread_mutex_t mutex;
    pthread_mutex_init(&mutex, &attributes);
    int before = 0;
    int after = 0;
    pthread_mutex_getprioceiling(&mutex, &before);
    Count([&] { pthread_mutex_lock(&mutex); }, [&] { pthread_mutex_unlock(&mutex); });
    pthread_mutex_getprioceiling(&mutex, &after);
    Check(after == before, "the ceiling is where it was");
    Check(pthread_mutex_destroy(&mutex) == 0, "nobody holds it");
  }));
}

TEST(Mutexes, InitialisedOutsideOfTheExecution) {
  pthread_mutex_t mutex = MutexOfType(PTHREAD_MUTEX_RECURSIVE);
  ExpectPass(Walk([&] {
    Count(
        [&] {
          pthread_mutex_lock(&mutex);
          pthread_mutex_lock(&mutex);
        },
        [&] {
          pthread_mutex_unlock(&mutex);
          pthread_mutex_unlock(&mutex);
        });
  }));
  EXPECT_EQ(pthread_mutex_lock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_unlock(&mutex), 0);
  EXPECT_EQ(pthread_mutex_destroy(&mutex), 0);
}

TEST(Mutexes, WithoutThemItIsARace) {
  const ExploreResult result = Walk([] { Count([] {}, [] {}); });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace);
}

TEST(Mutexes, CppClassesExclude) {
  ExpectPass(Walk([] {
    std::timed_mutex mutex;
    Count([&] { mutex.lock(); }, [&] { mutex.unlock(); });
  }));
  ExpectPass(Walk([] {
    std::recursive_timed_mutex mutex;
    Count([&] { mutex.lock(), mutex.lock(); }, [&] { mutex.unlock(), mutex.unlock(); });
  }));
}

TEST(SpinLocks, Exclude) {
  ExpectPass(Walk([] {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
    Count([&] { pthread_spin_lock(&lock); }, [&] { pthread_spin_unlock(&lock); });
    Count(
        [&] {
          while (pthread_spin_trylock(&lock) != 0) {
          }
        },
        [&] { pthread_spin_unlock(&lock); });
    pthread_spin_destroy(&lock);
  }));
}

// ---- timed

TEST(TimedMutexes, EndInBothWays) {
  int got = 0, timed_out = 0;
  ExpectPass(Walk([&] {
    std::timed_mutex mutex;
    bool taken = false;
    std::thread other([&] {
      mutex.lock();
      std::this_thread::yield();
      mutex.unlock();
    });
    taken = mutex.try_lock_for(std::chrono::seconds(1));
    if (taken) mutex.unlock();
    other.join();
    const Ghost ghost;
    ++*(taken ? &got : &timed_out);
  }));
  // They are variables of the test's own frame, and stay.
  EXPECT_GT(got, 0);
  EXPECT_GT(timed_out, 0);
}

TEST(TimedMutexes, TellWhy) {
  ExpectPass(Walk([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    std::thread([&] {
      const timespec soon = In(1);
      Check(pthread_mutex_timedlock(&mutex, &soon) == ETIMEDOUT, "it is held");
      const timespec wrong = {0, 1'000'000'000};
      Check(pthread_mutex_timedlock(&mutex, &wrong) == EINVAL, "no such time");
      Check(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &soon) == ETIMEDOUT, "it is held");
      Check(pthread_mutex_clocklock(&mutex, 99, &soon) == EINVAL, "no such clock");
      Check(pthread_mutex_trylock(&mutex) == EBUSY, "it is held");
    }).join();
    pthread_mutex_unlock(&mutex);
  }));
}

TEST(TimedMutexes, OnlyTimeOutWhenNobodyElseCanRunIfSoAsked) {
  ExecutionOptions options = TestOptions();
  options.time_outs = kNever;
  ExpectPass(Walk(
      [] {
        std::timed_mutex mutex;
        std::thread other([&] {
          const std::lock_guard lock(mutex);
          std::this_thread::yield();
        });
        Check(mutex.try_lock_for(std::chrono::nanoseconds(1)), "the other one can always go on");
        mutex.unlock();
        other.join();
        mutex.lock();
        std::thread([&] {
          Check(!mutex.try_lock_for(std::chrono::hours(1)), "nobody can go on");
        }).join();
        mutex.unlock();
      },
      1000, options));
}

// ---- robust

TEST(RobustMutexes, TellThatTheOwnerHasEnded) {
  ExpectPass(Walk([] {
    pthread_mutex_t mutex = MutexOfType(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    std::thread ends([&] { Check(pthread_mutex_lock(&mutex) == 0, "locked"); });
    ends.join();
    Check(pthread_mutex_lock(&mutex) == EOWNERDEAD, "the owner has ended");
    Check(pthread_mutex_consistent(&mutex) == 0, "mended");
    Check(pthread_mutex_unlock(&mutex) == 0, "unlocked");
    Check(pthread_mutex_lock(&mutex) == 0, "as good as new");
    Check(pthread_mutex_unlock(&mutex) == 0, "unlocked");
    Check(pthread_mutex_unlock(&mutex) == EPERM, "not locked");
    Check(pthread_mutex_destroy(&mutex) == 0, "destroyed");
  }));
}

TEST(RobustMutexes, WakeWhoWaitsAndMayBeLost) {
  ExpectPass(Walk([] {
    pthread_mutex_t mutex = MutexOfType(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    std::atomic<int> dead{0}, lost{0};
    auto take = [&] {
      const int result = pthread_mutex_lock(&mutex);
      dead += result == EOWNERDEAD;
      lost += result == ENOTRECOVERABLE;
      if (result == EOWNERDEAD) pthread_mutex_unlock(&mutex);  // without pthread_mutex_consistent
    };
    std::thread a(take), b(take);
    a.join();
    b.join();
    Check(dead == 1 && lost == 1 ? true : dead + lost <= 1, "the first is told, the second loses");
  }));
}

// ---- misuse

TEST(MisuseOfMutexes, UnlockByAnother) {
  ExpectVerdict(
      [] {
        std::mutex mutex;
        mutex.lock();
        std::thread([&] { mutex.unlock(); }).join();
      },
      "misuse|unlock by a thread that does not hold the mutex");
  ExpectVerdict(
      [] {
        std::mutex mutex;
        mutex.unlock();
      },
      "misuse|unlock by a thread that does not hold the mutex");
}

TEST(MisuseOfMutexes, SomeTypesTellErrors) {
  ExpectPass(Walk([] {
    pthread_mutex_t mutex = MutexOfType(PTHREAD_MUTEX_ERRORCHECK);
    Check(pthread_mutex_unlock(&mutex) == EPERM, "not locked");
    Check(pthread_mutex_lock(&mutex) == 0, "locked");
    Check(pthread_mutex_lock(&mutex) == EDEADLK, "locked already");
    Check(pthread_mutex_unlock(&mutex) == 0, "unlocked");
  }));
}

TEST(MisuseOfMutexes, LockAgain) {
  ExpectVerdict(
      [] {
        std::mutex mutex;
        mutex.lock();
        mutex.lock();
      },
      "misuse|recursive lock");
  ExpectVerdict(
      [] {
        pthread_spinlock_t lock;
        pthread_spin_init(&lock, 0);
        pthread_spin_lock(&lock);
        pthread_spin_lock(&lock);
      },
      "misuse|recursive lock");
}

TEST(MisuseOfMutexes, DestroyedWhileLocked) {
  ExpectVerdict(
      [] {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&mutex);
        pthread_mutex_destroy(&mutex);
      },
      "misuse|mutex destroyed while it is locked");
  ExpectVerdict(
      [] {
        pthread_spinlock_t lock;
        pthread_spin_init(&lock, 0);
        pthread_spin_lock(&lock);
        pthread_spin_destroy(&lock);
      },
      "misuse|spin lock destroyed while it is locked");
}

TEST(MisuseOfMutexes, BlockFreedWhileLocked) {
  ExpectVerdict(
      [] {
        struct Object {
          int before = 0;
          std::mutex mutex;
        };
        auto object = std::make_unique<Object>();
        object->mutex.lock();
        object.reset();
      },
      "misuse|lock destroyed while it is held");
  ExpectPass(Walk([] {
    auto object = std::make_unique<std::mutex>();
    object->lock();
    object->unlock();
    object.reset();
  }));
}

[[gnu::noinline]] void LeavesItLocked() {
  std::mutex mutex;
  mutex.lock();
  std::atomic<int>(0).store(1);
}

TEST(MisuseOfMutexes, FrameLeftWhileLocked) {
  ExpectVerdict([] { LeavesItLocked(); }, "misuse|lock destroyed while it is held");
  ExpectVerdict([] { std::thread([] { LeavesItLocked(); }).join(); },
                "misuse|lock destroyed while it is held");
}

TEST(MisuseOfMutexes, AThreadMayEndWhileItHoldsOne) {
  ExpectPass(Walk([] {
    std::mutex mutex;  // outlives the thread, and is never used again
    pthread_mutex_t* const plain = mutex.native_handle();
    static pthread_mutex_t global = PTHREAD_MUTEX_INITIALIZER;
    std::thread([&] {
      pthread_mutex_lock(&global);
      pthread_mutex_lock(plain);
      pthread_mutex_unlock(plain);
    }).join();
    Check(pthread_mutex_trylock(&global) == EBUSY, "still locked");
  }));
}

}  // namespace
}  // namespace jacquard
