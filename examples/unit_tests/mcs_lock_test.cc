#include "examples/unit_tests/mcs_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Lock>
void CountTogether() {
  Lock lock;
  int counter = 0;
  const auto count = [&] {
    for (int i = 0; i < 2; ++i) {
      const std::lock_guard guard(lock);
      ++counter;
    }
  };
  std::thread a(count);
  std::thread b(count);
  a.join();
  b.join();
  EXPECT_EQ(counter, 4);
}

TEST(McsLock, Works) { jacquard::ExpectNoBug(CountTogether<McsLock>); }

TEST(McsLock, WaitingTooLateWaitsForEver) {
  const jacquard::Result result = jacquard::Explore(CountTogether<BrokenMcsLock>);
  EXPECT_THAT(result.report(), testing::HasSubstr("spins on"));
}

}  // namespace
}  // namespace examples
