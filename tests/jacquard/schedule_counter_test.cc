// Distinct schedules: exact while they fit, close beyond.
#include "jacquard/schedule_counter.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace jacquard::call {
namespace {

TEST(ScheduleCounter, IsExactWhileItFits) {
  ScheduleCounter counter(10'000);
  EXPECT_EQ(counter.Count(), 0u);
  for (uint64_t i = 0; i < 30'000; ++i) {
    counter.Add(i % 10'000);
    if (i == 99) {
      EXPECT_EQ(counter.Count(), 100u);
    }
  }
  EXPECT_EQ(counter.Count(), 10'000u);
  EXPECT_FALSE(counter.estimated());
}

// The values are given, so that the error is always the same one.
TEST(ScheduleCounter, IsCloseBeyond) {
  ScheduleCounter counter(100'000);
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < 1'000'000; ++i) counter.Add(i * 3);
  }
  EXPECT_TRUE(counter.estimated());
  EXPECT_GT(counter.Count(), 975'000u);
  EXPECT_LT(counter.Count(), 1'025'000u);
}

}  // namespace
}  // namespace jacquard::call
