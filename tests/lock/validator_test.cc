// What the locks tell a validator, and that they are what they were without one.
#include "lock/validator.h"

#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "lock/mmap_lock.h"
#include "lock/vma_lock.h"
#include "tests/lock/real_threads.h"
#include "tests/lock/recording_validator.h"

namespace jacquard::lock {
namespace {

using V = RecordingValidator;
using Mm = BasicMmapLock<KernelWidths, V>;
using Vma = BasicVmaLock<KernelWidths, V>;
using Log = std::vector<std::string>;

class ValidatorTest : public testing::Test {
 protected:
  ValidatorTest() {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkAttached(mm_);
    mm_.Unlock();
    V::TakeLog();
  }
  ~ValidatorTest() override {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkDetached(mm_);
    mm_.Unlock();
    EXPECT_TRUE(V::held.empty());
    V::TakeLog();
  }

  Mm mm_;
  Vma vma_{mm_};
};

TEST_F(ValidatorTest, IsToldOfReaders) {
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  vma_.EndRead();
  EXPECT_EQ(V::TakeLog(), (Log{"+vm_lock shared try", "-vm_lock"}));
}

TEST_F(ValidatorTest, IsToldOfTheMmapLock) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  mm_.LockShared();
  mm_.UnlockShared();
  ASSERT_TRUE(mm_.TryLockShared());
  mm_.UnlockShared();
  ASSERT_TRUE(mm_.TryLock());
  EXPECT_FALSE(mm_.TryLock());
  mm_.Downgrade();
  mm_.UnlockShared();
  EXPECT_EQ(V::TakeLog(),
            (Log{"+mmap_lock shared", "-mmap_lock", "+mmap_lock shared try", "-mmap_lock",
                 "+mmap_lock exclusive try", "=mmap_lock shared", "-mmap_lock"}));
}

TEST_F(ValidatorTest, IsToldOfWritersWhileTheyExclude) {
  mm_.Lock();
  vma_.StartWrite(mm_);
  vma_.StartWrite(mm_);  // nothing to do
  mm_.Unlock();
  EXPECT_EQ(V::TakeLog(),
            (Log{"+mmap_lock exclusive", "+vm_lock exclusive", "-vm_lock", "-mmap_lock"}));
}

TEST_F(ValidatorTest, IsToldThatAKilledWaitIsOver) {
  ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
  std::thread([this] {
    std::stop_source killer;
    killer.request_stop();
    mm_.Lock();
    EXPECT_FALSE(vma_.StartWriteKillable(mm_, killer.get_token()));
    EXPECT_EQ(V::held.size(), 1u);  // the mmap lock
    EXPECT_FALSE(vma_.IsWriteLocked(mm_));
    mm_.Unlock();
    mm_.LockShared();
    std::thread([&] {
      EXPECT_FALSE(mm_.LockKillable(killer.get_token()));
      EXPECT_TRUE(V::held.empty());
    }).join();
    mm_.UnlockShared();
  }).join();
  vma_.EndRead();
}

// Who turns back before it has counted itself in has taken nothing. (One that turns back afterwards
// gives back what it took: tests/known_bugs/release_skipped_at_zero.)
TEST_F(ValidatorTest, IsNotToldOfAReaderThatTurnsBackEarly) {
  mm_.Lock();
  vma_.StartWrite(mm_);
  V::TakeLog();
  EXPECT_EQ(vma_.StartRead(mm_), ReadResult::kContended);
  EXPECT_EQ(V::TakeLog(), Log{});
  mm_.Unlock();
}

// A VMA that has become another mm's. The reader tells of both, and leaves both mm as they were.
TEST_F(ValidatorTest, IsToldOfAReaderOfARecycledVma) {
  Mm other;
  V::TakeLog();
  EXPECT_EQ(vma_.StartRead(other), ReadResult::kContended);
  EXPECT_EQ(V::TakeLog(), (Log{"+vm_lock shared try", "-vm_lock"}));
  EXPECT_EQ(vma_.LoadWord(), 1u);
  EXPECT_EQ(mm_.holders(), 1u);
  EXPECT_EQ(other.holders(), 1u);
}

TEST(NoValidator, TakesNoRoom) {
  EXPECT_EQ(sizeof(VmaLock), 16u);  // the mm, the number, the word
  EXPECT_LT(sizeof(VmaLock), sizeof(Vma));
}

}  // namespace
}  // namespace jacquard::lock
