#include "examples/unit_tests/peterson.h"

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
  const auto count = [&](int me) {
    lock.Lock(me);
    ++counter;
    lock.Unlock(me);
  };
  std::thread a(count, 0);
  std::thread b(count, 1);
  a.join();
  b.join();
  EXPECT_EQ(counter, 2);
}

TEST(Peterson, Excludes) { jacquard::ExpectNoBug(CountTogether<Peterson>); }

TEST(Peterson, NeedsSequentialConsistency) {
  jacquard::Options strong;
  strong.execution.memory = jacquard::MemoryMode::kSc;
  jacquard::ExpectNoBug(CountTogether<BrokenPeterson>, strong);
  const jacquard::Result weak = jacquard::Explore(CountTogether<BrokenPeterson>);
  EXPECT_THAT(weak.report(), testing::StartsWith("race: "));
}

}  // namespace
}  // namespace examples
