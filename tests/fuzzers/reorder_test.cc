// Mutations that follow from an execution: conflicting accesses change places, and what is made can
// be executed.
#include "fuzzers/reorder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <set>

#include "sim/byte_string.h"
#include "sim/execute.h"
#include "sim/program.h"

namespace jacquard::fuzzers {
namespace {

// Thread 0 works on one object and reads another at its end; thread 1 works on a third one and
// writes the second at its end. Only one order of these two is of interest.
class ReadsLast : public Program {
 public:
  int ThreadCount() const override { return 2; }
  void Begin() override {
    seen_ = -1;
    word_ = 0;
  }
  void RunThread(int thread) override {
    for (int i = 0; i < 10; ++i) own_[thread].fetch_add(1);
    if (thread == 0) {
      seen_ = word_.load();
    } else {
      word_.store(1);
    }
    for (int i = 0; i < 10; ++i) own_[thread].fetch_add(1);
  }
  bool Observes() override { return false; }

  int seen() const { return seen_; }

 private:
  std::atomic<int> own_[2] = {};
  std::atomic<int> word_ = 0;
  int seen_ = -1;
};

// What thread 0 reads when it is executed with `choices`, and after a mutation of these.
struct Outcome {
  int before;
  int after;
  Choices choices;
};
Outcome Mutated(const Choices& choices, uint64_t seed, MemoryMode memory) {
  ReadsLast program;
  ByteString strategy;
  strategy.Set(choices.others, choices.of_memory);
  Watch watch(strategy);
  watch.BeginExecution();
  EXPECT_TRUE(Execute(program, watch, {.memory = memory}).passed());
  Outcome outcome = {.before = program.seen(), .after = -1, .choices = choices};
  EXPECT_TRUE(Reorder::Mutate(watch, seed, outcome.choices));
  strategy.Set(outcome.choices.others, outcome.choices.of_memory);
  strategy.BeginExecution();
  EXPECT_TRUE(Execute(program, strategy, {.memory = memory}).passed());
  outcome.after = program.seen();
  return outcome;
}

TEST(Reorder, LetsAReadReadFromAnotherWrite) {
  int changed = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Outcome outcome = Mutated({}, seed, MemoryMode::kSc);
    EXPECT_EQ(outcome.before, 0);
    changed += outcome.after == 1 ? 1 : 0;
  }
  // Half of the time accesses change places, and there are no others that conflict.
  EXPECT_GT(changed, 40);
}

TEST(Reorder, AndBack) {
  // The other thread first.
  const Choices choices = {.others = {{0, 0}}, .of_memory = {}};
  int changed = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const Outcome outcome = Mutated(choices, seed, MemoryMode::kSc);
    EXPECT_EQ(outcome.before, 1);
    changed += outcome.after == 0 ? 1 : 0;
  }
  EXPECT_GT(changed, 10);
}

TEST(Reorder, LetsAReadReturnAnOlderValue) {
  const Choices choices = {.others = {{0, 0}}, .of_memory = {}};
  std::set<bool> of_memory;
  for (uint64_t seed = 1; seed <= 100; ++seed)
    of_memory.insert(!Mutated(choices, seed, MemoryMode::kRc11).choices.of_memory.empty());
  EXPECT_EQ(of_memory, (std::set<bool>{false, true}));
}

TEST(Reorder, RepeatsItself) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(Mutated({}, seed, MemoryMode::kRc11).choices,
              Mutated({}, seed, MemoryMode::kRc11).choices);
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
