// C11 threads, and what POSIX threads have beyond creation and join.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <threads.h>

#include <atomic>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// ---- C11

struct Queue {
  mtx_t mutex;
  cnd_t changed;
  int items;
};

int Consume(void* argument) {
  auto& queue = *static_cast<Queue*>(argument);
  mtx_lock(&queue.mutex);
  while (queue.items == 0) cnd_wait(&queue.changed, &queue.mutex);
  --queue.items;
  mtx_unlock(&queue.mutex);
  return -7;
}

TEST(C11, ThreadsMutexesAndConditions) {
  ExpectPass(Walk([] {
    Queue queue = {};
    Check(mtx_init(&queue.mutex, mtx_plain) == thrd_success, "mutex");
    Check(cnd_init(&queue.changed) == thrd_success, "condition");
    thrd_t a, b;
    Check(thrd_create(&a, Consume, &queue) == thrd_success, "thread");
    Check(thrd_create(&b, Consume, &queue) == thrd_success, "thread");
    mtx_lock(&queue.mutex);
    queue.items = 2;
    cnd_broadcast(&queue.changed);
    mtx_unlock(&queue.mutex);
    thrd_yield();
    int result = 0;
    Check(thrd_join(a, &result) == thrd_success && result == -7, "the result");
    Check(thrd_join(b, nullptr) == thrd_success, "joined");
    Check(queue.items == 0, "all taken");
    cnd_destroy(&queue.changed);
    mtx_destroy(&queue.mutex);
  }));
}

TEST(C11, TryTimedAndRecursive) {
  ExpectPass(Walk([] {
    static mtx_t mutex;
    mtx_init(&mutex, mtx_timed | mtx_recursive);
    mtx_lock(&mutex);
    Check(mtx_trylock(&mutex) == thrd_success, "again");
    thrd_t other;
    thrd_create(
        &other,
        [](void*) {
          timespec soon;
          timespec_get(&soon, TIME_UTC);
          soon.tv_sec += 1;
          Check(mtx_trylock(&mutex) == thrd_busy, "held");
          Check(mtx_timedlock(&mutex, &soon) == thrd_timedout, "held");
          const timespec moment = {0, 5};
          Check(thrd_sleep(&moment, nullptr) == 0, "slept");
          thrd_exit(3);
          return 0;
        },
        nullptr);
    int result = 0;
    thrd_join(other, &result);
    Check(result == 3, "the result");
    mtx_unlock(&mutex);
    mtx_unlock(&mutex);
    mtx_destroy(&mutex);
  }));
}

TEST(C11, TimedConditionOnceAndStorage) {
  ExpectPass(Walk([] {
    static once_flag once = ONCE_FLAG_INIT;
    static int made;
    auto make = [] { call_once(&once, [] { ++made; }); };
    std::thread a(make), b(make);
    a.join();
    b.join();
    Check(made == 1, "once");
    Queue queue = {};
    mtx_init(&queue.mutex, mtx_timed);
    cnd_init(&queue.changed);
    mtx_lock(&queue.mutex);
    timespec soon;
    timespec_get(&soon, TIME_UTC);
    int result = thrd_success;
    while (result == thrd_success) result = cnd_timedwait(&queue.changed, &queue.mutex, &soon);
    Check(result == thrd_timedout, "timed out");
    cnd_signal(&queue.changed);
    mtx_unlock(&queue.mutex);
    static tss_t key;
    static std::atomic<int> destroyed;
    Check(tss_create(&key, [](void*) { ++destroyed; }) == thrd_success, "key");
    std::thread([] {
      Check(tss_get(key) == nullptr, "no value");
      tss_set(key, &key);
      Check(tss_get(key) == &key, "its value");
    }).join();
    Check(destroyed == 1, "destroyed");
    tss_delete(key);
  }));
}

// ---- POSIX

void* ExitsWithin(void* argument) {
  struct Noted {
    ~Noted() { destroyed.fetch_add(1); }
    std::atomic<int>& destroyed;
  } noted{*static_cast<std::atomic<int>*>(argument)};
  auto deeper = [&] {
    Noted another{noted.destroyed};
    try {
      pthread_exit(argument);
    } catch (...) {
      noted.destroyed.fetch_add(10);
      throw;
    }
  };
  deeper();
  return nullptr;
}

// C11, 7.26.4.1: only nobody may wait for it.
TEST(C11Mutexes, WhoHoldsOneMayDestroyIt) {
  ExpectPass(Walk([] {
    mtx_t mutex;
    mtx_init(&mutex, mtx_plain);
    mtx_lock(&mutex);
    mtx_destroy(&mutex);
    mtx_init(&mutex, mtx_plain | mtx_recursive);
    mtx_lock(&mutex);
    mtx_lock(&mutex);
    mtx_destroy(&mutex);
  }));
}

TEST(C11Mutexes, NobodyElseMay) {
  const ExploreResult result = Walk([] {
    mtx_t mutex;
    mtx_init(&mutex, mtx_plain);
    std::thread other([&mutex] { mtx_lock(&mutex); });
    other.join();
    mtx_destroy(&mutex);
  });
  EXPECT_EQ(result.verdict.signature, "misuse|mutex destroyed while it is locked");
}

TEST(PosixThreads, ExitDestroysWhatIsOnTheStack) {
  ExpectPass(Walk([] {
    std::atomic<int> destroyed{0};
    pthread_t thread;
    pthread_create(&thread, nullptr, ExitsWithin, &destroyed);
    void* result = nullptr;
    pthread_join(thread, &result);
    Check(result == &destroyed, "the result");
    Check(destroyed == 12, "both, and the handler");
  }));
}

TEST(PosixThreads, ExitMustNotBeCaught) {
  ExpectVerdict(
      [] {
        std::thread([] {
          try {
            std::atomic<int>(0).store(1);
            pthread_exit(nullptr);
          } catch (...) {
          }
        }).join();
      },
      "abort|pthread_exit caught");
}

TEST(PosixThreads, TryAndTimedJoin) {
  ExpectPass(Walk([] {
    static std::atomic<bool> go;
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void*) -> void* {
          while (!go) std::this_thread::yield();
          return &go;
        },
        nullptr);
    void* result = nullptr;
    Check(pthread_tryjoin_np(thread, &result) == EBUSY, "it waits");
    timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    Check(pthread_timedjoin_np(thread, &result, &soon) == ETIMEDOUT, "it waits");
    Check(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &soon) == ETIMEDOUT, "it waits");
    go = true;
    while (pthread_tryjoin_np(thread, &result) == EBUSY) std::this_thread::yield();
    Check(result == &go, "the result");
  }));
}

TEST(PosixThreads, MisuseOfHandles) {
  ExpectVerdict(
      [] {
        std::atomic<int>(0).store(1);
        std::thread thread([] {});
        const pthread_t handle = thread.native_handle();
        thread.join();
        pthread_join(handle, nullptr);
      },
      "misuse|join of a detached thread");
  ExpectVerdict(
      [] {
        std::atomic<int>(0).store(1);
        std::thread thread([] {});
        const pthread_t handle = thread.native_handle();
        thread.detach();
        pthread_detach(handle);
      },
      "misuse|detach of a detached thread");
}

TEST(PosixThreads, NeverJoined) {
  const auto body = [] {
    std::atomic<int>(0).store(1);
    pthread_t thread;
    pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  };
  ExpectVerdict(body, "thread left|thread never joined");
  EXPECT_EQ(Walk(body).trace.places.size(), 1u);  // where it was created
}

TEST(PosixThreads, OutlivesTheBody) {
  const auto body = [] {
    static std::atomic<int> word;
    std::thread([] {
      word = 1;
      Check(word.exchange(2) != 7, "read, or else the compiler leaves it out");
    }).detach();
    word = 3;
  };
  ExpectPass(Walk(body));
  ExecutionOptions options = TestOptions();
  options.detached_threads_may_outlive = false;
  const ExploreResult left = Walk(body, 1000, options);
  EXPECT_EQ(left.verdict.signature, "thread left|thread outlives the body") << left.verdict.message;
  ExpectVerdict(
      [] {
        static std::atomic<int> word;
        std::thread([] { word.wait(0); }).detach();
      },
      "thread left|thread outlives the body");
}

}  // namespace
}  // namespace jacquard
