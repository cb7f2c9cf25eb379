// The simulated memory in large executions: very many objects and threads, and very many steps.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/sim/memory_testing.h"

namespace jacquard::sim {
namespace {

// ---- very many objects

TEST_F(MemoryTest, RacesAreFoundAmongManyObjects) {
  std::vector<uint64_t> words(700'000);
  constexpr size_t kSize = sizeof(uint64_t);
  const auto write = [&](int thread, size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) memory().PlainWrite(thread, &words[i], kSize);
  };
  for (int round = 0; round < 3; ++round) {
    Begin(2);
    write(1, 0, 500'000);
    EXPECT_FALSE(memory().HasLostDetail());
    EXPECT_TRUE(memory().PlainRead(2, &words[499'999], kSize));
    // Beyond that it is said that there were more, and those that are known remain so.
    write(1, 500'000, words.size());
    EXPECT_TRUE(memory().HasLostDetail());
    EXPECT_TRUE(memory().PlainRead(2, &words[0], kSize));
    EXPECT_FALSE(memory().PlainRead(2, &words.back(), kSize));
    // An execution does not suffer from the one before it.
    Begin(2);
    write(1, 650'000, words.size());
    EXPECT_FALSE(memory().HasLostDetail());
    EXPECT_TRUE(memory().PlainRead(2, &words.back(), kSize));
    EXPECT_FALSE(memory().PlainRead(2, &words[0], kSize));
  }
}

TEST_F(MemoryTest, ManyObjectsAndManyThreads) {
  std::vector<uint64_t> words(50'000);
  uint32_t flag = 0;
  Begin(2);
  for (const uint64_t& word : words) memory().PlainWrite(1, &word, sizeof word);
  Store(1, flag, 5u, kRelease);
  memory().CreateThread(0, 17);
  EXPECT_FALSE(memory().HasLostDetail());
  EXPECT_TRUE(memory().PlainRead(2, &words.back(), sizeof words[0]));
  EXPECT_EQ(Load(17, flag, kAcquire), 5u);
  EXPECT_FALSE(memory().PlainRead(17, &words[0], sizeof words[0]));
}

// The short way knows what the other one has told, of this execution only.
TEST_F(MemoryTest, PlainAccessesAtOnce) {
  constexpr size_t kSize = sizeof(uint64_t);
  std::vector<uint64_t> words(400'000);
  std::vector<uint64_t> others(600'000);
  const auto at_once = [](const uint64_t& word) {
    return memory().PlainAtOnce<AccessKind::kPlainWrite>(1, &word, kSize);
  };
  const auto write = [](const std::vector<uint64_t>& all) {
    for (const uint64_t& word : all) memory().PlainWrite(1, &word, kSize);
  };
  Begin(2);
  EXPECT_FALSE(at_once(words[0])) << "nobody has been there";
  write(words);
  EXPECT_TRUE(at_once(words[0]));
  EXPECT_FALSE(memory().PlainAtOnce<AccessKind::kPlainWrite>(2, &words[0], kSize)) << "it races";
  Begin(2);
  EXPECT_TRUE(at_once(words[0])) << "it is known from the execution before";
  write(others);
  EXPECT_FALSE(at_once(words[1])) << "there are too many by now";
  Begin(2);  // the earlier ones are dropped
  EXPECT_FALSE(at_once(words[0]));
}

// More of them than there is room for: then it is as if all threads had told each other what they
// know, so that no race is reported that is none.
TEST_F(MemoryTest, MoreAtomicObjectsThanThereIsRoomFor) {
  std::vector<uint64_t> words(1'300'000);
  uint64_t ordered = 0;
  uint64_t racing = 0;
  uint32_t flag = 0;
  Begin(2);
  memory().PlainWrite(1, &ordered, sizeof ordered);
  Store(1, flag, 1u, kRelease);
  for (uint64_t& word : words) Store(1, word, uint64_t{7}, kRelaxed);
  EXPECT_TRUE(memory().HasLostDetail());
  EXPECT_EQ(Load(2, flag, kAcquire), 1u);
  EXPECT_FALSE(memory().PlainWrite(2, &ordered, sizeof ordered));
  EXPECT_EQ(Load(2, words[0], kRelaxed), 7u);
  EXPECT_EQ(Load(2, words.back(), kRelaxed), 7u);
  // What comes later is looked at as ever.
  memory().PlainWrite(1, &racing, sizeof racing);
  EXPECT_TRUE(memory().PlainWrite(2, &racing, sizeof racing));
  Begin(2);
  EXPECT_FALSE(memory().HasLostDetail());
}

TEST_F(MemoryTest, ManyAtomicObjectsHandOver) {
  static uint32_t objects[400'000];
  uint32_t flag = 0;
  uint64_t data = 0;
  Begin(2);
  for (uint32_t& object : objects) {
    Store(1, object, 1u);
    Store(1, object, 2u);
  }
  memory().PlainWrite(1, &data, sizeof data);
  Store(1, flag, 1u, kRelease);
  EXPECT_EQ(Load(2, flag, kAcquire), 1u);
  EXPECT_FALSE(memory().PlainRead(2, &data, sizeof data));
  for (const uint32_t& object : objects) ASSERT_EQ(Load(2, object), 2u);
}

// ---- no more choices

TEST_F(MemoryTest, WithoutChoicesAllIsNewest) {
  Begin(3);
  uint32_t x = 0;
  uint32_t y = 0;
  Store(1, x, 1u, kSeqCst);
  Store(1, x, 2u);
  memory().StopChoosing();
  EXPECT_EQ(Load(2, x), 2u);
  EXPECT_TRUE(alternatives_.empty());
  EXPECT_EQ(Add(3, x, 1u), 2u);
  Store(3, y, 1u, kSeqCst);
  Store(2, y, 2u, kSeqCst);
  EXPECT_EQ(Load(1, y, kSeqCst), 2u);
  EXPECT_TRUE(alternatives_.empty());
  memory().CreateThread(0, 9);  // nor in the wider form
  EXPECT_EQ(Load(1, x), 3u);
  EXPECT_TRUE(alternatives_.empty());
  Begin(3);
  x = 0;
  Store(1, x, 1u);
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 0u) << "the next execution has choices again";
}

// ---- the wide form takes over

TEST_F(MemoryTest, NinthThreadKeepsWhatWasKnown) {
  Begin(7);
  uint32_t data = 0;
  uint32_t flag = 0;
  uint32_t other = 0;
  memory().PlainWrite(1, &data, sizeof data);
  Store(1, flag, 1u, kRelease);
  Store(1, other, 1u);
  Store(1, other, 2u);
  EXPECT_FALSE(memory().is_wide());
  memory().CreateThread(0, 8);
  EXPECT_TRUE(memory().is_wide());
  EXPECT_EQ(Load(2, other, kRelaxed, {2}), 0u);
  EXPECT_EQ(alternatives_, std::vector<int>{3});
  EXPECT_EQ(Add(3, other, 1u, kRelaxed, {2}), 0u);
  EXPECT_EQ(alternatives_, std::vector<int>{3});
  EXPECT_EQ(Load(8, flag, kAcquire), 1u);
  EXPECT_FALSE(memory().PlainRead(8, &data, sizeof data));
  EXPECT_TRUE(memory().PlainWrite(3, &data, sizeof data));
}

TEST_F(MemoryTest, AsManyThreadsAsThereAre) {
  memory().BeginExecution({});
  uint32_t counter = 0;
  for (int i = 1; i < Memory::kMaxThreads; ++i) memory().CreateThread(0, i);
  for (int i = 1; i < Memory::kMaxThreads; ++i) Add(i, counter, 1u, kSeqCst);
  for (int i = 1; i < Memory::kMaxThreads; ++i) memory().JoinThread(0, i);
  EXPECT_EQ(Load(0, counter), Memory::kMaxThreads - 1u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, MoreReleasesThanANarrowClockCounts) {
  Begin(2);
  uint32_t flag = 0;
  uint32_t data = 0;
  for (uint32_t i = 1; i <= 70'000; ++i) Store(1, flag, i, kRelease);
  EXPECT_TRUE(memory().is_wide());
  memory().PlainWrite(1, &data, sizeof data);
  Store(1, flag, 1u, kRelease);
  EXPECT_EQ(Load(2, flag, kAcquire, {1}), 70'000u);
  EXPECT_TRUE(memory().PlainRead(2, &data, sizeof data));
}

TEST_F(MemoryTest, SeqCstOrderSurvivesTheChange) {
  // Store buffering, with the change in the middle.
  Begin(2);
  uint32_t x = 0;
  uint32_t y = 0;
  Load(1, y);
  Load(2, x);
  Store(1, x, 1u, kSeqCst);
  EXPECT_EQ(Load(1, y, kSeqCst), 0u);
  Store(2, y, 1u, kSeqCst);
  memory().CreateThread(0, 9);
  EXPECT_TRUE(memory().is_wide());
  EXPECT_EQ(Load(2, x, kSeqCst, {1}), 1u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, NextExecutionIsNarrowAgain) {
  Begin(9);
  EXPECT_TRUE(memory().is_wide());
  Begin(2);
  EXPECT_FALSE(memory().is_wide());
}

}  // namespace
}  // namespace jacquard::sim
