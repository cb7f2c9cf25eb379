// Exceptions that are addressed by what they mean: by the nth time of an operation, and by the
// write that is to be read.
#include "fuzzers/meaning.h"

#include <gtest/gtest.h>

#include <vector>

namespace jacquard::fuzzers {
namespace {

constexpr uint32_t kSecondTime = 32;  // in a gap
constexpr uint32_t kSecondOther = 4;  // in a choice

class MeaningTest : public testing::Test {
 protected:
  // Thread 0 is at a decision point, and might go on; so might thread 1.
  Pick Schedule() const {
    return {.kind = PickKind::kSchedule,
            .alternatives = 2,
            .thread = 0,
            .first = 0,
            .candidates = 0b11,
            .pending = pending_};
  }
  static Pick ReadsFrom() { return {.kind = PickKind::kReadsFrom, .alternatives = 3, .thread = 0}; }

  // What an exception must say for thread 0's first operation of that kind on the object.
  uint32_t GapOf(StepKind kind, const void* object) {
    pending_[0] = {.kind = kind, .address = object};
    std::vector<uint32_t> gaps;
    for (uint32_t gap = 0; gap < kSecondTime; ++gap) {
      const Exception exception = {.gap = gap, .choice = 0};
      Meaning meaning(Addressing::kOperations);
      meaning.Set({&exception, 1}, {});
      meaning.BeginExecution();
      if (meaning.Choose(Schedule()) == 1) gaps.push_back(gap);
    }
    EXPECT_EQ(gaps.size(), 1u);
    return gaps.at(0);
  }

  PendingOperation pending_[2];
  int objects_[8] = {};
};

TEST_F(MeaningTest, StandsForTheNthTimeOfAnOperation) {
  const uint32_t gap = GapOf(StepKind::kLoad, &objects_[0]);
  const Exception exception = {.gap = gap + kSecondTime, .choice = 0};
  Meaning meaning(Addressing::kOperations);
  meaning.Set({&exception, 1}, {});
  for (int execution = 0; execution < 2; ++execution) {
    meaning.BeginExecution();
    EXPECT_EQ(meaning.Choose(Schedule()), 0);
    EXPECT_EQ(meaning.Choose(Schedule()), 1);
    EXPECT_EQ(meaning.Choose(Schedule()), 0);
  }
}

TEST_F(MeaningTest, IsNotShiftedByOtherOperations) {
  int other = 1;
  const uint32_t gap = GapOf(StepKind::kLoad, &objects_[0]);
  while (GapOf(StepKind::kLoad, &objects_[other]) == gap) ++other;  // the hash has five bits
  const Exception exception = {.gap = gap, .choice = 0};
  Meaning meaning(Addressing::kOperations);
  meaning.Set({&exception, 1}, {});
  meaning.BeginExecution();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(meaning.Choose(Schedule()), 0);
  pending_[0].address = &objects_[0];
  Pick of_other_thread = Schedule();
  of_other_thread.thread = 1;
  pending_[1] = pending_[0];
  EXPECT_EQ(meaning.Choose(of_other_thread), 0);
  EXPECT_EQ(meaning.Choose(Schedule()), 1);
}

TEST_F(MeaningTest, WaitsForTheWriteThatIsToBeRead) {
  const Exception exception = {.gap = GapOf(StepKind::kLoad, &objects_[0]), .choice = 0};
  Meaning meaning(Addressing::kWrites);
  meaning.Set({&exception, 1}, {});
  meaning.BeginExecution();
  pending_[1] = {.kind = StepKind::kLoad, .address = &objects_[0]};  // not that
  EXPECT_EQ(meaning.Choose(Schedule()), 1);
  pending_[1] = {.kind = StepKind::kStore, .address = &objects_[1]};  // nor that
  EXPECT_EQ(meaning.Choose(Schedule()), 1);
  pending_[1] = {.kind = StepKind::kStore, .address = &objects_[0]};
  EXPECT_EQ(meaning.Choose(Schedule()), 1);
  EXPECT_EQ(meaning.Choose(Schedule()), 0);
}

TEST_F(MeaningTest, ChoosesAmongOldValues) {
  const uint32_t gap = GapOf(StepKind::kLoad, &objects_[0]);
  for (const uint32_t other : {0, 1, 2}) {
    const Exception exception = {.gap = gap, .choice = other * kSecondOther};
    Meaning meaning(Addressing::kOperations);
    meaning.Set({}, {&exception, 1});
    meaning.BeginExecution();
    EXPECT_EQ(meaning.Choose(ReadsFrom()), 0);  // nobody knows yet what is pending
    EXPECT_EQ(meaning.Choose(Schedule()), 0);
    EXPECT_EQ(meaning.Choose(ReadsFrom()), 1 + static_cast<int>(other % 2));
  }
}

TEST_F(MeaningTest, IsSilentWhereNobodyRuns) {
  const Exception exception = {.gap = GapOf(StepKind::kLoad, &objects_[0]), .choice = 0};
  for (const Addressing addressing : {Addressing::kOperations, Addressing::kWrites}) {
    Meaning meaning(addressing);
    meaning.Set({&exception, 1}, {});
    meaning.BeginExecution();
    Pick pick = Schedule();
    pick.thread = -1;
    EXPECT_EQ(meaning.Choose(pick), 0);
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
