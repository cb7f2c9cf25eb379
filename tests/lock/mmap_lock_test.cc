#include "lock/mmap_lock.h"

#include <atomic>
#include <stop_token>
#include <thread>

#include "gtest/gtest.h"
#include "lock/guards.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

// The steps of a write section at each width; the number is taken modulo the width.
template <class Widths>
class MmapLockTest : public testing::Test {
 protected:
  int Number() const { return static_cast<int>(mm_.counter().LoadRelaxed()); }
  static int Wrapped(int number) {
    return static_cast<int>(number & Sequence<Widths::kSequenceBits>::kLast);
  }

  BasicMmapLock<Widths> mm_;
};
using AllWidths = testing::Types<KernelWidths, NarrowWidths, TinyWidths>;
TYPED_TEST_SUITE(MmapLockTest, AllWidths);

TYPED_TEST(MmapLockTest, IsOddFromLockToUnlock) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  int number = 0;
  std::stop_source killer;
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(this->Number(), this->Wrapped(number));
    switch (round % 3) {
      case 0:
        this->mm_.Lock();
        break;
      case 1:
        ASSERT_TRUE(this->mm_.TryLock());
        break;
      case 2:
        ASSERT_TRUE(this->mm_.LockKillable(killer.get_token()));
        break;
    }
    EXPECT_EQ(this->Number(), this->Wrapped(++number));
    EXPECT_TRUE(this->mm_.semaphore().IsWriteLocked());
    if (round % 2 == 0) {
      this->mm_.Unlock();
    } else {
      this->mm_.Downgrade();
      EXPECT_EQ(this->Number(), this->Wrapped(number + 1));
      EXPECT_FALSE(this->mm_.TryLock());
      this->mm_.UnlockShared();
    }
    ++number;
  }
}

TYPED_TEST(MmapLockTest, ReadingAndFailingLeaveTheNumberAlone) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  this->mm_.LockShared();
  EXPECT_FALSE(this->mm_.TryLock());
  ASSERT_TRUE(this->mm_.TryLockShared());
  this->mm_.UnlockShared();
  std::stop_source killer;
  killer.request_stop();
  EXPECT_FALSE(this->mm_.LockKillable(killer.get_token()));
  ASSERT_TRUE(this->mm_.LockSharedKillable(killer.get_token()));
  this->mm_.UnlockShared();
  this->mm_.UnlockShared();
  EXPECT_EQ(this->Number(), 0);
}

TYPED_TEST(MmapLockTest, SpeculationFailsInAndAcrossWriteSections) {
  const auto begin = this->mm_.SpeculateTryBegin();
  ASSERT_TRUE(begin.has_value());
  EXPECT_FALSE(this->mm_.SpeculateRetry(*begin));
  {
    const WriteGuard guard(this->mm_);
    EXPECT_FALSE(this->mm_.SpeculateTryBegin().has_value());
    EXPECT_TRUE(this->mm_.SpeculateRetry(*begin));
  }
  EXPECT_TRUE(this->mm_.SpeculateRetry(*begin));
  {
    const ReadGuard guard(this->mm_);
    const auto under_read_lock = this->mm_.SpeculateTryBegin();
    ASSERT_TRUE(under_read_lock.has_value());
    EXPECT_FALSE(this->mm_.SpeculateRetry(*under_read_lock));
  }
}

TEST(MmapLock, AWriterWaitsForReaders) {
  MmapLock mm;
  std::atomic<bool> writes{false};
  mm.LockShared();
  std::thread writer([&] {
    const WriteGuard guard(mm);
    writes = true;
  });
  EXPECT_TRUE(NotSoon([&] { return writes.load(); }));
  EXPECT_EQ(mm.counter().LoadRelaxed(), 0u);
  mm.UnlockShared();
  EXPECT_TRUE(Eventually([&] { return writes.load(); }));
  writer.join();
}

// What is read under the downgraded lock is what was written before: `value` is plain.
TEST(MmapLock, DowngradeKeepsWhatWasWritten) {
  MmapLock mm;
  int value = 0;
  const auto work = [&]() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    for (int turn = 0; turn < 300; ++turn) {
      mm.Lock();
      const int written = ++value;
      mm.Downgrade();
      EXPECT_EQ(value, written);
      mm.UnlockShared();
    }
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  EXPECT_EQ(value, 600);
}

TEST(MmapLock, AssertionsPassWhileHeld) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  MmapLock mm;
  mm.Lock();
  mm.AssertWriteLocked();
  mm.AssertLocked();
  mm.Downgrade();
  mm.AssertLocked();
  mm.UnlockShared();
}

TEST(MmapLockDeathTest, AssertionsFailOtherwise) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  MmapLock mm;
  EXPECT_DEATH(mm.AssertLocked(), "mmap lock not held");
  mm.LockShared();
  EXPECT_DEATH(mm.AssertWriteLocked(), "mmap lock not held for writing");
  mm.UnlockShared();
}

TEST(MmapLockDeathTest, DroppingWhatNobodyHolds) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  MmapLock mm;
  EXPECT_DEATH(mm.Unlock(), "write section ended twice");
  EXPECT_DEATH(mm.Downgrade(), "write section ended twice");
  EXPECT_DEATH(mm.UnlockShared(), "read lock dropped that nobody holds");
}

}  // namespace
}  // namespace jacquard::lock
