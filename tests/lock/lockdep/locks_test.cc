// The locks of this project with the validator in them: on real threads.
#include <optional>
#include <stop_token>
#include <thread>

#include "gtest/gtest.h"
#include "lock/lockdep/validator.h"
#include "lock/mmap_lock.h"
#include "lock/vma_lock.h"

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard::lock::lockdep {
namespace {

using Mm = BasicMmapLock<KernelWidths, Validator>;
using Vma = BasicVmaLock<KernelWidths, Validator>;

class LocksTest : public testing::Test {
 protected:
  LocksTest() {
    Reset();
    said_ = {};
    before_ = SetReportHandler([](const Report& report) { said_ = report.rule; });
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkAttached(mm_);
    mm_.Unlock();
  }
  ~LocksTest() override {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkDetached(mm_);
    mm_.Unlock();
    SetReportHandler(before_);
  }

  static inline std::optional<Rule> said_;
  Mm mm_;
  Vma vma_{mm_};

 private:
  ReportHandler before_;
};

// Who reads a VMA must not wait for the mmap lock, whose writers wait for the VMA's readers.
TEST_F(LocksTest, SaysWhenAReaderOfAVmaWaitsForTheMmapLock) {
  mm_.Lock();
  vma_.StartWrite(mm_);
  mm_.Unlock();
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  EXPECT_EQ(said_, std::nullopt);
  mm_.LockShared();
  EXPECT_EQ(said_, Rule::kCircular);
  mm_.UnlockShared();
  vma_.EndRead();
}

TEST_F(LocksTest, LetsAReaderOfAVmaTryTheMmapLock) {
  mm_.Lock();
  vma_.StartWrite(mm_);
  mm_.Unlock();
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  ASSERT_TRUE(mm_.TryLockShared());
  mm_.UnlockShared();
  vma_.EndRead();
  EXPECT_EQ(said_, std::nullopt);
}

TEST_F(LocksTest, LetsReadersOfTheMmapLockReadVmas) {
  mm_.LockShared();
  ASSERT_TRUE(vma_.StartReadLocked(mm_));
  mm_.UnlockShared();
  vma_.EndRead();
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  vma_.EndRead();
  EXPECT_EQ(said_, std::nullopt);
}

TEST_F(LocksTest, KnowsADowngradedLock) {
  mm_.Lock();
  vma_.StartWrite(mm_);
  mm_.Downgrade();
  mm_.AssertLocked();
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  vma_.EndRead();
  mm_.UnlockShared();
  EXPECT_EQ(said_, std::nullopt);
}

TEST_F(LocksTest, SaysWhenTheMmapLockIsReadTwice) {
  mm_.LockShared();
  mm_.LockShared();  // would wait behind a writer that waits for the first
  EXPECT_EQ(said_, Rule::kRecursive);
  mm_.UnlockShared();
  mm_.UnlockShared();
}

TEST_F(LocksTest, KnowsThatAKilledWaitIsOver) {
  std::stop_source killer;
  killer.request_stop();
  mm_.LockShared();
  std::thread([&] {
    EXPECT_FALSE(mm_.LockKillable(killer.get_token()));
    ASSERT_TRUE(mm_.TryLockShared());
    mm_.UnlockShared();
  }).join();
  mm_.UnlockShared();
  EXPECT_EQ(said_, std::nullopt);
}

TEST_F(LocksTest, SaysWhenAThreadEndsAsAReaderOfAVma) {
  std::thread([&] { ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked); }).join();
  EXPECT_EQ(said_, Rule::kHeldAtExit);
  vma_.EndRead();
}

}  // namespace
}  // namespace jacquard::lock::lockdep

#pragma clang attribute pop
