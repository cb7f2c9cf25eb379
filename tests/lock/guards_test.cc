#include "lock/guards.h"

#include "gtest/gtest.h"

namespace jacquard::lock {
namespace {

TEST(Guards, HoldTheMmapLockWhileTheyLive) {
  MmapLock mm;
  {
    const ReadGuard guard(mm);
    EXPECT_EQ(mm.semaphore().ReaderCount(), 1u);
    EXPECT_FALSE(mm.semaphore().IsWriteLocked());
  }
  EXPECT_FALSE(mm.semaphore().IsLocked());
  {
    const WriteGuard guard(mm);
    EXPECT_TRUE(mm.semaphore().IsWriteLocked());
  }
  EXPECT_FALSE(mm.semaphore().IsLocked());
}

TEST(Guards, HoldASemaphoreWhileTheyLive) {
  RwSemaphore semaphore;
  {
    const ReadGuard guard(semaphore);
    EXPECT_EQ(semaphore.ReaderCount(), 1u);
  }
  {
    const WriteGuard guard(semaphore);
    EXPECT_TRUE(semaphore.IsWriteLocked());
  }
  EXPECT_FALSE(semaphore.IsLocked());
}

TEST(Guards, AVmaReadGuardSaysWhetherItHoldsTheVma) {
  MmapLock mm;
  VmaLock vma(mm);
  {
    const VmaReadGuard guard(vma, mm);
    EXPECT_FALSE(guard);
    EXPECT_EQ(guard.result(), ReadResult::kDetached);
  }
  {
    const WriteGuard write(mm);
    vma.StartWrite(mm);
    vma.MarkAttached(mm);
    const VmaReadGuard guard(vma, mm);
    EXPECT_EQ(guard.result(), ReadResult::kContended);
  }
  {
    const VmaReadGuard guard(vma, mm);
    EXPECT_TRUE(guard);
    EXPECT_EQ(vma.LoadWord(), 2u);
  }
  EXPECT_EQ(vma.LoadWord(), 1u);
  const WriteGuard write(mm);
  vma.StartWrite(mm);
  vma.MarkDetached(mm);
}

}  // namespace
}  // namespace jacquard::lock
