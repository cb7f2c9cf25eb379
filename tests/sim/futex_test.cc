// The futex system call.
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

uint32_t* Word(std::atomic<uint32_t>& word) { return reinterpret_cast<uint32_t*>(&word); }

long Wait(std::atomic<uint32_t>& word, uint32_t expected, const timespec* timeout = nullptr) {
  return syscall(SYS_futex, Word(word), FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0);
}

long WaitUntil(std::atomic<uint32_t>& word, uint32_t expected, const timespec* deadline,
               uint32_t bits = FUTEX_BITSET_MATCH_ANY) {
  return syscall(SYS_futex, Word(word), FUTEX_WAIT_BITSET_PRIVATE, expected, deadline, nullptr,
                 bits);
}

long Wake(std::atomic<uint32_t>& word, int count) {
  return syscall(SYS_futex, Word(word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

long WakeBits(std::atomic<uint32_t>& word, int count, uint32_t bits) {
  return syscall(SYS_futex, Word(word), FUTEX_WAKE_BITSET_PRIVATE, count, nullptr, nullptr, bits);
}

// How often the outcomes of `body`, which it writes down, came up in at most `most` executions.
std::map<std::string, int> Outcomes(Strategy& strategy, int most,
                                    const std::function<void(std::string& outcome)>& body) {
  std::map<std::string, int> outcomes;
  char kept[100] = {};
  for (int i = 0; i < most && strategy.BeginExecution(); ++i) {
    Closure program([&] {
      std::string outcome;
      body(outcome);
      memcpy(kept, outcome.c_str(), outcome.size() + 1);
    });
    const Verdict verdict = Execute(program, strategy, WithoutSpuriousWakeUps());
    strategy.EndExecution(verdict);
    ++outcomes[verdict.passed() ? std::string(kept) : verdict.signature];
  }
  return outcomes;
}

// The same in a search of all executions.
std::map<std::string, int> Outcomes(const std::function<void(std::string& outcome)>& body) {
  DepthFirst search;
  return Outcomes(search, 1'000'000, body);
}

TEST(Futex, ComparesBeforeItSleeps) {
  const ExploreResult result = SearchAll([] {
    std::atomic<uint32_t> word{1};
    Check(Wait(word, 0) == -1 && errno == EAGAIN, "another value: not asleep");
    std::thread waker([&] {
      word.store(2);
      (void)Wake(word, 1);
    });
    const long waited = Wait(word, 1);
    Check(waited == 0 || errno == EAGAIN, "woken, or too late to sleep");
    waker.join();
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

// A condition variable whose word is written plainly, under a lock. The kernel's comparison is no
// access of the program's; the waiter's own read is.
ExploreResult WaitForAWordThatIsWrittenPlainly(bool reads_under_lock) {
  return SearchAll([reads_under_lock] {
    std::mutex mutex;
    uint32_t word = 0;
    bool is_ready = false;
    std::thread waiter([&] {
      for (;;) {
        uint32_t before = reads_under_lock ? 0 : word;
        {
          const std::lock_guard lock(mutex);
          if (is_ready) return;
          if (reads_under_lock) before = word;
        }
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, before, nullptr, nullptr, 0);
      }
    });
    {
      const std::lock_guard lock(mutex);
      is_ready = true;
      ++word;
    }
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    waiter.join();
  });
}

TEST(Futex, AWordMayBeWrittenPlainlyUnderALock) {
  ExpectPass(WaitForAWordThatIsWrittenPlainly(true));
}

TEST(Futex, AWordThatIsReadWithoutItRaces) {
  EXPECT_EQ(WaitForAWordThatIsWrittenPlainly(false).verdict.kind, VerdictKind::kRace);
}

TEST(Futex, MayWakeUpForNoReason) {
  const auto body = [] {
    std::atomic<uint32_t> word{0};
    std::thread waiter([&] {
      Check(Wait(word, 0) == 0 || errno == EAGAIN, "woken");
      Check(word.load() == 1, "for a reason");
    });
    word.store(1);
    (void)Wake(word, 1);
    waiter.join();
  };
  // On strong memory: being woken orders nothing.
  ExecutionOptions options = {.memory = MemoryMode::kSc};
  const ExploreResult result = SearchAll(body, DepthFirst::kUnbounded, options);
  EXPECT_EQ(result.verdict.signature, "invariant|for a reason");
  options.spurious_wake_ups = kNever;
  const ExploreResult never = SearchAll(body, DepthFirst::kUnbounded, options);
  EXPECT_TRUE(never.verdict.passed()) << never.verdict.message;
  EXPECT_TRUE(never.exhausted);
}

TEST(Futex, AWaitLoopEndsAlthoughItIsWokenForNoReason) {
  const ExploreResult result = SearchAll([] {
    std::atomic<uint32_t> word{0};
    std::thread waiter([&] {
      while (word.load() == 0) (void)Wait(word, 0);
    });
    word.store(1);
    (void)Wake(word, 1);
    waiter.join();
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(Futex, SpuriousWakeUpsAreBounded) {
  const auto body = [](int most) {
    std::atomic<uint32_t> words[3] = {};
    int woken = 0;
    std::thread waiter([&] {
      const timespec hour = {3600, 0};
      for (std::atomic<uint32_t>& word : words) woken += Wait(word, 0, &hour) == 0;
    });
    waiter.join();
    Check(woken <= most, "no more than that");
    Check(woken < most, "less than that");
  };
  for (const int most : {1, 2, 3}) {
    ExecutionOptions options = TestOptions();
    options.spurious_wake_ups = static_cast<uint32_t>(most);
    EXPECT_EQ(Walk([&] { body(most); }, 1000, options).verdict.signature,
              "invariant|less than that");
  }
}

class Requeue : public testing::TestWithParam<int> {};

TEST_P(Requeue, LetsTheOthersWaitElsewhere) {
  const auto outcomes = Outcomes([](std::string& outcome) {
    std::atomic<uint32_t> from{0}, to{0};
    auto wait = [&] { (void)Wait(from, 0); };
    std::thread a(wait), b(wait);
    const long moved = syscall(SYS_futex, &from, GetParam(), 1, INT_MAX, &to, 0);
    from.store(1);
    outcome = std::to_string(moved) + " " + std::to_string(Wake(to, INT_MAX));
    (void)Wake(from, INT_MAX);
    a.join();
    b.join();
    Check(syscall(SYS_futex, &from, FUTEX_CMP_REQUEUE, 1, 1, &to, 0) == -1 && errno == EAGAIN,
          "another value");
    Check(syscall(SYS_futex, &from, FUTEX_REQUEUE, 1, 1, &to, 0) == 0, "nobody there");
  });
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_TRUE(outcomes.contains("0 0") && outcomes.contains("1 0") && outcomes.contains("2 1"));
}
INSTANTIATE_TEST_SUITE_P(Futex, Requeue,
                         testing::Values(FUTEX_REQUEUE_PRIVATE, FUTEX_CMP_REQUEUE_PRIVATE));

TEST(Futex, RefusesWhatIsNoWordAndNoNumber) {
  ExpectPass(Walk([] {
    alignas(8) char bytes[16] = {};
    const auto refused = [&](size_t at, int operation, int count, int more, size_t other) {
      return syscall(SYS_futex, bytes + at, operation, count, more, bytes + other, 0) == -1 &&
             errno == EINVAL;
    };
    Check(refused(1, FUTEX_WAKE, 1, 0, 0), "a wake-up");
    Check(refused(2, FUTEX_WAIT, 0, 0, 0), "a wait");
    Check(refused(0, FUTEX_CMP_REQUEUE, 1, 1, 6), "the other one");
    Check(refused(0, FUTEX_REQUEUE, -1, 1, 4), "less than none to wake");
    Check(refused(0, FUTEX_REQUEUE, 1, -1, 4), "less than none to move");
    TakeStep();
  }));
}

// Linux does not look whether anything is there.
TEST(Futex, RequeueToNowhereIsADeadlock) {
  const auto body = [] {
    std::atomic<uint32_t> from{0};
    std::thread waiter([&] { (void)Wait(from, 0); });
    syscall(SYS_futex, &from, FUTEX_REQUEUE_PRIVATE, 0, 1, nullptr, 0);
    from.store(1);
    (void)Wake(from, 1);
    waiter.join();
  };
  EXPECT_EQ(Walk(body).verdict.kind, VerdictKind::kDeadlock);
}

TEST(Futex, WakeTellsHowMany) {
  const auto outcomes = Outcomes([](std::string& outcome) {
    std::atomic<uint32_t> word{0};
    auto wait = [&] { (void)Wait(word, 0); };
    std::thread a(wait), b(wait);
    word.store(1);
    outcome = std::to_string(Wake(word, INT_MAX));
    a.join();
    b.join();
  });
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_TRUE(outcomes.contains("0") && outcomes.contains("1") && outcomes.contains("2"));
}

// As the kernel does not touch it: whoever waits for the word may be done with it, and with its
// memory.
TEST(Futex, WakeMayComeAfterTheWordIsGone) {
  const auto program = [](bool wakes_late) {
    return [wakes_late] {
      void* const page =
          mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      auto* const word = new (page) std::atomic<uint32_t>(1);
      std::thread waker([=] {
        word->store(0, std::memory_order_release);
        if (wakes_late) {
          Wake(*word, 1);
        } else {
          Check(word->load() == 0, "nobody else writes");
        }
      });
      while (word->load(std::memory_order_acquire) != 0) std::this_thread::yield();
      munmap(page, 4096);
      waker.join();
    };
  };
  ExpectPass(Walk(program(true)));
  ExpectVerdict(program(false), "crash|segmentation fault");
}

// The call that glibc used to make for condition variables.
TEST(Futex, WakeOpChangesTheOtherWord) {
  const auto outcomes = Outcomes([](std::string& outcome) {
    std::atomic<uint32_t> word{0}, other{1};
    std::thread a([&] { (void)Wait(word, 0); });
    std::thread b([&] { (void)Wait(other, 1); });
    // other = 0; wakes one there as well, since it was above 0
    const long woken = syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
                               FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_GT, 0));
    outcome = std::to_string(woken) + " " + std::to_string(other.load());
    word.store(1);
    (void)Wake(word, 1);
    a.join();
    b.join();
  });
  // Whoever sleeps on the other word is woken: after the change nobody begins to.
  EXPECT_EQ(outcomes.size(), 3u);
  EXPECT_TRUE(outcomes.contains("0 0") && outcomes.contains("1 0") && outcomes.contains("2 0"));
}

TEST(Futex, WakeOpComputesAndCompares) {
  struct Case {
    int operation;
    int operand;
    int comparison;
    int compared_with;
    uint32_t old;
    uint32_t result;
    bool wakes;
  };
  constexpr Case kCases[] = {
      {FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 5, 5, 7, true},
      {FUTEX_OP_ADD, -1, FUTEX_OP_CMP_NE, 5, 5, 4, false},
      {FUTEX_OP_OR, 8, FUTEX_OP_CMP_LT, 6, 5, 13, true},
      {FUTEX_OP_ANDN, 4, FUTEX_OP_CMP_LE, 4, 5, 1, false},
      {FUTEX_OP_XOR, 1, FUTEX_OP_CMP_GT, 4, 5, 4, true},
      {FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, 31, FUTEX_OP_CMP_GE, 0, ~0u, 1u << 31, false},
  };
  for (const Case& c : kCases) {
    const auto outcomes = Outcomes([&c](std::string& outcome) {
      std::atomic<uint32_t> word{0}, other{c.old};
      std::thread waiter([&] { (void)Wait(other, c.old); });
      const auto program =
          static_cast<uint32_t>(FUTEX_OP(c.operation, c.operand, c.comparison, c.compared_with));
      outcome =
          std::to_string(syscall(SYS_futex, Word(word), FUTEX_WAKE_OP, 1, 1, Word(other), program));
      Check(other.load() == c.result, "the result");
      (void)Wake(other, 1);
      waiter.join();
    });
    EXPECT_TRUE(outcomes.contains("0"));
    EXPECT_EQ(outcomes.contains("1"), c.wakes) << c.operation;
    EXPECT_EQ(outcomes.size(), c.wakes ? 2u : 1u) << c.operation;
  }
}

TEST(Futex, WakeOpRefusesWhatIsNone) {
  const auto outcomes = Outcomes([](std::string& outcome) {
    std::atomic<uint32_t> word{0}, other{1};
    for (const uint32_t program : {5u << 28, 6u << 24}) {
      Check(syscall(SYS_futex, Word(word), FUTEX_WAKE_OP, 1, 1, Word(other), program) == -1 &&
                errno == ENOSYS,
            "refused");
    }
    outcome = "refused";
  });
  EXPECT_TRUE(outcomes.contains("refused"));
}

TEST(Futex, AnyWaiterMayBeWoken) {
  RandomWalk walk(1);
  const auto outcomes = Outcomes(walk, 3000, [](std::string& outcome) {
    std::atomic<uint32_t> word{0};
    std::string order;
    auto wait = [&](char name) {
      (void)Wait(word, 0);
      const Ghost ghost;
      order += name;
    };
    std::thread a(wait, 'a'), b(wait, 'b'), c(wait, 'c');
    const timespec long_enough = {1, 0};
    nanosleep(&long_enough, nullptr);
    long woken = 0;
    while (woken < 3) {
      const long now = Wake(word, 1);
      if (now == 0) nanosleep(&long_enough, nullptr);
      woken += now;
      if (now == 1) nanosleep(&long_enough, nullptr);
    }
    a.join();
    b.join();
    c.join();
    outcome = order;
  });
  std::set<std::string> orders;
  for (const auto& [order, times] : outcomes) orders.insert(order);
  EXPECT_EQ(orders, (std::set<std::string>{"abc", "acb", "bac", "bca", "cab", "cba"}));
}

TEST(Futex, LongestWaiterIsTheBenignChoice) {
  class First : public Strategy {
   public:
    bool BeginExecution() override { return true; }
    int Choose(const Pick& pick) override {
      wake_picks += pick.kind == PickKind::kWakeOrder;
      return 0;
    }
    int wake_picks = 0;
  } strategy;
  ExploreOptions options;
  options.executions = 1;
  const ExploreResult result = Explore(
      [] {
        std::atomic<uint32_t> word{0};
        std::atomic<int> turn{0};  // being woken orders nothing
        auto wait = [&](int place) {
          (void)Wait(word, 0);
          Check(turn++ == place, "in the order of falling asleep");
        };
        std::thread a(wait, 0), b(wait, 1), c(wait, 2);
        std::this_thread::sleep_for(milliseconds(1));
        for (int i = 0; i < 3; ++i) {
          Check(Wake(word, 1) == 1, "one is woken");
          std::this_thread::sleep_for(milliseconds(1));
        }
        a.join();
        b.join();
        c.join();
      },
      strategy, options);
  ExpectPass(result);
  EXPECT_EQ(strategy.wake_picks, 2);
}

TEST(Futex, BitsSelectWaiters) {
  const ExploreResult result = Walk(
      [] {
        std::atomic<uint32_t> word{0};
        std::atomic<int> woken{0};
        std::thread a([&] {
          (void)WaitUntil(word, 0, nullptr, 1);
          woken.fetch_add(1);
        });
        std::thread b([&] {
          (void)WaitUntil(word, 0, nullptr, 2);
          woken.fetch_add(2);
        });
        long count = 0;
        while ((count = WakeBits(word, INT_MAX, 2)) == 0) std::this_thread::yield();
        Check(count == 1, "one of them matches");
        while (woken.load() == 0) std::this_thread::yield();
        Check(woken.load() == 2, "the right one");
        while (WakeBits(word, INT_MAX, 5) == 0) std::this_thread::yield();
        a.join();
        b.join();
      },
      1000, WithoutSpuriousWakeUps());
  ExpectPass(result);
  const ExploreResult none = Walk([] {
    std::atomic<uint32_t> word{0};
    word.store(0);
    Check(WaitUntil(word, 0, nullptr, 0) == -1 && errno == EINVAL, "no bits: refused");
    Check(WakeBits(word, 1, 0) == -1 && errno == EINVAL, "no bits: refused");
  });
  EXPECT_TRUE(none.verdict.passed()) << none.verdict.message;
}

TEST(Futex, TimedWaitEndsInBothWays) {
  const auto outcomes = Outcomes([](std::string& outcome) {
    std::atomic<uint32_t> word{0};
    std::thread waker([&] {
      word.store(1);
      (void)Wake(word, 1);
    });
    const timespec hour = {3600, 0};
    const auto start = steady_clock::now();
    const long waited = Wait(word, 0, &hour);
    const int error = errno;
    const auto elapsed = steady_clock::now() - start;
    outcome = waited == 0 ? "woken" : error == ETIMEDOUT ? "timed out" : "too late";
    Check((elapsed >= std::chrono::hours(1)) == (outcome == "timed out"), "time has passed");
    waker.join();
  });
  EXPECT_EQ(outcomes.size(), 3u);
  EXPECT_TRUE(outcomes.contains("woken") && outcomes.contains("timed out") &&
              outcomes.contains("too late"));
}

TEST(Futex, AbsoluteDeadline) {
  const ExploreResult result = Walk(
      [] {
        std::atomic<uint32_t> word{0};
        timespec deadline;
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_sec += 100;
        Check(WaitUntil(word, 0, &deadline) == -1 && errno == ETIMEDOUT, "nobody wakes it");
        timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        Check(now.tv_sec >= deadline.tv_sec && now.tv_sec <= deadline.tv_sec + 1,
              "at the deadline");
        Check(WaitUntil(word, 0, &deadline) == -1 && errno == ETIMEDOUT, "it is over");
        const timespec wrong = {1, 2'000'000'000};
        Check(WaitUntil(word, 0, &wrong) == -1 && errno == EINVAL, "no such time");
      },
      1000, WithoutSpuriousWakeUps());
  ExpectPass(result);
}

TEST(Futex, BenignChoiceDoesNotTimeOut) {
  BenignPicks strategy;
  ExploreOptions options;
  options.executions = 1;
  const ExploreResult result = Explore(
      [] {
        std::atomic<uint32_t> word{0};
        std::thread other([&] {
          for (int i = 0; i < 100; ++i) word.fetch_add(0);
          (void)Wake(word, 1);
        });
        const timespec moment = {0, 1};
        Check(Wait(word, 0, &moment) == 0, "woken");
        other.join();
      },
      strategy, options);
  ExpectPass(result);
}

}  // namespace
}  // namespace jacquard
