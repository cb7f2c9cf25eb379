#include "lock/lockdep/checker.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "tests/lock/lockdep/books.h"

namespace jacquard::lock::lockdep {
namespace {

constexpr Acquisition kShared = {.mode = AcquireMode::kShared};
constexpr Acquisition kRecursive = {.mode = AcquireMode::kSharedRecursive};
constexpr Acquisition kTry = {.try_lock = true};
constexpr Acquisition kTryShared = {.mode = AcquireMode::kShared, .try_lock = true};

class CheckerTest : public testing::Test {
 protected:
  // Their destructors ask the process's own books, which know nothing of them.
  Map a_{"a"}, b_{"b"}, c_{"c"}, gate_{"gate"};
  Books books_;
};

// ---- the order of locks

TEST_F(CheckerTest, SaysWhenTwoLocksAreTakenInBothOrders) {
  books_.Nest(0, {&a_, &b_});
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(1, {&b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_EQ(Books::Signature(), "possible circular locking dependency detected: a, b");
}

TEST_F(CheckerTest, SaysItOfOneThreadAlone) {
  books_.Nest(0, {&a_, &b_});
  books_.Nest(0, {&b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(CheckerTest, IsSilentOnOneOrder) {
  for (int thread = 0; thread < Books::kThreads; ++thread) {
    books_.Nest(thread, {&a_, &b_, &c_});
    books_.Nest(thread, {&a_, &c_});
    books_.Nest(thread, {&b_, &c_});
  }
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, SeesACycleOfThreeThreadsThatNeverMeet) {
  books_.Nest(0, {&a_, &b_});
  books_.Nest(1, {&b_, &c_});
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(2, {&c_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_NE(Books::Text().find("a --> b --> c"), std::string::npos) << Books::Text();
}

TEST_F(CheckerTest, JudgesLocksOfOneClassTogether) {
  const Map other_a("a"), other_b("b");
  books_.Nest(0, {&a_, &b_});
  books_.Nest(1, {&other_b, &other_a});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(CheckerTest, TellsLinesApart) {
  const Map one("cache.cc", 1), two("cache.cc", 2);
  books_.Nest(0, {&one, &two});
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(0, {&two, &one});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_EQ(Books::Signature(), "possible circular locking dependency detected: cache.cc");
}

// Names that say the same are the same, wherever they lie.
TEST_F(CheckerTest, ComparesNamesByTheirText) {
  const std::string copy = "a";
  const Map other(copy.c_str());
  books_.Acquire(0, a_);
  books_.Acquire(0, other);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

// An exclusive lock around both orders keeps them apart. As Linux does, it is reported all the
// same, and the report says so.
TEST_F(CheckerTest, ReportsUnderAGateAndSaysSo) {
  books_.Nest(0, {&gate_, &a_, &b_});
  books_.Nest(1, {&gate_, &b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_NE(Books::Text().find("with a lock of (gate) held exclusively"), std::string::npos)
      << Books::Text();
}

TEST_F(CheckerTest, SaysNothingOfAGateThatOneLeavesOut) {
  books_.Nest(0, {&gate_, &a_, &b_});
  books_.Nest(1, {&b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_EQ(Books::Text().find("held exclusively"), std::string::npos) << Books::Text();
}

// ---- try-locks

TEST_F(CheckerTest, WhoTriesWaitsForNobody) {
  books_.Nest(0, {&a_, &b_});
  books_.Acquire(1, b_);
  books_.Acquire(1, a_, kTry);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, WhatWasTriedIsWaitedFor) {
  books_.Acquire(0, a_, kTry);
  books_.Acquire(0, b_);
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(1, {&b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(CheckerTest, WhoTriesItAgainIsNotStuck) {
  books_.Acquire(0, a_);
  books_.Acquire(0, a_, kTry);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

// ---- one class twice

TEST_F(CheckerTest, SaysWhenALockIsTakenTwice) {
  books_.Acquire(0, a_);
  books_.Acquire(0, a_);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

TEST_F(CheckerTest, SaysWhenTwoOfAClassAreTaken) {
  const Map other("a");
  books_.Acquire(0, a_);
  books_.Acquire(0, other);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

TEST_F(CheckerTest, LetsTwoThreadsHoldOneOfAClassEach) {
  const Map other("a");
  books_.Acquire(0, a_);
  books_.Acquire(1, other);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, LetsARecursiveReaderInAgain) {
  books_.Acquire(0, a_, kShared);
  books_.Acquire(0, a_, kRecursive);
  books_.Acquire(0, a_, kRecursive);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, SaysWhenAnotherReaderComesTwice) {
  books_.Acquire(0, a_, kRecursive);
  books_.Acquire(0, a_, kShared);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

TEST_F(CheckerTest, SaysWhenAReaderWantsToWrite) {
  books_.Acquire(0, a_, kRecursive);
  books_.Acquire(0, a_);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

TEST_F(CheckerTest, SaysWhenAWriterWantsToRead) {
  books_.Acquire(0, a_);
  books_.Acquire(0, a_, kRecursive);
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

TEST_F(CheckerTest, TellsSubclassesApart) {
  const Map child("a");
  books_.Acquire(0, a_);
  books_.Acquire(0, child, {.subclass = 1});
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, OrdersSubclasses) {
  const Map child("a");
  books_.Acquire(0, a_);
  books_.Acquire(0, child, {.subclass = 1});
  books_.Release(0, child);
  books_.Release(0, a_);
  books_.Acquire(1, child, {.subclass = 1});
  books_.Acquire(1, a_);
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_NE(Books::Text().find("(a/1)"), std::string::npos) << Books::Text();
}

// ---- nest locks

TEST_F(CheckerTest, LetsANestLockGuardTheOrder) {
  const Map other("a");
  books_.Acquire(0, gate_);
  books_.Acquire(0, a_, {.nest_lock = &gate_});
  books_.Acquire(0, other, {.nest_lock = &gate_});
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, SaysWhenTheNestLockIsNotHeld) {
  books_.Acquire(0, a_, {.nest_lock = &gate_});
  EXPECT_EQ(Books::Said(), Rule::kNestLock);
}

TEST_F(CheckerTest, SaysWhenTheNestLockCameTooLate) {
  const Map other("a");
  books_.Acquire(0, a_);
  books_.Acquire(0, gate_);
  books_.Acquire(0, other, {.nest_lock = &gate_});
  EXPECT_EQ(Books::Said(), Rule::kRecursive);
}

// ---- releases, destruction, exit

TEST_F(CheckerTest, SaysWhenNobodyHoldsWhatIsReleased) {
  books_.Acquire(0, b_);
  books_.Release(0, a_);
  EXPECT_EQ(Books::Said(), Rule::kUnlock);
  EXPECT_NE(Books::Text().find("no thread holds it"), std::string::npos) << Books::Text();
}

TEST_F(CheckerTest, SaysWhenAnotherThreadReleases) {
  books_.Acquire(0, a_);
  books_.Release(1, a_);
  EXPECT_EQ(Books::Said(), Rule::kUnlock);
  EXPECT_NE(Books::Text().find("thread 0 does"), std::string::npos) << Books::Text();
}

TEST_F(CheckerTest, LetsLocksGoInAnyOrder) {
  books_.Acquire(0, a_);
  books_.Acquire(0, b_);
  books_.Acquire(0, c_);
  books_.Release(0, b_);
  books_.Release(0, a_);
  EXPECT_EQ(books_.IsHeld(0, c_), Held::kYes);
  books_.Release(0, c_);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

// What is left when one in the middle is dropped counts as what it is.
TEST_F(CheckerTest, OrdersWhatIsLeft) {
  books_.Acquire(0, a_);
  books_.Acquire(0, b_, kTry);
  books_.Release(0, a_);
  books_.Acquire(0, c_);
  books_.Release(0, c_);
  books_.Release(0, b_);
  books_.Nest(1, {&c_, &a_});  // a was not held when c was taken
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(1, {&c_, &b_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(CheckerTest, SaysWhenAHeldLockIsFreed) {
  const auto lock = std::make_unique<Map>("dynamic");
  books_.Acquire(0, *lock);
  books_.checker().CheckFreed(books_.task(0), lock.get(), sizeof(Map), Here());
  EXPECT_EQ(Books::Said(), Rule::kFreed);
}

TEST_F(CheckerTest, SaysWhenAnotherThreadHoldsWhatIsFreed) {
  books_.Acquire(0, a_);
  books_.checker().CheckFreed(books_.task(1), &a_, sizeof(Map), Here());
  EXPECT_EQ(Books::Said(), Rule::kFreed);
}

TEST_F(CheckerTest, LetsALockBeFreedThatNobodyHolds) {
  books_.Acquire(0, a_);
  books_.Acquire(0, b_);
  books_.Release(0, a_);
  books_.checker().CheckFreed(books_.task(1), &a_, sizeof(Map), Here());
  EXPECT_EQ(Books::Said(), std::nullopt);
}

TEST_F(CheckerTest, SaysWhenAThreadEndsWithALock) {
  books_.Acquire(0, a_);
  books_.checker().CheckNothingHeld(books_.task(1), Here());
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.checker().CheckNothingHeld(books_.task(0), Here());
  EXPECT_EQ(Books::Said(), Rule::kHeldAtExit);
}

TEST_F(CheckerTest, DowngradesAWriter) {
  books_.Acquire(0, a_);
  books_.checker().Downgrade(books_.task(0), a_, Here());
  EXPECT_EQ(books_.IsHeld(0, a_, AcquireMode::kShared), Held::kYes);
  EXPECT_EQ(books_.IsHeld(0, a_, AcquireMode::kExclusive), Held::kNo);
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.checker().Downgrade(books_.task(0), a_, Here());
  EXPECT_EQ(Books::Said(), Rule::kDowngrade);
}

// ---- who holds what

TEST_F(CheckerTest, KnowsWhoHoldsWhat) {
  const Map other("a");
  books_.Acquire(0, a_, kShared);
  EXPECT_EQ(books_.IsHeld(0, a_), Held::kYes);
  EXPECT_EQ(books_.IsHeld(0, a_, AcquireMode::kShared), Held::kYes);
  EXPECT_EQ(books_.IsHeld(0, a_, AcquireMode::kExclusive), Held::kNo);
  EXPECT_EQ(books_.IsHeld(0, other), Held::kNo) << "another lock of the class";
  EXPECT_EQ(books_.IsHeld(1, a_), Held::kNo) << "another thread";
}

TEST_F(CheckerTest, KnowsNothingAfterTheFirstReport) {
  books_.Acquire(0, a_);
  books_.Release(0, b_);
  ASSERT_EQ(Books::Said(), Rule::kUnlock);
  EXPECT_NE(Books::Text().find("not checked from here on"), std::string::npos) << Books::Text();
  EXPECT_EQ(books_.IsHeld(0, a_), Held::kUnknown);
  EXPECT_EQ(books_.IsHeld(0, b_), Held::kUnknown);
  books_.Acquire(0, a_);
  books_.checker().CheckNothingHeld(books_.task(0), Here());
  EXPECT_EQ(Books::Said(), Rule::kUnlock) << "the second report is not given";
}

TEST_F(CheckerTest, BeginsAnew) {
  books_.Nest(0, {&a_, &b_});
  books_.Release(0, b_);
  ASSERT_EQ(Books::Said(), Rule::kUnlock);
  books_.checker().Reset();
  books_.Nest(0, {&b_, &a_});
  EXPECT_EQ(Books::Said(), Rule::kUnlock);
  EXPECT_TRUE(books_.checker().IsOn());
  books_.Nest(0, {&a_, &b_});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

// ---- RCU

TEST_F(CheckerTest, WantsAReadSideSection) {
  const Map rcu("rcu_read_lock");
  const auto look_up = [&](bool otherwise) {
    books_.checker().CheckRcu(books_.task(0), rcu, otherwise, "a node is looked up", Here());
  };
  books_.Acquire(0, rcu, {.mode = AcquireMode::kSharedRecursive, .try_lock = true});
  look_up(false);
  books_.Release(0, rcu);
  look_up(true);
  EXPECT_EQ(Books::Said(), std::nullopt);
  look_up(false);
  EXPECT_EQ(Books::Said(), Rule::kRcu);
  EXPECT_NE(Books::Text().find("a node is looked up outside of"), std::string::npos);
}

TEST_F(CheckerTest, SaysWhenAReaderWaitsForReaders) {
  const Map rcu("rcu_read_lock");
  books_.checker().WaitForReaders(books_.task(0), rcu, Here());
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Acquire(0, rcu, {.mode = AcquireMode::kSharedRecursive, .try_lock = true});
  books_.checker().WaitForReaders(books_.task(0), rcu, Here());
  EXPECT_EQ(Books::Said(), Rule::kRcu);
}

// One waits for readers while it holds a lock that a reader waits for.
TEST_F(CheckerTest, SaysWhenReadersCouldWaitForWhoWaitsForThem) {
  const Map rcu("rcu_read_lock");
  books_.Acquire(0, rcu, {.mode = AcquireMode::kSharedRecursive, .try_lock = true});
  books_.Acquire(0, a_);
  books_.Release(0, a_);
  books_.Release(0, rcu);
  books_.Acquire(1, a_);
  books_.checker().WaitForReaders(books_.task(1), rcu, Here());
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

// ---- the per-VMA lock: its readers never wait, its writers do, under the mmap lock

class VmaRulesTest : public CheckerTest {
 protected:
  // A write lock: the lock of the VMA is held only until its readers have left.
  void StartWrite(int thread) {
    books_.Acquire(thread, mmap_);
    books_.Acquire(thread, vma_);
    books_.Release(thread, vma_);
    books_.Release(thread, mmap_);
  }

  const Map mmap_{"mmap_lock"}, vma_{"vm_lock"}, page_{"page"};
};

TEST_F(VmaRulesTest, SaysWhenAReaderWaitsForTheMmapLock) {
  books_.Acquire(0, vma_, kTryShared);
  books_.Acquire(0, mmap_, kShared);
  books_.Release(0, mmap_);
  books_.Release(0, vma_);
  EXPECT_EQ(Books::Said(), std::nullopt);
  StartWrite(1);
  EXPECT_EQ(Books::Said(), Rule::kCircular);
  EXPECT_EQ(Books::Signature(),
            "possible circular locking dependency detected: mmap_lock, vm_lock");
}

TEST_F(VmaRulesTest, SaysItInTheOtherOrder) {
  StartWrite(1);
  books_.Acquire(0, vma_, kTryShared);
  books_.Acquire(0, mmap_, kShared);
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(VmaRulesTest, LetsAReaderTryTheMmapLock) {
  StartWrite(1);
  books_.Acquire(0, vma_, kTryShared);
  books_.Acquire(0, mmap_, kTryShared);
  EXPECT_EQ(Books::Said(), std::nullopt);
}

// A reader that is announced as one that waits would be in a cycle here (a false alarm that the
// kernel had before it announced them as what they are).
TEST_F(VmaRulesTest, LetsAReaderComeWhileItHoldsWhatIsTakenUnderVmas) {
  StartWrite(0);
  books_.Acquire(0, vma_, kTryShared);
  books_.Acquire(0, page_);
  books_.Release(0, page_);
  books_.Release(0, vma_);
  books_.Acquire(1, page_);
  books_.Acquire(1, vma_, kTryShared);
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Release(1, vma_);
  books_.Acquire(1, vma_, kShared);
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

// ---- sizes

TEST_F(CheckerTest, HasNoLimitOfDepthOrClasses) {
  constexpr int kMany = 300;
  std::deque<Map> maps;
  for (int i = 0; i < kMany; ++i) maps.emplace_back("many.cc", i + 1);
  for (const Map& map : maps) books_.Acquire(0, map);
  for (const Map& map : maps) EXPECT_EQ(books_.IsHeld(0, map), Held::kYes);
  EXPECT_EQ(books_.checker().statistics().edges, kMany * (kMany - 1) / 2u);
  for (const Map& map : maps) books_.Release(0, map);
  EXPECT_EQ(Books::Said(), std::nullopt);
  books_.Nest(1, {&maps[kMany - 1], &maps[0]});
  EXPECT_EQ(Books::Said(), Rule::kCircular);
}

TEST_F(CheckerTest, LooksAtAChainOnce) {
  for (int i = 0; i < 10; ++i) books_.Nest(i % Books::kThreads, {&a_, &b_, &c_});
  EXPECT_EQ(books_.checker().statistics().chains, 2u);
  EXPECT_EQ(books_.checker().statistics().edges, 3u);
}

}  // namespace
}  // namespace jacquard::lock::lockdep
