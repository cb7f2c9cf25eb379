#include "lock/vma_lock.h"

#include <array>
#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "lock/guards.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

// One VMA of one mm, attached unless a test says otherwise.
template <class Widths>
class VmaLockTest : public testing::Test {
 protected:
  using Values = ReferenceWord<Widths>;

  VmaLockTest() { Attach(); }
  ~VmaLockTest() override { Detach(); }

  void Attach() {
    const WriteGuard guard(mm_);
    vma_.StartWrite(mm_);
    vma_.MarkAttached(mm_);
  }
  void Detach() {
    const WriteGuard guard(mm_);
    vma_.StartWrite(mm_);
    if (!Values::IsDetached(vma_.LoadWord())) vma_.MarkDetached(mm_);
  }

  // Only for moments at which no other thread changes anything.
  bool MayBe(Situation situation) const {
    return Values::PossibleSituations(vma_.LoadWord(), vma_.LoadLockSequence(),
                                      mm_.counter().LoadRelaxed())
        .Contains(situation);
  }
  bool Is(Situation situation) const {
    return Values::PossibleSituations(vma_.LoadWord(), vma_.LoadLockSequence(),
                                      mm_.counter().LoadRelaxed()) == Situations{situation};
  }

  BasicMmapLock<Widths> mm_;
  BasicVmaLock<Widths> vma_{mm_};
};
using AllWidths = testing::Types<KernelWidths, NarrowWidths, TinyWidths>;
TYPED_TEST_SUITE(VmaLockTest, AllWidths);

TYPED_TEST(VmaLockTest, PassesThroughTheSituationsOfItsLife) {
  BasicVmaLock<TypeParam> vma(this->mm_);
  using Values = typename TestFixture::Values;
  EXPECT_EQ(vma.LoadWord(), Values::kDetached);
  EXPECT_EQ(vma.LoadLockSequence(), Values::LockSequence::kNeverLocked);

  EXPECT_TRUE(this->Is(Situation::kUnlocked));
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  EXPECT_TRUE(this->Is(Situation::kReadLocked));
  this->vma_.EndRead();
  EXPECT_TRUE(this->Is(Situation::kUnlocked));
  {
    const WriteGuard guard(this->mm_);
    EXPECT_TRUE(this->Is(Situation::kUnlocked));
    EXPECT_FALSE(this->vma_.IsWriteLocked(this->mm_));
    this->vma_.StartWrite(this->mm_);
    EXPECT_TRUE(this->MayBe(Situation::kWriteLocked));
    EXPECT_TRUE(this->vma_.IsWriteLocked(this->mm_));
    this->vma_.MarkDetached(this->mm_);
    EXPECT_TRUE(this->Is(Situation::kDetached));
    EXPECT_TRUE(this->vma_.IsWriteLocked(this->mm_));
    this->vma_.MarkAttached(this->mm_);
    EXPECT_TRUE(this->MayBe(Situation::kWriteLocked));
  }
  EXPECT_TRUE(this->Is(Situation::kUnlocked));
}

TYPED_TEST(VmaLockTest, ReadersShare) {
  ASSERT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  ASSERT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  EXPECT_EQ(this->vma_.LoadWord(), 3);
  this->vma_.EndRead();
  this->vma_.EndRead();
  EXPECT_EQ(this->vma_.LoadWord(), 1);
}

TYPED_TEST(VmaLockTest, AReaderOfADetachedVmaIsToldSo) {
  this->Detach();
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kDetached);
  const ReadGuard guard(this->mm_);
  EXPECT_FALSE(this->vma_.StartReadLocked(this->mm_));
}

TYPED_TEST(VmaLockTest, AReaderOfAWriteLockedVmaFallsBack) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  this->mm_.Lock();
  this->vma_.StartWrite(this->mm_);
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kContended);
  EXPECT_EQ(this->vma_.LoadWord(), 1);
  this->mm_.Unlock();
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  this->vma_.EndRead();
}

TYPED_TEST(VmaLockTest, AnOpenWriteSectionKeepsNobodyOutOfOtherVmas) {
  const WriteGuard guard(this->mm_);
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  this->vma_.EndRead();
}

TYPED_TEST(VmaLockTest, DowngradingUnlocksAllVmas) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  BasicVmaLock<TypeParam> other(this->mm_);
  this->mm_.Lock();
  this->vma_.StartWrite(this->mm_);
  other.StartWrite(this->mm_);
  other.MarkAttached(this->mm_);
  this->mm_.Downgrade();
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  EXPECT_TRUE(other.StartReadLocked(this->mm_));
  this->mm_.UnlockShared();
  this->vma_.EndRead();
  other.EndRead();
  this->mm_.Lock();
  other.StartWrite(this->mm_);
  other.MarkDetached(this->mm_);
  this->mm_.Unlock();
}

TYPED_TEST(VmaLockTest, StartWriteWaitsForReadersAndRefusesNewOnes) {
  ASSERT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  std::atomic<bool> locked{false};
  std::thread writer([&] {
    const WriteGuard guard(this->mm_);
    this->vma_.StartWrite(this->mm_);
    locked = true;
  });
  EXPECT_TRUE(Eventually([&] { return this->vma_.LoadWord() >= TestFixture::Values::kFlag; }));
  EXPECT_TRUE(NotSoon([&] { return locked.load(); }));
  EXPECT_TRUE(this->Is(Situation::kWriterDraining));
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kContended);
  this->vma_.EndRead();
  EXPECT_TRUE(Eventually([&] { return locked.load(); }));
  writer.join();
  EXPECT_TRUE(this->Is(Situation::kUnlocked));
}

TYPED_TEST(VmaLockTest, AKilledWriterLeavesTheVmaAsItWas) {
  ASSERT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  const auto number = this->vma_.LoadLockSequence();
  std::stop_source killer;
  std::thread writer([&] {
    const WriteGuard guard(this->mm_);
    EXPECT_FALSE(this->vma_.StartWriteKillable(this->mm_, killer.get_token()));
    EXPECT_FALSE(this->vma_.IsWriteLocked(this->mm_));
  });
  EXPECT_TRUE(Eventually([&] { return this->vma_.LoadWord() >= TestFixture::Values::kFlag; }));
  killer.request_stop();
  writer.join();
  EXPECT_EQ(this->vma_.LoadWord(), 2);
  EXPECT_EQ(this->vma_.LoadLockSequence(), number);
  EXPECT_EQ(this->vma_.StartRead(this->mm_), ReadResult::kLocked);
  this->vma_.EndRead();
  this->vma_.EndRead();
}

TYPED_TEST(VmaLockTest, KillingDoesNotMatterWithoutReaders) {
  std::stop_source killer;
  killer.request_stop();
  const WriteGuard guard(this->mm_);
  EXPECT_TRUE(this->vma_.StartWriteKillable(this->mm_, killer.get_token()));
  EXPECT_TRUE(this->vma_.StartWriteKillable(this->mm_, killer.get_token()));
  EXPECT_TRUE(this->vma_.IsWriteLocked(this->mm_));
}

TYPED_TEST(VmaLockTest, StartWriteOnADetachedVmaOnlyStoresTheNumber) {
  this->Detach();
  const WriteGuard guard(this->mm_);
  this->vma_.StartWrite(this->mm_);
  EXPECT_TRUE(this->vma_.IsWriteLocked(this->mm_));
  EXPECT_TRUE(this->Is(Situation::kDetached));
}

// A read lock that the writer took itself stands in for a temporary reader, whose moment is too
// short for a test with real threads.
TYPED_TEST(VmaLockTest, MarkDetachedWaitsForTemporaryReaders) {
  std::atomic<bool> counted_in{false};
  std::atomic<bool> detached{false};
  std::thread writer([&] {
    const WriteGuard guard(this->mm_);
    this->vma_.StartWrite(this->mm_);
    EXPECT_TRUE(this->vma_.StartReadLocked(this->mm_));
    EXPECT_TRUE(this->MayBe(Situation::kWriteLockedWithTemporaries));
    counted_in = true;
    this->vma_.MarkDetached(this->mm_);
    EXPECT_TRUE(this->Is(Situation::kDetached));
    this->vma_.MarkAttached(this->mm_);
    detached = true;
  });
  EXPECT_TRUE(Eventually([&] { return counted_in.load(); }));
  EXPECT_TRUE(Eventually([&] { return this->vma_.LoadWord() == TestFixture::Values::kFlag + 1; }));
  EXPECT_TRUE(NotSoon([&] { return detached.load(); }));
  EXPECT_TRUE(this->MayBe(Situation::kDetacherDraining));
  this->vma_.EndRead();
  EXPECT_TRUE(Eventually([&] { return detached.load(); }));
  writer.join();
}

// A VMA that was freed and handed out again: a reader that still thinks that it is the old one
// leaves it, and both mm, as they were.
TEST(VmaLock, IsRecycled) {
  MmapLock first;
  MmapLock second;
  VmaLock vma;
  const auto attach = [&](MmapLock& mm) {
    vma.Initialize(mm);
    const WriteGuard guard(mm);
    vma.StartWrite(mm);
    vma.MarkAttached(mm);
  };
  const auto detach = [&](MmapLock& mm) {
    const WriteGuard guard(mm);
    vma.StartWrite(mm);
    vma.MarkDetached(mm);
  };
  attach(first);
  EXPECT_EQ(vma.StartRead(first), ReadResult::kLocked);
  vma.EndRead();
  detach(first);
  EXPECT_EQ(vma.StartRead(first), ReadResult::kDetached);
  attach(second);
  EXPECT_EQ(vma.StartRead(first), ReadResult::kContended);
  EXPECT_EQ(vma.LoadWord(), 1u);
  EXPECT_EQ(first.holders(), 1u);
  EXPECT_EQ(second.holders(), 1u);
  EXPECT_EQ(vma.StartRead(second), ReadResult::kLocked);
  vma.EndRead();
  detach(second);
}

// Whoever lets go of an mm last destroys it.
TEST(VmaLock, AnMmIsDestroyedByTheLastWhoHoldsOn) {
  static int destroyed = 0;
  auto* const mm = new MmapLock([](MmapLock& m) {
    ++destroyed;
    delete &m;
  });
  mm->Grab();
  mm->Drop();
  EXPECT_EQ(destroyed, 0);
  mm->Drop();
  EXPECT_EQ(destroyed, 1);
}

TEST(VmaLock, AFullWordRefusesReadersForNow) {
  BasicMmapLock<TinyWidths> mm;
  BasicVmaLock<TinyWidths> vma(mm);
  {
    const WriteGuard guard(mm);
    vma.StartWrite(mm);
    vma.MarkAttached(mm);
  }
  EXPECT_EQ(vma.StartRead(mm), ReadResult::kLocked);
  EXPECT_EQ(vma.StartRead(mm), ReadResult::kLocked);
  EXPECT_EQ(vma.StartRead(mm), ReadResult::kContended);
  {
    const ReadGuard guard(mm);
    EXPECT_FALSE(vma.StartReadLocked(mm));
    vma.EndRead();
    EXPECT_TRUE(vma.StartReadLocked(mm));
  }
  vma.EndRead();
  vma.EndRead();
  const WriteGuard guard(mm);
  vma.StartWrite(mm);
  vma.MarkDetached(mm);
}

// The one thing that does not hold at any width, see vma_lock.h: here a reader is inside, and
// StartWrite does not wait for it.
TEST(VmaLock, ASequenceThatComesRoundDeceivesStartWrite) {
  BasicMmapLock<TinyWidths> mm;
  BasicVmaLock<TinyWidths> vma(mm);
  {
    const WriteGuard guard(mm);  // section 1
    vma.StartWrite(mm);
    vma.MarkAttached(mm);
  }
  EXPECT_EQ(vma.StartRead(mm), ReadResult::kLocked);
  {
    const WriteGuard guard(mm);
  }  // section 3
  {
    const WriteGuard guard(mm);  // section 1 again
    vma.StartWrite(mm);          // would wait for ever if it were not deceived
    EXPECT_EQ(vma.LoadWord(), 2);
    EXPECT_TRUE(ReferenceWord<TinyWidths>::PossibleSituations(
                    vma.LoadWord(), vma.LoadLockSequence(), mm.counter().LoadRelaxed())
                    .Contains(Situation::kSequenceCameRound));
  }
  vma.EndRead();
  {
    const WriteGuard guard(mm);
  }
  const WriteGuard guard(mm);
  vma.StartWrite(mm);
  vma.MarkDetached(mm);
}

// Readers and writers of two VMAs. The data are plain: ThreadSanitizer tells if the lock does not
// order, the sums if it does not exclude.
TEST(VmaLock, ExcludesUnderLoad) {
  constexpr int kTurns = 300;
  struct Vma {
    explicit Vma(MmapLock& mm) : lock(mm) {}
    VmaLock lock;
    int a = 0;
    int b = 0;
  };
  MmapLock mm;
  std::array<Vma, 2> vmas{Vma(mm), Vma(mm)};
  {
    const WriteGuard guard(mm);
    for (Vma& vma : vmas) {
      vma.lock.StartWrite(mm);
      vma.lock.MarkAttached(mm);
    }
  }
  std::atomic<int> writers_left{2};
  std::atomic<int> read_sections{0};
  const auto read = [&] {
    for (int turn = 0; writers_left > 0 || turn < kTurns; ++turn) {
      Vma& vma = vmas[turn % 2];
      const VmaReadGuard guard(vma.lock, mm);
      if (guard) {
        EXPECT_EQ(vma.a, vma.b);
        ++read_sections;
        continue;
      }
      const ReadGuard fall_back(mm);
      if (!vma.lock.StartReadLocked(mm)) continue;  // detached
      EXPECT_EQ(vma.a, vma.b);
      vma.lock.EndRead();
    }
  };
  const auto write = [&](int seed) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    for (int turn = 0; turn < kTurns; ++turn) {
      Vma& vma = vmas[(turn / 2 + seed) % 2];
      mm.Lock();
      std::stop_source killer;
      std::thread kill;
      if (turn % 16 == 0) kill = std::thread([&] { killer.request_stop(); });
      if (vma.lock.StartWriteKillable(mm, killer.get_token())) {
        ++vma.a;
        if (turn % 3 == 0) vma.lock.MarkDetached(mm);
        ++vma.b;
        if (turn % 3 == 0) vma.lock.MarkAttached(mm);
      }
      if (turn % 5 == 0) {
        mm.Downgrade();
        EXPECT_EQ(vma.a, vma.b);
        mm.UnlockShared();
      } else {
        mm.Unlock();
      }
      if (kill.joinable()) kill.join();
    }
    --writers_left;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(read);
  for (int i = 0; i < 2; ++i) threads.emplace_back(write, i);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(read_sections, 0);
  const WriteGuard guard(mm);
  for (Vma& vma : vmas) {
    EXPECT_EQ(vma.lock.LoadWord(), 1u);
    EXPECT_EQ(vma.a, vma.b);
    vma.lock.StartWrite(mm);
    vma.lock.MarkDetached(mm);
  }
}

using VmaLockDeathTest = VmaLockTest<KernelWidths>;

TEST_F(VmaLockDeathTest, ReadingWithoutARight) {
  EXPECT_DEATH(vma_.EndRead(), "read lock dropped that nobody holds");
  MmapLock other;
  other.LockShared();
  EXPECT_DEATH(static_cast<void>(vma_.StartReadLocked(other)), "VMA of another mm");
  other.UnlockShared();
}

TEST_F(VmaLockDeathTest, RecyclingWhatIsAttached) {
  EXPECT_DEATH(vma_.Initialize(mm_), "VMA recycled while attached");
}

TEST_F(VmaLockDeathTest, WritingWithoutTheMmapLock) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  EXPECT_DEATH(vma_.StartWrite(mm_), "mmap lock not held for writing");
  mm_.Lock();
  mm_.Downgrade();
  EXPECT_DEATH(vma_.StartWrite(mm_), "mmap lock not held for writing");
  mm_.UnlockShared();
}

TEST_F(VmaLockDeathTest, AttachingAndDetachingWithoutAWriteLock) {
  const WriteGuard guard(mm_);
  EXPECT_DEATH(vma_.MarkDetached(mm_), "VMA detached without being write-locked");
  EXPECT_DEATH(vma_.MarkAttached(mm_), "VMA attached without being write-locked");
}

TEST_F(VmaLockDeathTest, AttachingAndDetachingTwice) {
  const WriteGuard guard(mm_);
  vma_.StartWrite(mm_);
  EXPECT_DEATH(vma_.MarkAttached(mm_), "VMA attached twice");
  vma_.MarkDetached(mm_);
  EXPECT_DEATH(vma_.MarkDetached(mm_), "VMA detached twice");
}

TEST_F(VmaLockDeathTest, DestroyingAnAttachedVma) {
  EXPECT_DEATH(
      {
        std::optional<VmaLock> vma(std::in_place, mm_);
        const WriteGuard guard(mm_);
        vma->StartWrite(mm_);
        vma->MarkAttached(mm_);
        vma.reset();
      },
      "VMA destroyed while attached");
}

}  // namespace
}  // namespace jacquard::lock
