// Timers that send signals.
#include <gtest/gtest.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// A guard against hanging, which never comes.
TEST(Timers, TellWhatIsLeft) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        Check(alarm(100) == 0, "none is set");
        std::this_thread::sleep_for(std::chrono::seconds(40));
        Check(alarm(7) == 60, "what is left, to the nearest second");
        std::this_thread::sleep_for(std::chrono::seconds(20));
        Check(alarm(0) == 1, "it would be over");
        Check(alarm(0) == 0, "none is set");
        Check(ualarm(500, 0) == 0, "in microseconds");
        Check(ualarm(0, 0) <= 500, "what is left");
        const itimerval set = {.it_interval = {1, 0}, .it_value = {0, 500'000}};
        itimerval now = {};
        Check(setitimer(ITIMER_PROF, &set, &now) == 0, "set");
        Check(now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0, "none was set");
        Check(getitimer(ITIMER_PROF, &now) == 0, "asked");
        Check(now.it_value.tv_usec > 0 && now.it_interval.tv_sec == 1, "as it was set");
        Check(getitimer(ITIMER_REAL, &now) == 0 && now.it_value.tv_usec == 0, "another one");
        const itimerval interval_only = {.it_interval = {5, 0}, .it_value = {0, 0}};
        Check(setitimer(ITIMER_VIRTUAL, &interval_only, &now) == 0, "set");
        Check(now.it_interval.tv_sec == 0, "none was set");
        const itimerval much = {.it_interval = {0, 0}, .it_value = {LONG_MAX, 0}};
        Check(setitimer(ITIMER_VIRTUAL, &much, nullptr) == 0, "very long");
        Check(getitimer(ITIMER_VIRTUAL, &now) == 0 && now.it_value.tv_sec > 1000, "still");
        Check(ualarm(1'000'000, 0) == static_cast<useconds_t>(-1), "too long");
      },
      3));
  EXPECT_EQ(alarm(0), 0u);
}

// A real one would come in the middle of the runtime.
TEST(Timers, InterruptNobody) {
  ExpectPass(Walk(
      [] {
        static std::atomic<int> ticks;
        signal(SIGALRM, [](int) { ++ticks; });
        const itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};
        setitimer(ITIMER_REAL, &often, nullptr);
        std::atomic<int> count = 0;
        const auto work = [&] {
          for (int i = 0; i < 100; ++i) ++count;
        };
        std::thread a(work), b(work);
        a.join();
        b.join();
        Check(count == 200 && ticks == 0, "nothing else has happened");
      },
      20));
}

sem_t semaphore;

// Where nobody else can run.
TEST(Timers, ExpireIfThatIsTheOnlyWayToGoOn) {
  ExpectPass(Walk(
      [] {
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) { sem_post(&semaphore); });
        alarm(1);
        while (sem_wait(&semaphore) != 0) {
        }
        Check(alarm(0) == 0, "it is over");
      },
      20));
  // Again and again, in whoever waits and for whatever.
  ExpectPass(Walk(
      [] {
        static std::atomic<int> ticks;
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) {
          if (++ticks == 20) sem_post(&semaphore);
        });
        const itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};
        setitimer(ITIMER_REAL, &often, nullptr);
        std::mutex mutex;
        std::thread other([&] {
          const std::lock_guard lock(mutex);
          while (sem_wait(&semaphore) != 0) {
          }
        });
        mutex.lock();
        mutex.unlock();
        other.join();
        // The semaphore has been posted by then, by a tick.
        Check(ticks >= 20, "as often as it takes");
      },
      20));
  // And the one who waits for it gets it.
  ExpectPass(Walk(
      [] {
        TakeStep();
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        alarm(5);
        int signal = 0;
        Check(sigwait(&set, &signal) == 0 && signal == SIGALRM, "the signal");
      },
      20));
}

// A wait for a semaphore ends with EINTR, unless it is to go on behind a handler (SA_RESTART, as
// signal() has it).
TEST(Timers, EndAWaitForASemaphore) {
  for (const int flags : {0, SA_RESTART}) {
    ExpectPass(Walk(
        [flags] {
          static int ticks;
          sem_init(&semaphore, 0, 0);
          struct sigaction action = {};
          action.sa_handler = [](int) {
            if (++ticks == 3) sem_post(&semaphore);
          };
          action.sa_flags = flags;
          sigaction(SIGALRM, &action, nullptr);
          const itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};
          setitimer(ITIMER_REAL, &often, nullptr);
          errno = 0;
          const int result = sem_wait(&semaphore);
          if (flags != 0) {
            Check(result == 0 && ticks == 3, "it has gone on");
          } else {
            Check(result == -1 && errno == EINTR && ticks == 1, "it has not");
          }
        },
        20));
  }
}

// Who leaves the handler so has given up its wait.
TEST(Timers, MayEndAWaitByAJump) {
  ExpectPass(Walk(
      [] {
        static sigjmp_buf back;
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) { siglongjmp(back, 1); });
        std::atomic<int> got = 0;
        if (sigsetjmp(back, 1) == 0) {
          alarm(1);
          sem_wait(&semaphore);
          Check(false, "nobody has posted it");
        }
        std::thread other([&] {
          sem_wait(&semaphore);
          ++got;
        });
        sem_post(&semaphore);
        other.join();
        Check(got == 1, "it is not the first one's");
      },
      20));
  // Whoever has jumped is not in the handler any more: what comes then is its own.
  ExpectVerdict(
      [] {
        static sigjmp_buf back;
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) { siglongjmp(back, 1); });
        if (sigsetjmp(back, 1) == 0) {
          alarm(1);
          sem_wait(&semaphore);
        }
        _exit(1);
      },
      "exit|_exit");
}

// A guard against hanging does not hide that.
TEST(Timers, ThatEndTheProgramAreForDeadlocks) {
  ExpectVerdict(
      [] {
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) { _exit(1); });
        alarm(60);
        sem_wait(&semaphore);
      },
      "deadlock|no thread can run");
  // Nor does one whose handler is of no use.
  ExpectVerdict(
      [] {
        sem_init(&semaphore, 0, 0);
        signal(SIGALRM, [](int) {});
        const itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};
        setitimer(ITIMER_REAL, &often, nullptr);
        for (;;) sem_wait(&semaphore);
      },
      "deadlock|no thread can run");
}

TEST(Timers, ThatAreNeededMeanwhileAreNotSupported) {
  ExpectVerdict(
      [] {
        static std::atomic<bool> stop, other;
        signal(SIGALRM, [](int) { stop = true; });
        alarm(1);
        while (!stop) other = !other;
      },
      "unsupported|signal of a timer");
  // What nobody would notice is a deadlock as ever.
  ExpectVerdict(
      [] {
        alarm(1);
        sem_init(&semaphore, 0, 0);
        sem_wait(&semaphore);
      },
      "deadlock|no thread can run");
}

}  // namespace
}  // namespace jacquard
