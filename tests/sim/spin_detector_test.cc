#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "sim/spin.h"

namespace jacquard::sim {
namespace {

// A thread that the test plays: its registers, its stack, and the words that it reads.
class SpinDetectorTest : public testing::Test {
 protected:
  SpinDetectorTest() { SetStack(64); }

  void SetStack(size_t live) {
    jacquard_entry_registers = {};
    jacquard_entry_registers.rsp = Top() - live;
  }
  uintptr_t Top() const { return reinterpret_cast<uintptr_t>(stack_ + sizeof(stack_)); }

  // An atomic operation on words_[word], called from `pc`: whether the thread was back again before
  // it.
  bool Call(uintptr_t pc, int word = 0) {
    return detector_.MayBeBackAgain(pc) && detector_.BackAgain(pc, &words_[word], Top());
  }

  // One atomic read of words_[word], called from `pc`: whether the thread was back again before it.
  bool Read(uintptr_t pc, int word = 0) {
    if (Call(pc, word)) return true;
    detector_.OnRead(&words_[word], 8, words_[word]);
    return false;
  }

  // So many reads from one place, until the thread is back again.
  bool IsBackWithin(int reads, uintptr_t pc = 1) {
    for (int i = 0; i < reads; ++i) {
      if (Read(pc)) return true;
    }
    return false;
  }

  SpinDetector detector_;
  uint64_t words_[64] = {};
  alignas(16) char stack_[16384] = {};
};

TEST_F(SpinDetectorTest, ThreeReadsInTheSameStateAreALoop) {
  EXPECT_FALSE(Read(1));
  EXPECT_FALSE(Read(1));
  EXPECT_TRUE(Read(1));
  ASSERT_EQ(detector_.read_count(), 1);
  EXPECT_EQ(detector_.read(0).address, &words_[0]);
}

TEST_F(SpinDetectorTest, AChangeOfStateIsNone) {
  for (int i = 0; i < 100; ++i) {
    stack_[sizeof(stack_) - 1] = static_cast<char>(i);
    EXPECT_FALSE(Read(1));
  }
  detector_.Reset();
  for (int i = 0; i < 100; ++i) {
    words_[0] = static_cast<uint64_t>(i);
    EXPECT_FALSE(Read(1));
  }
  detector_.Reset();
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(Read(1, i)) << "another address each time";
  detector_.Reset();
  for (size_t i = 0; i < 100; ++i) {
    SetStack(64 + 16 * i);
    EXPECT_FALSE(Read(1)) << "another depth each time";
  }
}

TEST_F(SpinDetectorTest, EachRegisterCounts) {
  for (const auto member : {&EntryRegisters::rbx, &EntryRegisters::rbp, &EntryRegisters::r12,
                            &EntryRegisters::r13, &EntryRegisters::r14, &EntryRegisters::r15}) {
    detector_.Reset();
    SetStack(64);
    for (int round = 0; round < 20; ++round) {
      ++(jacquard_entry_registers.*member);
      EXPECT_FALSE(Read(1));
    }
    EXPECT_TRUE(IsBackWithin(40));
  }
}

TEST_F(SpinDetectorTest, AWriteInBetweenIsNoLoop) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Read(1));
    EXPECT_FALSE(Read(1));
    detector_.Reset();
  }
}

TEST_F(SpinDetectorTest, AValueThatChangesWithinARoundIsNoReturn) {
  for (int i = 0; i < 100; ++i) {
    words_[0] = 0;
    EXPECT_FALSE(Read(1));
    words_[0] = 1;
    EXPECT_FALSE(Read(2));
  }
  // From then on it stands still.
  bool back = false;
  for (int i = 0; i < 100 && !back; ++i) back = Read(1 + static_cast<uintptr_t>(i) % 2);
  EXPECT_TRUE(back);
}

TEST_F(SpinDetectorTest, LoopsOfAllLengthsAreFound) {
  for (int length = 1; length <= 32; ++length) {
    detector_.Reset();
    int reads = 0;
    bool back = false;
    for (; !back && reads < 1000; ++reads)
      back = Read(static_cast<uintptr_t>(reads % length) + 1, reads % length);
    EXPECT_TRUE(back) << "length " << length;
    EXPECT_LE(reads, 4 * length + 20);
    EXPECT_EQ(detector_.read_count(), length);
  }
}

TEST_F(SpinDetectorTest, LongLoopsThroughOneCallAreFound) {
  for (int length = 1; length <= 32; ++length) {
    detector_.Reset();
    int reads = 0;
    bool back = false;
    for (; !back && reads < 1000; ++reads) back = Read(1, reads % length);
    EXPECT_TRUE(back) << "length " << length;
    EXPECT_LE(reads, 4 * length + 20);
  }
}

TEST_F(SpinDetectorTest, LoopsThatSettleLateAreFound) {
  for (int i = 0; i < 1000; ++i) {
    ++jacquard_entry_registers.rbx;
    EXPECT_FALSE(Read(1));
  }
  EXPECT_TRUE(IsBackWithin(2000));
}

TEST_F(SpinDetectorTest, LoopsOverMoreWordsThanCanBeKeptAreNot) {
  for (int reads = 0; reads < 1000; ++reads)
    EXPECT_FALSE(Read(static_cast<uintptr_t>(reads % 33) + 1, reads % 33));
}

TEST_F(SpinDetectorTest, LoopsThatReadOneWordManyTimesAre) {
  bool back = false;
  for (int reads = 0; reads < 1000 && !back; ++reads)
    back = Read(static_cast<uintptr_t>(reads % 100) + 1, 0);
  EXPECT_TRUE(back);
}

TEST_F(SpinDetectorTest, DeepStacksAreLeftAlone) {
  SetStack(SpinDetector::kMaxStack);
  EXPECT_TRUE(IsBackWithin(3));
  detector_.Reset();
  SetStack(SpinDetector::kMaxStack + 16);
  EXPECT_FALSE(IsBackWithin(100));
}

TEST_F(SpinDetectorTest, WideValuesAreLeftAlone) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Call(1));
    detector_.OnRead(&words_[0], 16, words_[0]);
  }
}

TEST_F(SpinDetectorTest, ALoopWithoutReadsIsNotOne) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Call(1));
}

TEST(ReadBytes, TakesTheLowOnes) {
  const uint64_t word = 0x1122'3344'5566'7788;
  EXPECT_EQ(ReadBytes(&word, 1), 0x88u);
  EXPECT_EQ(ReadBytes(&word, 2), 0x7788u);
  EXPECT_EQ(ReadBytes(&word, 4), 0x5566'7788u);
  EXPECT_EQ(ReadBytes(&word, 8), word);
}

}  // namespace
}  // namespace jacquard::sim
