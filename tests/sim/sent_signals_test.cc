// Who gets a signal that code under test sends, and who waits for one.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/signal_masks.h"

namespace jacquard {
namespace {

std::atomic<int> steps;
thread_local int handled = 0;

// What would end the process ends the execution.
TEST(Signals, ThatNobodyHandlesAreAVerdict) {
  for (const int number : {SIGTERM, SIGSEGV, SIGUSR2}) {
    const Verdict verdict = Walk([number] {
                              ++steps;
                              raise(number);
                            }).verdict;
    EXPECT_EQ(verdict.signature, "abort|signal") << verdict.message;
    EXPECT_NE(verdict.message.find(sigabbrev_np(number)), std::string::npos) << verdict.message;
    EXPECT_EQ(Walk([number] {
                ++steps;
                kill(getpid(), number);
              }).verdict.signature,
              "abort|signal");
  }
  ExpectPass(Walk([] {
    ++steps;
    raise(SIGCHLD);
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    signal(SIGUSR2, SIG_DFL);
    Block(SIGUSR2);
    raise(SIGUSR2);
  }));
}

// A thread that does not block it gets what is sent to the process.
TEST(Signals, ToTheProcessGoToWhoDoesNotBlockThem) {
  ExpectPass(Walk([] {
    signal(SIGUSR1, [](int) { ++handled; });
    std::atomic<bool> sent = false;
    std::thread other([&] {
      while (!sent.load()) std::this_thread::yield();
      Check(handled == 1, "handled here");
    });
    Block(SIGUSR1);
    kill(getpid(), SIGUSR1);
    sent = true;
    other.join();
    Check(handled == 0, "and not there");
  }));
}

// As programs have it whose signals a thread of their own handles.
TEST(Signals, AreWaitedFor) {
  ExpectPass(Walk([] {
    Block(SIGUSR1);
    std::atomic<int> got = 0;
    std::thread waiter([&] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      for (int i = 0; i < 2; ++i) {
        int signal = 0;
        Check(sigwait(&set, &signal) == 0 && signal == SIGUSR1, "the right one");
        ++got;
      }
    });
    kill(getpid(), SIGUSR1);
    while (got.load() == 0) std::this_thread::yield();
    kill(getpid(), SIGUSR1);
    waiter.join();
    Check(got == 2, "both");
  }));
}

TEST(Signals, FromOutsideDoNotCome) {
  const auto wait = [] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int signal = 0;
    sigwait(&set, &signal);
  };
  const Verdict verdict = Walk([&] {
                            Block(SIGUSR1);
                            ++steps;
                            wait();
                          }).verdict;
  EXPECT_EQ(verdict.signature, "unsupported|sigwait") << verdict.message;
  // A thread that nobody waits for may wait for ever.
  ExecutionOptions options = TestOptions();
  options.exits = ExitMode::kIsFree;
  ExpectPass(Walk(
      [&] {
        Block(SIGUSR1);
        std::thread(wait).detach();
        ++steps;
        exit(0);
      },
      100, options));
}

// Whatever it is about when it is sent.
TEST(Signals, AreSentToAThreadThatBlocksThem) {
  ExpectPass(Walk([] {
    Block(SIGUSR1);
    int data = 0;
    std::thread waiter([&] {
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      int signal = 0;
      Check(sigwait(&set, &signal) == 0 && signal == SIGUSR1, "the right one");
      Check(data == 1, "what was done before it was sent");
    });
    data = 1;
    Check(pthread_kill(waiter.native_handle(), SIGUSR1) == 0, "sent");
    waiter.join();
  }));
  // What comes when it is unblocked, and nobody handles, is a verdict, too.
  EXPECT_EQ(Walk([] {
              ++steps;
              Block(SIGTERM);
              raise(SIGTERM);
              Block(SIGTERM, SIG_UNBLOCK);
            }).verdict.signature,
            "abort|signal");
}

// Whoever has been sent it, or all.
TEST(Signals, ThatWaitAreShown) {
  const auto shows = [](bool to_process) {
    return [to_process] {
      sigset_t set;
      sigset_t now;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR2);
      const auto pending = [&now] {
        Check(sigpending(&now) == 0, "asked");
        return sigismember(&now, SIGUSR2) == 1;
      };
      pthread_sigmask(SIG_BLOCK, &set, nullptr);
      Check(!pending(), "none yet");
      to_process ? kill(getpid(), SIGUSR2) : raise(SIGUSR2);
      std::thread([&] { Check(pending() == to_process, "for the other one, too"); }).join();
      Check(pending(), "it waits");
      int signal = 0;
      sigwait(&set, &signal);
      Check(signal == SIGUSR2 && !pending(), "taken");
    };
  };
  ExpectPass(Walk(shows(true)));
  ExpectPass(Walk(shows(false)));
}

// A thread that can run handles it before its next step.
TEST(Signals, AreHandledByTheThreadThatTheyAreSentTo) {
  static int data;
  const auto body = [](bool writes_before) {
    return [writes_before] {
      signal(SIGUSR1, [](int) { handled += data; });
      std::atomic<bool> ends = false;
      std::thread other([&] {
        while (!ends.load(std::memory_order_relaxed)) std::this_thread::yield();
        Check(handled == 1, "handled here");
      });
      if (writes_before) data = 1;
      Check(pthread_kill(other.native_handle(), SIGUSR1) == 0, "sent");
      if (!writes_before) data = 1;
      ends.store(true, std::memory_order_relaxed);
      other.join();
      Check(handled == 0, "and not there");
    };
  };
  ExpectPass(Walk(body(true)));
  EXPECT_EQ(Walk(body(false)).verdict.kind, VerdictKind::kRace);
  EXPECT_EQ(Walk([] {
              std::thread other([] { ++steps; });
              pthread_kill(other.native_handle(), SIGUSR2);
              other.join();
            }).verdict.signature,
            "abort|signal");
}

// Also if it does nothing but to look whether something happens.
TEST(Signals, AreHandledByThreadsThatSpin) {
  ExpectPass(Walk([] {
    static std::atomic<bool> told;
    signal(SIGUSR1, [](int) { told = true; });
    const auto spin = [] {
      while (!told.load()) {
      }
    };
    std::thread other(spin);
    Check(pthread_kill(other.native_handle(), SIGUSR1) == 0, "sent");
    spin();
    other.join();
  }));
}

// Also in the middle of a wait, where nobody can run otherwise.
TEST(Signals, AreHandledInTheMiddleOfAWait) {
  const auto body = [](void (*handler)(int), void (*wait)()) {
    return [=] {
      signal(SIGUSR1, handler);
      std::thread other([wait] {
        ++steps;
        wait();
      });
      while (steps == 0) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::seconds(1));
      Check(pthread_kill(other.native_handle(), SIGUSR1) == 0, "sent");
      other.join();
    };
  };
  static sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  const auto wait = [] { sem_wait(&semaphore); };
  ExpectPass(Walk(body([](int) { sem_post(&semaphore); }, wait)));
  EXPECT_EQ(Walk(body([](int) {}, wait)).verdict.kind, VerdictKind::kDeadlock);
}

// Before time passes for those who look again and again whether it has been handled.
TEST(Signals, AreHandledInTheMiddleOfAWaitBeforeASleepEnds) {
  static std::atomic<bool> told;
  const auto body = [](void (*handler)(int)) {
    return [handler] {
      signal(SIGUSR1, handler);
      std::mutex mutex;
      mutex.lock();
      std::thread other([&mutex] { const std::lock_guard lock(mutex); });
      pthread_kill(other.native_handle(), SIGUSR1);
      while (!told) poll(nullptr, 0, 1);
      mutex.unlock();
      other.join();
    };
  };
  ExpectPass(Walk(body([](int) { told = true; })));
  ExecutionOptions options = TestOptions();
  options.max_steps = 1000;
  EXPECT_EQ(Walk(body([](int) {}), 1, options).verdict.kind, VerdictKind::kLivelock);
}

// Waits for files end, if the call does not begin again.
std::function<void()> InterruptWait(int flags, int (*wait)(int file)) {
  return [=] {
    static std::atomic<bool> stops;
    static std::atomic<bool> stopped;
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    action.sa_flags = flags;
    sigaction(SIGUSR1, &action, nullptr);
    int ends[2];
    Check(pipe(ends) == 0, "opened");
    std::thread other([&] {
      while (!stops) {
        const int result = wait(ends[0]);
        Check(result == 1 || (result == -1 && errno == EINTR), "something comes");
      }
      stopped = true;
    });
    stops = true;
    while (!stopped) {
      pthread_kill(other.native_handle(), SIGUSR1);
      std::this_thread::yield();
    }
    other.join();
  };
}

int Read(int file) {
  char byte = 0;
  return static_cast<int>(read(file, &byte, 1));
}

int Poll(int file) {
  pollfd one = {.fd = file, .events = POLLIN, .revents = 0};
  return poll(&one, 1, -1);
}

// Also if somebody polls, and so can always run, until the handler has run.
TEST(Signals, AreHandledInTheMiddleOfAWaitAlthoughSomebodyPolls) {
  ExecutionOptions options = TestOptions();
  options.unfair_steps = 2000;
  options.max_steps = 200'000;
  static std::atomic<int> acknowledged;
  ExpectPass(Walk(
      [] {
        acknowledged = 0;
        signal(SIGUSR1, [](int) { acknowledged = 1; });
        std::mutex mutex;
        mutex.lock();
        std::thread waiter([&] {
          const std::lock_guard lock(mutex);
          while (acknowledged.load() == 0) std::this_thread::yield();
        });
        pthread_kill(waiter.native_handle(), SIGUSR1);
        volatile int polls = 0;  // which make it another loop each time
        while (acknowledged.load() == 0) {
          polls = polls + 1;
          sched_yield();
        }
        mutex.unlock();
        waiter.join();
      },
      50, options));
}

// The kernel's own are the program's, too: they wait for who has blocked them, and no thread of the
// runtime's gets them.
TEST(Signals, OfTheKernelWaitForWhoBlocksThem) {
  for (const int number : {SIGIO, SIGRTMIN}) {
    ExpectPass(Walk(
        [number] {
          std::thread([] { ++steps; }).join();
          Block(number);
          int ends[2];
          Check(pipe(ends) == 0, "a pipe");
          fcntl(ends[0], F_SETOWN, getpid());
          fcntl(ends[0], F_SETSIG, number);
          fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK);
          Check(write(ends[1], "x", 1) == 1, "written");
          sigset_t wanted;
          sigemptyset(&wanted);
          sigaddset(&wanted, number);
          int got = 0;
          Check(sigwait(&wanted, &got) == 0 && got == number, "it has come");
          close(ends[0]);
          close(ends[1]);
        },
        20));
  }
}

TEST(Signals, EndWaitsForFiles) {
  ExpectPass(Walk(InterruptWait(0, Read)));
  ExpectPass(Walk(InterruptWait(0, Poll)));
  ExpectPass(Walk(InterruptWait(SA_RESTART, Poll)));
  ExecutionOptions options = TestOptions();
  options.max_steps = 2000;
  EXPECT_EQ(Walk(InterruptWait(SA_RESTART, Read), 100, options).verdict.kind,
            VerdictKind::kLivelock);
}

// A signal that is handled only while the thread waits is not missed; one that is unblocked before
// may be.
std::function<void()> AwaitSignalOrFile(bool at_once) {
  return [at_once] {
    static std::atomic<bool> told;
    signal(SIGUSR1, [](int) { told = true; });
    Block(SIGUSR1);
    std::thread other([self = pthread_self()] { pthread_kill(self, SIGUSR1); });
    int ends[2];
    Check(pipe(ends) == 0, "opened");
    pollfd one = {.fd = ends[0], .events = POLLIN, .revents = 0};
    sigset_t none;
    sigemptyset(&none);
    if (!at_once) Block(SIGUSR1, SIG_UNBLOCK);
    while (!told) {
      const int result = at_once ? ppoll(&one, 1, nullptr, &none) : poll(&one, 1, -1);
      Check(result == -1 && errno == EINTR, "by the signal");
    }
    other.join();
  };
}

TEST(Signals, AreUnblockedForAWait) {
  ExpectPass(Walk(AwaitSignalOrFile(true)));
  EXPECT_FALSE(Walk(AwaitSignalOrFile(false)).verdict.passed());
}

// As a collector of garbage stops the world: who is stopped says so in the handler, and waits
// there.
std::function<void()> StopTheWorld(bool waits_until_it_stands) {
  return [waits_until_it_stands] {
    static std::atomic<int> standing;
    static std::atomic<int> rounds;
    static int heap;
    signal(SIGUSR2, [](int) {});
    struct sigaction action = {};
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    action.sa_handler = [](int) {
      sigset_t all_but_the_end;
      sigfillset(&all_but_the_end);
      sigdelset(&all_but_the_end, SIGUSR2);
      ++standing;
      Check(sigsuspend(&all_but_the_end) == -1 && errno == EINTR, "goes on");
      ++standing;
    };
    sigaction(SIGUSR1, &action, nullptr);
    std::thread mutator([] {
      for (int i = 0; i < 3; ++i) {
        ++heap;
        ++rounds;
      }
    });
    if (pthread_kill(mutator.native_handle(), SIGUSR1) != 0) std::abort();
    if (waits_until_it_stands) {
      while (standing == 0 && rounds < 3) std::this_thread::yield();
    }
    if (!waits_until_it_stands || standing == 1) ++heap;
    pthread_kill(mutator.native_handle(), SIGUSR2);
    mutator.join();
    Check(heap == 3 || heap == 4, "nothing is lost");
  };
}

TEST(Signals, StopTheWorld) {
  ExpectPass(Walk(StopTheWorld(true)));
  EXPECT_EQ(Walk(StopTheWorld(false)).verdict.kind, VerdictKind::kRace);
}

// As where memory is reclaimed: whoever is in an operation begins it again.
TEST(Signals, MayBeLeftByAJump) {
  ExpectPass(Walk([] {
    static thread_local sigjmp_buf begin;
    static thread_local volatile bool in_operation;
    static std::atomic<int> done;
    signal(SIGUSR1, [](int) {
      if (in_operation) siglongjmp(begin, 1);
    });
    std::thread reader([] {
      (void)sigsetjmp(begin, 1);
      in_operation = true;
      for (int i = 0; i < 3; ++i) ++steps;
      in_operation = false;
      ++done;
    });
    if (pthread_kill(reader.native_handle(), SIGUSR1) != 0) std::abort();
    reader.join();
    Check(done == 1 && steps <= 6 && steps >= 3, "once, and perhaps begun twice");
  }));
}

TEST(Signals, EndASuspension) {
  ExpectPass(Walk([] {
    signal(SIGALRM, [](int) { ++handled; });
    alarm(3);
    Check(pause() == -1 && errno == EINTR && handled == 1, "by a timer");
    signal(SIGUSR1, [](int) { ++handled; });
    Block(SIGUSR1);
    raise(SIGUSR1);
    signal(SIGCHLD, SIG_IGN);
    Block(SIGCHLD);
    raise(SIGCHLD);
    sigset_t none;
    sigemptyset(&none);
    Check(sigsuspend(&none) == -1 && handled == 2, "what has waited");
    Check(Blocks(SIGUSR1), "as before");
  }));
}

TEST(Signals, AreWaitedForUntilATime) {
  ExpectPass(Walk(
      [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        Block(SIGUSR1);
        const timespec no_time = {};
        const timespec long_time = {.tv_sec = 100, .tv_nsec = 0};
        Check(sigtimedwait(&set, nullptr, &no_time) == -1 && errno == EAGAIN, "none is there");
        Check(sigtimedwait(&set, nullptr, &long_time) == -1 && errno == EAGAIN, "none comes");
        raise(SIGUSR1);
        siginfo_t information = {};
        Check(sigtimedwait(&set, &information, &no_time) == SIGUSR1, "one is there");
        Check(information.si_code == SI_USER, "as the C library has it");
        const pthread_t self = pthread_self();
        std::thread other([self] { pthread_kill(self, SIGUSR1); });
        const int signal = sigtimedwait(&set, nullptr, nullptr);
        Check(signal == SIGUSR1, "one comes");
        other.join();
      },
      100));
}

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"  // the headers say: outdated

// As they stand in old programs.
TEST(Signals, AreBlockedByOlderFunctions) {
  ExpectPass(Walk(
      [] {
        static std::atomic<int> count;
        const sighandler_t handler = [](int) { ++count; };
        Check(sigset(SIGUSR1, handler) == SIG_DFL, "none at first");
        Check(sigset(SIGUSR1, SIG_HOLD) == handler, "the handler");
        Check(Blocks(SIGUSR1) && sigset(SIGUSR1, SIG_HOLD) == SIG_HOLD, "blocked already");
        kill(getpid(), SIGUSR1);
        Check(count == 0, "nobody can get it");
        Check(sigset(SIGUSR1, handler) == SIG_HOLD, "blocked until now");
        Check(!Blocks(SIGUSR1) && count == 1, "got it");
        for (int round = 0; round < 2; ++round) {
          Check(sighold(SIGUSR1) == 0 && Blocks(SIGUSR1), "held");
          kill(getpid(), SIGUSR1);
          Check(count == 1 + round, "nobody can get it");
          Check(sigrelse(SIGUSR1) == 0 && !Blocks(SIGUSR1) && count == 2 + round, "got it");
        }
        Check(sighold(0) == -1 && errno == EINVAL && sigrelse(NSIG) == -1, "not a signal");
        Check(sigset(0, handler) == SIG_ERR && sigset(SIGKILL, handler) == SIG_ERR, "nor these");
        constexpr int kMask = 1 << (SIGUSR1 - 1);
        const int before = sigblock(kMask);
        Check(before == 0 && Blocks(SIGUSR1), "blocked");
        kill(getpid(), SIGUSR1);
        Check(sigsetmask(before) == kMask && count == 4, "got it");
        Check(sigignore(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && count == 4, "ignored");
      },
      20));
  // What would end the process ends the execution here, too.
  for (const auto unblock :
       {+[] { sigrelse(SIGTERM); }, +[] { sigset(SIGTERM, SIG_DFL); }, +[] { sigsetmask(0); }}) {
    ExpectVerdict(
        [&] {
          TakeStep();
          sighold(SIGTERM);
          raise(SIGTERM);
          unblock();
        },
        "abort|signal");
  }
}

#pragma clang diagnostic pop

}  // namespace
}  // namespace jacquard
