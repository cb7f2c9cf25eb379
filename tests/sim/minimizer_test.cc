// The minimiser of schedules: what is left fails in the same way, none of it can be removed, it is
// no more than the bug needs, and it is the same every time.
#include "sim/minimizer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/byte_string.h"
#include "sim/execute.h"
#include "sim/program.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

// ---- bugs, and what they need

void RunBoth(const std::function<void()>& a, const std::function<void()>& b) {
  std::thread first(a);
  std::thread second(b);
  first.join();
  second.join();
}

// One thread's load and store with the other's between them.
void LosesUpdate() {
  std::atomic<int> counter{0};
  const auto work = [&] {
    for (int i = 0; i < 4; ++i) counter.store(counter.load() + 1);
  };
  RunBoth(work, work);
  Check(counter.load() == 8, "an update is lost");
}

void LocksInACircle() {
  std::mutex one;
  std::mutex two;
  RunBoth(
      [&] {
        for (int i = 0; i < 3; ++i) {
          const std::scoped_lock first(one);
          const std::scoped_lock second(two);
        }
      },
      [&] {
        for (int i = 0; i < 3; ++i) {
          const std::scoped_lock first(two);
          const std::scoped_lock second(one);
        }
      });
}

// Store buffering: without any switch that is not benign, a read has to return an older value.
void ReadsOldValues() {
  std::atomic<int> x{0};
  std::atomic<int> y{0};
  int seen_by_first = 1;
  int seen_by_second = 1;
  RunBoth(
      [&] {
        x.store(1, std::memory_order_relaxed);
        seen_by_first = y.load(std::memory_order_relaxed);
      },
      [&] {
        y.store(1, std::memory_order_relaxed);
        seen_by_second = x.load(std::memory_order_relaxed);
      });
  Check(seen_by_first + seen_by_second != 0, "both read zero");
}

// The second thread has to come in between three times.
void GoesUpInTurns() {
  std::atomic<int> turn{0};
  const auto count = [&](int parity) {
    for (int i = 0; i < 3; ++i) {
      const int seen = turn.load();
      if (seen == 2 * i + parity) turn.store(seen + 1);
    }
  };
  RunBoth([&] { count(0); }, [&] { count(1); });
  Check(turn.load() != 6, "it went up in turns");
}

struct Bug {
  const char* name;
  void (*body)();
  size_t others;  // what it needs, at most
  size_t of_memory;
};
constexpr Bug kBugs[] = {
    {"LosesUpdate", LosesUpdate, 2, 0},
    {"LocksInACircle", LocksInACircle, 1, 0},
    {"ReadsOldValues", ReadsOldValues, 0, 1},
    {"GoesUpInTurns", GoesUpInTurns, 5, 0},
};

Verdict ExecuteOnce(const Bug& bug, const Choices& choices, MemoryMode memory) {
  Closure program(bug.body);
  ByteString strategy;
  strategy.Set(choices.others, choices.of_memory);
  strategy.BeginExecution();
  return Execute(program, strategy, {.memory = memory});
}

class Minimizer : public testing::TestWithParam<Bug> {
 protected:
  // Only one of them is about the memory.
  MemoryMode memory() const {
    return GetParam().of_memory != 0 ? MemoryMode::kRc11 : MemoryMode::kSc;
  }

  // The choices of a failing random walk.
  Choices Find(uint64_t seed, std::string& signature) {
    Closure program(GetParam().body);
    RandomWalk walk(seed);
    ChoiceRecorder recorder(walk);
    for (int i = 0; i < 100'000; ++i) {
      recorder.BeginExecution();
      const Verdict verdict = Execute(program, recorder, {.memory = memory()});
      recorder.EndExecution(verdict);
      if (verdict.passed()) continue;
      signature = verdict.signature;
      return {recorder.exceptions(), recorder.memory_exceptions()};
    }
    ADD_FAILURE() << "the random walk finds nothing";
    return {};
  }

  Choices Minimized(Choices choices, const std::string& signature, const MinimizeBudget& budget,
                    bool* spent = nullptr) {
    Closure program(GetParam().body);
    ScheduleMinimizer minimizer(
        [&](Strategy& strategy) { return Execute(program, strategy, {.memory = memory()}); },
        signature, budget);
    EXPECT_TRUE(minimizer.Fails(choices));
    minimizer.Minimize(choices);
    EXPECT_LE(minimizer.executions(), budget.executions);
    if (spent != nullptr) *spent = minimizer.spent();
    return choices;
  }
};

TEST_P(Minimizer, LeavesNothingThatCanBeRemoved) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    std::string signature;
    const Choices found = Find(seed, signature);
    bool spent = true;
    const Choices choices = Minimized(found, signature, {.executions = 50'000}, &spent);
    EXPECT_FALSE(spent);
    EXPECT_EQ(ExecuteOnce(GetParam(), choices, memory()).signature, signature);
    EXPECT_LE(choices.others.size(), GetParam().others);
    EXPECT_LE(choices.of_memory.size(), GetParam().of_memory);
    for (const auto list : {&Choices::others, &Choices::of_memory}) {
      for (size_t i = 0; i < (choices.*list).size(); ++i) {
        for (const auto without : {&WithoutInPlace, &WithoutAndCloser}) {
          Choices fewer = choices;
          fewer.*list = without(choices.*list, i, 1);
          EXPECT_NE(ExecuteOnce(GetParam(), fewer, memory()).signature, signature) << i;
        }
      }
    }
  }
}

TEST_P(Minimizer, RepeatsItself) {
  std::string signature;
  const Choices found = Find(1, signature);
  EXPECT_EQ(Minimized(found, signature, {}), Minimized(found, signature, {}));
}

TEST_P(Minimizer, KeepsToItsBudget) {
  std::string signature;
  const Choices found = Find(3, signature);
  for (const uint64_t executions : {1, 2, 5, 20}) {
    bool spent = false;
    const Choices choices = Minimized(found, signature, {.executions = executions}, &spent);
    EXPECT_EQ(ExecuteOnce(GetParam(), choices, memory()).signature, signature);
    EXPECT_LE(CostOf(choices), CostOf(found));
    if (executions == 1) EXPECT_TRUE(spent);
  }
  bool spent = false;
  (void)Minimized(found, signature, {.steps = 1}, &spent);
  EXPECT_TRUE(spent);
}

INSTANTIATE_TEST_SUITE_P(Bugs, Minimizer, testing::ValuesIn(kBugs),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(Choices, AreLeftOut) {
  const std::vector<Exception> list = {{2, 0}, {3, 1}, {1, 2}};
  EXPECT_EQ(WithoutAndCloser(list, 1), (std::vector<Exception>{{2, 0}, {1, 2}}));
  EXPECT_EQ(WithoutInPlace(list, 1), (std::vector<Exception>{{2, 0}, {5, 2}}));
  EXPECT_EQ(WithoutInPlace(list, 0, 2), (std::vector<Exception>{{8, 2}}));
  EXPECT_EQ(WithoutInPlace(list, 2), (std::vector<Exception>{{2, 0}, {3, 1}}));
}

}  // namespace
}  // namespace jacquard
