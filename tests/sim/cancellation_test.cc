// pthread_cancel: where a thread that is to be cancelled leaves, where it does not, and what it
// leaves behind.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <utility>

#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// A thread of the C library that calls a function.
class Thread {
 public:
  explicit Thread(std::function<void()> function) : function_(std::move(function)) {
    const auto run = [](void* function) -> void* {
      (*static_cast<std::function<void()>*>(function))();
      return nullptr;
    };
    Check(pthread_create(&handle_, nullptr, run, &function_) == 0, "created");
  }
  pthread_t handle() const { return handle_; }
  void Cancel() const { Check(pthread_cancel(handle_) == 0, "cancelled"); }
  // Whether it was cancelled.
  bool Join() const {
    void* result = &result;
    Check(pthread_join(handle_, &result) == 0, "joined");
    Check(result == nullptr || result == PTHREAD_CANCELED, "one of both");
    return result == PTHREAD_CANCELED;
  }

 private:
  std::function<void()> function_;
  pthread_t handle_ = {};
};

struct Objects {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  sem_t semaphore = {};
  Pipe pipe;
  pthread_t other = {};
};

void Unlock(void* mutex) { pthread_mutex_unlock(static_cast<pthread_mutex_t*>(mutex)); }

void WaitForCondition(Objects& objects) {
  pthread_mutex_lock(&objects.mutex);
  pthread_cleanup_push(Unlock, &objects.mutex);
  for (;;) pthread_cond_wait(&objects.condition, &objects.mutex);
  pthread_cleanup_pop(0);
}

void WaitForConditionOrTime(Objects& objects) {
  pthread_mutex_lock(&objects.mutex);
  pthread_cleanup_push(Unlock, &objects.mutex);
  timespec time = {};
  clock_gettime(CLOCK_REALTIME, &time);
  for (;;) {
    ++time.tv_sec;
    pthread_cond_timedwait(&objects.condition, &objects.mutex, &time);
  }
  pthread_cleanup_pop(0);
}

// Everything in which a thread may wait that is a cancellation point; none of them ends by itself.
using Wait = void (*)(Objects& objects);
constexpr Wait kWaits[] = {
    WaitForCondition,
    WaitForConditionOrTime,
    [](Objects& objects) { sem_wait(&objects.semaphore); },
    [](Objects& objects) { pthread_join(objects.other, nullptr); },
    [](Objects& /*objects*/) {
      for (;;) sleep(1);
    },
    [](Objects& objects) {
      char byte;
      (void)!read(objects.pipe.ends[0], &byte, 1);
    },
    [](Objects& objects) {
      pollfd file = {.fd = objects.pipe.ends[0], .events = POLLIN, .revents = 0};
      poll(&file, 1, -1);
    },
    [](Objects& objects) {  // it need not wait: the file can be written to
      pollfd file = {.fd = objects.pipe.ends[1], .events = POLLOUT, .revents = 0};
      for (;;) poll(&file, 1, -1);
    },
    [](Objects& /*objects*/) {
      sigset_t signals;
      sigemptyset(&signals);
      sigaddset(&signals, SIGUSR1);
      int signal = 0;
      sigwait(&signals, &signal);
    },
    [](Objects& /*objects*/) {
      for (;;) {
        usleep(1);
        pthread_testcancel();
      }
    },
};

TEST(Cancellation, EndsWaits) {
  for (const Wait wait : kWaits) {
    SCOPED_TRACE(&wait - kWaits);
    ExpectPass(Walk(
        [wait] {
          Objects objects;
          sem_init(&objects.semaphore, 0, 0);
          std::atomic<bool> is_over{false};
          Thread other([&is_over] {
            while (!is_over) usleep(1);
          });
          objects.other = other.handle();
          int destroyed = 0;
          const Thread waits([&objects, &destroyed, wait] {
            struct Counter {
              ~Counter() { ++count; }
              int& count;
            };
            const Counter counter{destroyed};
            wait(objects);
          });
          waits.Cancel();
          Check(waits.Join(), "it did not end by itself");
          Check(destroyed == 1, "what it had on its stack is destroyed");
          Check(pthread_mutex_trylock(&objects.mutex) == 0, "and its lock is free");
          pthread_mutex_unlock(&objects.mutex);
          is_over = true;
          other.Join();
        },
        200));
  }
}

// ---- where nobody is cancelled

TEST(Cancellation, WaitsForACancellationPoint) {
  ExpectPass(Walk([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::atomic<int> word{0};
    bool is_through = false;
    pthread_mutex_lock(&mutex);
    const Thread thread([&] {
      word.fetch_add(1);
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
      word.wait(0);
      is_through = true;
      pthread_testcancel();
      Check(false, "it does not get here");
    });
    thread.Cancel();
    pthread_mutex_unlock(&mutex);
    Check(thread.Join(), "cancelled");
    Check(is_through, "not before");
  }));
}

TEST(Cancellation, MayBeDisabled) {
  ExpectPass(Walk([] {
    std::atomic<bool> is_disabled{false};
    std::atomic<bool> is_cancelled{false};
    bool is_through = false;
    const Thread thread([&] {
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
      is_disabled = true;
      while (!is_cancelled) usleep(1);
      pthread_testcancel();
      is_through = true;
      pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
      for (;;) usleep(1);
    });
    while (!is_disabled) usleep(1);
    thread.Cancel();
    is_cancelled = true;
    Check(thread.Join(), "cancelled");
    Check(is_through, "not before");
  }));
}

TEST(Cancellation, ComesTooLate) {
  ExpectPass(Walk([] {
    const Thread thread(TakeStep);
    usleep(1);
    thread.Cancel();
    thread.Cancel();
    Check(!thread.Join(), "it has ended by itself");
  }));
  // Once it leaves, it is not cancelled any more.
  ExpectPass(Walk([] {
    const Thread thread([] {
      struct Sleeps {
        ~Sleeps() { usleep(1); }
      };
      const Sleeps sleeps;
      pthread_exit(nullptr);
    });
    thread.Cancel();
    Check(!thread.Join(), "it has left by itself");
  }));
  struct Sleeps {
    ~Sleeps() { usleep(1); }
    bool is_used = false;
  };
  ExpectPass(Walk([] {
    const Thread thread([] {
      static thread_local Sleeps sleeps;
      sleeps.is_used = true;
    });
    thread.Cancel();
    Check(!thread.Join(), "its function has returned");
  }));
}

TEST(Cancellation, IsLookedForInALoop) {
  ExpectPass(Walk([] {
    const Thread thread([] {
      for (;;) pthread_testcancel();
    });
    thread.Cancel();
    Check(thread.Join(), "cancelled");
  }));
}

// Functions that let nothing out.
TEST(Cancellation, PassesCallsThatAreNoPoints) {
  ExpectPass(Walk([] {
    int sockets[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0, "opened");
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    bool is_through = false;
    const Thread thread([&] {
      epoll_event event = {};
      epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[0], &event);
      itimerspec time = {};
      timerfd_settime(timer, 0, &time, nullptr);
      timerfd_gettime(timer, &time);
      shutdown(sockets[1], SHUT_WR);
      is_through = true;
      for (;;) usleep(1);
    });
    thread.Cancel();
    Check(thread.Join() && is_through, "in the end");
    for (const int file : {sockets[0], sockets[1], epoll, timer}) close(file);
  }));
}

// ---- asynchronous

constexpr int kAsynchronous = PTHREAD_CANCEL_ASYNCHRONOUS;

TEST(Cancellation, MayBeAsynchronous) {
  const auto loop = [](int type, std::atomic<bool>& is_over) {
    return [type, &is_over] {
      pthread_setcanceltype(type, nullptr);
      while (!is_over) TakeStep();
    };
  };
  ExpectPass(Walk(
      [loop] {
        std::atomic<bool> is_over{false};
        const Thread thread(loop(kAsynchronous, is_over));
        thread.Cancel();
        Check(thread.Join(), "anywhere");
      },
      200));
  ExpectPass(Walk(
      [loop] {
        std::atomic<bool> is_over{false};
        const Thread thread(loop(PTHREAD_CANCEL_DEFERRED, is_over));
        thread.Cancel();
        is_over = true;
        Check(!thread.Join(), "there is no cancellation point");
      },
      200));
  ExpectPass(Walk(
      [] {
        const Thread thread([] {
          pthread_setcanceltype(kAsynchronous, nullptr);
          pthread_cancel(pthread_self());
          Check(false, "it does not get here");
        });
        Check(thread.Join(), "by itself");
      },
      10));
}

TEST(Cancellation, MayBeAsynchronousWhereNobodyElseRuns) {
  ExpectPass(Walk(
      [] {
        Objects objects;
        pthread_mutex_lock(&objects.mutex);
        std::atomic<int> word{0};
        const Thread thread([&] {
          pthread_setcanceltype(kAsynchronous, nullptr);
          pthread_mutex_lock(&objects.mutex);
          pthread_mutex_unlock(&objects.mutex);
          for (;;) ++word;
        });
        thread.Cancel();
        pthread_mutex_unlock(&objects.mutex);
        Check(thread.Join(), "behind the lock");
      },
      200));
  ExpectPass(Walk(
      [] {
        std::atomic<bool> is_there{false};
        std::atomic<bool> never{false};
        const Thread thread([&] {
          pthread_setcanceltype(kAsynchronous, nullptr);
          is_there = true;
          while (!never) {
          }
        });
        while (!is_there) sched_yield();
        thread.Cancel();
        Check(thread.Join(), "while it spins");
      },
      200));
}

// ---- what is left behind

// Whoever is cancelled does not consume what others are notified of.
TEST(Cancellation, LeavesTheNotificationToOthers) {
  ExpectPass(Walk([] {
    Objects objects;
    int tokens = 0;
    const auto take = [&objects, &tokens] {
      pthread_mutex_lock(&objects.mutex);
      pthread_cleanup_push(Unlock, &objects.mutex);
      while (tokens == 0) pthread_cond_wait(&objects.condition, &objects.mutex);
      --tokens;
      pthread_cleanup_pop(1);
    };
    const auto give = [&objects, &tokens] {
      pthread_mutex_lock(&objects.mutex);
      ++tokens;
      pthread_mutex_unlock(&objects.mutex);
      pthread_cond_signal(&objects.condition);
    };
    const Thread one(take);
    const Thread other(take);
    const Thread gives(give);
    one.Cancel();
    gives.Join();
    if (!one.Join()) give();
    Check(!other.Join(), "nobody has cancelled it");
  }));
}

TEST(Cancellation, LeavesALockedMutex) {
  const auto body = [](void (*clean_up)(void* mutex)) {
    Objects objects;
    const Thread thread([&objects, clean_up] {
      pthread_mutex_lock(&objects.mutex);
      pthread_cleanup_push(clean_up, &objects.mutex);
      usleep(1);
      pthread_cleanup_pop(0);
      pthread_mutex_unlock(&objects.mutex);
    });
    thread.Cancel();
    thread.Join();
    pthread_mutex_lock(&objects.mutex);
    pthread_mutex_unlock(&objects.mutex);
  };
  ExpectPass(Walk([body] { body(Unlock); }));
  ExpectVerdict([body] { body([](void* /*mutex*/) {}); }, "deadlock|no thread can run",
                "waits for the mutex");
}

TEST(Cancellation, OrdersWhatWasBefore) {
  const auto body = [](bool is_before) {
    int data = 0;
    const Thread thread([&data] {
      pthread_cleanup_push([](void* data) { ++*static_cast<int*>(data); }, &data);
      for (;;) usleep(1);
      pthread_cleanup_pop(0);
    });
    if (is_before) data = 1;
    thread.Cancel();
    if (!is_before) data = 1;
    thread.Join();
    Check(data == 2, "both");
  };
  if (kTestMemory == MemoryMode::kRc11) ExpectRace([body] { body(false); }, "");
  ExpectPass(Walk([body] { body(true); }));
}

TEST(Cancellation, IsNotToBeCaught) {
  ExpectVerdict(
      [] {
        const Thread thread([] {
          try {
            for (;;) usleep(1);
          } catch (...) {  // NOLINT(bugprone-empty-catch)
          }
        });
        thread.Cancel();
        thread.Join();
      },
      "abort|cancellation caught");
}

TEST(Cancellation, OfAThreadThatIsGone) {
  ExpectVerdict(
      [] {
        const Thread thread(TakeStep);
        thread.Join();
        thread.Cancel();
      },
      "misuse|pthread_cancel of a thread that is gone", "joined before");
}

TEST(Cancellation, OfADetachedThreadThatHasEnded) {
  ExpectVerdict(
      [] {
        std::atomic<bool> is_there{false};
        const Thread thread([&is_there] { is_there = true; });
        pthread_detach(thread.handle());
        while (!is_there) usleep(1);
        usleep(1);
        thread.Cancel();
      },
      "misuse|pthread_cancel of a thread that is gone", "it was detached, and has ended");
}

TEST(Cancellation, HasTwoStatesAndTypes) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        int old = -1;
        Check(pthread_setcancelstate(2, &old) == EINVAL && old == -1, "no state");
        Check(pthread_setcanceltype(2, &old) == EINVAL && old == -1, "no type");
        Check(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr) == 0, "not asked");
        Check(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0, "asked");
        Check(old == PTHREAD_CANCEL_DISABLE, "as it was set");
      },
      1));
}

}  // namespace
}  // namespace jacquard
