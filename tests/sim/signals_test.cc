// Signals of code under test: what each thread blocks is its own, and what an execution changes is
// as before in the next.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/signal_masks.h"

// Under --config=ubsan: its runtime handles SIGSEGV otherwise, so that somebody does.
extern "C" const char* __ubsan_default_options() { return "handle_segv=0"; }

namespace jacquard {
namespace {

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

TEST(SignalHandler, RunsOnTheThreadsOwnStack) {
  static thread_local char stack[1 << 16];
  static thread_local bool on_it;
  ExpectPass(Walk(
      [] {
        const auto work = [] {
          stack_t now = {};
          Check(sigaltstack(nullptr, &now) == 0 && now.ss_flags == SS_DISABLE, "none at first");
          const stack_t mine = {.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof(stack)};
          Check(sigaltstack(&mine, nullptr) == 0, "set");
          sched_yield();
          Check(sigaltstack(nullptr, &now) == 0 && now.ss_sp == stack, "still its own");
          raise(SIGUSR1);
          Check(on_it, "where it is told to run");
        };
        struct sigaction action = {};
        action.sa_flags = SA_ONSTACK;
        action.sa_handler = [](int) {
          char here = 0;
          sched_yield();
          on_it = &here >= stack && &here < stack + sizeof(stack);
        };
        sigaction(SIGUSR1, &action, nullptr);
        std::thread a(work), b(work);
        a.join();
        b.join();
      },
      200));
}

// SA_ONSTACK without a stack for handlers means nothing: each runs on its thread's own stack.
TEST(SignalHandler, NeedsNoStackOfItsOwn) {
  static thread_local volatile int number;
  static std::atomic<int> handled;
  ExpectPass(Walk(
      [] {
        handled = 0;
        struct sigaction action = {};
        action.sa_flags = SA_ONSTACK;
        action.sa_handler = [](int) {
          volatile int here[64];
          for (int i = 0; i < 64; ++i) here[i] = i;
          handled.fetch_add(1);
          number = number + 1;  // the first access to this thread's may be here
          handled.fetch_add(1);
          for (int i = 0; i < 64; ++i) Check(here[i] == i, "its own");
        };
        struct sigaction now = {};
        Check(sigaction(SIGUSR1, &action, nullptr) == 0, "set");
        Check(sigaction(SIGUSR1, nullptr, &now) == 0 && (now.sa_flags & SA_ONSTACK) != 0, "told");
        std::thread a([] { raise(SIGUSR1); }), b([] { raise(SIGUSR1); });
        a.join();
        b.join();
        Check(handled == 4, "both");
      },
      500));
}

// Where some threads have such a stack, the others' handlers run on the threads' own.
TEST(SignalHandler, RunsOnAStackIfTheThreadHasOne) {
  static char stack[1 << 16];
  ExpectPass(Walk(
      [] {
        static thread_local bool has_stack;
        struct sigaction action = {};
        action.sa_flags = SA_ONSTACK;
        action.sa_handler = [](int) {
          char here = 0;
          sched_yield();
          Check((&here >= stack && &here < stack + sizeof(stack)) == has_stack, "where");
        };
        sigaction(SIGUSR1, &action, nullptr);
        std::thread a([] {
          const stack_t mine = {.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof(stack)};
          Check(sigaltstack(&mine, nullptr) == 0, "set");
          has_stack = true;
          raise(SIGUSR1);
        });
        std::thread b([] { raise(SIGUSR1); });
        a.join();
        b.join();
      },
      500));
}

// The names in the report are not looked up on the handler's stack.
TEST(SignalHandler, MayRaceOnASmallStack) {
  constexpr size_t kSize = 1 << 15;
  char* const area =
      static_cast<char*>(mmap(nullptr, 2 * kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(area, MAP_FAILED);
  ASSERT_EQ(mprotect(area + kSize, kSize, PROT_READ | PROT_WRITE), 0);
  ExpectVerdict(
      [area] {
        static int racing;
        std::atomic<bool> written = false;
        const stack_t small = {.ss_sp = area + kSize, .ss_flags = 0, .ss_size = kSize};
        sigaltstack(&small, nullptr);
        struct sigaction action = {};
        action.sa_flags = SA_ONSTACK;
        action.sa_handler = [](int) { racing = 1; };
        sigaction(SIGUSR1, &action, nullptr);
        std::thread other([&] {
          racing = 2;
          written.store(true, std::memory_order_relaxed);
        });
        while (!written.load(std::memory_order_relaxed)) sched_yield();
        raise(SIGUSR1);
        other.join();
        Check(racing == 1, "the last value");
      },
      "race|plain write and plain write");
  munmap(area, 2 * kSize);
}

TEST(SignalHandler, MayEndTheThread) {
  static char begun;
  ExpectPass(Walk(
      [] {
        signal(SIGUSR1, [](int) { pthread_exit(nullptr); });
        // Not with objects to be destroyed where raise() is called: C++ is told that it throws
        // nothing.
        const auto run = [](void*) -> void* {
          TakeStep();
          raise(SIGUSR1);
          return &begun;
        };
        pthread_t thread;
        void* result = &begun;
        pthread_create(&thread, nullptr, run, nullptr);
        pthread_join(thread, &result);
        Check(result == nullptr, "ended by the handler");
      },
      20));
}

TEST(SignalMask, IsTheAttributes) {
  ExpectPass(Walk(
      [] {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        pthread_attr_setsigmask_np(&attributes, &set);
        Block(SIGUSR1);
        pthread_t thread;
        const auto run = [](void*) -> void* {
          Check(Blocks(SIGUSR2) && !Blocks(SIGUSR1), "not the creator's");
          return nullptr;
        };
        pthread_create(&thread, &attributes, run, nullptr);
        pthread_join(thread, nullptr);
        pthread_attr_destroy(&attributes);
      },
      20));
}

// Memory that may not be written to is made writable by whoever is the first to do so, as garbage
// collectors do.
constexpr size_t kPages = 8192;
char* pages = nullptr;
std::atomic<int> faults{0};

void LetWrite(int /*signal*/) {
  ++faults;
  mprotect(pages, kPages, PROT_READ | PROT_WRITE);
  ++faults;
}

// While one thread is in the handler another one may get there, too.
TEST(HandlerOfAFault, MayRunInTwoThreadsAtOnce) {
  for (const bool old_way : {false, true}) {
    ExpectPass(Walk([old_way] {
      struct sigaction action = {};
      action.sa_handler = LetWrite;
      if (old_way) {
        signal(SIGSEGV, LetWrite);
      } else {
        sigaction(SIGSEGV, &action, nullptr);
      }
      pages =
          static_cast<char*>(mmap(nullptr, kPages, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      std::thread other([] { pages[0] = 1; });
      pages[kPages - 1] = 2;
      other.join();
      Check(pages[0] == 1 && pages[kPages - 1] == 2 && faults >= 2, "both have written");
    }));
  }
}

// What many programs do to say where they have crashed.
TEST(HandlerOfAFault, DoesNotHideIt) {
  const auto crash = [] {
    TakeStep();
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  };
  for (int round = 0; round < 3;
       ++round) {  // what a handler leaves blocked is not blocked for ever
    ExpectVerdict(
        [&] {
          signal(SIGSEGV, [](int) { _exit(1); });
          crash();
        },
        "crash|null dereference");
    ExpectVerdict(
        [&] {
          signal(SIGSEGV, [](int) { signal(SIGSEGV, SIG_DFL); });
          crash();
        },
        "crash|null dereference");
    ExpectVerdict(
        [&] {
          struct sigaction action = {};
          action.sa_flags = static_cast<int>(SA_RESETHAND);
          action.sa_handler = [](int) {
            struct sigaction standard = {};
            standard.sa_handler = SIG_DFL;
            sigaction(SIGSEGV, &standard, nullptr);
            raise(SIGSEGV);
          };
          sigaction(SIGSEGV, &action, nullptr);
          crash();
        },
        "abort|signal");
  }
  // Ended for another reason.
  ExpectVerdict(
      [] {
        TakeStep();
        signal(SIGSEGV, [](int) { _exit(1); });
        _exit(3);
      },
      "exit|_exit");
}

// Whenever it was changed: before the first action, or after.
TEST(SignalMask, IsAsBeforeInTheNextExecution) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        Check(!Blocks(SIGUSR1), "not blocked at first");
        Block(SIGUSR1);
        signal(SIGUSR2, [](int) {});
        Block(SIGUSR2);
        Check(Blocks(SIGUSR1) && Blocks(SIGUSR2), "blocked");
      },
      5));
  EXPECT_FALSE(Blocks(SIGUSR1) || Blocks(SIGUSR2));
}

// The circumstances of a fault, which are still there on the stack, are not those of this handler.
TEST(HandlerOfAFault, IsNotAnotherOne) {
  ExpectVerdict(
      [] {
        TakeStep();
        static sigjmp_buf back;
        signal(SIGSEGV, [](int) { siglongjmp(back, 1); });
        volatile int* volatile nowhere = nullptr;
        if (sigsetjmp(back, 1) == 0) *nowhere = 1;
        signal(SIGUSR1, [](int) { _exit(1); });
        raise(SIGUSR1);
      },
      "exit|_exit");
}

TEST(HandlerOfAFault, ForOnceOnlyMeetsItAgain) {
  for (int round = 0; round < 3; ++round) {
    ExpectVerdict(
        [] {
          TakeStep();
          struct sigaction action = {};
          action.sa_flags = static_cast<int>(SA_RESETHAND);
          action.sa_handler = [](int) { TakeStep(); };
          sigaction(SIGSEGV, &action, nullptr);
          volatile int* volatile nowhere = nullptr;
          *nowhere = 1;
        },
        "crash|null dereference");
  }
}

// As a test does that ignores it for a while.
TEST(HandlerOfAFault, IsPutBackBetweenExecutions) {
  const auto crash = [] {
    TakeStep();
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  };
  ExpectVerdict(crash, "crash|null dereference");
  struct sigaction before = {};
  sigaction(SIGSEGV, nullptr, &before);
  signal(SIGSEGV, SIG_IGN);
  sigaction(SIGSEGV, &before, nullptr);
  ExpectVerdict(crash, "crash|null dereference");
}

// Nobody is told of the runtime's own.
TEST(HandlerOfAFault, IsToldAsItWasSet) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const auto handler = [](int) {};
        Check(signal(SIGSEGV, handler) == SIG_DFL, "none at first");
        Check(signal(SIGSEGV, SIG_DFL) == static_cast<sighandler_t>(handler), "as it was set");
        struct sigaction action = {};
        Check(sigaction(SIGSEGV, nullptr, &action) == 0, "asked");
        Check(action.sa_handler == SIG_DFL, "none again");
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        action.sa_handler = handler;
        Check(sigaction(SIGSEGV, &action, nullptr) == 0, "set for once");
        Check(sigaction(SIGSEGV, nullptr, &action) == 0, "asked again");
        Check(action.sa_handler == static_cast<sighandler_t>(handler), "as it was set for once");
        Check((static_cast<unsigned>(action.sa_flags) & SA_RESETHAND) != 0, "for once");
        Check((action.sa_flags & SA_SIGINFO) == 0, "wants to know nothing");
      },
      3));
}

}  // namespace
}  // namespace jacquard
