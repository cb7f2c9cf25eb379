#include "sim/guarded_stack.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace jacquard {
namespace {

constexpr size_t kSize = 64 << 10;

TEST(GuardedStack, CanBeUsedAsFarAsItsLowestByte) {
  volatile char* const stack = MapGuardedStack(kSize);
  ASSERT_NE(stack, nullptr);
  for (size_t i = 0; i < kSize; ++i) stack[i] = static_cast<char>(i);
  for (size_t i = 0; i < kSize; ++i) ASSERT_EQ(stack[i], static_cast<char>(i));
}

TEST(GuardedStackDeathTest, WhoNeedsMoreFaults) {
  volatile char* const stack = MapGuardedStack(kSize);
  ASSERT_NE(stack, nullptr);
  EXPECT_DEATH(stack[-1] = 1, "");
}

TEST(GuardedStack, IsNotThereWithoutMemory) {
  EXPECT_EQ(MapGuardedStack(size_t{1} << 62), nullptr);
}

}  // namespace
}  // namespace jacquard
