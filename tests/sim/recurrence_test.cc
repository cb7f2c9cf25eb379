#include "sim/recurrence.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "sim/spin.h"

namespace jacquard::sim {
namespace {

// A thread that takes steps: its registers, its stack, and from where it calls.
class Caller {
 public:
  explicit Caller(Recurrence& recurrence, int thread = 0)
      : recurrence_(recurrence), thread_(thread) {}

  // With so many words of frames above the call.
  void Step(uint64_t counter, uintptr_t pc = kPc, size_t depth = 8) {
    uintptr_t* const top = stack_ + std::size(stack_);
    uintptr_t* const pointer = top - depth - 1;
    *pointer = pc;
    jacquard_entry_registers = {};
    jacquard_entry_registers.rbx = counter;
    jacquard_entry_registers.rsp = reinterpret_cast<uintptr_t>(pointer);
    StepUnknown(pc);
  }
  // By a function that does not save the registers.
  void StepUnknown(uintptr_t pc = kPc) {
    jacquard::Step step;
    step.thread = thread_;
    step.kind = StepKind::kLoad;
    step.address = &stack_;
    recurrence_.OnStep(step, pc,
                       {reinterpret_cast<uintptr_t>(stack_),
                        reinterpret_cast<uintptr_t>(stack_ + std::size(stack_))},
                       0);
  }
  uintptr_t& word_on_stack() { return stack_[std::size(stack_) - 1]; }

  static constexpr uintptr_t kPc = 4711;

 private:
  Recurrence& recurrence_;
  const int thread_;
  uintptr_t stack_[16'384] = {};
};

class RecurrenceTest : public ::testing::Test {
 protected:
  RecurrenceTest() { recurrence_.Begin(0); }
  ~RecurrenceTest() override { recurrence_.End(); }

  Recurrence recurrence_;
  Caller caller_{recurrence_};
};

TEST_F(RecurrenceTest, TheSameStatesAreNoNews) {
  for (int i = 0; i < 100; ++i) caller_.Step(i % 10);
  EXPECT_FALSE(recurrence_.has_news()) << "it learns";
  recurrence_.BeginLooking();
  for (int i = 0; i < 100; ++i) caller_.Step(i % 10);
  EXPECT_FALSE(recurrence_.has_news());
}

TEST_F(RecurrenceTest, ACounterInARegisterIsNews) {
  for (int i = 0; i < 100; ++i) caller_.Step(i);
  recurrence_.BeginLooking();
  for (int i = 0; i < 100; ++i) caller_.Step(i);
  EXPECT_FALSE(recurrence_.has_news());
  caller_.Step(100);
  EXPECT_TRUE(recurrence_.has_news());
}

TEST_F(RecurrenceTest, ACounterOnTheStackIsNews) {
  caller_.Step(0);
  recurrence_.BeginLooking();
  ++caller_.word_on_stack();
  caller_.Step(0);
  EXPECT_TRUE(recurrence_.has_news());
}

TEST_F(RecurrenceTest, ACounterInMemoryIsNews) {
  uint32_t counter = 0;
  const auto count = [&](uint32_t step) {
    recurrence_.OnPlainAccess(0, &counter, sizeof counter);
    counter += step;
    caller_.Step(0);
  };
  for (int i = 0; i < 10; ++i) count(0);
  recurrence_.BeginLooking();
  for (int i = 0; i < 10; ++i) count(0);
  EXPECT_FALSE(recurrence_.has_news());
  count(1);
  EXPECT_FALSE(recurrence_.has_news()) << "it was the old value";
  count(1);
  EXPECT_TRUE(recurrence_.has_news());
}

// The registers of an earlier call are not taken for those of another function's.
TEST_F(RecurrenceTest, UnknownRegistersAreNews) {
  caller_.StepUnknown();
  for (int i = 0; i < 3; ++i) caller_.Step(0);
  recurrence_.BeginLooking();
  caller_.Step(0);
  EXPECT_FALSE(recurrence_.has_news());
  caller_.StepUnknown();
  EXPECT_TRUE(recurrence_.has_news());
}

// What deeper functions have in their frames follows from what is known, or is garbage.
TEST_F(RecurrenceTest, DeeperFunctionsMayDiffer) {
  const auto turn = [&](uint64_t garbage) {
    caller_.Step(0);
    caller_.Step(garbage, Caller::kPc + 1, 20);
  };
  for (int i = 0; i < 10; ++i) turn(0);
  recurrence_.BeginLooking();
  for (int i = 0; i < 10; ++i) turn(i);
  EXPECT_FALSE(recurrence_.has_news());
  // But one that never returns counts, for all that is known.
  for (int i = 0; i < 100; ++i) caller_.Step(0, Caller::kPc + 1, 20);
  EXPECT_TRUE(recurrence_.has_news());
}

// To look at it at each step would take too long.
TEST_F(RecurrenceTest, ADeepStackIsNotKnown) {
  for (const size_t depth : {8'000, 9'000}) {
    recurrence_.Begin(0);
    for (int i = 0; i < 10; ++i) caller_.Step(0, Caller::kPc, depth);
    recurrence_.BeginLooking();
    caller_.Step(0, Caller::kPc, depth);
    EXPECT_EQ(recurrence_.has_news(), depth == 9'000) << "deeper than 64 KiB";
  }
}

TEST_F(RecurrenceTest, ThreadsAreToldApart) {
  Caller other(recurrence_, 1);
  for (int i = 0; i < 3; ++i) {
    caller_.Step(1);
    other.Step(2);
  }
  recurrence_.BeginLooking();
  other.Step(2);
  EXPECT_FALSE(recurrence_.has_news());
  other.Step(1);
  EXPECT_TRUE(recurrence_.has_news());
}

TEST_F(RecurrenceTest, ManyStates) {
  for (int i = 0; i < 300'000; ++i) caller_.Step(i);
  recurrence_.BeginLooking();
  for (int i = 0; i < 300'000; ++i) caller_.Step(i);
  EXPECT_FALSE(recurrence_.has_news());
  caller_.Step(300'000);
  EXPECT_TRUE(recurrence_.has_news());
}

}  // namespace
}  // namespace jacquard::sim
