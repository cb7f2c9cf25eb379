#include "examples/unit_tests/singleton.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Singleton>
void LookTogether() {
  Singleton singleton;
  const auto look = [&] { EXPECT_EQ(singleton.Get().threads, 8); };
  std::thread a(look);
  std::thread b(look);
  a.join();
  b.join();
}

TEST(Singleton, IsMadeOnceAndWhole) { jacquard::ExpectNoBug(LookTogether<Singleton>); }

TEST(Singleton, RelaxedPointerDoesNotPublish) {
  const jacquard::Result result = jacquard::Explore(LookTogether<BrokenSingleton>);
  EXPECT_THAT(result.report(), testing::StartsWith("race: "));
}

}  // namespace
}  // namespace examples
