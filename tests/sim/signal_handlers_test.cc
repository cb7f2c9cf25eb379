// Where in a thread's course the handlers of signals run.
#include <gtest/gtest.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Of each round the flag is stored first, in a step, and then the plain word.
struct Progress {
  std::atomic<int> flag = 0;
  int word = 0;
};
thread_local Progress* own_progress = nullptr;

void HandleInTheMiddle(sighandler_t handler) {
  signal(SIGUSR1, handler);
  std::atomic<bool> begins = false;
  std::thread worker([&] {
    Progress progress;
    own_progress = &progress;
    begins = true;
    for (int round = 1; round < 4; ++round) {
      progress.flag.store(round, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
      progress.word = round;
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    signal(SIGUSR1, SIG_IGN);
  });
  while (!begins) std::this_thread::yield();
  pthread_kill(worker.native_handle(), SIGUSR1);
  worker.join();
}

// The order of a thread's own accesses is that of the program, wherever the handler comes.
TEST(Signals, AreHandledBetweenAStepAndThePlainAccessesBehindIt) {
  const auto flag_is_ahead = [] {
    HandleInTheMiddle([](int) {
      Check(own_progress->flag.load(std::memory_order_relaxed) == own_progress->word,
            "both or none");
    });
  };
  const ExploreResult result = Walk(flag_is_ahead);
  EXPECT_EQ(result.verdict.signature, "invariant|both or none") << result.verdict.message;
  EXPECT_FALSE(result.not_deterministic);
  ExpectPass(Walk([] {
    HandleInTheMiddle([](int) {
      const int ahead = own_progress->flag.load(std::memory_order_relaxed) - own_progress->word;
      Check(ahead == 0 || ahead == 1, "the flag is stored first");
    });
  }));
}

// Wherever the first one runs, the second one is not forgotten if that jumps away.
TEST(Signals, AreHandledBehindAJumpFromTheHandlerOfAnother) {
  static thread_local sigjmp_buf place;
  static std::atomic<bool> both;
  ExpectPass(Walk(
      [] {
        both = false;
        signal(SIGUSR1, [](int) { siglongjmp(place, 1); });
        struct sigaction sets = {};
        sets.sa_handler = [](int) { both = true; };
        sigaddset(&sets.sa_mask, SIGUSR1);  // which would jump away from here, too
        sigaction(SIGUSR2, &sets, nullptr);
        std::atomic<int> begins = 0;
        std::thread worker([&] {
          if (sigsetjmp(place, 1) == 0) {
            begins = 1;
            while (true) begins.fetch_or(1);
          }
          while (!both) std::this_thread::yield();
        });
        while (begins == 0) std::this_thread::yield();
        pthread_kill(worker.native_handle(), SIGUSR2);
        pthread_kill(worker.native_handle(), SIGUSR1);
        worker.join();
      },
      300));
}

// Readers of userspace RCU have no fences: the writer lets each of them have one in a handler.
struct Reader {
  std::atomic<unsigned> inside = 0;
  std::atomic<bool> lacks_fence = false;
  std::atomic<bool> over = false;
};

void WaitForReader(Reader& reader, pthread_t thread, bool fence_before, bool fence_behind) {
  const auto let_fence = [&] {
    reader.lacks_fence.store(true, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    pthread_kill(thread, SIGUSR1);
    while (reader.lacks_fence.load(std::memory_order_relaxed)) std::this_thread::yield();
    std::atomic_thread_fence(std::memory_order_seq_cst);
  };
  if (fence_before) let_fence();
  while (reader.inside.load(std::memory_order_relaxed) != 0) std::this_thread::yield();
  if (fence_behind) let_fence();
}

void ReplaceBesideReader(bool fence_before, bool fence_behind) {
  static Reader* reader_of_handler;
  Reader reader;
  reader_of_handler = &reader;
  signal(SIGUSR1, [](int) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    reader_of_handler->lacks_fence.store(false, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  });
  std::atomic<int*> shared = new int(1);
  std::thread thread([&] {
    reader.inside.store(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const int value = *shared.load(std::memory_order_acquire);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    reader.inside.store(0, std::memory_order_relaxed);
    Check(value == 1 || value == 2, "one of both");
    while (!reader.over) std::this_thread::yield();
  });
  int* const old = shared.exchange(new int(2));
  WaitForReader(reader, thread.native_handle(), fence_before, fence_behind);
  delete old;
  reader.over = true;
  thread.join();
  delete shared.load();
}

TEST(Signals, BringFencesToReadersWithout) {
  ExpectPass(Walk([] { ReplaceBesideReader(true, true); }, 3000));
  for (const auto& body : {std::function<void()>([] { ReplaceBesideReader(false, true); }),
                           std::function<void()>([] { ReplaceBesideReader(true, false); })}) {
    const ExploreResult result = Walk(body, 20000);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
    EXPECT_FALSE(result.not_deterministic);
  }
}

}  // namespace
}  // namespace jacquard
