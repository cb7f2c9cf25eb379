// Sleep sets leave out executions, and nothing that can be seen.
#include "sim/sleep_sets.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sim/depth_first.h"
#include "sim/execute.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

// A program of a few threads, drawn from a seed; what each of its reads has seen is its outcome.
class Drawn : public Program {
 public:
  enum class Act : uint8_t { kLoad, kStore, kAdd, kExchange, kLock, kUnlock, kAllocate, kYield };
  struct Step {
    Act act;
    int object;
    std::memory_order order;
  };

  Drawn(uint64_t seed, int threads, int steps, bool relaxed)
      : threads_(static_cast<size_t>(threads)) {
    RandomAnswers random;
    random.SeedExecution(seed, 0);
    for (std::vector<Step>& thread : threads_) {
      bool locked = false;
      for (int i = 0; i < steps; ++i) {
        const Act act =
            locked && i == steps - 1 ? Act::kUnlock : static_cast<Act>(random.Answer(8));
        if (act == Act::kLock && (locked || i == steps - 1)) continue;
        if (act == Act::kUnlock && !locked) continue;
        locked = act == Act::kLock || (locked && act != Act::kUnlock);
        const bool weak = relaxed && random.Answer(3) != 0;
        thread.push_back({act, random.Answer(kObjects),
                          weak ? std::memory_order_relaxed : std::memory_order_seq_cst});
      }
      if (locked) thread.push_back({Act::kUnlock, 0, std::memory_order_seq_cst});
    }
  }

  int ThreadCount() const override { return 1; }
  bool Observes() override { return false; }
  void RunThread(int /*thread*/) override {
    std::array<std::atomic<int>, kObjects> objects = {};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    int guarded = 0;
    std::vector<uint64_t> seen(threads_.size());
    std::vector<std::thread> threads;
    for (size_t t = 0; t < threads_.size(); ++t) {
      threads.emplace_back([&, t] {
        int value = static_cast<int>(t) * 10;
        std::unique_ptr<int> block;
        for (const Step& step : threads_[t]) {
          std::atomic<int>& object = objects[static_cast<size_t>(step.object)];
          ++value;
          const auto note = [&](int old) { seen[t] = Mix(seen[t], old); };
          const bool relaxed = step.order == std::memory_order_relaxed;
          switch (step.act) {
            case Act::kLoad:
              note(relaxed ? object.load(std::memory_order_relaxed) : object.load());
              break;
            case Act::kStore:
              relaxed ? object.store(value, std::memory_order_relaxed) : object.store(value);
              break;
            case Act::kAdd:
              note(object.fetch_add(1));
              break;
            case Act::kExchange:
              note(object.exchange(value));
              break;
            case Act::kLock:
              pthread_mutex_lock(&mutex);
              note(guarded++);
              break;
            case Act::kUnlock:
              pthread_mutex_unlock(&mutex);
              break;
            case Act::kAllocate:
              block = std::make_unique<int>(value);
              break;
            case Act::kYield:
              std::this_thread::yield();
              break;
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    outcome_ = 0;
    for (const uint64_t hash : seen) outcome_ = Mix(outcome_, hash);
    for (const std::atomic<int>& object : objects) outcome_ = Mix(outcome_, object.load());
  }

  uint64_t outcome() const { return outcome_; }

 private:
  static constexpr int kObjects = 2;

  static uint64_t Mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ (hash >> 32)) * 0x9E37'79B9'7F4A'7C15 + value + 1;
    return hash;
  }

  std::vector<std::vector<Step>> threads_;
  uint64_t outcome_ = 0;
};

struct Outcomes {
  std::set<uint64_t> all;
  uint64_t executions = 0;
  bool complete = false;
};

Outcomes OutcomesOf(Drawn& program, Strategy& strategy, MemoryMode memory, uint64_t most) {
  Outcomes outcomes;
  for (; outcomes.executions < most; ++outcomes.executions) {
    if (!strategy.BeginExecution()) {
      outcomes.complete = true;
      break;
    }
    const Verdict verdict = Execute(program, strategy, {.memory = memory});
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    strategy.EndExecution(verdict);
    outcomes.all.insert(program.outcome());
  }
  return outcomes;
}

struct Size {
  int threads;
  int steps;
  int programs;
};

void CompareWithDepthFirst(MemoryMode memory, const Size& size) {
  constexpr uint64_t kMost = 60'000;
  uint64_t without = 0;
  uint64_t with = 0;
  int compared = 0;
  for (int seed = 0; seed < size.programs; ++seed) {
    Drawn program(static_cast<uint64_t>(seed), size.threads, size.steps,
                  memory == MemoryMode::kRc11);
    DepthFirst all;
    const Outcomes expected = OutcomesOf(program, all, memory, kMost);
    if (!expected.complete) continue;
    SleepSets reduced;
    const Outcomes found = OutcomesOf(program, reduced, memory, kMost);
    ASSERT_TRUE(found.complete) << "program " << seed;
    ASSERT_EQ(found.all, expected.all) << "program " << seed;
    ASSERT_LE(found.executions, expected.executions) << "program " << seed;
    without += expected.executions;
    with += found.executions;
    ++compared;
  }
  EXPECT_GT(compared, size.programs / 2);
  EXPECT_LT(with * 2, without) << "executions with and without";
}

TEST(SleepSets, ReachWhatDepthFirstSearchReaches) {
  CompareWithDepthFirst(MemoryMode::kSc, {2, 5, 60});
  CompareWithDepthFirst(MemoryMode::kSc, {3, 3, 60});
}

TEST(SleepSets, ReachTheSameOnWeakMemory) {
  CompareWithDepthFirst(MemoryMode::kRc11, {2, 4, 60});
  CompareWithDepthFirst(MemoryMode::kRc11, {3, 3, 60});
}

// Threads that have nothing to do with each other.
TEST(SleepSets, FewExecutionsAreEnoughWhereNothingDepends) {
  class Apart : public Program {
   public:
    int ThreadCount() const override { return 3; }
    bool Observes() override { return observes; }
    void RunThread(int thread) override {
      for (int i = 0; i < 3; ++i) words_[static_cast<size_t>(thread)].value.fetch_add(1);
    }
    bool observes = false;

   private:
    struct alignas(64) Word {
      std::atomic<int> value = 0;
    };
    std::array<Word, 3> words_;
  };
  Apart program;
  const auto count = [&program] {
    SleepSets search;
    uint64_t executions = 0;
    for (; search.BeginExecution(); ++executions) search.EndExecution(Execute(program, search, {}));
    return executions;
  };
  EXPECT_LT(count(), 20u);
  program.observes = true;
  EXPECT_EQ(count(), 1680u) << "9! / 3!^3: somebody looks after each step";
}

// A deadlock and a failed check are not left out either.
TEST(SleepSets, FindEveryVerdict) {
  class Bugs : public Program {
   public:
    int ThreadCount() const override { return 2; }
    bool Observes() override { return false; }
    void Begin() override { order_ = 0; }
    void RunThread(int thread) override {
      pthread_mutex_t* const first = thread == 0 ? &a_ : &b_;
      pthread_mutex_t* const second = thread == 0 ? &b_ : &a_;
      pthread_mutex_lock(first);
      pthread_mutex_lock(second);
      const int order = order_.exchange(thread + 1);
      Check(order != 2, "the second thread was not first");
      pthread_mutex_unlock(second);
      pthread_mutex_unlock(first);
    }

   private:
    pthread_mutex_t a_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t b_ = PTHREAD_MUTEX_INITIALIZER;
    std::atomic<int> order_{0};
  };
  const auto verdicts = [](Strategy& strategy) {
    std::set<std::string> signatures;
    while (strategy.BeginExecution()) {
      // Locks that are held at the end of an execution that was given up are not set free.
      Bugs program;
      const Verdict verdict = Execute(program, strategy, {});
      signatures.insert(verdict.signature);
      strategy.EndExecution(verdict);
    }
    return signatures;
  };
  DepthFirst all;
  SleepSets reduced;
  const std::set<std::string> expected = verdicts(all);
  EXPECT_EQ(expected.size(), 3u) << "a pass, a deadlock and a failed check";
  EXPECT_EQ(verdicts(reduced), expected);
}

}  // namespace
}  // namespace jacquard
