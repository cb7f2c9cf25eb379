// timer_create: timers that call functions, and those that send signals.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "sim/runtime.h"
#include "sim/strategies.h"
#include "tests/sim/searches.h"
#include "tests/sim/signal_masks.h"

namespace jacquard {
namespace {

timer_t Create(sigevent event, int notify) {
  event.sigev_notify = notify;
  timer_t timer;
  Check(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "created");
  return timer;
}

timer_t Calling(void (*function)(sigval), void* value) {
  sigevent event = {};
  event.sigev_notify_function = function;
  event.sigev_value.sival_ptr = value;
  return Create(event, SIGEV_THREAD);
}

timer_t Sending(int notify, int signal, int value) {
  sigevent event = {};
  event.sigev_signo = signal;
  event.sigev_value.sival_int = value;
  return Create(event, notify);
}

void Set(timer_t timer, time_t seconds, time_t interval = 0, int flags = 0) {
  const itimerspec setting = {.it_interval = {interval, 0}, .it_value = {seconds, 0}};
  Check(timer_settime(timer, flags, &setting, nullptr) == 0, "set");
}

time_t Left(timer_t timer) {
  itimerspec now = {};
  Check(timer_gettime(timer, &now) == 0, "asked");
  return now.it_value.tv_sec + (now.it_value.tv_nsec != 0 ? 1 : 0);
}

// Of whoever waits for what a timer does.
class Bell {
 public:
  Bell() { sem_init(&semaphore_, 0, 0); }
  static void Ring(sigval bell) { sem_post(&static_cast<Bell*>(bell.sival_ptr)->semaphore_); }
  void Await() { sem_wait(&semaphore_); }

 private:
  sem_t semaphore_;
};

TEST(CreatedTimers, CallAFunctionInAThread) {
  ExpectPass(Walk([] {
    static pthread_t main_thread;
    main_thread = pthread_self();
    Bell bell;
    const timer_t timer = Calling(
        [](sigval value) {
          Check(pthread_equal(pthread_self(), main_thread) == 0, "in another one");
          Bell::Ring(value);
        },
        &bell);
    Set(timer, 5);
    bell.Await();
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    Check(Left(timer) == 0, "it is over");
    Check(timer_getoverrun(timer) == 0, "once");
    Check(timer_delete(timer) == 0, "no more");
  }));
}

TEST(CreatedTimers, CallAgainAndAgain) {
  ExpectPass(Walk(
      [] {
        static Bell bell;  // the last call may come late
        const timer_t timer = Calling(Bell::Ring, &bell);
        Set(timer, 1, 2);
        for (int i = 0; i < 30; ++i) bell.Await();
        Check(timer_delete(timer) == 0, "no more");
      },
      50));
}

// What the function does is not ordered by the end of anything.
TEST(CreatedTimers, MayRace) {
  static int data;
  const auto body = [](int seconds) {
    return [seconds] {
      data = 1;
      const timer_t timer = Calling([](sigval) { ++data; }, nullptr);
      Set(timer, seconds);
      if (seconds == 0) ++data;
      usleep(100);
      if (seconds != 0) ++data;
    };
  };
  EXPECT_EQ(Walk(body(1)).verdict.kind, VerdictKind::kRace);
  ExpectPass(Walk(body(0)));
}

// What has been stopped, set anew or deleted does not come as it was set before.
TEST(CreatedTimers, MayBeStopped) {
  ExecutionOptions options = TestOptions();
  options.time_outs = 0;
  for (const int way : {0, 1, 2}) {
    ExpectPass(Walk(
        [way] {
          static std::atomic<int> called;
          const auto count = [] { return called.fetch_add(0); };  // the newest
          const timer_t timer = Calling([](sigval) { ++called; }, nullptr);
          Set(timer, 5, 5);
          sleep(7);
          Check(count() == 1, "once");
          if (way == 0) Set(timer, 0);
          if (way == 1) Set(timer, 100);
          if (way == 2) Check(timer_delete(timer) == 0, "no more");
          sleep(50);
          Check(count() == 1, "not again");
          sleep(100);
          Check(count() == (way == 1 ? 2 : 1), "then");
        },
        100, options));
  }
}

TEST(CreatedTimers, TellWhatIsLeft) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const timer_t timer = Sending(SIGEV_NONE, 0, 0);
        Check(Left(timer) == 0, "it does not run");
        Set(timer, 100, 7);
        sleep(40);
        itimerspec old = {};
        const itimerspec never = {};
        Check(timer_settime(timer, 0, &never, &old) == 0, "stopped");
        Check(old.it_value.tv_sec <= 60 && old.it_value.tv_sec >= 59, "what was left");
        Check(old.it_interval.tv_sec == 7 && Left(timer) == 0, "and how often");
        timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        Set(timer, now.tv_sec + 10, 0, TIMER_ABSTIME);
        Check(Left(timer) <= 11 && Left(timer) >= 9, "from then on");
      },
      3));
}

TEST(CreatedTimers, SendSignals) {
  static siginfo_t told;
  ExpectPass(Walk([] {
    struct sigaction action = {};
    action.sa_sigaction = [](int, siginfo_t* information, void*) { told = *information; };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &action, nullptr);
    TakeStep();
    Set(Sending(SIGEV_SIGNAL, SIGUSR1, 17), 3);
    pause();
    Check(told.si_code == SI_TIMER && told.si_value.sival_int == 17, "what it is about");
  }));
  // To who waits for them.
  ExpectPass(Walk([] {
    Block(SIGRTMIN);
    TakeStep();
    const timer_t timer = Sending(SIGEV_SIGNAL, SIGRTMIN, 4);
    Set(timer, 3, 3);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    for (int i = 0; i < 3; ++i) {
      siginfo_t information;
      Check(sigwaitinfo(&set, &information) == SIGRTMIN, "again");
      Check(information.si_code == SI_TIMER && information.si_value.sival_int == 4, "told");
    }
  }));
  // In the middle of a wait, and without a sigevent.
  ExpectPass(Walk([] {
    static sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    signal(SIGALRM, [](int) { sem_post(&semaphore); });
    timer_t timer;
    Check(timer_create(CLOCK_MONOTONIC, nullptr, &timer) == 0, "created");
    Set(timer, 3);
    sem_wait(&semaphore);
  }));
}

// Of its thread it is none. Nor does the function get it.
TEST(CreatedTimers, TakeNoSignals) {
  const auto body = [](bool ends) {
    return [ends] {
      static Bell bell;
      const timer_t timer = Calling(
          [](sigval value) {
            Check(Blocks(SIGUSR1), "in its thread");
            Bell::Ring(value);
          },
          &bell);
      Set(timer, 1, ends ? 0 : 1);
      Block(SIGUSR1);
      kill(getpid(), SIGUSR1);
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      int signal = 0;
      Check(sigwait(&set, &signal) == 0 && signal == SIGUSR1, "taken here");
      bell.Await();
      timer_delete(timer);
    };
  };
  ExpectPass(Walk(body(true)));
  ExpectPass(Walk(body(false)));
}

// However often its time comes before anybody gets on.
TEST(CreatedTimers, DoNotUseUpTheThreads) {
  const auto body = [](void (*function)(sigval)) {
    return [function] {
      static Bell bell;
      const timer_t timer = Calling(function, &bell);
      const itimerspec often = {.it_interval = {0, 1}, .it_value = {0, 1}};
      Check(timer_settime(timer, 0, &often, nullptr) == 0, "set");
      for (int i = 0; i < 5; ++i) bell.Await();
      timer_delete(timer);
    };
  };
  for (const char* const name : {"random", "portfolio", "rff", "pct"}) {
    for (const auto function : {+[](sigval value) { Bell::Ring(value); },
                                +[](sigval value) {
                                  Bell::Ring(value);
                                  pthread_exit(nullptr);
                                }}) {
      const auto strategy = MakeStrategy(name, 1);
      ASSERT_NE(strategy, nullptr);
      ExploreOptions options;
      options.executions = 300;
      options.execution = TestOptions();
      ExpectPass(Explore(body(function), *strategy, options));
    }
  }
  // A guard that is set and stopped again and again has one of them.
  ExpectPass(Walk(
      [] {
        TakeStep();
        const timer_t timer = Calling([](sigval) { Check(false, "in time"); }, nullptr);
        for (int i = 0; i < 1000; ++i) {
          Set(timer, 1'000'000);
          Set(timer, 0);
        }
        std::thread([] { Check(CurrentThread() == 1, "the next number"); }).join();
      },
      3, {.memory = kTestMemory, .time_outs = 0}));
}

// A body ends, though a timer would go on.
TEST(CreatedTimers, EndBehindTheBody) {
  ExpectPass(Walk([] {
    TakeStep();
    Set(Calling([](sigval) { TakeStep(); }, nullptr), 1, 1);
  }));
}

TEST(CreatedTimers, TellHowOftenTheyHaveBeenOverrun) {
  ExecutionOptions options = TestOptions();
  options.time_outs = 0;
  ExpectPass(Walk(
      [] {
        static std::atomic<int> times;
        times = 0;
        static timer_t timer;
        timer = Calling(
            [](sigval) {
              times += 1 + timer_getoverrun(timer);
              sleep(10);
            },
            nullptr);
        Set(timer, 1, 1);
        sleep(100);
        const int seen = times.fetch_add(0);
        Check(seen >= 80 && seen <= 101, "all of them");
        timer_delete(timer);
        sleep(20);
      },
      20, options));
  // By a signal that waits: its own information, too.
  ExpectPass(Walk([] {
    Block(SIGUSR1);
    TakeStep();
    const timer_t timer = Sending(SIGEV_SIGNAL, SIGUSR1, 1);
    Set(timer, 1, 1);
    sleep(50);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    siginfo_t information;
    Check(sigwaitinfo(&set, &information) == SIGUSR1, "it has come");
    Check(information.si_overrun >= 48 && timer_getoverrun(timer) == information.si_overrun,
          "for all that time");
  }));
}

// Nothing else tells that it is over.
TEST(CreatedTimers, MayBePolled) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const timer_t timer = Sending(SIGEV_NONE, 0, 0);
        const itimerspec soon = {.it_interval = {0, 0}, .it_value = {0, 50'000}};
        Check(timer_settime(timer, 0, &soon, nullptr) == 0, "set");
        while (Left(timer) != 0) {
        }
        Set(timer, 5, 7);
        sleep(6);
        Check(Left(timer) == 6 || Left(timer) == 5, "of the next time");
      },
      3));
  // Signals only come where nobody can run: that is told.
  ExecutionOptions options = TestOptions();
  options.max_steps = 100'000;
  const auto polls = [] {
    Block(SIGUSR1);
    Set(Sending(SIGEV_SIGNAL, SIGUSR1, 1), 1);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    constexpr timespec kShort = {0, 10'000'000};
    while (sigtimedwait(&set, nullptr, &kShort) < 0) {
    }
  };
  EXPECT_EQ(Walk(polls, 1, options).verdict.signature, "unsupported|signal of a timer");
}

TEST(CreatedTimers, AreRefused) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        sigevent event = {};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = NSIG;
        timer_t timer;
        Check(timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 && errno == EINVAL, "no signal");
        event.sigev_notify = 99;
        Check(timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 && errno == EINVAL, "no way");
        Check(timer_create(CLOCK_MONOTONIC_RAW, nullptr, &timer) == -1 && errno == ENOTSUP, "raw");
        Check(timer_create(12345, nullptr, &timer) == -1 && errno == EINVAL, "no clock");
        Check(timer_create(CLOCK_MONOTONIC, nullptr, &timer) == 0, "created");
        const itimerspec wrong = {.it_interval = {0, 0}, .it_value = {0, -1}};
        Check(timer_settime(timer, 0, &wrong, nullptr) == -1 && errno == EINVAL, "no time");
        Check(timer_settime(timer, 0, nullptr, nullptr) == -1 && errno == EINVAL, "nothing");
        Check(timer_delete(timer) == 0, "no more");
        Check(timer_delete(timer) == -1 && errno == EINVAL, "no more");
      },
      1));
}

}  // namespace
}  // namespace jacquard
