// The simulated memory, function by function. What it does to whole programs is judged in
// tests/litmus, what it does in large executions in memory_limits_test.cc.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/sim/memory_testing.h"

namespace jacquard::sim {
namespace {

template <class T>
class MemorySizesTest : public MemoryTest {};
using Sizes = testing::Types<uint8_t, uint16_t, uint32_t, uint64_t, unsigned __int128>;
TYPED_TEST_SUITE(MemorySizesTest, Sizes);

TYPED_TEST(MemorySizesTest, KeepsWholeValues) {
  this->Begin(2);
  alignas(16) TypeParam x = 0;
  const auto all_ones = static_cast<TypeParam>(~TypeParam{0});
  this->Store(1, x, all_ones);
  this->Store(1, x, TypeParam{7});
  EXPECT_TRUE(this->Load(2, x) == 7);
  EXPECT_TRUE(this->Load(2, x) == 7);  // knows of it now
  EXPECT_TRUE(x == 7);
}

TYPED_TEST(MemorySizesTest, OldValuesAreWholeToo) {
  this->Begin(2);
  alignas(16) TypeParam x = 0;
  const auto all_ones = static_cast<TypeParam>(~TypeParam{0});
  this->Store(1, x, all_ones);
  this->Store(1, x, TypeParam{7});
  EXPECT_TRUE(this->Load(2, x, kRelaxed, {1}) == all_ones);
  EXPECT_EQ(this->alternatives_, std::vector<int>{3});
  EXPECT_TRUE(this->Add(2, x, TypeParam{1}, kRelaxed, {1}) == all_ones);  // wraps to 0
  EXPECT_TRUE(x == 7) << "placed before the newest";
}

TEST_F(MemoryTest, BenignPicksGiveTheNewestValueAndTheLastPlace) {
  Begin(2);
  uint32_t x = 0;
  Store(1, x, 1u);
  Store(2, x, 2u);
  EXPECT_EQ(alternatives_, std::vector<int>{2});
  EXPECT_EQ(x, 2u);
  EXPECT_EQ(Load(1, x), 2u);
  EXPECT_EQ(Add(1, x, 5u), 2u);
  EXPECT_EQ(x, 7u);
}

TEST_F(MemoryTest, NoPickWhereThereIsNoChoice) {
  Begin(1);
  uint32_t x = 0;
  Store(1, x, 1u);
  EXPECT_TRUE(alternatives_.empty());
  Load(1, x);
  EXPECT_TRUE(alternatives_.empty());
  Add(1, x, 1u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, StorePlacedEarlierIsNotWritten) {
  Begin(3);
  uint32_t x = 0;
  Store(1, x, 1u);
  Store(2, x, 2u, kRelaxed, {1});  // before 1
  EXPECT_EQ(x, 1u);
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 2u);
  std::vector<uint32_t> order;
  memory().ForEachStore(&x, [&](int32_t, uint32_t value) { order.push_back(value); });
  EXPECT_EQ(order, (std::vector<uint32_t>{0, 2, 1}));
}

TEST_F(MemoryTest, ReadSaysWhichStoreItSaw) {
  Begin(2);
  uint32_t x = 0;
  Script pick;
  EXPECT_EQ(memory().Load(2, &x, kRelaxed, std::ref(pick)).event, -1);
  memory().StoreValue(1, &x, 1u, kRelaxed, 17, std::ref(pick));
  x = 1;
  const auto newest = memory().Load(2, &x, kRelaxed, std::ref(pick));
  EXPECT_EQ(newest.event, 17);
  EXPECT_TRUE(newest.newest);
}

TEST_F(MemoryTest, FailingCompareExchangeMaySeeAnOldValue) {
  Begin(2);
  uint32_t x = 0;
  Store(1, x, 1u);
  Script pick({1});
  const auto result = memory().CompareExchange(2, &x, 1u, 5u, /*weak=*/false, kRelaxed, kRelaxed, 9,
                                               std::ref(pick));
  EXPECT_FALSE(result.stored);
  EXPECT_EQ(result.old_value, 0u);
  EXPECT_FALSE(result.read_newest);
}

TEST_F(MemoryTest, StrongCompareExchangeThatSeesExpectedSucceeds) {
  Begin(2);
  uint32_t x = 0;
  Script pick;
  const auto result = memory().CompareExchange(2, &x, 0u, 5u, /*weak=*/false, kRelaxed, kRelaxed, 9,
                                               std::ref(pick));
  EXPECT_TRUE(result.stored);
  EXPECT_TRUE(result.write);
  EXPECT_TRUE(pick.asked.empty());
}

TEST_F(MemoryTest, WeakCompareExchangeMayFail) {
  Begin(1);
  uint32_t x = 0;
  Script pick({1});
  const auto result =
      memory().CompareExchange(1, &x, 0u, 5u, /*weak=*/true, kRelaxed, kRelaxed, 9, std::ref(pick));
  EXPECT_FALSE(result.stored);
  EXPECT_EQ(result.old_value, 0u);
  EXPECT_EQ(pick.kinds, std::vector<PickKind>{PickKind::kWeakCompareExchange});
}

TEST_F(MemoryTest, ThreadStartAndEndSynchronise) {
  memory().BeginExecution({});
  uint32_t x = 0;
  Store(0, x, 1u);
  memory().CreateThread(0, 1);
  EXPECT_EQ(Load(1, x), 1u);
  EXPECT_TRUE(alternatives_.empty());
  Store(1, x, 2u);
  Load(0, x);
  EXPECT_EQ(alternatives_, std::vector<int>{2});
  memory().BeginExecution({});
  memory().CreateThread(0, 1);
  Store(1, x, 3u);
  memory().JoinThread(0, 1);
  EXPECT_EQ(Load(0, x), 3u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, SynchronisationObjectOrders) {
  Begin(2);
  uint32_t x = 0;
  const int mutex = 0;
  Store(1, x, 1u);
  memory().Release(1, &mutex);
  Store(1, x, 2u);
  memory().Acquire(2, &mutex);
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 1u);  // no older one
  EXPECT_EQ(alternatives_, std::vector<int>{2});
}

// ---- progress and bounds

TEST_F(MemoryTest, StaleStoreIsNotReadForEver) {
  Memory::Options options;
  options.max_stale_reads = 3;
  Begin(2, options);
  uint32_t x = 0;
  Load(2, x);
  Store(1, x, 1u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Load(2, x, kRelaxed, {1}), 0u);
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 1u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, ExchangeThatSpinsSeesTheNewestInTheEnd) {
  Memory::Options options;
  options.max_stale_reads = 3;
  Begin(2, options);
  uint32_t lock = 1;
  Load(2, lock);
  Store(1, lock, 0u);
  int turns = 0;
  while (Add(2, lock, 1u, kAcquire, {1}) != 0) ASSERT_LT(++turns, 10);
}

TEST_F(MemoryTest, HistoryIsBoundedAndSaysSo) {
  Memory::Options options;
  options.max_history = 4;
  Begin(2, options);
  uint32_t x = 0;
  for (uint32_t i = 1; i <= 4; ++i) Store(1, x, i);
  EXPECT_FALSE(memory().HasLostDetail()) << "nobody has asked";
  EXPECT_EQ(Load(2, x, kRelaxed, {3}), 1u);
  EXPECT_EQ(alternatives_, std::vector<int>{4});
  EXPECT_TRUE(memory().HasLostDetail());
}

TEST_F(MemoryTest, BoundThatDoesNotBiteSaysNothing) {
  Memory::Options options;
  options.max_history = 4;
  Begin(2, options);
  uint32_t x = 0;
  for (uint32_t i = 1; i <= 100; ++i) {
    Store(1, x, i, kRelease);
    Load(2, x, kAcquire);
  }
  EXPECT_FALSE(memory().HasLostDetail());
}

TEST_F(MemoryTest, MoreStoresThanFitAreCut) {
  Begin(2);
  static uint32_t objects[60'000];
  for (uint32_t value = 1; value <= 6; ++value) {
    for (uint32_t& object : objects) Store(1, object, value);
  }
  for (const uint32_t& object : objects) ASSERT_EQ(Load(2, object), 6u);
}

TEST_F(MemoryTest, ManyExecutionsUseTheSameCells) {
  uint32_t x = 0;
  for (int i = 0; i < 300'000; ++i) {
    Begin(2);
    x = 0;
    ASSERT_EQ(Load(1, x), 0u);
    ASSERT_TRUE(alternatives_.empty());
    Store(2, x, 1u);
  }
}

// Plain accesses to very much memory leave room for as many atomic objects as there are steps.
TEST_F(MemoryTest, VeryMuchMemoryLeavesRoomForAtomics) {
  static uint64_t memory_of_all[600'000];
  static uint32_t objects[100'000];
  Begin(2);
  EXPECT_FALSE(memory().PlainWrite(1, memory_of_all, sizeof memory_of_all));
  EXPECT_TRUE(memory().HasLostDetail());
  for (uint32_t& object : objects) Store(1, object, 1u);
  for (const uint32_t& object : objects) ASSERT_EQ(Load(1, object), 1u);
  Begin(2);
  EXPECT_FALSE(memory().HasLostDetail());
}

// ---- memory that is not only accessed atomically, and not only in one size

TEST_F(MemoryTest, MemoryChangedElsewhereStartsANewHistory) {
  Begin(2);
  uint32_t x = 0;
  Store(1, x, 1u);
  x = 5;
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 5u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, PlainWriteStartsANewHistory) {
  Begin(2);
  uint32_t x = 0;
  Store(1, x, 1u);
  Store(1, x, 0u);
  memory().PlainWrite(1, &x, sizeof x);  // the same value: placement new
  EXPECT_EQ(Load(2, x, kRelaxed, {1}), 0u);
  EXPECT_TRUE(alternatives_.empty());
}

TEST_F(MemoryTest, WideLoadSeesBothHalves) {
  Begin(2);
  union {
    uint64_t whole = 0;
    uint32_t half[2];
  } x;
  Load(2, x.whole);
  Store(1, x.half[0], 1u, kRelease);
  Store(1, x.half[1], 2u, kRelease);
  EXPECT_EQ(Load(2, x.whole, kAcquire, {1}), 0x2'0000'0001u);
  EXPECT_TRUE(alternatives_.empty()) << "mixed sizes: the newest values";
  Store(2, x.whole, uint64_t{0x4'0000'0003});
  EXPECT_EQ(Load(1, x.half[0]), 3u);
  EXPECT_EQ(Load(1, x.half[1]), 4u);
}

TEST_F(MemoryTest, WideLoadAcquiresFromBothHalves) {
  Begin(3);
  union {
    uint64_t whole = 0;
    uint32_t half[2];
  } x;
  uint64_t first = 0;
  uint64_t second = 0;
  EXPECT_FALSE(memory().PlainWrite(1, &first, sizeof first));
  Store(1, x.half[0], 1u, kRelease);
  EXPECT_FALSE(memory().PlainWrite(2, &second, sizeof second));
  Store(2, x.half[1], 2u, kRelease);
  Load(3, x.whole, kAcquire);
  EXPECT_FALSE(memory().PlainRead(3, &first, sizeof first));
  EXPECT_FALSE(memory().PlainRead(3, &second, sizeof second));
}

// ---- races

TEST_F(MemoryTest, UnorderedWritesRace) {
  Begin(2);
  uint32_t x = 0;
  EXPECT_FALSE(memory().PlainWrite(1, &x, sizeof x));
  EXPECT_TRUE(memory().PlainWrite(2, &x, sizeof x));
  const memory::Race& race = memory().race();
  EXPECT_EQ(race.kind, AccessKind::kPlainWrite);
  EXPECT_EQ(race.earlier_kind, AccessKind::kPlainWrite);
  EXPECT_EQ(race.thread, 2);
  EXPECT_EQ(race.earlier_thread, 1);
  EXPECT_EQ(race.address, reinterpret_cast<uintptr_t>(&x));
  EXPECT_EQ(race.size, 4u);
}

TEST_F(MemoryTest, ReadAndWriteRaceInEitherOrder) {
  uint32_t x = 0;
  Begin(2);
  EXPECT_FALSE(memory().PlainRead(1, &x, sizeof x));
  EXPECT_TRUE(memory().PlainWrite(2, &x, sizeof x));
  EXPECT_EQ(memory().race().earlier_kind, AccessKind::kPlainRead);
  Begin(2);
  EXPECT_FALSE(memory().PlainWrite(1, &x, sizeof x));
  EXPECT_TRUE(memory().PlainRead(2, &x, sizeof x));
}

TEST_F(MemoryTest, ReadsDoNotRace) {
  Begin(2);
  const uint32_t x = 0;
  EXPECT_FALSE(memory().PlainRead(1, &x, sizeof x));
  EXPECT_FALSE(memory().PlainRead(2, &x, sizeof x));
}

TEST_F(MemoryTest, AcquireOfAReleaseOrders) {
  Begin(2);
  uint32_t data = 0;
  uint32_t flag = 0;
  memory().PlainWrite(1, &data, sizeof data);
  Store(1, flag, 1u, kRelease);
  EXPECT_EQ(Load(2, flag, kAcquire), 1u);
  EXPECT_FALSE(memory().PlainWrite(2, &data, sizeof data));
}

TEST_F(MemoryTest, WhatFollowsTheReleaseIsNotOrdered) {
  Begin(2);
  uint32_t data = 0;
  uint32_t flag = 0;
  Store(1, flag, 1u, kRelease);
  memory().PlainWrite(1, &data, sizeof data);
  EXPECT_EQ(Load(2, flag, kAcquire), 1u);
  EXPECT_TRUE(memory().PlainRead(2, &data, sizeof data));
}

TEST_F(MemoryTest, AtomicAndPlainAccessesRace) {
  uint32_t x = 0;
  Begin(2);
  Store(1, x, 1u);
  EXPECT_TRUE(memory().PlainRead(2, &x, sizeof x));
  EXPECT_EQ(memory().race().earlier_kind, AccessKind::kAtomicWrite);
  Begin(2);
  Load(1, x);
  EXPECT_FALSE(memory().PlainRead(2, &x, sizeof x));
  EXPECT_TRUE(memory().PlainWrite(2, &x, sizeof x));
  EXPECT_EQ(memory().race().earlier_kind, AccessKind::kAtomicRead);
  Begin(2);
  memory().PlainRead(1, &x, sizeof x);
  Load(2, x);
  EXPECT_FALSE(memory().has_race());
  Store(2, x, 1u);
  EXPECT_TRUE(memory().has_race());
  EXPECT_EQ(memory().race().kind, AccessKind::kAtomicWrite);
}

TEST_F(MemoryTest, UseBeforeConstructionIsARaceOfItsOwnKind) {
  Begin(2);
  uint32_t x = 0;
  memory().PlainWrite(1, &x, sizeof x);
  Load(2, x, kSeqCst);
  ASSERT_TRUE(memory().has_race());
  EXPECT_TRUE(memory().race().before_construction);
}

TEST_F(MemoryTest, NeighbouringBytesDoNotRace) {
  Begin(2);
  alignas(8) uint8_t bytes[8] = {};
  EXPECT_FALSE(memory().PlainWrite(1, &bytes[0], 1));
  EXPECT_FALSE(memory().PlainWrite(2, &bytes[1], 1));
  EXPECT_FALSE(memory().PlainWrite(1, &bytes[2], 2));
  EXPECT_FALSE(memory().PlainWrite(2, &bytes[4], 4));
}

TEST_F(MemoryTest, OverlappingSizesRace) {
  Begin(2);
  alignas(8) uint8_t bytes[16] = {};
  EXPECT_FALSE(memory().PlainWrite(1, &bytes[3], 1));
  EXPECT_TRUE(memory().PlainRead(2, &bytes[0], 4));
  Begin(2);
  EXPECT_FALSE(memory().PlainWrite(1, &bytes[6], 4));  // over a multiple of 8
  EXPECT_FALSE(memory().PlainWrite(2, &bytes[10], 4));
  EXPECT_TRUE(memory().PlainRead(2, &bytes[8], 1));
}

TEST_F(MemoryTest, RangesRace) {
  Begin(2);
  alignas(8) static uint8_t bytes[1000];
  EXPECT_FALSE(memory().PlainWrite(1, bytes, sizeof bytes));
  EXPECT_FALSE(memory().PlainRead(1, &bytes[501], 2));
  EXPECT_TRUE(memory().PlainRead(2, &bytes[501], 2));
}

TEST_F(MemoryTest, ASingleThreadDoesNotRaceWithThoseItHasJoined) {
  Begin(1);
  uint32_t x = 0;
  memory().PlainWrite(1, &x, sizeof x);
  memory().JoinThread(0, 1);
  EXPECT_FALSE(memory().PlainWrite(0, &x, sizeof x));
  memory().CreateThread(0, 2);
  EXPECT_FALSE(memory().PlainWrite(2, &x, sizeof x));
}

TEST_F(MemoryTest, ForgottenBytesDoNotRace) {
  Begin(2);
  uint64_t x = 0;
  memory().PlainWrite(1, &x, sizeof x);
  memory().Forget(&x, sizeof x);
  EXPECT_FALSE(memory().PlainWrite(2, &x, sizeof x));
}

// ---- read-modify-writes one behind another

TEST_F(MemoryTest, NothingComesBetweenUpdates) {
  Begin(3);
  uint32_t x = 0;
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(Add(1, x, 1u), i);
  EXPECT_EQ(Add(2, x, 1u), 100u);
  EXPECT_TRUE(alternatives_.empty());
  // Of what is no longer kept, neither an update nor a store could have made any use.
  EXPECT_FALSE(memory().HasLostDetail());
  Store(3, x, 7u);
  EXPECT_TRUE(alternatives_.empty());
  EXPECT_FALSE(memory().HasLostDetail());
  // Now there is one that no update follows, and which another thread may have missed.
  EXPECT_EQ(Add(1, x, 1u, kRelaxed, {1}), 101u);
  EXPECT_EQ(alternatives_, std::vector<int>{2});
  EXPECT_EQ(x, 7u) << "placed before the newest";
}

TEST_F(MemoryTest, LoadsReadBetweenUpdates) {
  Begin(2);
  uint32_t x = 0;
  for (uint32_t i = 0; i < 3; ++i) Add(1, x, 1u);
  EXPECT_EQ(Load(2, x, kRelaxed, {3}), 0u);
  EXPECT_EQ(alternatives_, std::vector<int>{4});
}

}  // namespace
}  // namespace jacquard::sim
