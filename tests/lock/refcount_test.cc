#include "lock/refcount.h"

#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace jacquard::lock {
namespace {

// All values of an 8-bit count, compared with what wide signed arithmetic says.
using Narrow = Refcount<std::uint8_t>;
constexpr int kValues = 256;
constexpr int kMax = 127;
constexpr int kPinned = 0xC0;

TEST(Refcount, HasTheKernelsConstantsAtTheKernelsWidth) {
  EXPECT_EQ(Refcount<std::uint32_t>::kMax, 0x7FFFFFFFu);
  EXPECT_EQ(Refcount<std::uint32_t>::kSaturated, 0xC0000000u);
  EXPECT_EQ(Narrow::kMax, kMax);
  EXPECT_EQ(Narrow::kSaturated, kPinned);
}

TEST(Refcount, TheUpperHalfIsSaturated) {
  for (int value = 0; value < kValues; ++value) {
    EXPECT_EQ(Narrow::IsSaturated(value), value > kMax) << value;
  }
}

TEST(Refcount, IncrementsExactlyBetweenZeroAndTheLimit) {
  for (int limit = 2; limit <= kMax; ++limit) {
    for (int value = 0; value < kValues; ++value) {
      Narrow count(value);
      const auto result = count.IncrementUnlessZeroAcquire(limit);
      const bool expected = value > 0 && value < limit;
      ASSERT_EQ(result.incremented, expected) << value << " limit " << limit;
      ASSERT_EQ(result.before, value) << value << " limit " << limit;
      ASSERT_EQ(count.LoadRelaxed(), expected ? value + 1 : value) << value << " limit " << limit;
    }
  }
}

TEST(Refcount, AddsUnlessZeroAndPinsInsteadOfOverflowing) {
  for (int amount = 0; amount < kValues; ++amount) {
    for (int value = 0; value < kValues; ++value) {
      Narrow count(value);
      int expected = value + amount;
      if (value > kMax || expected > kMax) expected = kPinned;
      if (value == 0) expected = 0;
      ASSERT_EQ(count.AddUnlessZeroRelaxed(amount), expected) << value << " + " << amount;
      ASSERT_EQ(count.LoadAcquire(), expected) << value << " + " << amount;
    }
  }
}

TEST(Refcount, SubtractsAndPinsInsteadOfUnderflowing) {
  for (int amount = 0; amount < kValues; ++amount) {
    for (int value = 0; value < kValues; ++value) {
      Narrow count(value);
      int expected = value - amount;
      if (value > kMax || expected < 0) expected = kPinned;
      ASSERT_EQ(count.SubtractRelease(amount), expected) << value << " - " << amount;
      ASSERT_EQ(count.LoadRelaxed(), expected) << value << " - " << amount;
    }
  }
}

TEST(Refcount, StaysPinnedWhateverFollows) {
  Narrow count(Narrow::kSaturated);
  for (int i = 0; i < 2 * kValues; ++i) {
    EXPECT_FALSE(count.IncrementUnlessZeroAcquire(Narrow::kMax).incremented);
    EXPECT_EQ(count.SubtractRelease(1), kPinned);
    EXPECT_EQ(count.AddUnlessZeroRelaxed(1), kPinned);
  }
}

TEST(Refcount, IsSetByItsOwner) {
  Narrow count;
  EXPECT_EQ(count.LoadRelaxed(), 0);
  count.StoreRelease(1);
  EXPECT_EQ(count.LoadRelaxed(), 1);
}

// `data` is plain: ThreadSanitizer would tell.
TEST(Refcount, WhoGetsAReferenceSeesACompleteObject) {
  Refcount<std::uint32_t> count;
  int data = 0;
  std::thread owner([&] {
    data = 1;
    count.StoreRelease(1);
  });
  while (!count.IncrementUnlessZeroAcquire(1000).incremented) std::this_thread::yield();
  EXPECT_EQ(data, 1);
  owner.join();
}

// Threads take and give back references, and one more takes the first reference away meanwhile.
// Each sees what the others wrote before they let go: `data` is plain, so ThreadSanitizer would
// tell.
TEST(Refcount, TheLastToLetGoSeesWhatAllOthersDid) {
  constexpr int kThreads = 3;
  for (int round = 0; round < 50; ++round) {
    Refcount<std::uint32_t> count(1);
    std::vector<int> data(kThreads + 1, 0);
    int freed_by = 0;
    const auto let_go = [&] {
      if (count.SubtractRelease(1) != 0) return;
      ++freed_by;
      for (int& cell : data) cell = -1;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int turn = 0; turn < 50; ++turn) {
          if (!count.IncrementUnlessZeroAcquire(1000).incremented) return;
          ++data[i];
          let_go();
        }
      });
    }
    std::this_thread::yield();
    ++data[kThreads];
    let_go();
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(freed_by, 1);
    ASSERT_EQ(count.LoadRelaxed(), 0u);
  }
}

}  // namespace
}  // namespace jacquard::lock
