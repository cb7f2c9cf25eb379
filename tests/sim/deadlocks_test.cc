// Deadlocks: cycles are found when they close, the report says who waits for what and who holds it,
// and a lost wake-up is told apart.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr const char* kCycle = "deadlock|threads wait for each other";

void ExpectIn(const std::string& text, const ExploreResult& result) {
  EXPECT_NE(result.verdict.message.find(text), std::string::npos) << result.verdict.message;
}

TEST(Cycles, TwoMutexes) {
  const ExploreResult result = Walk([] {
    std::mutex a, b;
    std::thread other([&] {
      const std::lock_guard first(b);
      const std::lock_guard second(a);
    });
    {
      const std::lock_guard first(a);
      const std::lock_guard second(b);
    }
    other.join();
  });
  EXPECT_EQ(result.verdict.signature, kCycle) << result.verdict.message;
  ExpectIn("thread 0 waits for the mutex ", result);
  ExpectIn("held by thread 1 since step ", result);
  ExpectIn("thread 1 waits for the mutex ", result);
  ExpectIn("held by thread 0 since step ", result);
  EXPECT_EQ(result.trace.places.size(), 2u);
}

TEST(Cycles, AreFoundWhileOthersRun) {
  const ExploreResult result = Walk([] {
    std::mutex a, b;
    std::atomic<bool> stop{false};
    std::thread busy([&] {
      while (!stop.load()) std::this_thread::yield();
    });
    std::thread other([&] {
      const std::lock_guard first(b);
      const std::lock_guard second(a);
    });
    {
      const std::lock_guard first(a);
      const std::lock_guard second(b);
    }
    other.join();
    stop = true;
    busy.join();
  });
  EXPECT_EQ(result.verdict.signature, kCycle) << result.verdict.message;
}

TEST(Cycles, MutexAndJoin) {
  const ExploreResult result = Walk([] {
    std::mutex mutex;
    std::thread other;
    {
      const std::lock_guard lock(mutex);
      other = std::thread([&] { const std::lock_guard lock(mutex); });
      other.join();
    }
  });
  EXPECT_EQ(result.verdict.signature, kCycle) << result.verdict.message;
}

TEST(Cycles, ReaderUpgrades) {
  const ExploreResult result = Walk([] {
    std::shared_mutex mutex;
    auto upgrade = [&] {
      mutex.lock_shared();
      mutex.lock();
    };
    std::thread a(upgrade), b(upgrade);
    a.join();
    b.join();
  });
  EXPECT_EQ(result.verdict.signature, kCycle) << result.verdict.message;
}

TEST(Cycles, OnceWithinItself) {
  const ExploreResult result = Walk([] {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, [] { pthread_once(&once, [] {}); });
  });
  EXPECT_EQ(result.verdict.signature, kCycle) << result.verdict.message;
}

TEST(Cycles, ATimedWaitIsNone) {
  ExpectPass(Walk([] {
    std::timed_mutex a, b;
    std::thread other([&] {
      const std::lock_guard first(b);
      if (a.try_lock_for(std::chrono::seconds(1))) a.unlock();
    });
    {
      const std::lock_guard first(a);
      const std::lock_guard second(b);
    }
    other.join();
  }));
}

TEST(Cycles, OneOrderIsNone) {
  ExpectPass(Walk([] {
    std::mutex a, b;
    std::shared_mutex shared;
    auto work = [&] {
      const std::shared_lock reader(shared);
      const std::lock_guard first(a);
      const std::lock_guard second(b);
    };
    std::thread other(work);
    work();
    {
      const std::scoped_lock both(b, a);
    }  // tries, and steps back
    other.join();
  }));
}

TEST(Deadlocks, SayThatTheHolderHasEnded) {
  const ExploreResult result = Walk([] {
    static std::mutex mutex;
    std::thread([] { mutex.lock(); }).join();
    mutex.lock();
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|no thread can run") << result.verdict.message;
  ExpectIn("held by thread 1 since step", result);
  ExpectIn("which has ended", result);
}

TEST(LostWakeUps, AreToldApart) {
  const ExploreResult result = Walk([] {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<bool> ready{false};
    std::thread other([&] {
      ready = true;  // not under the mutex: it may come between the test and the wait
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      while (!ready) changed.wait(lock);
    }
    other.join();
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|lost wake-up") << result.verdict.message;
  EXPECT_FALSE(result.not_deterministic) << result.verdict.message;
}

TEST(LostWakeUps, AreNotWaitsForWhatNeverHappens) {
  const ExploreResult result = Walk([] {
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    std::unique_lock lock(mutex);
    while (!ready) changed.wait(lock);
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|no thread can run") << result.verdict.message;
  ExpectIn("waits for the condition variable", result);
}

TEST(LostWakeUps, OfAFutex) {
  const ExploreResult result = Walk([] {
    std::atomic<uint32_t> word{0};
    std::thread other([&] { word.store(1); });  // and does not wake
    while (word.load() == 0) syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr);
    other.join();
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|lost wake-up") << result.verdict.message;
}

// The first thread waits until one that has lost a wake-up sends it a signal.
TEST(LostWakeUps, AreLostBesideAWaitForASignal) {
  const ExploreResult result = Walk([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::atomic<uint32_t> word{0};
    std::thread other([&word, boss = pthread_self()] {
      while (word.load() == 0) syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr);
      pthread_kill(boss, SIGUSR1);
    });
    word.store(1);  // and does not wake
    int signal = 0;
    sigwait(&set, &signal);
    other.join();
  });
  EXPECT_EQ(result.verdict.signature, "deadlock|lost wake-up") << result.verdict.message;
}

TEST(LostWakeUps, CorrectUseHasNone) {
  ExpectPass(Walk([] {
    std::mutex mutex;
    std::condition_variable changed;
    bool ready = false;
    std::thread other([&] {
      const std::lock_guard lock(mutex);
      ready = true;
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      while (!ready) changed.wait(lock);
    }
    other.join();
  }));
}

}  // namespace
}  // namespace jacquard
