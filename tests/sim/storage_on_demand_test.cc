// Thread-local storage that a thread gets when it first asks: it is as if it had been there all the
// time.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/runtime.h"
#include "sim/surw.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

thread_local int number = 7;

// Few executions: each thread number has its storage from the start after a while.
constexpr uint64_t kFewExecutions = 10;

// How often it is switched in so many executions.
uint64_t StorageSwitches(const std::function<void()>& body, uint64_t executions = 100) {
  const uint64_t before = RuntimeCounters().storage_switches;
  ExpectPass(Walk(body, executions));
  return RuntimeCounters().storage_switches - before;
}

// Two threads count, and do `work` at their end.
std::function<void()> TwoCountAnd(const std::function<void()>& work) {
  return [work] {
    std::atomic<int> word{0};
    const auto count = [&] {
      for (int i = 0; i < 10; ++i) word.fetch_add(1);
      work();
    };
    std::thread a(count);
    std::thread b(count);
    a.join();
    b.join();
  };
}

// Before all others: nobody has asked yet.
TEST(StorageOnDemand, WhoDoesNotAskDoesNotPay) {
  // What the first calls of library functions cost, and the begin and the end.
  EXPECT_LT(StorageSwitches(TwoCountAnd([] {})), 50u);
  // These the runtime knows by itself.
  EXPECT_LT(StorageSwitches(TwoCountAnd([] { errno = 1; })), 50u);
  EXPECT_LT(StorageSwitches(TwoCountAnd([] { Check(pthread_self() != 0, "it is somebody"); })),
            50u);
  EXPECT_GT(StorageSwitches(TwoCountAnd([] { ++number; })), 5 * 100);
}

// It is told of each step, and allocates memory where it learns something.
TEST(StorageOnDemand, StrategyThatListensHasItsOwn) {
  constexpr uint64_t kExecutions = 1000;
  const uint64_t before = RuntimeCounters().storage_switches;
  Surw strategy(1);
  ExploreOptions options;
  options.executions = kExecutions;
  options.execution = TestOptions();
  ExpectPass(Explore(TwoCountAnd([] {}), strategy, options));
  EXPECT_LT(RuntimeCounters().storage_switches - before, 9 * kExecutions);
}

// Although it has asked many times, all in all.
TEST(StorageOnDemand, WhoSeldomAsksSeldomPays) {
  constexpr int kSteps = 5;
  constexpr uint64_t kExecutions = 5000;
  const auto body = [] {
    std::atomic<int> word{0};
    std::thread a([&] {
      int before = 0;
      for (int i = 0; i < kSteps; ++i) before = word.fetch_add(1);
      if (before == kSteps - 1) ++number;  // nobody has come between
    });
    std::thread b([&] {
      for (int i = 0; i < kSteps; ++i) word.fetch_add(1);
    });
    a.join();
    b.join();
  };
  EXPECT_LT(StorageSwitches(body, kExecutions), 4 * kExecutions);
}

// A random walk that does something between two executions.
class Between : public Strategy {
 public:
  explicit Between(std::function<void(int execution)> work) : work_(std::move(work)) {}
  bool BeginExecution() override {
    work_(execution_++);
    return walk_.BeginExecution();
  }
  int Choose(const Pick& pick) override { return walk_.Choose(pick); }

 private:
  std::function<void(int execution)> work_;
  RandomWalk walk_{1};
  int execution_ = 0;
};

void ExpectPassBetween(std::function<void(int execution)> work, uint64_t executions) {
  Between strategy(std::move(work));
  ExploreOptions options;
  options.executions = executions;
  options.execution = TestOptions();
  const auto body = TwoCountAnd([] { Check(number == 7, "it begins with the initial value"); });
  ExpectPass(Explore(body, strategy, options));
}

// The process's own thread need not have it from one execution to the next, either.
TEST(StorageOnDemand, WhatComesBetweenExecutionsHasTheProcesss) {
  constexpr int kExecutions = 3000;
  const pthread_t self = pthread_self();
  int* const error = &errno;
  int seen = 0;
  ExpectPassBetween(
      [&](int execution) {
        // Not each time: it is to be asked for again and again.
        if (execution % 7 != 0) return;
        EXPECT_EQ(number, 7 + seen++);
        ++number;
        EXPECT_EQ(pthread_self(), self);
        EXPECT_EQ(&errno, error);
        EXPECT_EQ(read(-1, nullptr, 0), -1);
        EXPECT_EQ(errno, EBADF);
        EXPECT_EQ(std::make_unique<std::string>(100, 'x')->size(), 100u);
      },
      kExecutions);
  EXPECT_EQ(number, 7 + seen);
  EXPECT_EQ(pthread_self(), self);
  number = 7;
}

TEST(StorageOnDemand, SegmentationFaultsAreHandledFromBetweenExecutionsOn) {
  struct sigaction before;
  sigaction(SIGSEGV, nullptr, &before);
  ExpectPassBetween(
      [](int execution) {
        if (execution == 5) signal(SIGSEGV, [](int) { _exit(1); });
        if (execution >= 5) ++number;
      },
      kFewExecutions);
  EXPECT_EQ(number, 7 + 5);
  sigaction(SIGSEGV, &before, nullptr);
  number = 7;
}

TEST(StorageOnDemand, SignalsAreHandledBetweenExecutions) {
  signal(SIGUSR1, [](int) { ++number; });
  ExpectPassBetween([](int /*execution*/) { kill(getpid(), SIGUSR1); }, kFewExecutions);
  EXPECT_EQ(number, 7 + static_cast<int>(kFewExecutions));
  signal(SIGUSR1, SIG_DFL);
  number = 7;
}

TEST(StorageOnDemand, EachThreadHasItsOwn) {
  ExpectPass(Walk(
      [] {
        std::atomic<int> word{0};
        const auto work = [&](int mine) {
          word.fetch_add(1);
          Check(number == 7, "it begins with the initial value");
          number = mine;
          errno = mine;
          for (int i = 0; i < 3; ++i) {
            word.fetch_add(1);
            Check(number == mine, "a variable is the thread's own");
            Check(errno == mine, "errno is");
          }
        };
        std::thread a(work, 1), b(work, 2), c([&] { word.fetch_add(1); });
        word.fetch_add(1);
        work(3);
        a.join();
        b.join();
        c.join();
      },
      kFewExecutions));
}

TEST(StorageOnDemand, ErrnoIsEachThreadsOwnWithoutIt) {
  ExpectPass(Walk(
      [] {
        std::atomic<int> word{0};
        const auto work = [&](int mine, bool asks) {
          Check(errno == 0, "it begins as 0 in each execution");
          errno = mine;
          word.fetch_add(1);
          Check(errno == mine, "it is the thread's own");
          if (!asks) return;  // what it has left is gone, although it has had no storage
          ++number;
          Check(errno == mine, "and the same with storage");
          Check(read(-1, nullptr, 0) == -1 && errno == EBADF, "the C library finds it");
        };
        std::thread a(work, 1, false), b(work, 2, true);
        a.join();
        b.join();
      },
      kFewExecutions));
}

TEST(StorageOnDemand, WhoAsksLateFindsItAsItBegan) {
  ExpectPass(Walk(
      [] {
        std::atomic<int> word{0};
        std::thread late([&] {
          while (word.load() != 2) {
          }
          Check(number == 7, "others have changed their own only");
          Check(pthread_equal(pthread_self(), pthread_self()) != 0, "it is somebody");
        });
        const pthread_t handle = late.native_handle();
        std::thread other([&] {
          number = 1;
          Check(pthread_equal(pthread_self(), handle) == 0, "and somebody else");
          word.fetch_add(1);
        });
        number = 2;
        word.fetch_add(1);
        other.join();
        late.join();
      },
      kFewExecutions));
}

// What the runtime takes for a first access must not go to the program's handler.
TEST(StorageOnDemand, ProgramHandlesSegmentationFaults) {
  static volatile sig_atomic_t* const handled = new volatile sig_atomic_t(0);  // not taken back
  struct sigaction before;
  sigaction(SIGSEGV, nullptr, &before);
  ExpectPass(Walk(
      [] {
        signal(SIGSEGV, [](int) { *handled = 1; });
        std::thread thread([] { ++number; });
        ++number;
        thread.join();
      },
      kFewExecutions));
  EXPECT_EQ(*handled, 0);
  sigaction(SIGSEGV, &before, nullptr);
}

void ExpectWorksWithBlockedSignals(int (*set_mask)(int, const sigset_t*, sigset_t*)) {
  ExpectPass(Walk(
      [set_mask] {
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        Check(set_mask(SIG_BLOCK, &all, &before) == 0, "signals can be blocked");
        std::thread thread([] { ++number; });
        ++number;
        thread.join();
        Check(number == 8, "it is the thread's own");
        Check(set_mask(SIG_SETMASK, &before, nullptr) == 0, "and unblocked");
      },
      kFewExecutions));
}

TEST(StorageOnDemand, ProgramBlocksSignals) { ExpectWorksWithBlockedSignals(pthread_sigmask); }
TEST(StorageOnDemand, ProcessBlocksSignals) { ExpectWorksWithBlockedSignals(sigprocmask); }

// A handler that blocks everything while it runs is the first to ask.
TEST(StorageOnDemand, HandlersBlockSignals) {
  struct sigaction action = {};
  struct sigaction before;
  action.sa_handler = [](int) { ++number; };
  sigfillset(&action.sa_mask);
  sigaction(SIGUSR1, &action, &before);
  ExpectPass(Walk(
      [] {
        std::atomic<int> word{0};
        std::thread thread([&] {
          word.store(1);
          kill(getpid(), SIGUSR1);
          word.store(2);
          Check(number == 8, "the handler has changed the thread's own");
        });
        thread.join();
      },
      kFewExecutions));
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(StorageOnDemand, ProgramHoldsSignal) {
  ExpectPass(Walk(
      [] {
        Check(sighold(SIGSEGV) == 0, "held");
        std::thread thread([] { ++number; });
        thread.join();
        Check(sigrelse(SIGSEGV) == 0, "and no more");
      },
      kFewExecutions));
}

TEST(StorageOnDemand, ProgramIgnoresSignal) {
  struct sigaction before;
  sigaction(SIGSEGV, nullptr, &before);
  ExpectPass(Walk(
      [] {
        Check(sigignore(SIGSEGV) == 0, "ignored");
        std::thread thread([] { ++number; });
        thread.join();
      },
      kFewExecutions));
  sigaction(SIGSEGV, &before, nullptr);
}

TEST(StorageOnDemand, HandlersOfSignalsHaveIt) {
  signal(SIGUSR1, [](int) { ++number; });
  ExpectPass(Walk(
      [] {
        std::atomic<int> word{0};
        std::thread thread([&] {
          word.store(1);
          raise(SIGUSR1);
          Check(number == 8, "the handler has changed the thread's own");
        });
        thread.join();
        Check(number == 7, "and nobody else's");
      },
      kFewExecutions));
  signal(SIGUSR1, SIG_DFL);
}

TEST(StorageOnDemand, FaultsOfTheProgramAreVerdicts) {
  const ExploreResult result = Walk([] {
    std::atomic<int> word{0};
    std::thread thread([&] {
      word.store(1);
      *reinterpret_cast<volatile int*>(word.load() * 8) = 1;
    });
    thread.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kCrash);
}

// Of the process: an engine's alarm, say. It asks for storage itself, and no hook sees that.
void HandleSignal(int /*signal*/) { asm volatile("mov %%fs:0, %%rax" ::: "rax"); }

TEST(StorageOnDemand, SignalsMayComeAtAnyTime) {
  for (const int number : {SIGUSR1, SIGUSR2}) signal(number, HandleSignal);
  std::atomic<bool> is_over{false};
  std::thread sends([&is_over, executes = pthread_self()] {
    while (!is_over) {
      for (const int number : {SIGUSR1, SIGUSR2}) pthread_kill(executes, number);
    }
  });
  const auto body = TwoCountAnd([] {});
  for (int i = 0; i < 200; ++i) ExpectPass(Walk(body, 100));
  is_over = true;
  sends.join();
  for (const int number : {SIGUSR1, SIGUSR2}) signal(number, SIG_DFL);
}

}  // namespace
}  // namespace jacquard
