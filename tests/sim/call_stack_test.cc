// The functions that a thread is in, as reports show them.
#include <gtest/gtest.h>
#include <setjmp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

std::atomic<int> word{0};
jmp_buf place;

[[gnu::noinline]] void JumpOut(int depth) {
  volatile char frame[64] = {};
  if (depth == 0) longjmp(place, 1);
  JumpOut(depth - 1);
  frame[0] = frame[1];
}

[[gnu::noinline]] void JumpOften(int jumps) {
  for (volatile int i = 0; i < jumps; i = i + 1) {
    if (setjmp(place) == 0) JumpOut(i % 3);
  }
}

[[gnu::noinline]] void FailHere() {
  word.store(1);
  Fail("here", "");
}

// The calls that have led there.
std::vector<uintptr_t> CallsOf(const std::function<void()>& body) {
  const ExploreResult result = Walk(body, 1);
  EXPECT_EQ(result.verdict.signature, "invariant|here");
  if (result.trace.events.empty()) return {};
  return result.trace.events.back().stack;
}

std::vector<uintptr_t> CallsBehind(int jumps) {
  return CallsOf([jumps] {
    JumpOften(jumps);
    FailHere();
  });
}

// Those that a longjmp has left are not among them, and do not fill up the place for others.
TEST(CallStack, HasNoFunctionThatWasLeft) {
  const std::vector<uintptr_t> calls = CallsBehind(0);
  ASSERT_GE(calls.size(), 2u);
  EXPECT_EQ(CallsBehind(1), calls);
  EXPECT_EQ(CallsBehind(3), calls);
  EXPECT_EQ(CallsBehind(1000), calls);
}

[[gnu::noinline]] int Descend(int depth, const std::function<void()>& at_the_end) {
  if (depth == 0) return at_the_end ? (at_the_end(), 0) : 0;
  return Descend(depth - 1, at_the_end) + 1;
}

[[gnu::noinline]] void JumpOnce() {
  if (setjmp(place) == 0) JumpOut(0);
}

[[gnu::noinline]] void Return() { JumpOnce(); }

// No other function begins before the calls are asked for.
TEST(CallStack, EndsInWhoeverReturnsBehindAJump) {
  const auto behind = [](int jumps) {
    return CallsOf([jumps] {
      if (jumps != 0) Return();
      word.store(1);
      Fail("here", "");
    });
  };
  EXPECT_EQ(behind(1), behind(0));
}

TEST(CallStack, HasNoFunctionThatHasReturned) {
  const auto behind = [](int depth) {
    return CallsOf([depth] {
      if (depth >= 0) Descend(depth, nullptr);
      word.store(1);
      Fail("here", "");
    });
  };
  EXPECT_EQ(behind(3), behind(-1));
}

// Of a deep recursion the outermost calls are kept, and when it is over it is gone.
TEST(CallStack, IsCutWhereItIsDeep) {
  const std::vector<uintptr_t> calls = CallsBehind(0);
  EXPECT_GT(CallsOf([] { Descend(500, FailHere); }).size(), calls.size());
  const auto behind = [](int depth) {
    return CallsOf([depth] {
      Descend(depth, nullptr);
      FailHere();
    });
  };
  EXPECT_EQ(behind(500), behind(0));
}

}  // namespace
}  // namespace jacquard
