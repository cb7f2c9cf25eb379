#include "lock/address_space.h"

#include <atomic>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

using Ranges = std::vector<std::pair<Address, Address>>;

class AddressSpaceTest : public testing::Test {
 protected:
  ~AddressSpaceTest() override {
    if (mm_ != nullptr) mm_->PutUser();
    Rcu::Barrier();
  }

  static Ranges RangesOf(AddressSpace& mm) {
    const ReadGuard<AddressSpace> guard(mm);
    Ranges ranges;
    for (const auto& entry : mm.Entries()) {
      EXPECT_EQ(entry.start, entry.vma->start);
      EXPECT_EQ(entry.end, entry.vma->end);
      EXPECT_EQ(entry.vma->lock.LoadWord(), 1u);
      ranges.emplace_back(entry.start, entry.end);
    }
    return ranges;
  }
  Ranges Mapped() { return RangesOf(*mm_); }

  AddressSpace::Pool pool_;
  AddressSpace* mm_ = AddressSpace::Create(pool_);
};

TEST_F(AddressSpaceTest, Maps) {
  EXPECT_TRUE(mm_->MapRange(20, 30, {}));
  EXPECT_TRUE(mm_->MapRange(10, 20, {}));
  EXPECT_TRUE(mm_->MapRange(40, 50, {}));
  EXPECT_FALSE(mm_->MapRange(5, 5, {}));
  EXPECT_FALSE(mm_->MapRange(5, 11, {}));
  EXPECT_FALSE(mm_->MapRange(29, 35, {}));
  EXPECT_FALSE(mm_->MapRange(35, 60, {}));
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}, {20, 30}, {40, 50}}));
  EXPECT_EQ(mm_->SpeculateMappedSize(), 30u);
}

TEST_F(AddressSpaceTest, Unmaps) {
  mm_->MapRange(10, 40, {});
  mm_->MapRange(40, 50, {});
  EXPECT_FALSE(mm_->UnmapRange(50, 60));
  EXPECT_FALSE(mm_->UnmapRange(25, 25));
  EXPECT_EQ(Mapped(), (Ranges{{10, 40}, {40, 50}}));  // nothing is split for nothing
  EXPECT_TRUE(mm_->UnmapRange(20, 30));
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}, {30, 40}, {40, 50}}));
  EXPECT_TRUE(mm_->UnmapRange(35, 100));
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}, {30, 35}}));
}

TEST_F(AddressSpaceTest, SplitsAndMerges) {
  mm_->MapRange(10, 40, {.writable = true});
  EXPECT_FALSE(mm_->Split(10));
  EXPECT_FALSE(mm_->Split(40));
  EXPECT_TRUE(mm_->Split(20));
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}, {20, 40}}));
  EXPECT_FALSE(mm_->Merge(30));
  EXPECT_TRUE(mm_->Protect(25, {}));
  EXPECT_FALSE(mm_->Merge(20));
  EXPECT_TRUE(mm_->Protect(15, {}));
  EXPECT_TRUE(mm_->Merge(20));
  EXPECT_EQ(Mapped(), (Ranges{{10, 40}}));
}

TEST_F(AddressSpaceTest, Grows) {
  mm_->MapRange(100, 110, {.grows_down = true});
  mm_->MapRange(200, 210, {});
  EXPECT_TRUE(mm_->Grow(90));
  EXPECT_FALSE(mm_->Grow(95));
  EXPECT_FALSE(mm_->Grow(150));
  EXPECT_FALSE(mm_->Grow(300));
  EXPECT_EQ(Mapped(), (Ranges{{90, 110}, {200, 210}}));
}

TEST_F(AddressSpaceTest, Forks) {
  mm_->MapRange(10, 20, {.writable = true});
  mm_->MapRange(30, 40, {});
  AddressSpace* const child = mm_->Fork();
  mm_->UnmapRange(10, 20);
  EXPECT_EQ(RangesOf(*child), (Ranges{{10, 20}, {30, 40}}));
  auto* const vma = child->LockVmaUnderRcu(15);
  ASSERT_NE(vma, nullptr);
  EXPECT_TRUE(vma->flags.writable);
  vma->lock.EndRead();
  child->PutUser();
  EXPECT_EQ(Mapped(), (Ranges{{30, 40}}));
}

TEST_F(AddressSpaceTest, FaultsBringPages) {
  mm_->MapRange(10, 20, {});
  EXPECT_FALSE(mm_->Fault(20));
  EXPECT_FALSE(mm_->HasPage(12));
  EXPECT_TRUE(mm_->Fault(12));
  EXPECT_TRUE(mm_->Fault(12));
  EXPECT_TRUE(mm_->HasPage(12));
  mm_->UnmapRange(12, 13);
  EXPECT_FALSE(mm_->HasPage(12));
}

TEST_F(AddressSpaceTest, PagesStayWithTheirOwner) {
  mm_->MapRange(10, 20, {});
  mm_->Fault(12);
  mm_->Split(15);  // both have the owner
  mm_->Fault(17);
  mm_->UnmapRange(10, 15);
  EXPECT_TRUE(mm_->HasPage(17));
  mm_->MapRange(10, 15, {});
  EXPECT_TRUE(mm_->Merge(15));  // the lower one gets it
  mm_->Fault(12);
  EXPECT_TRUE(mm_->HasPage(17));
  mm_->UnmapRange(14, 15);
  mm_->MapRange(14, 15, {});
  mm_->Fault(14);
  EXPECT_FALSE(mm_->Merge(15));  // each has its own
}

TEST_F(AddressSpaceTest, ForksShareTheirPages) {
  mm_->MapRange(10, 20, {});
  mm_->Fault(12);
  AddressSpace* const child = mm_->Fork();
  EXPECT_TRUE(child->HasPage(12));
  child->Fault(13);
  EXPECT_FALSE(mm_->HasPage(13));
  std::exchange(mm_, nullptr)->PutUser();
  EXPECT_TRUE(child->HasPage(12));
  child->PutUser();
}

TEST_F(AddressSpaceTest, AKilledMergeChangesNothing) {
  mm_->MapRange(10, 20, {});
  mm_->MapRange(20, 30, {});
  mm_->Fault(25);
  std::stop_source stop;
  stop.request_stop();
  {
    AddressSpace::Vma* const high = mm_->LockVma(25);
    std::thread writer([&] { EXPECT_FALSE(mm_->Merge(20, stop.get_token())); });
    writer.join();
    high->lock.EndRead();
  }
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}, {20, 30}}));
  EXPECT_TRUE(mm_->Merge(20, stop.get_token()));  // nothing to wait for
}

TEST_F(AddressSpaceTest, LocksPairs) {
  mm_->MapRange(10, 20, {});
  mm_->MapRange(20, 30, {});
  EXPECT_FALSE(mm_->LockPair(10, 30));
  EXPECT_FALSE(mm_->LockPair(30, 10));
  const auto both = mm_->LockPair(10, 20);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->first->lock.LoadWord(), 2u);
  EXPECT_EQ(both->second->lock.LoadWord(), 2u);
  AddressSpace::UnlockPair(*both);
  const auto same = mm_->LockPair(10, 11);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->first, same->second);
  EXPECT_EQ(same->first->lock.LoadWord(), 2u);
  AddressSpace::UnlockPair(*same);
}

TEST_F(AddressSpaceTest, LocksVmas) {
  mm_->MapRange(10, 20, {});
  EXPECT_EQ(mm_->LockVmaUnderRcu(9), nullptr);
  EXPECT_EQ(mm_->LockVma(20), nullptr);
  auto* const vma = mm_->LockVmaUnderRcu(19);
  ASSERT_NE(vma, nullptr);
  EXPECT_EQ(Rcu::ReadDepth(), 0);
  EXPECT_EQ(mm_->LockVma(10), vma);
  vma->lock.EndRead();
  vma->lock.EndRead();
}

TEST_F(AddressSpaceTest, FallsBackToTheMmapLock) {
  mm_->MapRange(10, 20, {});
  std::atomic<bool> locked{false};
  std::atomic<bool> unlock{false};
  std::thread writer([&] {
    mm_->Lock();
    for (const auto& entry : mm_->Entries()) entry.vma->lock.StartWrite(*mm_);
    locked = true;
    while (!unlock) std::this_thread::yield();
    mm_->Unlock();
  });
  ASSERT_TRUE(Eventually([&] { return locked.load(); }));
  EXPECT_EQ(mm_->LockVmaUnderRcu(15), nullptr);
  std::atomic<bool> found{false};
  std::thread reader([&] {
    auto* const vma = mm_->LockVma(15);
    EXPECT_NE(vma, nullptr);
    vma->lock.EndRead();
    found = true;
  });
  EXPECT_TRUE(NotSoon([&] { return found.load(); }));
  EXPECT_EQ(mm_->SpeculateMappedSize(), std::nullopt);
  unlock = true;
  reader.join();
  writer.join();
}

TEST_F(AddressSpaceTest, WalksOverAll) {
  for (Address a = 0; a < 50; a += 10) mm_->MapRange(a, a + 5, {});
  const RcuReadGuard guard;
  AddressSpace::Cursor cursor(0);
  Address from = 0;
  Ranges seen;
  for (;;) {
    const auto next = mm_->LockNextVma(cursor, from, std::stop_token());
    if (next.status == AddressSpace::NextStatus::kNone) break;
    ASSERT_EQ(next.status, AddressSpace::NextStatus::kFound);
    seen.emplace_back(next.vma->start, next.vma->end);
    from = next.vma->end;
    next.vma->lock.EndRead();
  }
  EXPECT_EQ(seen, (Ranges{{0, 5}, {10, 15}, {20, 25}, {30, 35}, {40, 45}}));
  EXPECT_EQ(Rcu::ReadDepth(), 1);
}

TEST_F(AddressSpaceTest, AKilledWalkSaysSo) {
  mm_->MapRange(10, 20, {});
  mm_->Lock();
  for (const auto& entry : mm_->Entries()) entry.vma->lock.StartWrite(*mm_);
  std::thread([&] {
    const RcuReadGuard guard;
    std::stop_source killer;
    killer.request_stop();
    AddressSpace::Cursor cursor(0);
    EXPECT_EQ(mm_->LockNextVma(cursor, 0, killer.get_token()).status,
              AddressSpace::NextStatus::kKilled);
    EXPECT_EQ(Rcu::ReadDepth(), 1);
  }).join();
  mm_->Unlock();
}

TEST_F(AddressSpaceTest, CountsUsersAndHolders) {
  mm_->MapRange(10, 20, {});
  mm_->GetUser();
  mm_->PutUser();
  EXPECT_EQ(Mapped(), (Ranges{{10, 20}}));
  mm_->Grab();
  mm_->PutUser();
  EXPECT_FALSE(mm_->TryGetUser());
  EXPECT_EQ(Mapped(), Ranges{});
  mm_->Drop();
  mm_ = nullptr;
}

// Readers and writers of two mm whose VMAs come from one pool.
TEST_F(AddressSpaceTest, HoldsUnderLoad) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        for (Address address = 0; address < 60; address += 7) {
          auto* const vma = mm_->LockVma(address);
          if (vma == nullptr) continue;
          EXPECT_TRUE(vma->Contains(address));
          vma->lock.EndRead();
        }
      }
    });
  }
  for (int i = 0; i < 300; ++i) {
    mm_->MapRange(0, 40, {});
    mm_->Split(20);
    AddressSpace* const child = mm_->Fork();
    mm_->UnmapRange(10, 30);
    child->Merge(20);
    mm_->UnmapRange(0, 60);
    child->PutUser();
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace jacquard::lock
