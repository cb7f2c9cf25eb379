// Two threads count under the lock.
#include "spin_lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "jacquard/jacquard.h"

#ifndef UNLOCK_ORDER
#define UNLOCK_ORDER release
#endif

namespace {

TEST(SpinLock, ExcludesAndPublishes) {
  jacquard::ExpectNoBug([] {
    SpinLock lock;
    int counter = 0;
    const auto count = [&] {
      lock.lock();
      ++counter;
      lock.unlock(std::memory_order::UNLOCK_ORDER);
    };
    std::thread a(count);
    std::thread b(count);
    a.join();
    b.join();
    EXPECT_EQ(counter, 2);
  });
}

}  // namespace
