// The depth-first search executes every interleaving exactly once: counts against closed formulas
// and against a model that knows nothing of the engine. And what any strategy has chosen can be
// replayed.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sim/byte_string.h"
#include "sim/runtime.h"
#include "tests/sim/many_kinds_of_picks.h"
#include "tests/sim/searches.h"
#include "tests/sim/uninstrumented.h"

namespace jacquard {
namespace {

// ---- programs as data, and their model

enum class Act : uint8_t { kAtomic, kLockA, kUnlockA, kLockB, kUnlockB, kYield };
using Script = std::vector<std::vector<Act>>;

int MutexOf(Act act) {
  if (act == Act::kLockA || act == Act::kUnlockA) return 0;
  if (act == Act::kLockB || act == Act::kUnlockB) return 1;
  return -1;
}
bool IsLock(Act act) { return act == Act::kLockA || act == Act::kLockB; }

// Counts the runs of a script by trying every choice.
class Model {
 public:
  explicit Model(const Script& script) : script_(script) {}

  // With at most `bound` switches away from a thread that could go on; negative: any number.
  uint64_t CountRuns(int bound) const {
    State start;
    start.next.resize(script_.size());
    start.waits_for.assign(script_.size(), -1);
    return Count(start, -1, bound);
  }

 private:
  struct State {
    std::vector<size_t> next;
    std::vector<int> waits_for;
    std::array<int, 2> owner = {-1, -1};
  };

  bool CanRun(const State& state, size_t thread) const {
    return state.next[thread] < script_[thread].size() && state.waits_for[thread] < 0;
  }

  // Whether thread `running` keeps the processor unless somebody takes it away.
  uint64_t Count(const State& state, int running, int bound) const {
    const bool can_go_on = running >= 0 && CanRun(state, static_cast<size_t>(running));
    uint64_t count = 0;
    bool any = false;
    for (size_t thread = 0; thread < script_.size(); ++thread) {
      if (!CanRun(state, thread)) continue;
      any = true;
      const bool preempts = can_go_on && static_cast<int>(thread) != running;
      if (preempts && bound == 0) continue;
      count += Run(state, thread, preempts ? bound - 1 : bound);
    }
    return any ? count : 1;
  }

  uint64_t Run(State state, size_t thread, int bound) const {
    const Act act = script_[thread][state.next[thread]];
    const int mutex = MutexOf(act);
    if (IsLock(act) && state.owner[mutex] >= 0) {
      state.waits_for[thread] = mutex;
      return Count(state, static_cast<int>(thread), bound);
    }
    ++state.next[thread];
    if (IsLock(act)) state.owner[mutex] = static_cast<int>(thread);
    if (mutex >= 0 && !IsLock(act)) {
      state.owner[mutex] = -1;
      for (int& waits_for : state.waits_for) waits_for = waits_for == mutex ? -1 : waits_for;
    }
    return Count(state, static_cast<int>(thread), bound);
  }

  const Script& script_;
};

// The same script on threads.
void Perform(const Script& script) {
  static pthread_mutex_t mutexes[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
  static std::atomic<int> word;
  std::vector<std::thread> threads;
  for (const std::vector<Act>& acts : script) {
    threads.emplace_back([&acts] {
      for (const Act act : acts) {
        if (act == Act::kAtomic) {
          word.fetch_add(1);
        } else if (act == Act::kYield) {
          std::this_thread::yield();
        } else if (IsLock(act)) {
          pthread_mutex_lock(&mutexes[MutexOf(act)]);
        } else {
          pthread_mutex_unlock(&mutexes[MutexOf(act)]);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

uint64_t CountExecutions(const Script& script, int bound) {
  DepthFirst search(bound);
  ExploreOptions options;
  options.stop_at_first_bug = false;
  options.trace = false;
  const ExploreResult result = Explore([&] { Perform(script); }, search, options);
  EXPECT_TRUE(result.exhausted);
  return result.executions;
}

std::vector<Act> Atomics(int count) {
  return std::vector<Act>(static_cast<size_t>(count), Act::kAtomic);
}

TEST(DepthFirstSearch, CountsInterleavingsOfAtomics) {
  // (sum of the lengths)! / product of the factorials of the lengths
  const std::vector<std::pair<std::vector<int>, uint64_t>> cases = {
      {{1}, 1},        {{1, 1}, 2},     {{2, 1}, 3},       {{2, 2}, 6},        {{3, 2}, 10},
      {{3, 3}, 20},    {{4, 4}, 70},    {{5, 5}, 252},     {{1, 1, 1}, 6},     {{2, 1, 1}, 12},
      {{2, 2, 1}, 30}, {{2, 2, 2}, 90}, {{3, 3, 3}, 1680}, {{1, 1, 1, 1}, 24}, {{2, 2, 2, 2}, 2520},
  };
  for (const auto& [lengths, expected] : cases) {
    Script script;
    for (const int length : lengths) script.push_back(Atomics(length));
    EXPECT_EQ(CountExecutions(script, DepthFirst::kUnbounded), expected);
    EXPECT_EQ(Model(script).CountRuns(DepthFirst::kUnbounded), expected) << "the model";
  }
}

TEST(DepthFirstSearch, CountsLikeTheModel) {
  constexpr Act kX = Act::kAtomic, kLA = Act::kLockA, kUA = Act::kUnlockA, kLB = Act::kLockB,
                kUB = Act::kUnlockB;
  const std::vector<Script> scripts = {
      {{kX, kX, kX}, {kX, kX, kX}},
      {{kX, kX}, {kX, kX}, {kX, kX}},
      {{kLA, kUA}, {kLA, kUA}},
      {{kLA, kX, kUA}, {kLA, kX, kUA}},
      {{kLA, kUA}, {kLA, kUA}, {kLA, kUA}},
      {{kLA, kX, kUA, kX}, {kX, kLA, kUA}},
      {{kLA, kUA, kLA, kUA}, {kLA, kUA}},
      {{kLA, kLB, kUB, kUA}, {kLB, kLA, kUA, kUB}},  // may deadlock
      {{kLA, kLB, kUB, kUA}, {kLA, kX, kUA}, {kLB, kUB}},
  };
  for (size_t i = 0; i < scripts.size(); ++i) {
    for (const int bound : {0, 1, 2, 3, DepthFirst::kUnbounded}) {
      EXPECT_EQ(CountExecutions(scripts[i], bound), Model(scripts[i]).CountRuns(bound))
          << "script " << i << ", bound " << bound;
    }
  }
}

TEST(DepthFirstSearch, YieldsAreFreeSwitches) {
  constexpr Act kX = Act::kAtomic, kY = Act::kYield;
  // A yield is no decision point for what comes before it, and one for who runs after it.
  EXPECT_EQ(CountExecutions({{kX, kX}, {kX, kX}}, 0), 2u);
  EXPECT_EQ(CountExecutions({{kX, kY, kX}, {kX, kX}}, 0), 3u);
}

TEST(DepthFirstSearch, MainThreadTakesPart) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> word{0};
    std::thread other([&] {
      word.fetch_add(1);
      word.fetch_add(1);
      word.fetch_add(1);
    });
    word.fetch_add(1);
    word.fetch_add(1);
    other.join();
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.executions, 10u);  // 5! / (3! 2!)
}

TEST(DepthFirstSearch, NestedThreadsTakePart) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> word{0};
    std::thread outer([&] {
      word.fetch_add(1);
      std::thread inner([&] {
        word.fetch_add(1);
        word.fetch_add(1);
      });
      word.fetch_add(1);
      inner.join();
    });
    outer.join();
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.executions, 3u);  // where the one step of `outer` after the creation stands
}

// Notes the order in which threads take steps.
class Orders : public Program {
 public:
  Orders(int threads, int steps) : threads_(threads), steps_(steps) {}
  int ThreadCount() const override { return threads_; }
  void Begin() override { order_.clear(); }
  void RunThread(int /*thread*/) override {
    for (int i = 0; i < steps_; ++i) word_.fetch_add(1);
  }
  void OnStep(const Step& step) override { order_ += static_cast<char>('0' + step.thread); }

  const std::string& order() const { return order_; }

 private:
  const int threads_;
  const int steps_;
  std::atomic<int> word_ = 0;
  std::string order_;
};

// How often each order came up in up to `most` executions.
std::map<std::string, int> CountOrders(int threads, int steps, Strategy& strategy, int most) {
  Orders program(threads, steps);
  std::map<std::string, int> orders;
  for (int i = 0; i < most && strategy.BeginExecution(); ++i) {
    const Verdict verdict = Execute(program, strategy, {});
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    strategy.EndExecution(verdict);
    ++orders[program.order()];
  }
  return orders;
}

// ---- replay of what a strategy has chosen

TEST(ChoiceRecorder, RecordedExceptionsReplayTheSameTrace) {
  ManyKindsOfPicks program;
  RandomWalk walk(5);
  ChoiceRecorder recorder(walk);
  std::set<uint64_t> fingerprints;
  for (int i = 0; i < 500; ++i) {
    Trace first, second;
    ASSERT_TRUE(recorder.BeginExecution());
    const Verdict verdict = Execute(program, recorder, {}, &first);
    ByteString replay;
    const std::vector<Exception> exceptions = recorder.exceptions();
    const std::vector<Exception> of_memory = recorder.memory_exceptions();
    replay.Set(exceptions, of_memory);
    replay.BeginExecution();
    const Verdict again = Execute(program, replay, {}, &second);
    ASSERT_EQ(verdict.signature, again.signature);
    ASSERT_EQ(first.Fingerprint(), second.Fingerprint()) << "execution " << i;
    fingerprints.insert(first.Fingerprint());
  }
  EXPECT_GT(fingerprints.size(), 300u);
}

TEST(ChoiceRecorder, RecordsAByteStringAsItself) {
  ManyKindsOfPicks program;
  const std::vector<Exception> exceptions = {{2, 1}, {0, 0}, {3, 1}};
  ByteString inner;
  inner.Set(exceptions);
  ChoiceRecorder recorder(inner);
  ASSERT_TRUE(recorder.BeginExecution());
  Execute(program, recorder, {});
  ASSERT_EQ(recorder.exceptions().size(), exceptions.size());
  for (size_t i = 0; i < exceptions.size(); ++i) {
    EXPECT_EQ(recorder.exceptions()[i].gap, exceptions[i].gap) << i;
  }
  const std::vector<Exception> canonical = recorder.exceptions();
  inner.Set(canonical);
  ASSERT_TRUE(recorder.BeginExecution());
  Execute(program, recorder, {});
  EXPECT_EQ(recorder.exceptions(), canonical);
}

TEST(Orders, EmptyByteStringRunsThreadsOneAfterAnother) {
  ByteString benign;
  EXPECT_EQ(CountOrders(4, 5, benign, 1),
            (std::map<std::string, int>{{"00000111112222233333", 1}}));
}

TEST(Orders, DepthFirstSearchReachesEachOnce) {
  DepthFirst search;
  const std::map<std::string, int> orders = CountOrders(3, 2, search, 1000);
  EXPECT_EQ(orders.size(), 90u);
  for (const auto& [order, times] : orders) EXPECT_EQ(times, 1) << order;
}

TEST(Orders, RandomWalkReachesEach) {
  RandomWalk walk(1);
  EXPECT_EQ(CountOrders(2, 3, walk, 2000).size(), 20u);
}

// ---- what cannot be repeated

TEST(Explore, KeepsTheFirstVerdictWhenTheSecondTimeDiffers) {
  ResetHiddenCounter();
  const ExploreResult result = Walk([] {
    std::atomic<int> word{0};
    word.fetch_add(1);
    const int count = CountHidden();
    if (count == 3) Fail("third time", "the runtime cannot see why");
    if (count == 4) Fail("fourth time", "nor why this is another failure");
  });
  EXPECT_TRUE(result.not_deterministic);
  EXPECT_EQ(result.verdict.signature, "invariant|third time");
  EXPECT_NE(result.verdict.message.find("fails with invariant|fourth time"), std::string::npos)
      << result.verdict.message;
  EXPECT_TRUE(result.trace.events.empty());
}

TEST(Explore, SaysWhenTheSecondTimePasses) {
  ResetHiddenCounter();
  const ExploreResult result = Walk([] {
    std::atomic<int> word{0};
    word.fetch_add(1);
    Check(CountHidden() != 3, "third time");
  });
  EXPECT_TRUE(result.not_deterministic);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant);
  EXPECT_NE(result.verdict.message.find("it passes"), std::string::npos) << result.verdict.message;
}

TEST(Explore, WhatIsRepeatedIsDeterministic) {
  const ExploreResult result = Walk([] {
    std::atomic<int> word{0};
    std::thread other([&] { word.store(1); });
    Check(word.load() == 0, "nobody has come before");
    other.join();
  });
  EXPECT_FALSE(result.not_deterministic);
  EXPECT_FALSE(result.verdict.passed());
  EXPECT_FALSE(result.trace.events.empty());
}

}  // namespace
}  // namespace jacquard
