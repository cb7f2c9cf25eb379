// Threads that wait for a plain variable without a step: others run, the race is found, and who
// waits for ever is in a deadlock. Loops that only compute for long are left alone.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <locale>
#include <memory>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/uninstrumented.h"

// As headers declare them by themselves.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);

namespace jacquard {
namespace {

constexpr bool kFindsRaces = kTestMemory == MemoryMode::kRc11;

volatile int ready;
int data;

// With a race where races are looked for; else it passes.
void ExpectRaceOf(const std::function<void()>& body, const std::string& signature) {
  const std::string expected = kFindsRaces ? signature : "";
  const ExploreResult result = Walk(body, 20);
  EXPECT_EQ(result.verdict.signature, expected) << result.verdict.message;
  EXPECT_FALSE(result.not_deterministic);
}

void WaitForFlag() {
  ready = 0;
  data = 0;
  std::thread writer([] {
    data = 42;
    ready = 1;
  });
  while (ready == 0) {
  }
  Check(data == 42, "what was written before the flag");
  writer.join();
}

TEST(PlainLoops, AFlagIsWaitedFor) {
  EXPECT_EQ(RunBenign(WaitForFlag).signature, kFindsRaces ? "race|plain read and plain write" : "");
  ExpectRaceOf(WaitForFlag, "race|plain read and plain write");
}

TEST(PlainLoops, ATestAndSetLockIsTestedPlainly) {
  ExpectRaceOf(
      [] {
        static volatile int word;
        word = 0;
        data = 0;
        const auto add = [] {
          while (__sync_lock_test_and_set(&word, 1) != 0) {
            while (word != 0) __builtin_ia32_pause();
          }
          data = data + 1;
          TakeStep();
          __sync_lock_release(&word);
        };
        std::thread other(add);
        add();
        other.join();
        Check(data == 2, "two have added 1");
      },
      "race|atomic write and plain read");
}

TEST(PlainLoops, OthersThatLoopRunToo) {
  ExpectRaceOf(
      [] {
        static volatile int turn;
        turn = 0;
        const auto wait = [](int until) {
          while (turn != until) {
          }
          turn = until + 1;
        };
        std::thread second(wait, 1);
        std::thread third(wait, 2);
        std::thread first(wait, 0);
        wait(3);
        first.join();
        second.join();
        third.join();
      },
      "race|plain read and plain write");
}

// Each turn writes, so the spin detector has nothing to say.
TEST(PlainLoops, ALoopThatCountsItsTurnsLetsOthersRun) {
  ExpectRaceOf(
      [] {
        static uint64_t turns;
        turns = 0;
        ready = 0;
        std::thread writer([] { ready = 1; });
        while (ready == 0) turns = turns + 1;
        writer.join();
      },
      "race|plain read and plain write");
}

TEST(PlainLoops, ATextIsComparedUntilItChanges) {
  ExpectRaceOf(
      [] {
        static char text[8];
        std::memcpy(text, "wait", 5);
        std::thread writer([] { std::memcpy(text, "go", 3); });
        while (std::memcmp(text, "go", 3) != 0) __asm__ volatile("" ::: "memory");
        writer.join();
      },
      "race|plain read and plain write");
}

#ifndef JACQUARD_TEST_SC  // there the heap's plain reads are not counted
TEST(PlainLoops, AFlagOnTheHeapIsWaitedFor) {
  ExpectRaceOf(
      [] {
        const auto flag = std::make_unique<int>(0);
        volatile int* const waits_for = flag.get();
        std::thread writer([&] { *waits_for = 1; });
        while (*waits_for == 0) {
        }
        writer.join();
      },
      "race|plain read and plain write");
}
#endif

// Here, too, where the spin detector knows of the global flag alone: in the second half of the
// steps it looks again.
TEST(PlainLoops, OneOfTwoFlagsIsOnTheHeap) {
  ExpectRaceOf(
      [] {
        const auto flag = std::make_unique<int>(0);
        volatile int* const done = flag.get();
        std::atomic<bool> finished{false};
        ready = 0;
        std::thread waiter([&] {
          while (ready == 0 && *done == 0) {
          }
          finished = true;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        *done = 1;
        while (!finished) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        waiter.join();
      },
      "race|plain read and plain write");
}

// Whoever sleeps is woken by the passing of time, as where nobody else can run.
TEST(PlainLoops, AFlagIsSetAfterASleep) {
  ExpectRaceOf(
      [] {
        ready = 0;
        std::thread writer([] {
          for (int i = 0; i < 10; ++i) std::this_thread::sleep_for(std::chrono::seconds(1));
          ready = 1;
        });
        while (ready == 0) {
        }
        writer.join();
      },
      "race|plain read and plain write");
}

TEST(PlainLoops, ARaceThatIsMeantIsWaitedFor) {
  const auto body = [] {
    ready = 0;
    std::thread writer([] {
      AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
      ready = 1;
      AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    });
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    while (ready == 0) {
    }
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    writer.join();
  };
  EXPECT_EQ(RunBenign(body).message, "");
  ExpectPass(Walk(body, 20));
}

TEST(PlainLoops, WhoWaitsForEverIsInADeadlock) {
  const auto body = [] {
    ready = 0;
    std::thread other([] { TakeStep(); });
    while (ready == 0) {
    }
    other.join();
  };
  const Verdict verdict = RunBenign(body);
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << verdict.message;
  EXPECT_NE(verdict.message.find("spins on"), std::string::npos) << verdict.message;
}

// The signal of a timer comes where nobody else can run, to who spins as well.
TEST(PlainLoops, AHandlerSetsTheFlag) {
  const auto body = [](auto& flag) {
    flag = 0;
    std::thread other([] { TakeStep(); });
    alarm(1);
    while (flag == 0) {
    }
    other.join();
  };
  static volatile sig_atomic_t plain_flag;
  static std::atomic<int> atomic_flag;
  ExpectPass(Walk(
      [] {
        plain_flag = 0;
        signal(SIGALRM, [](int) { plain_flag = 1; });
        alarm(1);
        while (plain_flag == 0) {
        }
        TakeStep();
      },
      20));
  ExpectPass(Walk(
      [&] {
        signal(SIGALRM, [](int) { plain_flag = 1; });
        body(plain_flag);
      },
      20));
  ExpectPass(Walk(
      [&] {
        signal(SIGALRM, [](int) { atomic_flag = 1; });
        body(atomic_flag);
      },
      20));
}

// Long enough to be looked at several times. Nothing is written to memory meanwhile.
int Compute(const std::array<int, 1000>& table) {
  int sum = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    for (const volatile int& entry : table) sum ^= entry + turn;
  }
  return sum;
}

void ComputeTwice() {
  static std::array<int, 1000> table;
  for (int i = 0; i < 1000; ++i) table[i] = i;
  int first = 0;
  std::thread other([&] { first = Compute(table); });
  const int second = Compute(table);
  other.join();
  Check(first == second, "the same sum");
}

TEST(PlainLoops, WhoComputesIsHardlyDisturbed) {
  BenignPicks benign;
  ExploreOptions options;
  options.execution = TestOptions();
  options.executions = 1;
  const ExploreResult result = Explore(ComputeTwice, benign, options);
  EXPECT_EQ(result.verdict.message, "");
  EXPECT_LT(result.steps, 3000u);  // of six million reads
  ExpectPass(Walk(ComputeTwice, 3));
}

// A loop that ends by a counter that nobody can see, while nobody else can run.
TEST(PlainLoops, HiddenCountersAreNoDeadlock) {
  const auto body = [] {
    ready = 0;
    std::atomic<int> done{0};
    std::thread sleeper([&] { done.wait(0); });
    ResetHiddenCounter();
    while (ready == 0 && CountHidden() < 5'000'000) {
    }
    done.store(1);
    done.notify_all();
    sleeper.join();
  };
  EXPECT_EQ(RunBenign(body).message, "");
}

// Reads `count` times what nobody writes, behind calls of a function in a header that fills a cache
// of the C++ library: it reads that once where it fills it, and twice from then on. Returns how
// many steps that is.
uint64_t StepsOfReading(int count, char first, int characters) {
  static volatile int table[8];
  const uint64_t before = RuntimeCounters().steps;
  const Verdict verdict = RunBenign([=] {
    TakeStep();
    const auto& facet = std::use_facet<std::ctype<char>>(std::locale::classic());
    for (int i = 0; i < 100; ++i) facet.narrow(static_cast<char>(first + i % characters), 0);
    for (int i = 0; i < count; ++i) (void)table[i % 8];
  });
  EXPECT_EQ(verdict.message, "");
  return RuntimeCounters().steps - before;
}

// No execution takes back what is in the cache.
TEST(PlainLoops, WhatALibraryKeepsChangesNothing) {
  StepsOfReading(0, 'a', 1);
  int few = 0;
  int many = 1 << 20;
  const uint64_t steps_of_few = StepsOfReading(few, 'a', 1);
  ASSERT_GT(StepsOfReading(many, 'a', 1), steps_of_few);
  while (few + 1 < many) {
    const int middle = (few + many) / 2;
    (StepsOfReading(middle, 'a', 1) > steps_of_few ? many : few) = middle;
  }
  const uint64_t first = StepsOfReading(many, '\x81', 100);
  EXPECT_EQ(StepsOfReading(many, '\x81', 100), first);
}

// A trace makes all accesses take other ways, and must change nothing.
TEST(PlainLoops, ATraceChangesNothing) {
  for (const auto& body : {std::function<void()>(ComputeTwice), std::function<void()>([] {
                             ready = 0;
                             std::thread other([] { TakeStep(); });
                             while (ready == 0) {
                             }
                             other.join();
                           })}) {
    Trace trace;
    const Verdict traced = RunBenign(body, &trace);
    const Verdict plain = RunBenign(body);
    EXPECT_EQ(traced.signature, plain.signature);
    EXPECT_EQ(traced.step, plain.step);
    EXPECT_EQ(traced.message, plain.message);
  }
}

}  // namespace
}  // namespace jacquard
