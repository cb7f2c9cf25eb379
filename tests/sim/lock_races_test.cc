// Plain writes to a lock that somebody uses: where the verdict must come, and where it must not.
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <thread>

#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using enum std::memory_order;

// All that can be used by a call. Not a static: each execution has its own.
struct Locks {
  Locks() {
    sem_init(&semaphore, 0, 1);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_barrier_init(&barrier, nullptr, 1);
  }
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  pthread_barrier_t barrier;
  sem_t semaphore;
  pthread_spinlock_t spin;
};

const struct {
  const char* name;
  std::function<void(Locks&)> use;
} kUses[] = {
    {"mutex",
     [](Locks& locks) {
       pthread_mutex_lock(&locks.mutex);
       pthread_mutex_unlock(&locks.mutex);
     }},
    {"read lock",
     [](Locks& locks) {
       pthread_rwlock_rdlock(&locks.rwlock);
       pthread_rwlock_unlock(&locks.rwlock);
     }},
    {"signal", [](Locks& locks) { pthread_cond_signal(&locks.condition); }},
    {"barrier", [](Locks& locks) { pthread_barrier_wait(&locks.barrier); }},
    {"post", [](Locks& locks) { sem_post(&locks.semaphore); }},
    {"spin lock",
     [](Locks& locks) {
       pthread_spin_lock(&locks.spin);
       pthread_spin_unlock(&locks.spin);
     }},
};

// The same bytes again: only the writes themselves can be seen.
void WriteAgain(void* place, size_t size) {
  auto* const bytes = static_cast<volatile char*>(place);
  for (size_t i = 0; i < size; ++i) bytes[i] = bytes[i];  // volatile, or they would be left out
}

TEST(LockRace, WriteWithNothingBetween) {
  for (const auto& [name, use] : kUses) {
    SCOPED_TRACE(name);
    ExpectRace(
        [&use] {
          const auto locks = std::make_unique<Locks>();
          std::thread user([&] { use(*locks); });
          WriteAgain(locks.get(), sizeof(*locks));
          user.join();
        },
        "plain write and use of a lock");
  }
}

TEST(LockRace, OfStaticLocks) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  ExpectRace(
      [] {
        std::thread user([] {
          pthread_mutex_lock(&mutex);
          pthread_mutex_unlock(&mutex);
        });
        std::memset(&mutex, 0, sizeof(mutex));
        user.join();
      },
      "plain write and use of a lock");
}

// Who waits for what another one has done may use its memory again before that one signals.
TEST(LockRace, SignalBehindTheUnlock) {
  struct Waiter {
    std::mutex mutex;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    bool done = false;
  };
  ExpectRace(
      [] {
        Waiter waiter;
        std::thread waker([&waiter] {
          {
            const std::lock_guard lock(waiter.mutex);
            waiter.done = true;
          }
          pthread_cond_signal(&waiter.condition);
        });
        {
          std::unique_lock lock(waiter.mutex);
          while (!waiter.done) pthread_cond_wait(&waiter.condition, waiter.mutex.native_handle());
        }
        std::memset(&waiter.condition, 0xCA, sizeof(waiter.condition));
        waker.join();
      },
      "plain write and use of a lock");
}

// Another thread knows the mutex before it has been made.
TEST(LockRace, UseBeforeConstruction) {
  ExpectRace(
      [] {
        alignas(std::mutex) char place[sizeof(std::mutex)];
        std::atomic<std::mutex*> known{nullptr};
        std::thread user([&known] {
          if (std::mutex* const mutex = known.load(acquire)) {
            mutex->lock();
            mutex->unlock();
          }
        });
        known.store(new (place) std::mutex, relaxed);
        user.join();
      },
      "plain write and use of a lock");
}

TEST(NoLockRace, WhereItIsPublished) {
  ExpectNoRace([] {
    std::atomic<Locks*> known{nullptr};
    const auto locks = std::make_unique<Locks>();
    std::thread user([&known] {
      if (Locks* const mine = known.load(acquire)) {
        for (const auto& [name, use] : kUses) use(*mine);
      }
    });
    WriteAgain(locks.get(), sizeof(*locks));
    known.store(locks.get(), release);
    user.join();
  });
}

// Who has the mutex last may use its memory for something else.
TEST(NoLockRace, WhereTheLockItselfOrders) {
  ExpectNoRace([] {
    struct Counted {
      std::mutex mutex;
      int users = 2;
    };
    auto* const counted = new Counted;
    const auto leave = [counted] {
      counted->mutex.lock();
      const bool is_last = --counted->users == 0;
      counted->mutex.unlock();
      if (!is_last) return;
      WriteAgain(counted, sizeof(*counted));
      delete counted;
    };
    std::thread other(leave);
    leave();
    other.join();
  });
}

// A post is over for who has waited for it; so is a notification under the lock.
TEST(NoLockRace, WhereSomebodyHasWaited) {
  ExpectNoRace([] {
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    std::thread poster([&semaphore] { sem_post(&semaphore); });
    while (sem_wait(&semaphore) != 0) {
    }
    sem_destroy(&semaphore);
    std::memset(&semaphore, 0xCA, sizeof(semaphore));
    poster.join();
  });
  ExpectNoRace([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    bool done = false;
    std::thread waker([&] {
      pthread_mutex_lock(&mutex);
      done = true;
      pthread_cond_signal(&condition);
      pthread_mutex_unlock(&mutex);
    });
    pthread_mutex_lock(&mutex);
    while (!done) pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&condition);
    std::memset(&condition, 0xCA, sizeof(condition));
    waker.join();
  });
}

// The last one to arrive, or the first one to leave, may take the barrier away.
TEST(NoLockRace, WhereABarrierIsPassed) {
  ExpectNoRace([] {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, nullptr, 2);
    const auto pass = [&barrier] {
      if (pthread_barrier_wait(&barrier) != PTHREAD_BARRIER_SERIAL_THREAD) return;
      pthread_barrier_destroy(&barrier);
      std::memset(&barrier, 0xCA, sizeof(barrier));
    };
    std::thread other(pass);
    pass();
    other.join();
  });
}

// As ThreadSanitizer has it: who copies a structure with a lock in it only reads.
TEST(NoLockRace, WhereItIsRead) {
  ExpectNoRace([] {
    const auto locks = std::make_unique<Locks>();
    std::thread user([&locks] {
      for (const auto& [name, use] : kUses) use(*locks);
    });
    char bytes[sizeof(Locks)];
    std::memcpy(bytes, locks.get(), sizeof(bytes));
    user.join();
  });
}

// What a broadcast has woken may still be on its way when the condition variable goes.
TEST(NoLockRace, WhereABroadcastIsTheLastUse) {
  ExpectNoRace([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    int state = 0;
    std::thread waiter([&] {
      pthread_mutex_lock(&mutex);
      if (state == 0) {
        state = 1;
        pthread_cond_wait(&condition, &mutex);
      }
      pthread_mutex_unlock(&mutex);
    });
    pthread_mutex_lock(&mutex);
    if (state == 1) {
      state = 2;
      pthread_cond_broadcast(&condition);
      pthread_cond_destroy(&condition);
      std::memset(&condition, 0xCA, sizeof(condition));
    } else {
      state = 2;
    }
    pthread_mutex_unlock(&mutex);
    waiter.join();
  });
}

}  // namespace
}  // namespace jacquard
