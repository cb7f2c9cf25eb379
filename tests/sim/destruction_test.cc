// What pthread_mutex_destroy and its like end: who uses the object all the same is told so.
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <functional>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sim/random_walk.h"
#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// A kind of object: made by `Init`, then any of `uses`, then its end.
template <class T>
struct Kind {
  std::string name;
  int (*init)(T*);
  int (*destroy)(T*);
  std::vector<void (*)(T*)> uses;
};

template <class T>
void ExpectUsesAfterTheEndFound(const Kind<T>& kind) {
  const std::string signature = "misuse|use of a " + kind.name + " that has been destroyed";
  std::vector<std::function<void(T*)>> uses(kind.uses.begin(), kind.uses.end());
  uses.push_back([&](T* object) { kind.destroy(object); });
  for (size_t i = 0; i < uses.size(); ++i) {
    SCOPED_TRACE(kind.name + ", use " + std::to_string(i));
    ExpectVerdict(
        [&] {
          T object;
          kind.init(&object);
          kind.destroy(&object);
          uses[i](&object);
        },
        signature);
    // Initialised again it is as good as new.
    ExpectPass(Walk(
        [&] {
          T object;
          for (int round = 0; round < 2; ++round) {
            Check(kind.init(&object) == 0, "made");
            if (i < kind.uses.size()) uses[i](&object);
            Check(kind.destroy(&object) == 0, "ended");
          }
        },
        20));
  }
  // Too late, if the other thread is early.
  ExpectVerdict(
      [&] {
        T object;
        kind.init(&object);
        std::atomic<bool> gone = false;
        std::thread thread([&] {
          if (gone) uses[0](&object);
        });
        kind.destroy(&object);
        gone = true;
        thread.join();
      },
      signature);
}

constexpr timespec kNow = {};

TEST(Destruction, OfMutexes) {
  ExpectUsesAfterTheEndFound<pthread_mutex_t>(
      {.name = "mutex",
       .init = [](pthread_mutex_t* mutex) { return pthread_mutex_init(mutex, nullptr); },
       .destroy = pthread_mutex_destroy,
       .uses = {
           [](pthread_mutex_t* mutex) {
             pthread_mutex_lock(mutex);
             pthread_mutex_unlock(mutex);
           },
           [](pthread_mutex_t* mutex) {
             if (pthread_mutex_trylock(mutex) == 0) pthread_mutex_unlock(mutex);
           },
       }});
}

TEST(Destruction, OfC11Mutexes) {
  ExpectVerdict(
      [] {
        mtx_t mutex;
        mtx_init(&mutex, mtx_plain);
        mtx_destroy(&mutex);
        mtx_lock(&mutex);
      },
      "misuse|use of a mutex that has been destroyed");
}

TEST(Destruction, OfConditionVariables) {
  ExpectUsesAfterTheEndFound<pthread_cond_t>(
      {.name = "condition variable",
       .init = [](pthread_cond_t* condition) { return pthread_cond_init(condition, nullptr); },
       .destroy = pthread_cond_destroy,
       .uses = {
           [](pthread_cond_t* condition) { pthread_cond_signal(condition); },
           [](pthread_cond_t* condition) { pthread_cond_broadcast(condition); },
           [](pthread_cond_t* condition) {
             pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
             pthread_mutex_lock(&mutex);
             pthread_cond_timedwait(condition, &mutex, &kNow);
             pthread_mutex_unlock(&mutex);
           },
       }});
}

TEST(Destruction, OfC11ConditionVariables) {
  ExpectVerdict(
      [] {
        cnd_t condition;
        cnd_init(&condition);
        cnd_destroy(&condition);
        cnd_signal(&condition);
      },
      "misuse|use of a condition variable that has been destroyed");
}

TEST(Destruction, OfReaderWriterLocks) {
  ExpectUsesAfterTheEndFound<pthread_rwlock_t>(
      {.name = "reader/writer lock",
       .init = [](pthread_rwlock_t* lock) { return pthread_rwlock_init(lock, nullptr); },
       .destroy = pthread_rwlock_destroy,
       .uses = {
           [](pthread_rwlock_t* lock) {
             pthread_rwlock_rdlock(lock);
             pthread_rwlock_unlock(lock);
           },
           [](pthread_rwlock_t* lock) {
             pthread_rwlock_wrlock(lock);
             pthread_rwlock_unlock(lock);
           },
           [](pthread_rwlock_t* lock) {
             if (pthread_rwlock_tryrdlock(lock) == 0) pthread_rwlock_unlock(lock);
           },
           [](pthread_rwlock_t* lock) {
             if (pthread_rwlock_trywrlock(lock) == 0) pthread_rwlock_unlock(lock);
           },
       }});
}

TEST(Destruction, OfSemaphores) {
  ExpectUsesAfterTheEndFound<sem_t>({.name = "semaphore",
                                     .init = [](sem_t* sem) { return sem_init(sem, 0, 1); },
                                     .destroy = sem_destroy,
                                     .uses = {
                                         [](sem_t* sem) { sem_wait(sem); },
                                         [](sem_t* sem) { sem_trywait(sem); },
                                         [](sem_t* sem) { sem_post(sem); },
                                         [](sem_t* sem) {
                                           int value;
                                           sem_getvalue(sem, &value);
                                         },
                                     }});
}

TEST(Destruction, OfBarriers) {
  ExpectUsesAfterTheEndFound<pthread_barrier_t>(
      {.name = "barrier",
       .init = [](pthread_barrier_t* barrier) { return pthread_barrier_init(barrier, nullptr, 1); },
       .destroy = pthread_barrier_destroy,
       .uses = {[](pthread_barrier_t* barrier) { pthread_barrier_wait(barrier); }}});
  ExpectVerdict(
      [] {
        static pthread_barrier_t barrier;
        pthread_barrier_wait(&barrier);
      },
      "misuse|use of a barrier that has not been initialised");
}

TEST(Destruction, OfSpinLocks) {
  ExpectUsesAfterTheEndFound<pthread_spinlock_t>(
      {.name = "spin lock",
       .init = [](pthread_spinlock_t* lock) { return pthread_spin_init(lock, 0); },
       .destroy = pthread_spin_destroy,
       .uses = {
           [](pthread_spinlock_t* lock) {
             pthread_spin_lock(lock);
             pthread_spin_unlock(lock);
           },
           [](pthread_spinlock_t* lock) {
             if (pthread_spin_trylock(lock) == 0) pthread_spin_unlock(lock);
           },
       }});
}

// A static initialiser, or zeros, are as good as the function.
TEST(Destruction, EndsWithAStaticInitialiser) {
  ExpectPass(Walk(
      [] {
        static pthread_mutex_t mutex;
        static pthread_cond_t condition;
        static pthread_rwlock_t lock;
        for (int round = 0; round < 2; ++round) {
          mutex = PTHREAD_MUTEX_INITIALIZER;
          condition = PTHREAD_COND_INITIALIZER;
          lock = PTHREAD_RWLOCK_INITIALIZER;
          pthread_mutex_lock(&mutex);
          pthread_rwlock_rdlock(&lock);
          pthread_cond_signal(&condition);
          pthread_rwlock_unlock(&lock);
          pthread_mutex_unlock(&mutex);
          pthread_cond_destroy(&condition);
          pthread_rwlock_destroy(&lock);
          pthread_mutex_destroy(&mutex);
        }
      },
      20));
}

TEST(Destruction, EndsWithAConstructor) {
  ExpectPass(Walk(
      [] {
        alignas(std::condition_variable) unsigned char place[sizeof(std::condition_variable)];
        for (int round = 0; round < 2; ++round) {
          auto* const condition = new (place) std::condition_variable;
          condition->notify_all();
          condition->~condition_variable();
        }
      },
      20));
}

// To destroy is a step: until then others may use what is destroyed, or afterwards.
TEST(Destruction, IsAStep) {
  const auto race = [](auto destroy) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::thread other([&] {
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
    });
    destroy(&mutex);
    other.join();
  };
  std::set<std::string> signatures;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RandomWalk walk(seed);
    ExploreOptions options;
    options.executions = 20;
    options.trace = false;
    signatures.insert(
        Explore([&] { race(pthread_mutex_destroy); }, walk, options).verdict.signature);
  }
  EXPECT_TRUE(signatures.contains("misuse|mutex destroyed while it is locked"));
  EXPECT_TRUE(signatures.contains("misuse|use of a mutex that has been destroyed"));
  const auto destroy_mtx = [](pthread_mutex_t* mutex) {
    mtx_destroy(reinterpret_cast<mtx_t*>(mutex));
  };
  const ExploreResult result = SearchAll([&] { race(destroy_mtx); });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kMisuse) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
