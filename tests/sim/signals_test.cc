// Signals of code under test: what each thread blocks is its own, and what an execution changes is
// as before in the next.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

// Under --config=ubsan: its runtime handles SIGSEGV otherwise, so that somebody does.
extern "C" const char* __ubsan_default_options() { return "handle_segv=0"; }

namespace jacquard {
namespace {

bool Blocks(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

void Block(int signal, int how = SIG_BLOCK) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, nullptr);
}

TEST(SignalMask, IsTheThreadsOwn) {
  ExpectPass(Walk([] {
    Check(!Blocks(SIGUSR1) && !Blocks(SIGUSR2), "nothing is blocked at the beginning");
    std::atomic<int> word = 0;
    auto work = [&word](int mine, int other) {
      Check(!Blocks(mine), "not yet");
      Block(mine);
      for (int i = 0; i < 3; ++i) {
        ++word;
        Check(Blocks(mine) && !Blocks(other), "one's own only");
      }
      std::thread child([&] {
        ++word;
        Check(Blocks(mine) && !Blocks(other), "as its creator");
        Block(mine, SIG_UNBLOCK);
      });
      child.join();
      Check(Blocks(mine), "still");
    };
    std::thread a(work, SIGUSR1, SIGUSR2), b(work, SIGUSR2, SIGUSR1);
    ++word;
    Check(!Blocks(SIGUSR1) && !Blocks(SIGUSR2), "nobody else's");
    a.join();
    b.join();
    Block(SIGTERM);
  }));
  EXPECT_FALSE(Blocks(SIGTERM));
}

std::atomic<int> steps;
thread_local int handled = 0;

TEST(SignalHandler, RunsBeforeRaiseReturns) {
  ExpectPass(Walk([] {
    struct sigaction action = {};
    Check(sigaction(SIGUSR1, nullptr, &action) == 0 && action.sa_handler == SIG_DFL, "none yet");
    action.sa_handler = [](int) {
      ++steps;
      ++handled;
      ++steps;
    };
    sigaction(SIGUSR1, &action, nullptr);
    auto work = [] {
      for (int i = 1; i <= 2; ++i) {
        raise(SIGUSR1);
        Check(handled == i, "handled on the thread itself");
        ++steps;
      }
    };
    std::thread a(work), b(work);
    a.join();
    b.join();
  }));
  struct sigaction action = {};
  sigaction(SIGUSR1, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

// What a thread has raised and blocks waits for that thread; if it ends first, it is gone.
TEST(SignalMask, WhatIsRaisedWaitsForTheThread) {
  ExpectPass(Walk([] {
    signal(SIGUSR1, [](int) {
      ++steps;
      ++handled;
    });
    std::thread other([] {
      for (int i = 0; i < 3; ++i) ++steps;
      Check(handled == 0, "not this thread's");
      raise(SIGUSR1);
      Check(handled == 1, "not blocked here");
    });
    std::thread ends([] {
      Block(SIGUSR1);
      raise(SIGUSR1);
      for (int i = 0; i < 3; ++i) ++steps;
    });
    Block(SIGUSR1);
    raise(SIGUSR1);
    for (int i = 0; i < 3; ++i) ++steps;
    Check(handled == 0, "blocked");
    Block(SIGUSR1, SIG_UNBLOCK);
    Check(handled == 1, "not blocked any more");
    Block(SIGUSR1);
    raise(SIGUSR1);
    ends.join();
    other.join();
    Check(handled == 1, "blocked again");
  }));
  EXPECT_FALSE(Blocks(SIGUSR1));
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGUSR1), 0);
}

// One that is given up in the handler leaves nothing behind.
TEST(SignalHandler, MayFail) {
  const auto fails = [] {
    signal(SIGUSR1, [](int) { Check(++steps != 1, "in the handler"); });
    raise(SIGUSR1);
  };
  for (int i = 0; i < 3; ++i) {
    const Verdict verdict = Walk(fails).verdict;
    EXPECT_EQ(verdict.signature, "invariant|in the handler") << verdict.message;
    EXPECT_FALSE(Blocks(SIGUSR1));
  }
}

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

}  // namespace
}  // namespace jacquard
