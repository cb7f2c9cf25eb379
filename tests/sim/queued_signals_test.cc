// What comes along with signals: their number, who has sent them, and a value.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/signal_masks.h"

namespace jacquard {
namespace {

// What the handler was told last, and the sum of all values as digits, in their order.
siginfo_t told;
int digits = 0;

void Handle(int signal) {
  struct sigaction action = {};
  action.sa_sigaction = [](int, siginfo_t* information, void*) {
    told = *information;
    digits = digits * 10 + information->si_value.sival_int;
  };
  action.sa_flags = SA_SIGINFO;
  sigaction(signal, &action, nullptr);
}

bool IsTold(int signal, int code) {
  return told.si_signo == signal && told.si_code == code && told.si_pid == getpid() &&
         told.si_uid == getuid();
}

sigset_t SetWith(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

TEST(QueuedSignals, TellWhoHasSentThem) {
  ExpectPass(Walk([] {
    TakeStep();
    Handle(SIGUSR1);
    raise(SIGUSR1);
    Check(IsTold(SIGUSR1, SI_TKILL), "raise");
    kill(getpid(), SIGUSR1);
    Check(IsTold(SIGUSR1, SI_USER), "kill");
    pthread_kill(pthread_self(), SIGUSR1);
    Check(IsTold(SIGUSR1, SI_TKILL), "pthread_kill");
    Check(sigqueue(getpid(), SIGUSR1, {.sival_int = 7}) == 0, "sent");
    Check(IsTold(SIGUSR1, SI_QUEUE) && told.si_value.sival_int == 7, "sigqueue");
    Check(pthread_sigqueue(pthread_self(), SIGUSR1, {.sival_int = 8}) == 0, "sent");
    Check(IsTold(SIGUSR1, SI_QUEUE) && told.si_value.sival_int == 8, "pthread_sigqueue");
    Check(sigqueue(getpid(), NSIG, {}) == -1 && errno == EINVAL, "no signal");
    Check(pthread_sigqueue(pthread_self(), NSIG, {}) == EINVAL, "no signal");
  }));
}

// Wherever it is when they come, and whoever has had to wait in between.
TEST(QueuedSignals, TellAnotherThread) {
  ExpectPass(Walk([] {
    Handle(SIGUSR1);
    std::atomic<bool> ends = false;
    std::thread other([&] {
      while (!ends) std::this_thread::yield();
      Check(IsTold(SIGUSR1, SI_QUEUE) && digits == 5, "told");
    });
    pthread_sigqueue(other.native_handle(), SIGUSR1, {.sival_int = 5});
    ends = true;
    other.join();
  }));
  // One that waits for input, whose wait is interrupted.
  ExpectPass(Walk([] {
    Handle(SIGUSR1);
    int ends[2];
    Check(pipe(ends) == 0, "a pipe");
    std::thread other([&] {
      char byte;
      while (read(ends[0], &byte, 1) < 0) Check(digits == 6, "told");
      Check(IsTold(SIGUSR1, SI_QUEUE) && digits == 6, "told");
    });
    pthread_sigqueue(other.native_handle(), SIGUSR1, {.sival_int = 6});
    Check(write(ends[1], "x", 1) == 1, "written");
    other.join();
  }));
}

TEST(QueuedSignals, TellWhoWaitsForThem) {
  const auto body = [](bool to_process) {
    return [to_process] {
      Block(SIGUSR1);
      std::thread waiter([] {
        const sigset_t set = SetWith(SIGUSR1);
        Check(sigwaitinfo(&set, &told) == SIGUSR1, "the right one");
        Check(IsTold(SIGUSR1, SI_QUEUE) && told.si_value.sival_int == 9, "told");
      });
      to_process ? sigqueue(getpid(), SIGUSR1, {.sival_int = 9})
                 : pthread_sigqueue(waiter.native_handle(), SIGUSR1, {.sival_int = 9});
      waiter.join();
    };
  };
  ExpectPass(Walk(body(true)));
  ExpectPass(Walk(body(false)));
}

// Those of real time are each handled, in their order; of the others, one is left of those that
// wait.
void SendThree(int signal, bool to_process) {
  Block(signal);
  Handle(signal);
  std::atomic<bool> is_told = false;
  std::thread other([&] {
    while (!is_told) std::this_thread::yield();
    Block(signal, SIG_UNBLOCK);
    Check(digits == (signal >= SIGRTMIN ? 123 : 1), "each, in order");
  });
  for (int value = 1; value <= 3; ++value) {
    to_process ? sigqueue(getpid(), signal, {.sival_int = value})
               : pthread_sigqueue(other.native_handle(), signal, {.sival_int = value});
  }
  is_told = true;
  other.join();
}

TEST(QueuedSignals, OfRealTimeAllCome) {
  for (const bool to_process : {false, true}) {
    for (const int signal : {SIGUSR1, SIGRTMIN})
      ExpectPass(Walk([=] { SendThree(signal, to_process); }));
  }
}

TEST(QueuedSignals, OfRealTimeAreTakenOneByOne) {
  ExpectPass(Walk([] {
    Block(SIGRTMIN);
    std::thread waiter([] {
      const sigset_t set = SetWith(SIGRTMIN);
      for (int value = 1; value <= 3; ++value) {
        Check(sigwaitinfo(&set, &told) == SIGRTMIN && told.si_value.sival_int == value,
              "in their order");
      }
    });
    for (int value = 1; value <= 3; ++value)
      pthread_sigqueue(waiter.native_handle(), SIGRTMIN, {.sival_int = value});
    waiter.join();
  }));
}

// A thread that takes the number of one that has ended gets nothing of what that was sent.
TEST(QueuedSignals, GoWithTheirThread) {
  ExpectPass(Walk(
      [] {
        Block(SIGRTMIN);
        Handle(SIGRTMIN);
        std::atomic<int> sent = 0;
        for (int i = 1; i <= 2 * kMaxThreads; ++i) {
          std::thread thread([&sent, i] {
            while (sent != i) std::this_thread::yield();
            if (i % 2 != 0) return;
            digits = 0;
            Block(SIGRTMIN, SIG_UNBLOCK);
            Check(digits == 2, "only its own");
          });
          pthread_sigqueue(thread.native_handle(), SIGRTMIN, {.sival_int = i % 2 != 0 ? 1 : 2});
          sent = i;
          thread.join();
        }
      },
      3));
}

// They interrupt a wait one after another.
TEST(QueuedSignals, AllComeInAWait) {
  ExpectPass(Walk([] {
    static sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    Handle(SIGRTMIN);
    std::thread other([] {
      while (digits != 12) sem_wait(&semaphore);
    });
    pthread_sigqueue(other.native_handle(), SIGRTMIN, {.sival_int = 1});
    pthread_sigqueue(other.native_handle(), SIGRTMIN, {.sival_int = 2});
    usleep(1000);
    sem_post(&semaphore);
    other.join();
  }));
}

TEST(QueuedSignals, MayBeTooMany) {
  const auto body = [](void (*send)()) {
    return [send] {
      Block(SIGRTMIN);
      for (int i = 0; i < 1500; ++i) send();
      std::thread([] { TakeStep(); }).join();
      Block(SIGRTMIN, SIG_UNBLOCK);
    };
  };
  for (const auto send : {+[] { kill(getpid(), SIGRTMIN); }, +[] { raise(SIGRTMIN); }})
    EXPECT_EQ(Walk(body(send), 1).verdict.kind, VerdictKind::kUnsupported);
  // Of others, one waits for each thread.
  ExpectPass(Walk(
      [] {
        Block(SIGUSR1);
        for (int i = 0; i < 1500; ++i) Check(kill(getpid(), SIGUSR1) == 0, "sent");
        std::thread([] { TakeStep(); }).join();
      },
      1));
}

// A thread may end in the handler of what it sends itself.
TEST(QueuedSignals, MayEndWhoSendsThem) {
  const auto body = [](void (*send)()) {
    return [send] {
      signal(SIGUSR1, [](int) { pthread_exit(nullptr); });
      std::thread([send] {
        TakeStep();
        send();
        Check(false, "it has ended");
      }).join();
    };
  };
  ExpectPass(Walk(body([] { raise(SIGUSR1); })));
  ExpectPass(Walk(body([] { kill(getpid(), SIGUSR1); })));
  ExpectPass(Walk(body([] { pthread_kill(pthread_self(), SIGUSR1); })));
  ExpectPass(Walk(body([] { pthread_sigqueue(pthread_self(), SIGUSR1, {}); })));
  ExpectPass(Walk(body([] {
    Block(SIGUSR1);
    raise(SIGUSR1);
    Block(SIGUSR1, SIG_UNBLOCK);
  })));
}

// In the middle of which the handler runs.
TEST(QueuedSignals, TellWhoSuspendsItself) {
  const auto body = [](int code) {
    return [code] {
      Block(SIGUSR1);
      Handle(SIGUSR1);
      std::thread other([code] {
        sigset_t none;
        sigemptyset(&none);
        sigsuspend(&none);
        Check(IsTold(SIGUSR1, code), "told");
      });
      const pthread_t thread = other.native_handle();
      if (code == SI_USER) kill(getpid(), SIGUSR1);
      if (code == SI_TKILL) pthread_kill(thread, SIGUSR1);
      if (code == SI_QUEUE) pthread_sigqueue(thread, SIGUSR1, {});
      other.join();
    };
  };
  for (const int code : {SI_USER, SI_TKILL, SI_QUEUE}) ExpectPass(Walk(body(code)));
}

// What nobody handles, and what ends nothing, interrupts nothing.
TEST(QueuedSignals, MayBeIgnored) {
  ExpectPass(Walk([] {
    int ends[2];
    Check(pipe(ends) == 0, "a pipe");
    std::thread other([&] {
      char byte;
      Check(read(ends[0], &byte, 1) == 1, "goes on");
    });
    pthread_kill(other.native_handle(), SIGWINCH);
    Check(write(ends[1], "x", 1) == 1, "written");
    other.join();
  }));
}

// Whose handler lets others run.
TEST(QueuedSignals, AllComeToAHandlerThatTells) {
  static sem_t told;
  ExpectPass(Walk([] {
    static sem_t ends;
    sem_init(&told, 0, 0);
    sem_init(&ends, 0, 0);
    struct sigaction action = {};
    action.sa_handler = [](int) { sem_post(&told); };
    sigaction(SIGRTMIN, &action, nullptr);
    std::thread other([] {
      while (sem_wait(&ends) != 0) {
      }
    });
    for (int i = 0; i < 2; ++i) pthread_kill(other.native_handle(), SIGRTMIN);
    for (int i = 0; i < 2; ++i) sem_wait(&told);
    sem_post(&ends);
    other.join();
  }));
}

// Who waits for two signals, and goes on when it has taken one. It waits when `send` is called.
std::function<void()> TakeOneOfTwo(void (*prepare)(), void (*send)(pthread_t waiter)) {
  return [=] {
    std::atomic<bool> both_are_sent = false;
    std::thread waiter([prepare, &both_are_sent] {
      prepare();
      sigset_t set = SetWith(SIGUSR1);
      sigaddset(&set, SIGUSR2);
      int signal = 0;
      sigwait(&set, &signal);
      Check(signal == SIGUSR1, "the first one");
      while (!both_are_sent) std::this_thread::yield();
      Check(digits == 0, "and the other one has come to its handler");
    });
    Block(SIGUSR1);
    Block(SIGUSR2);
    usleep(1000);
    send(waiter.native_handle());
    both_are_sent = true;
    waiter.join();
  };
}

void SendBoth(pthread_t waiter) {
  pthread_kill(waiter, SIGUSR1);
  pthread_kill(waiter, SIGUSR2);
}

void SendBothToProcess(pthread_t /*waiter*/) {
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR2);
}

TEST(QueuedSignals, BehindTheOneThatIsTaken) {
  ExecutionOptions options = TestOptions();
  options.time_outs = 0;
  const auto explore = [&](void (*prepare)(), void (*send)(pthread_t)) {
    return Walk(TakeOneOfTwo(prepare, send), 100, options);
  };
  for (const auto send : {SendBoth, SendBothToProcess}) {
    ExpectPass(explore(
        [] {
          Block(SIGUSR1);
          Block(SIGUSR2);
        },
        send));
    ExpectPass(explore(
        [] {
          digits = 1;
          signal(SIGUSR2, [](int) { digits = 0; });
        },
        send));
    // It ends the process as soon as the waiter does not block it any more.
    const Verdict verdict = explore([] {}, send).verdict;
    EXPECT_EQ(verdict.signature, "abort|signal") << verdict.message;
    EXPECT_NE(verdict.message.find("SIGUSR2"), std::string::npos) << verdict.message;
  }
}

// The handler may run between the look at a flag and the wait, which only what it posts ends then.
TEST(QueuedSignals, ComeBetweenALookAndAWait) {
  static volatile sig_atomic_t is_there = 0;
  static sem_t semaphore;
  const auto body = [](void (*handler)(int)) {
    return [handler] {
      sem_init(&semaphore, 0, 0);
      struct sigaction action = {};  // a wait that it interrupts ends
      action.sa_handler = handler;
      sigaction(SIGUSR1, &action, nullptr);
      std::thread other([] {
        while (is_there == 0) sem_wait(&semaphore);
      });
      pthread_kill(other.native_handle(), SIGUSR1);
      other.join();
    };
  };
  EXPECT_EQ(Walk(body([](int) { is_there = 1; })).verdict.kind, VerdictKind::kDeadlock);
  ExpectPass(Walk(body([](int) {
    is_there = 1;
    sem_post(&semaphore);
  })));
}

}  // namespace
}  // namespace jacquard
