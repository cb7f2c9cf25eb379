// What each strategy is for: a bug that it finds soon, and the random walk not at all. And what all
// strategies have in common.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/execute.h"
#include "sim/explore.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"
#include "sim/strategies.h"
#include "tests/sim/many_kinds_of_picks.h"

namespace jacquard {

// For all that the compiler knows, others use it, too.
std::atomic<int> word_of_nobody;

namespace {

void JoinAll(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

// Wrong only where the thread's one step comes after forty others, which have nothing to do with
// it.
void OneThreadIsLate() {
  std::atomic<int> flag{0};
  std::atomic<int> word{0};
  std::thread late([&] {
    flag.store(1);
    word.load();
  });
  for (int i = 0; i < 40; ++i) word.store(i);
  Check(flag.load() == 1, "the thread has come in the meantime");
  late.join();
}

// The same, on two objects that the threads do not have in common.
void OneThreadIsLateByItself() {
  std::atomic<int> flag{0};
  std::atomic<int>& word = word_of_nobody;
  std::thread late([&] { flag.store(1); });
  for (int i = 0; i < 40; ++i) word.store(i);
  Check(flag.load() == 1, "the thread has come in the meantime");
  late.join();
}

// Wrong only where both short threads come after the long one, in the order of their numbers.
void TwoThreadsAreLate() {
  std::atomic<int> order{0};
  std::thread first([&] {
    if (order.load() == 30) order.store(100);
  });
  std::thread second([&] { Check(order.load() != 100, "the first thread is late, too"); });
  for (int i = 0; i < 30; ++i) order.fetch_add(1);
  first.join();
  second.join();
}

// Wrong only where the steps of two threads on one object alternate, though one of them does much
// else in between.
void StepsAlternate() {
  constexpr int kRounds = 3;
  std::atomic<int> turn{0};
  std::atomic<int> noise{0};
  std::atomic<int> in_turn{0};
  std::thread slow([&] {
    for (int round = 0; round < kRounds; ++round) {
      if (turn.fetch_add(1) == 2 * round) in_turn.fetch_add(1);
      for (int i = 0; i < 12; ++i) noise.fetch_add(1);
    }
  });
  std::thread fast([&] {
    noise.load();
    for (int round = 0; round < kRounds; ++round) {
      if (turn.fetch_add(1) == 2 * round + 1) in_turn.fetch_add(1);
    }
  });
  slow.join();
  fast.join();
  Check(in_turn.load() < 2 * kRounds, "they do not alternate all the time");
}

// Wrong only where one thread gets through several steps before any of many others begins.
void ReaderComesFirst() {
  std::atomic<int> word{0};
  std::atomic<int> steps{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      steps.load();
      word.fetch_add(1);
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 6; ++i) steps.fetch_add(1);
    Check(word.load() != 0, "somebody has written");
  });
  JoinAll(threads);
}

// Wrong only where one thread is interrupted in the middle, and another runs from beginning to end.
void OneInterruption() {
  std::atomic<int> a{0};
  std::atomic<int> b{0};
  std::thread first([&] {
    for (int i = 0; i < 30; ++i) a.fetch_add(1);
  });
  std::thread second([&] {
    const int before = a.load();
    for (int i = 0; i < 30; ++i) b.fetch_add(1);
    Check(before != 17 || a.load() != 17, "the first thread goes on in the meantime");
  });
  first.join();
  second.join();
}

// Wrong only where ten threads run in the order of their numbers, but one takes its second step
// after all others.
void OneIsPassedOver() {
  constexpr int kThreads = 10;
  std::atomic<int> next{0};
  std::atomic<bool> in_order{true};
  std::atomic<int> second{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      if (next.fetch_add(1) != i) in_order = false;
      const int done = second.fetch_add(1);
      if (i == 4 && in_order) Check(done != kThreads - 1, "nobody is passed over");
    });
  }
  JoinAll(threads);
}

// Wrong only where exactly one of many reads is of an old value.
void OneOldValue() {
  constexpr int kWords = 60;
  std::atomic<int> words[kWords] = {};
  std::thread writer([&] {
    for (std::atomic<int>& word : words) word.store(1, std::memory_order_relaxed);
  });
  std::thread reader([&] {
    int old = 0;
    if (words[kWords - 1].load(std::memory_order_relaxed) == 0) return;
    for (const std::atomic<int>& word : words) old += word.load(std::memory_order_relaxed) == 0;
    Check(old != 1, "all values are new, or more than one is old");
  });
  writer.join();
  reader.join();
}

// Wrong only where two threads alternate in each of their rounds, and a third one comes last.
void TwoThreadsOvertakeEachOther() {
  constexpr int kRounds = 5;
  constexpr int kMost = 144;  // the Fibonacci number 2 + 2 * kRounds
  std::mutex mutex;
  int a = 1;
  int b = 1;
  const auto add = [&mutex](int& to, const int& number) {
    for (int round = 0; round < kRounds; ++round) {
      const std::lock_guard lock(mutex);
      to += number;
    }
  };
  std::thread first([&] { add(a, b); });
  std::thread second([&] { add(b, a); });
  std::thread reader([&] {
    const std::lock_guard lock(mutex);
    Check(a < kMost && b < kMost, "as large as it can become");
  });
  first.join();
  second.join();
  reader.join();
}

struct Purpose {
  const char* strategy;
  void (*body)();
  uint64_t executions;  // it finds the bug within so many; the random walk does not
  MemoryMode memory = MemoryMode::kSc;
};

std::ostream& operator<<(std::ostream& out, const Purpose& purpose) {
  return out << purpose.strategy;
}

constexpr Purpose kPurposes[] = {
    {"random:0.05", OneThreadIsLate, 100},
    {"pct", OneThreadIsLate, 100},
    {"pctwm", OneOldValue, 300, MemoryMode::kRc11},
    {"pos", OneThreadIsLateByItself, 300},
    {"urw", TwoThreadsAreLate, 5000},
    {"surw", StepsAlternate, 2000},
    {"turns", TwoThreadsOvertakeEachOther, 1000},
    {"rff", ReaderComesFirst, 100},
    {"dfs:1", OneInterruption, 100},
    {"delays:1", OneIsPassedOver, 100},
    {"sleep", OneThreadIsLateByItself, 10},
};

ExploreResult Search(const std::string& name, const std::function<void()>& body,
                     uint64_t executions, MemoryMode memory) {
  const std::unique_ptr<Strategy> strategy = MakeStrategy(name, 1);
  ExploreOptions options;
  options.executions = executions;
  options.execution.memory = memory;
  return Explore(body, *strategy, options);
}

class WhatItIsFor : public testing::TestWithParam<Purpose> {};

TEST_P(WhatItIsFor, IsFoundSoonAndNotByTheRandomWalk) {
  const auto& [strategy, body, executions, memory] = GetParam();
  const ExploreResult walk = Search("random", body, executions, memory);
  EXPECT_EQ(walk.failures, 0u) << "the random walk: after " << walk.executions << ": "
                               << walk.verdict.message;
  const ExploreResult search = Search(strategy, body, executions, memory);
  EXPECT_EQ(search.failures, 1u) << "in " << search.executions << " executions";
  EXPECT_FALSE(search.not_deterministic);
}

TEST_P(WhatItIsFor, IsFoundByThePortfolio) {
  const auto& [strategy, body, executions, memory] = GetParam();
  const ExploreResult search = Search("portfolio", body, 40 * executions, memory);
  EXPECT_EQ(search.failures, 1u) << "in " << search.executions << " executions";
}

std::string NameOfTest(const std::string& strategy) {
  std::string name;
  for (const char c : strategy) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Strategies, WhatItIsFor, testing::ValuesIn(kPurposes),
                         [](const testing::TestParamInfo<Purpose>& info) {
                           return NameOfTest(info.param.strategy);
                         });

// ---- what they have in common

class EachStrategy : public testing::TestWithParam<std::string> {};

// The schedules of so many executions; of each, repeated in between, the same twice.
std::vector<uint64_t> Schedules(const std::string& name, uint64_t seed, int executions,
                                int repetitions) {
  ManyKindsOfPicks program;
  const std::unique_ptr<Strategy> strategy = MakeStrategy(name, seed);
  std::vector<uint64_t> schedules;
  for (int i = 0; i < executions && strategy->BeginExecution(); ++i) {
    const Verdict verdict = Execute(program, *strategy, {});
    schedules.push_back(LastSchedule());
    for (int again = 0; again < repetitions; ++again) {
      EXPECT_TRUE(strategy->RepeatExecution());
      Execute(program, *strategy, {});
      EXPECT_EQ(LastSchedule(), schedules.back()) << "execution " << i;
    }
    strategy->EndExecution(verdict);
  }
  return schedules;
}

TEST_P(EachStrategy, RepeatsAnExecution) {
  const std::vector<uint64_t> schedules = Schedules(GetParam(), 1, 300, 2);
  EXPECT_EQ(schedules, Schedules(GetParam(), 1, 300, 0)) << "repetitions leave no trace";
}

// Two permits for three threads; who gets none asks again at once.
void ThreeThreadsAskForTwoPermits() {
  std::mutex mutex;
  int permits = 2;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (bool mine = false; !mine;) {
        const std::lock_guard lock(mutex);
        mine = permits > 0;
        if (mine) --permits;
      }
      const std::lock_guard lock(mutex);
      ++permits;
    });
  }
  JoinAll(threads);
}

// Else the thread that asks in vain goes on until the runtime gives every thread its turn: after
// ExecutionOptions().unfair_steps. Systematic strategies go there because they go everywhere.
TEST(RandomStrategies, LetWhoIsWaitedForComeToo) {
  for (const char* const name : {"random", "random:0.1", "pct", "pctwm", "pos", "urw", "surw",
                                 "turns", "rff", "portfolio"}) {
    const ExploreResult result =
        Search(name, ThreeThreadsAskForTwoPermits, 1000, MemoryMode::kRc11);
    EXPECT_EQ(result.failures, 0u) << name << ": " << result.verdict.message;
    EXPECT_LT(result.steps, 200 * result.executions) << name;
  }
}

// Two threads take turns, unless one of them is let go on for some steps. The first thread prepares
// something before that, when nobody else is there or can run.
void TakeTurnsAfter(int preparation, bool others_are_there) {
  std::mutex mutex;
  std::condition_variable start;
  bool has_started = false;
  std::atomic<int> number{0};
  const auto begin = [&] {
    std::unique_lock<std::mutex> lock(mutex);
    start.wait(lock, [&has_started] { return has_started; });
  };
  const auto prepare = [&] {
    for (int i = 0; i < preparation; ++i) number.store(0);
    const std::lock_guard<std::mutex> lock(mutex);
    has_started = true;
    start.notify_all();
  };
  if (!others_are_there) prepare();
  std::thread adds([&] {
    begin();
    for (int i = 0; i < 5; ++i) ++number;
  });
  std::thread looks([&] {
    begin();
    const int seen = number.load();
    Check(number.load() < seen + 5, "the other thread has not run on");
  });
  if (others_are_there) prepare();
  adds.join();
  looks.join();
}

TEST(RandomStrategies, ExploreWhatComesBehindALongPreparation) {
  ExecutionOptions options = {.spurious_wake_ups = kNever};
  options.unfair_steps = 200;
  for (const bool others_are_there : {false, true}) {
    RandomWalk walk(1);
    const ExploreResult result =
        Explore([=] { TakeTurnsAfter(others_are_there ? 1000 : 10'000, others_are_there); }, walk,
                {.executions = 2000, .execution = options});
    EXPECT_EQ(result.failures, 1u) << others_are_there;
  }
}

// Whoever waits gives up after so many looks: what it does then nobody sees unless the others let
// it look on.
void GivesUp(int looks, void (*look)()) {
  std::atomic<bool> is_ready{false};
  std::thread other([&] {
    for (int i = 0; i < looks; ++i) {
      if (is_ready.load()) return;
      look();
    }
    Check(false, "it has given up");
  });
  is_ready.store(true);
  other.join();
}

TEST(RandomStrategies, LetALoopGiveUp) {
  for (const char* const name : {"pct", "pctwm", "portfolio"}) {
    const ExploreResult spins =
        Search(name, [] { GivesUp(20'000, [] {}); }, 200'000, MemoryMode::kRc11);
    EXPECT_EQ(spins.failures, 1u) << name;
    // That it looks on is not chosen at each step.
    EXPECT_LT(std::ranges::count_if(spins.trace.events,
                                    [](const TraceEvent& event) { return event.choice != 0; }),
              200)
        << name;
    const ExploreResult yields =
        Search(name, [] { GivesUp(2'000, std::this_thread::yield); }, 200'000, MemoryMode::kRc11);
    EXPECT_EQ(yields.failures, 1u) << name;
  }
}

std::vector<std::string> AllStrategies() {
  std::vector<std::string> names;
  for (const StrategyType& type : StrategyTypes()) names.emplace_back(type.name);
  for (const char* const name : {"random:0.1", "pct:5", "pctwm:2:1", "dfs:2:1", "delays:3:0"})
    names.emplace_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Strategies, EachStrategy, testing::ValuesIn(AllStrategies()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return NameOfTest(info.param);
                         });

TEST(MakeStrategy, RefusesWhatAStrategyDoesNotTake) {
  for (const char* const name :
       {"",         "nobody",      "random:",     "random:2",       "random:-1", "random:0.1:2",
        "pct:0",    "pct:1.5",     "pct:1:1",     "pct:x",          "pos:1",     "urw:1",
        "surw:0",   "turns:1",     "rff:3",       "sleep:1",        "dfs:1:2:3", "dfs:1e1",
        "delays:x", "portfolio:1", "pctwm:1:2:3", "dfs:99999999999"}) {
    EXPECT_EQ(MakeStrategy(name, 1), nullptr) << name;
  }
}

}  // namespace
}  // namespace jacquard
