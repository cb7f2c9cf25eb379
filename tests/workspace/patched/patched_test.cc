// Tests tools/patched.bzl: built once with the lock as it is and once (SPOILED) with a copy in
// which spoiled.patch changes a header and a .cc file. Each must behave as its own source says.
#include <gtest/gtest.h>

#include <csignal>

#include "lock/check.h"
#include "lock/refcount.h"
#include "lock/rw_semaphore.h"

namespace {

constexpr bool kSpoiled = SPOILED;

TEST(PatchedTest, HeaderIsTheOneBuiltFor) {
  jacquard::lock::Refcount<unsigned> count(2);
  EXPECT_EQ(count.IncrementUnlessZeroAcquire(2).incremented, kSpoiled);
}

TEST(PatchedDeathTest, LinkedCodeIsTheOneBuiltFor) {
  const auto is_expected_end = [](int status) {
    return kSpoiled ? testing::ExitedWithCode(7)(status) : testing::KilledBySignal(SIGABRT)(status);
  };
  EXPECT_EXIT(JACQUARD_LOCK_CHECK(1 + 1 == 3, "arithmetic"), is_expected_end, "arithmetic");
}

TEST(PatchedTest, TheRestWorks) {
  jacquard::lock::RwSemaphore semaphore;
  if (semaphore.TryLock()) {
    semaphore.Unlock();
  } else {
    FAIL() << "nobody held it";
  }
}

}  // namespace
