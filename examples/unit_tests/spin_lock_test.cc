#include "examples/unit_tests/spin_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Lock>
void CountTogether() {
  Lock lock;
  int counter = 0;
  const auto count = [&] {
    lock.lock();
    ++counter;
    lock.unlock();
  };
  std::thread a(count);
  std::thread b(count);
  a.join();
  b.join();
  EXPECT_EQ(counter, 2);
}

TEST(SpinLock, ExcludesAndPublishes) { jacquard::ExpectNoBug(CountTogether<SpinLock>); }

TEST(SpinLock, RelaxedUnlockDoesNotPublish) {
  const jacquard::Result result = jacquard::Explore(CountTogether<BrokenSpinLock>);
  EXPECT_THAT(result.report(), testing::StartsWith("race: "));
}

}  // namespace
}  // namespace examples
