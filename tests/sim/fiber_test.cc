#include "sim/fiber.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cfenv>
#include <cstdint>

namespace jacquard::sim {
namespace {

constexpr int kStacks = 3;

void Reserve() {
  static const bool reserved = (ReserveStacks(kStacks), true);
  static_cast<void>(reserved);
}

Context driver = nullptr;  // of the test itself
Context fiber = nullptr;   // that has gone back to it
void* handed_over = nullptr;

// To another fiber, and back with what it hands over.
[[gnu::noinline]] void* Jump(Context to, void* data = nullptr) {
  handed_over = data;
  SwitchContext(&driver, to);
  return handed_over;
}

// On a fiber: back to the test.
[[gnu::noinline]] void* JumpBack(void* data = nullptr) {
  handed_over = data;
  SwitchContext(&fiber, driver);
  return handed_over;
}

void CountFrom() {
  auto number = reinterpret_cast<intptr_t>(handed_over);
  for (;;) number = reinterpret_cast<intptr_t>(JumpBack(reinterpret_cast<void*>(number + 1)));
}

TEST(Fiber, KeepsItsStateFromSwitchToSwitch) {
  Reserve();
  Context contexts[2] = {FreshContext(0, CountFrom), FreshContext(1, CountFrom)};
  intptr_t expected[2] = {10, 20};
  for (int i = 0; i < 1000; ++i) {
    const int which = i % 3 == 0;
    void* const data = Jump(contexts[which], reinterpret_cast<void*>(expected[which]));
    contexts[which] = fiber;
    EXPECT_EQ(reinterpret_cast<intptr_t>(data), ++expected[which]);
  }
}

// Rounds up, and says how it rounds when it goes on.
void RoundUp() {
  std::fesetround(FE_UPWARD);
  JumpBack();
  JumpBack(reinterpret_cast<void*>(static_cast<intptr_t>(std::fegetround())));
}

TEST(Fiber, HasAFloatingPointEnvironmentOfItsOwn) {
  Reserve();
  const int rounding = std::fegetround();
  Jump(FreshContext(0, RoundUp));
  EXPECT_EQ(std::fegetround(), rounding);
  EXPECT_EQ(reinterpret_cast<intptr_t>(Jump(fiber)), FE_UPWARD);
  EXPECT_EQ(std::fegetround(), rounding);
  std::fesetround(FE_DOWNWARD);
  void* const inherited = Jump(FreshContext(
      0, [] { JumpBack(reinterpret_cast<void*>(static_cast<intptr_t>(std::fegetround()))); }));
  std::fesetround(rounding);
  EXPECT_EQ(reinterpret_cast<intptr_t>(inherited), FE_DOWNWARD);
}

void TellStack() {
  alignas(64) volatile char local[64] = {};
  JumpBack(const_cast<char*>(local));
}

TEST(Fiber, StacksLieAtTheirPlacesAndAreReused) {
  Reserve();
  for (int i = 0; i < kStacks; ++i) {
    const auto first = reinterpret_cast<uintptr_t>(Jump(FreshContext(i, TellStack)));
    EXPECT_GE(first, StackBottom(i));
    EXPECT_LT(first, StackTop(i));
    EXPECT_EQ(first % 64, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(Jump(FreshContext(i, TellStack))), first);
  }
}

template <int kFrame>
__attribute__((noinline)) int Recurse(volatile char* above, int depth) {
  volatile char frame[kFrame];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) return *above;
  return Recurse<kFrame>(frame, depth - 1) + frame[0];
}

template <int kFrame>
void Overflow() {
  volatile char top = 0;
  Recurse<kFrame>(&top, 1 << 30);
  JumpBack();
}

template <int kFrame>
void Fill() {
  volatile char top = 0;
  Recurse<kFrame>(&top, static_cast<int>((kStackSize - 20'000) / (kFrame + 200)));
  JumpBack();
}

TEST(Fiber, StackHoldsWhatItPromises) {
  Reserve();
  Jump(FreshContext(1, Fill<100>));
  Jump(FreshContext(1, Fill<10'000>));
}

// By the signal, or by a sanitizer that reports it.
bool Faulted(int status) {
  return WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) == 1;
}

using FiberDeathTest = testing::Test;

// Frames smaller and larger than a page: none may step over the guard.
TEST(FiberDeathTest, OverflowFaults) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Reserve();
        Jump(FreshContext(1, Overflow<64>));
      },
      Faulted, "");
  EXPECT_EXIT(
      {
        Reserve();
        Jump(FreshContext(1, Overflow<40'000>));
      },
      Faulted, "");
  EXPECT_EXIT(
      {
        Reserve();
        Jump(FreshContext(0, Overflow<3'000>));
      },
      Faulted, "");
}

TEST(FiberDeathTest, NeighbourIsNotTouched) {
  Reserve();
  // The page below a stack faults; the last byte of the stack below that does not.
  auto* const guard = reinterpret_cast<volatile char*>(StackBottom(1) - 1);
  EXPECT_EXIT(*guard = 1, Faulted, "");
  *reinterpret_cast<volatile char*>(StackTop(0) - 1) = 1;
  *reinterpret_cast<volatile char*>(StackBottom(1)) = 1;
  EXPECT_GE(StackBottom(1) - StackTop(0), size_t{64} << 10);
}

TEST(FiberDeathTest, TakenAddressesAreAMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Reserve();
        ReserveStacks(kStacks);
      },
      testing::ExitedWithCode(2), "jacquard: cannot reserve memory for the stacks");
}

}  // namespace
}  // namespace jacquard::sim
