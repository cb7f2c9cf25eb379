// Reader/writer locks, semaphores and barriers of the C library, and the C++ classes above them.
#include <errno.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// ---- reader/writer locks

TEST(RwLocks, ReadersShareAndWritersDoNot) {
  auto body = [] {
    static std::shared_mutex mutex;
    static int value;
    static std::atomic<int> readers;
    static std::atomic<bool> together;
    auto read = [] {
      const std::shared_lock lock(mutex);
      if (readers.fetch_add(1) == 1) together = true;
      Check(value % 2 == 0, "no write is half done");
      readers.fetch_sub(1);
    };
    std::thread a(read), b(read), writer([] {
      const std::lock_guard lock(mutex);
      ++value;
      Check(readers == 0, "readers are out");
      ++value;
    });
    a.join();
    b.join();
    writer.join();
    if (PickData(1) != 0) return;
    Check(!together, "never together");
  };
  EXPECT_EQ(Walk(body).verdict.signature, "invariant|never together");
}

TEST(RwLocks, OrderReadersBeforeWriters) {
  ExpectPass(Walk([] {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    int value = 0;
    auto read = [&] {
      pthread_rwlock_rdlock(&lock);
      Check(value >= 0, "read");
      pthread_rwlock_unlock(&lock);
    };
    std::thread a(read), b(read), writer([&] {
      pthread_rwlock_wrlock(&lock);
      ++value;
      pthread_rwlock_unlock(&lock);
    });
    a.join();
    b.join();
    writer.join();
    Check(pthread_rwlock_destroy(&lock) == 0, "destroyed");
  }));
}

TEST(RwLocks, ReadersDoNotOrderReaders) {
  const ExploreResult result = Walk([] {
    std::shared_mutex mutex;
    int value = 0;
    auto write = [&] {
      const std::shared_lock lock(mutex);
      ++value;
    };
    std::thread a(write), b(write);
    a.join();
    b.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

TEST(RwLocks, TryAndTimed) {
  ExpectPass(Walk([] {
    std::shared_timed_mutex mutex;
    mutex.lock_shared();
    std::thread([&] {
      Check(mutex.try_lock_shared(), "readers share");
      mutex.unlock_shared();
      Check(!mutex.try_lock(), "not with a reader");
      Check(!mutex.try_lock_for(std::chrono::seconds(1)), "it stays");
    }).join();
    mutex.unlock_shared();
    mutex.lock();
    std::thread([&] {
      Check(!mutex.try_lock_shared(), "not with a writer");
      Check(!mutex.try_lock_shared_for(std::chrono::seconds(1)), "it stays");
    }).join();
    mutex.unlock();
    Check(mutex.try_lock_for(std::chrono::seconds(1)), "free");
    mutex.unlock();
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_rwlock_wrlock(&lock);
    Check(pthread_rwlock_rdlock(&lock) == EDEADLK, "the writer itself");
    Check(pthread_rwlock_wrlock(&lock) == EDEADLK, "the writer itself");
    pthread_rwlock_unlock(&lock);
  }));
}

TEST(RwLocks, InitialisedAndUsedOutsideOfTheExecution) {
  pthread_rwlock_t lock;
  pthread_rwlock_init(&lock, nullptr);
  pthread_rwlock_wrlock(&lock);
  pthread_rwlock_unlock(&lock);
  ExpectPass(Walk([&] {
    int value = 0;
    auto write = [&] {
      pthread_rwlock_wrlock(&lock);
      ++value;
      pthread_rwlock_unlock(&lock);
    };
    std::thread a(write), b(write);
    a.join();
    b.join();
  }));
  EXPECT_EQ(pthread_rwlock_rdlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_unlock(&lock), 0);
  EXPECT_EQ(pthread_rwlock_destroy(&lock), 0);
}

TEST(RwLocks, APreferenceForWritersHoldsReadersBack) {
  const ExploreResult result = Walk([] {
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_t lock;
    pthread_rwlock_init(&lock, &attributes);
    std::thread writer([&] {
      pthread_rwlock_wrlock(&lock);
      pthread_rwlock_unlock(&lock);
    });
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_rdlock(&lock);  // forbidden for such a lock: the writer may wait by now
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock);
    writer.join();
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|threads wait for each other")
      << result.verdict.message;
}

TEST(MisuseOfRwLocks, UnlockWithoutLock) {
  constexpr const char* kRule =
      "misuse|unlock of a reader/writer lock that the thread does not hold";
  ExpectVerdict(
      [] {
        std::shared_mutex mutex;
        mutex.unlock_shared();
      },
      kRule);
  ExpectVerdict(
      [] {
        std::shared_mutex mutex;
        mutex.lock_shared();
        std::thread([&] { mutex.unlock_shared(); }).join();
      },
      kRule);
  ExpectVerdict(
      [] {
        std::shared_mutex mutex;
        mutex.lock();
        std::thread([&] { mutex.unlock(); }).join();
      },
      kRule);
}

TEST(MisuseOfRwLocks, DestroyedWhileHeld) {
  ExpectVerdict(
      [] {
        pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
        pthread_rwlock_rdlock(&lock);
        pthread_rwlock_destroy(&lock);
      },
      "misuse|reader/writer lock destroyed while it is locked");
  ExpectVerdict(
      [] {
        auto mutex = std::make_unique<std::shared_mutex>();
        mutex->lock_shared();
        mutex.reset();
      },
      "misuse|lock destroyed while it is held");
}

// ---- semaphores

TEST(Semaphores, PassOnWhatWasDone) {
  ExpectPass(SearchAll(
      [] {
        sem_t semaphore;
        Check(sem_init(&semaphore, 0, 0) == 0, "made");
        int value = 0;
        std::thread other([&] {
          value = 1;
          sem_post(&semaphore);
        });
        Check(sem_wait(&semaphore) == 0, "taken");
        Check(value == 1, "what was done before the post");
        other.join();
        Check(sem_destroy(&semaphore) == 0, "destroyed");
      },
      2));
}

TEST(Semaphores, CountAndTry) {
  ExpectPass(Walk([] {
    sem_t semaphore;
    sem_init(&semaphore, 0, 2);
    int value = 0;
    Check(sem_getvalue(&semaphore, &value) == 0 && value == 2, "two");
    Check(sem_trywait(&semaphore) == 0, "one");
    Check(sem_wait(&semaphore) == 0, "none");
    Check(sem_trywait(&semaphore) == -1 && errno == EAGAIN, "refused");
    timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    Check(sem_timedwait(&semaphore, &soon) == -1 && errno == ETIMEDOUT, "refused");
    Check(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &soon) == -1 && errno == ETIMEDOUT, "refused");
    const timespec wrong = {0, -1};
    Check(sem_timedwait(&semaphore, &wrong) == -1 && errno == EINVAL, "no such time");
    sem_post(&semaphore);
    Check(sem_getvalue(&semaphore, &value) == 0 && value == 1, "one");
    sem_destroy(&semaphore);
  }));
}

TEST(Semaphores, LetInAsManyAsTheySay) {
  auto body = [](int most) {
    sem_t semaphore;
    sem_init(&semaphore, 0, 2);
    std::atomic<int> inside{0};
    auto work = [&] {
      sem_wait(&semaphore);
      Check(inside.fetch_add(1) < most, "as many as that");
      inside.fetch_sub(1);
      sem_post(&semaphore);
    };
    std::thread a(work), b(work), c(work);
    a.join();
    b.join();
    c.join();
  };
  ExpectPass(Walk([&] { body(2); }));
  EXPECT_EQ(Walk([&] { body(1); }).verdict.signature, "invariant|as many as that");
}

TEST(MisuseOfSemaphores, OverflowAndDestroyed) {
  ExpectVerdict(
      [] {
        sem_t semaphore;
        sem_init(&semaphore, 0, SEM_VALUE_MAX);
        sem_post(&semaphore);
      },
      "misuse|semaphore overflow");
  ExpectVerdict(
      [] {
        static sem_t semaphore;
        sem_init(&semaphore, 0, 0);
        std::thread waiter([] { sem_wait(&semaphore); });
        std::this_thread::sleep_for(std::chrono::seconds(1));
        sem_destroy(&semaphore);
        waiter.join();
      },
      "misuse|semaphore destroyed while it is waited for");
}

// The standard's classes do not say so themselves.
TEST(Semaphores, OfCxxStayWithinTheirMaximum) {
  const std::string signature = "misuse|semaphore overflow";
  ExpectVerdict(
      [] {
        std::binary_semaphore semaphore(0);
        semaphore.release();
        semaphore.release();
      },
      signature);
  ExpectVerdict(
      [] {
        std::counting_semaphore<5> semaphore(2);
        semaphore.release(4);
      },
      signature);
  // Only if both are early.
  ExpectVerdict(
      [] {
        std::binary_semaphore semaphore(0);
        std::thread other([&] { semaphore.release(); });
        semaphore.release();
        semaphore.acquire();
        other.join();
      },
      signature);
  ExpectPass(Walk([] {
    std::counting_semaphore<5> semaphore(2);
    std::counting_semaphore<> others(7);
    std::thread other([&] { semaphore.release(2); });
    semaphore.release();
    others.release(1000);
    other.join();
  }));
}

TEST(Latches, AreNotCountedBelowZero) {
  const std::string signature = "misuse|latch counted below zero";
  ExpectVerdict(
      [] {
        std::latch latch(1);
        latch.count_down();
        latch.count_down();
      },
      signature);
  ExpectVerdict([] { std::latch(3).count_down(4); }, signature);
  ExpectPass(Walk([] {
    std::latch latch(3);
    std::thread other([&] { latch.arrive_and_wait(); });
    latch.count_down(2);
    latch.wait();
    other.join();
  }));
}

// They look the same but for where they stand.
TEST(Semaphores, OtherCountersMayDoAnything) {
  ExpectPass(Walk([] {
    std::binary_semaphore semaphore(0);
    std::atomic<int> counter = 0;
    std::thread other([&] {
      counter.fetch_sub(5, std::memory_order_release);
      counter.fetch_add(10, std::memory_order_release);
      semaphore.release();
    });
    counter.fetch_add(1, std::memory_order_release);
    semaphore.acquire();
    other.join();
  }));
}

// ---- barriers

TEST(Barriers, HoldAllAndTellOne) {
  ExpectPass(Walk([] {
    pthread_barrier_t barrier;
    Check(pthread_barrier_init(&barrier, nullptr, 3) == 0, "made");
    int before[3] = {};
    std::atomic<int> serial{0};
    auto work = [&](int me) {
      for (int round = 1; round <= 2; ++round) {
        before[me] = round;
        serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        for (const int value : before) Check(value == round, "all have arrived");
        pthread_barrier_wait(&barrier);
      }
    };
    std::thread a(work, 1), b(work, 2);
    work(0);
    a.join();
    b.join();
    Check(serial == 2, "one in each round");
    Check(pthread_barrier_destroy(&barrier) == 0, "destroyed");
  }));
}

TEST(Barriers, WithoutThemItIsARace) {
  const ExploreResult result = Walk([] {
    int before[2] = {};
    auto work = [&](int me) {
      before[me] = 1;
      Check(before[1 - me] >= 0, "read");
    };
    std::thread other(work, 1);
    work(0);
    other.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace);
}

TEST(Barriers, OneTooFewIsADeadlock) {
  const ExploreResult result = Walk([] {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2);
    pthread_barrier_wait(&barrier);
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|no thread can run");
  EXPECT_NE(result.verdict.message.find("waits at the barrier"), std::string::npos);
}

TEST(MisuseOfBarriers, DestroyedInUse) {
  ExpectVerdict(
      [] {
        static pthread_barrier_t barrier;
        pthread_barrier_init(&barrier, nullptr, 2);
        std::thread waiter([] { pthread_barrier_wait(&barrier); });
        std::this_thread::sleep_for(std::chrono::seconds(1));
        pthread_barrier_destroy(&barrier);
        waiter.join();
      },
      "misuse|barrier destroyed in use");
}

TEST(CppClasses, LatchBarrierSemaphore) {
  ExpectPass(Walk(
      [] {
        std::latch latch(2);
        std::counting_semaphore<2> semaphore(0);
        int value = 0;
        std::barrier barrier(2, [&]() noexcept { ++value; });
        std::thread other([&] {
          latch.arrive_and_wait();
          barrier.arrive_and_wait();
          semaphore.release();
        });
        latch.arrive_and_wait();
        barrier.arrive_and_wait();
        Check(value == 1, "completed once");
        semaphore.acquire();
        other.join();
      },
      300));
}

}  // namespace
}  // namespace jacquard
