// The locks of this project with the validator in them: in the simulation.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "jacquard/jacquard.h"
#include "lock/address_space.h"
#include "lock/address_space_inl.h"
#include "lock/lockdep/validator.h"
#include "lock/rcu.h"

namespace jacquard::lock {
namespace {

using Mm = BasicAddressSpace<lockdep::Validator>;

void Lookup(Mm& mm, Address address) {
  Mm::Vma* const vma = mm.LockVmaUnderRcu(address);
  if (vma == nullptr) return;
  EXPECT_TRUE(vma->Contains(address));
  vma->lock.EndRead();
}

// Lookups, recycled VMAs, split, fork and exit: nothing to say.
TEST(LocksSimulated, TheAddressSpaceKeepsTheOrder) {
  ExpectNoBug(
      [] {
        Mm::Pool pool;
        auto* const mm = Mm::Create(pool);
        mm->MapRange(1, 5, {});
        std::thread reader([&] { Lookup(*mm, 4); });
        std::thread other([&] {
          Mm::Vma* const vma = mm->LockVma(2);
          if (vma != nullptr) vma->lock.EndRead();
        });
        mm->Split(3);
        mm->UnmapRange(3, 5);
        auto* const child = mm->Fork();
        child->PutUser();
        reader.join();
        other.join();
        mm->PutUser();
        Rcu::Barrier();
      },
      {.executions = 5000});
}

// The lookup must not be waited for under a VMA: said although the threads never meet.
TEST(LocksSimulated, SaysWhenAReaderOfAVmaWaitsForTheMmapLock) {
  Options options;
  options.executions = 100;
  options.execution.lock_order = false;
  const Result result = Explore(
      [] {
        Mm::Pool pool;
        auto* const mm = Mm::Create(pool);
        mm->MapRange(1, 3, {});
        std::thread([&] { mm->Protect(1, {}); }).join();
        std::thread([&]() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
          Mm::Vma* const vma = mm->LockVmaUnderRcu(1);
          if (vma == nullptr) return;
          mm->LockShared();
          mm->UnlockShared();
          vma->lock.EndRead();
        }).join();
        mm->PutUser();
        Rcu::Barrier();
      },
      options);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.findings[0].verdict.signature.find(
                "lockdep: possible circular locking dependency detected: mmap_lock, vm_lock"),
            std::string::npos)
      << result.findings[0].verdict.signature;
}

}  // namespace
}  // namespace jacquard::lock
