// The address space in the simulation: lookups while VMAs are freed and handed out again.
#include <gtest/gtest.h>

#include <stop_token>
#include <thread>

#include "jacquard/jacquard.h"
#include "lock/address_space.h"

namespace jacquard::lock {
namespace {

// Looks an address up, and checks what it gets.
void Lookup(AddressSpace& mm, Address address) {
  AddressSpace::Vma* const vma = mm.LockVmaUnderRcu(address);
  EXPECT_EQ(Rcu::ReadDepth(), 0);
  if (vma == nullptr) return;
  EXPECT_TRUE(vma->Contains(address));
  vma->lock.EndRead();
}

void Walk(AddressSpace& mm) {
  const RcuReadGuard guard;
  AddressSpace::Cursor cursor(0);
  Address from = 0;
  for (;;) {
    const auto next = mm.LockNextVma(cursor, from, std::stop_token());
    if (next.status != AddressSpace::NextStatus::kFound) break;
    EXPECT_GT(next.vma->end, from);
    from = next.vma->end;
    next.vma->lock.EndRead();
  }
}

TEST(AddressSpaceSimulated, AVmaBecomesAnotherMms) {
  ExpectNoBug(
      [] {
        AddressSpace::Pool pool;
        auto* const a = AddressSpace::Create(pool);
        a->MapRange(1, 3, {});
        std::thread reader([&] { Lookup(*a, 2); });
        std::thread other([&] {
          auto* const b = AddressSpace::Create(pool);
          b->MapRange(1, 3, {});
          b->UnmapRange(1, 3);
          b->PutUser();
        });
        a->UnmapRange(1, 3);
        reader.join();
        other.join();
        a->PutUser();
        Rcu::Barrier();
      },
      {.executions = 20000});
}

TEST(AddressSpaceSimulated, AVmaIsReplacedUnderAReader) {
  ExpectNoBug(
      [] {
        AddressSpace::Pool pool;
        auto* const mm = AddressSpace::Create(pool);
        mm->MapRange(1, 5, {});
        std::thread reader([&] { Lookup(*mm, 4); });
        std::thread walker([&] { Walk(*mm); });
        mm->Split(3);
        mm->UnmapRange(3, 5);
        mm->MapRange(3, 5, {});
        reader.join();
        walker.join();
        mm->PutUser();
        Rcu::Barrier();
      },
      {.executions = 20000});
}

TEST(AddressSpaceSimulated, ForkAndExitUnderReaders) {
  ExpectNoBug(
      [] {
        AddressSpace::Pool pool;
        auto* const mm = AddressSpace::Create(pool);
        mm->MapRange(4, 6, {.grows_down = true});
        std::thread reader([&] {
          Lookup(*mm, 3);
          Lookup(*mm, 5);
        });
        std::thread grower([&] { mm->Grow(2); });
        auto* const child = mm->Fork();
        child->PutUser();
        reader.join();
        grower.join();
        mm->PutUser();
        Rcu::Barrier();
      },
      {.executions = 20000});
}

}  // namespace
}  // namespace jacquard::lock
