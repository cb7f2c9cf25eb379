// Sleeping, and virtual time.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Time, SleepersWakeInTheOrderOfTheirDeadlinesIfNobodyChooses) {
  BenignPicks strategy;
  ExploreOptions options;
  options.executions = 1;
  const ExploreResult result = Explore(
      [] {
        std::atomic<int> next{0};
        auto sleep = [&](int place, int length) {
          std::this_thread::sleep_for(milliseconds(length));
          Check(next.fetch_add(1) == place, "the shortest first");
        };
        std::thread a(sleep, 2, 300), b(sleep, 0, 100), c(sleep, 1, 200);
        a.join();
        b.join();
        c.join();
      },
      strategy, options);
  ExpectPass(result);
}

TEST(Time, NeverGoesBackAndCostsNone) {
  const auto real_start = std::chrono::steady_clock::now();
  const ExploreResult result = Walk([] {
    std::atomic<int64_t> last{0};
    auto work = [&] {
      for (int i = 0; i < 5; ++i) {
        const int64_t before = last.load();
        const int64_t now = steady_clock::now().time_since_epoch().count();
        Check(now > before, "later than what anybody has seen before");
        last.store(now);
        std::this_thread::sleep_for(std::chrono::hours(1));
      }
    };
    std::thread a(work);
    a.join();
    work();
  });
  ExpectPass(result);
  EXPECT_LT(std::chrono::steady_clock::now() - real_start, std::chrono::seconds(30));
}

// Not in a look for each microsecond.
TEST(Time, PassesForWhoLooksAtTheClockUntilItIsLateEnough) {
  const ExploreResult result = Walk([] {
    const auto end = steady_clock::now() + std::chrono::hours(1);
    while (steady_clock::now() < end) {
    }
  });
  ExpectPass(result);
  EXPECT_LT(result.steps / result.executions, 2000u);
}

TEST(Time, DoesNotRunAwayFromWhoOnlyLooksAtTheClock) {
  ExpectPass(Walk([] {
    const auto begin = steady_clock::now();
    for (int i = 0; i < 60; ++i) (void)steady_clock::now();
    Check(steady_clock::now() - begin < std::chrono::seconds(1), "sixty looks");
  }));
}

// However often it has looked at the clock before, it finds some of its time left.
TEST(Time, LeavesTimeToWhoHasSetItselfOne) {
  ExpectPass(Walk([] {
    for (int i = 0; i < 1000; ++i) (void)steady_clock::now();
    bool was_in_time = false;
    while (!was_in_time) {
      const auto end = steady_clock::now() + milliseconds(100);
      was_in_time = steady_clock::now() < end;
    }
  }));
}

// Where time passes only when nobody else can run, that is so for who looks at the clock, too.
TEST(Time, IsPatientWithWhoCouldRun) {
  const auto explore = [](uint32_t time_outs) {
    BenignPicks strategy;  // goes on with the same thread for as long as that may be
    ExploreOptions options;
    options.executions = 1;
    options.execution.time_outs = time_outs;
    return Explore(
        [] {
          std::atomic<bool> flag{false};
          std::thread other([&] { flag = true; });
          const auto begin = steady_clock::now();
          while (!flag) {
            Check(steady_clock::now() - begin < milliseconds(10), "in time");
            flag.load();
          }
          other.join();
        },
        strategy, options);
  };
  ExpectPass(explore(0));
  EXPECT_EQ(explore(ExecutionOptions().time_outs).verdict.signature, "invariant|in time");
}

// Nobody's time comes while another thread can run, and soon every thread gets its turn.
ExecutionOptions PatientUntilFair() {
  ExecutionOptions options = TestOptions();
  options.time_outs = 0;
  options.unfair_steps = 1000;
  return options;
}

// Also when every thread gets its turn: whoever is told again and again in time waits on, however
// much is done in between.
TEST(Time, PassesInTheOrderOfDeadlines) {
  ExecutionOptions options = PatientUntilFair();
  const auto body = [](int beats, int work) {
    return [=] {
      std::mutex mutex;
      std::condition_variable beat;
      std::atomic<int> steps{0};
      std::atomic<bool> ends{false};
      std::thread heart([&] {
        while (!ends) {
          std::this_thread::sleep_for(milliseconds(10));
          for (int i = 0; i < work; ++i) ++steps;
          beat.notify_all();
        }
      });
      std::unique_lock<std::mutex> lock(mutex);
      for (int i = 0; i < beats; ++i)
        Check(beat.wait_for(lock, milliseconds(100)) == std::cv_status::no_timeout, "in time");
      ends = true;
      heart.join();
    };
  };
  ExpectPass(Walk(body(20'000, 0), 3, options));
  ExpectPass(Walk(body(100, 600), 3, options));
}

// But not for ever, where others can always run, though they sleep now and then.
TEST(Time, WakesThePatientAlthoughTimePasses) {
  ExecutionOptions options = PatientUntilFair();
  options.max_steps = 1'000'000;
  ExpectPass(Walk(
      [] {
        std::atomic<bool> ends{false};
        std::thread other([&] {
          for (int i = 0; !ends; ++i) {
            if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::microseconds(1));
            std::this_thread::yield();
          }
        });
        std::this_thread::sleep_for(std::chrono::seconds(1));
        ends = true;
        other.join();
      },
      3, options));
  // Nor where the same deadline is waited for again and again.
  ExpectPass(Walk(
      [] {
        std::mutex mutex;
        std::condition_variable told;
        std::atomic<bool> ends{false};
        std::thread other([&] {
          while (!ends) {
            told.notify_all();
            std::this_thread::yield();
          }
        });
        {
          std::unique_lock<std::mutex> lock(mutex);
          const auto deadline = steady_clock::now() + milliseconds(100);
          while (told.wait_until(lock, deadline) == std::cv_status::no_timeout) {
          }
        }
        ends = true;
        other.join();
      },
      3, options));
}

// Also when time has passed before.
TEST(Time, WakesThePatientOnceNoTimePasses) {
  ExecutionOptions options = PatientUntilFair();
  options.max_steps = 2'000'000;
  ExpectPass(Walk(
      [] {
        std::atomic<int> work{0};
        std::atomic<bool> flag{false};
        std::thread other([&] {
          for (int i = 0; i < 2000; ++i) usleep(10);
          while (!flag) ++work;
        });
        for (int i = 0; i < 30; ++i) usleep(1000);
        flag = true;
        other.join();
      },
      3, options));
}

// At last they sleep long enough, even if somebody else could always go on.
TEST(Time, WakesThePatientOnceEveryThreadGetsItsTurn) {
  ExecutionOptions options = PatientUntilFair();
  const ExploreResult result = Walk(
      [] {
        std::atomic<int> work{0};
        std::atomic<bool> flag{false};
        std::thread other([&] {
          while (!flag) ++work;
        });
        for (int i = 0; i < 20; ++i) usleep(1000);
        flag = true;
        other.join();
      },
      10, options);
  ExpectPass(result);
  // Though the other one is alone until then.
  EXPECT_LT(result.steps, 10 * 21 * 10'000);  // twenty sleeps, each of so many steps
}

TEST(Time, OfProcessorsBeginsWithTheProgram) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const auto seconds = [](clockid_t clock) {
          timespec time = {-1, 0};
          Check(clock_gettime(clock, &time) == 0, "read");
          return time.tv_sec;
        };
        clockid_t of_thread = 0;
        Check(pthread_getcpuclockid(pthread_self(), &of_thread) == 0, "found");
        for (const clockid_t clock :
             {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, of_thread}) {
          Check(seconds(clock) == 0, "no time has passed");
        }
        Check(clock() < CLOCKS_PER_SEC, "in the old form");
        tms computed;
        const clock_t ticks = times(&computed);
        Check(computed.tms_utime < sysconf(_SC_CLK_TCK) && computed.tms_stime == 0, "in another");
        rusage usage = {.ru_utime = {1, 0}};
        Check(getrusage(RUSAGE_CHILDREN, &usage) == 0 && usage.ru_utime.tv_sec == 0, "none's");
        Check(getrusage(static_cast<__rusage_who_t>(17), &usage) == -1, "whose?");
        sleep(3);
        Check(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_sec == 3 &&
                  usage.ru_stime.tv_usec == 0 && usage.ru_maxrss == 0,
              "in a third");
        Check(times(nullptr) == ticks + 3 * sysconf(_SC_CLK_TCK), "that passes as well");
        Check(seconds(CLOCK_REALTIME) == seconds(CLOCK_MONOTONIC), "the others agree");
      },
      20));
}

// By their numbers, system calls are what the C library makes of them.
TEST(Time, IsVirtualForSystemCallsToo) {
  ExpectPass(Walk([] {
    timespec before = {};
    Check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before) == 0, "there is a clock");
    const timespec hour = {.tv_sec = 3600, .tv_nsec = 0};
    std::thread other([&] { syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &hour, nullptr); });
    Check(syscall(SYS_nanosleep, &hour, nullptr) == 0, "it has slept");
    timespec after = {};
    Check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after) == 0, "there still is one");
    Check(after.tv_sec - before.tv_sec >= 3600, "an hour has passed");
    errno = 0;
    Check(syscall(SYS_clock_gettime, 1000, &after) == -1 && errno == EINVAL, "there is no such");
    Check(syscall(SYS_sched_yield) == 0, "another one may go first");
    other.join();
  }));
}

// Or each execution would set the machine's. (Tests run with the privilege, or without.)
TEST(Time, IsNotSet) {
  const auto is_refused = [](long result) { return result == -1 && errno == EPERM; };
  const time_t before = time(nullptr);
  ExpectPass(Walk(
      [&] {
        TakeStep();
        const timespec now = {.tv_sec = before, .tv_nsec = 0};
        const timeval a_bit = {.tv_sec = 0, .tv_usec = 1};
        timex state = {};
        state.modes = ADJ_OFFSET;
        Check(is_refused(clock_settime(CLOCK_REALTIME, &now)), "clock_settime");
        Check(is_refused(adjtime(&a_bit, nullptr)), "adjtime");
        Check(is_refused(adjtimex(&state)), "adjtimex");
        Check(is_refused(ntp_adjtime(&state)), "ntp_adjtime");
        Check(is_refused(clock_adjtime(CLOCK_REALTIME, &state)), "clock_adjtime");
        Check(is_refused(syscall(SYS_clock_settime, CLOCK_REALTIME, &now)), "the system call");
        const timeval also_now = {.tv_sec = before, .tv_usec = 0};
        Check(is_refused(settimeofday(&also_now, nullptr)), "settimeofday");
        Check(is_refused(syscall(SYS_settimeofday, &also_now, nullptr)), "that by system call");
        Check(is_refused(syscall(SYS_adjtimex, &state)), "and this one");
        state.modes = 0;
        Check(adjtimex(&state) >= 0, "looked at");
      },
      1));
}

TEST(Time, UnknownClocksAreRefused) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        timespec time = {0, 1000};
        Check(clock_gettime(9999, &time) == -1 && errno == EINVAL, "read");
        Check(clock_nanosleep(9999, 0, &time, nullptr) == EINVAL, "slept");
        Check(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, nullptr) == EINVAL, "of a thread");
        Check(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr) == 0, "a good one");
      },
      20));
}

TEST(Time, IsTheSameWithAndWithoutATrace) {
  class Clock : public Program {
   public:
    int ThreadCount() const override { return 1; }
    void RunThread(int /*thread*/) override {
      for (int i = 0; i < 40; ++i) {
        end_ = steady_clock::now().time_since_epoch().count();
        word_.fetch_add(1);
      }
    }
    bool Observes() override { return observes; }
    int64_t end() const { return end_; }
    bool observes = false;

   private:
    std::atomic<int> word_ = 0;
    int64_t end_ = 0;
  } program;
  RandomWalk walk(1);
  auto end = [&](Trace* trace, bool observes) {
    program.observes = observes;
    walk.BeginExecution();
    EXPECT_TRUE(Execute(program, walk, {}, trace).passed());
    return program.end();
  };
  Trace trace;
  const int64_t expected = end(nullptr, false);
  EXPECT_EQ(end(&trace, false), expected);
  EXPECT_EQ(end(nullptr, true), expected);
}

// The handler of a signal ends a sleep, whatever its form, where nobody can run.
TEST(Time, SleepsEndByASignal) {
  static constexpr timespec kLong = {1000, 0};
  ExecutionOptions options = TestOptions();
  options.time_outs = kNever;
  const auto nanosleeps = [](timespec& left) { return nanosleep(&kLong, &left) == -1; };
  const auto clock_nanosleeps = [](timespec& left) {
    const int error = clock_nanosleep(CLOCK_MONOTONIC, 0, &kLong, &left);
    if (error != 0) errno = error;
    return error != 0;
  };
  const auto usleeps = [](timespec& left) {
    left = kLong;
    return usleep(1'000'000'000) == -1;
  };
  const auto sleeps = [](timespec& left) {
    left.tv_sec = sleep(kLong.tv_sec);
    if (left.tv_sec != 0) errno = EINTR;
    return left.tv_sec != 0;
  };
  for (bool (*const form)(timespec&) : {+nanosleeps, +clock_nanosleeps, +usleeps, +sleeps}) {
    int count = 0;  // of sleeps that were ended
    ExpectPass(Walk(
        [form, &count] {
          static std::atomic<int> handled;
          signal(SIGUSR1, [](int) { ++handled; });
          std::thread other([form, &count] {
            timespec left = {};
            errno = 0;
            const bool is_interrupted = form(left);
            Check(handled == 1, "it has been handled");
            if (!is_interrupted) return;
            ++count;
            Check(errno == EINTR && left.tv_sec > 0, "before the time was over");
          });
          pthread_kill(other.native_handle(), SIGUSR1);
          other.join();
        },
        200, options));
    EXPECT_GT(count, 0);
    EXPECT_LT(count, 200);
  }
}

}  // namespace
}  // namespace jacquard
