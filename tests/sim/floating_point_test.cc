// Built in several ways: with what the program does to the floating-point environment, by define.
#include "sim/floating_point.h"

#include <gtest/gtest.h>
#include <immintrin.h>

#include <cfenv>

#include "sim/fiber.h"

namespace jacquard::sim {
namespace {

#if defined(CALLS_CFENV)
constexpr bool kExpected = true;
void Use() { std::fesetround(FE_TONEAREST); }
#elif defined(LOADS_MXCSR)
constexpr bool kExpected = true;
void Use() { _mm_setcsr(0x1F80); }
#elif defined(STORES_MXCSR)
constexpr bool kExpected = true;
void Use() { EXPECT_NE(_mm_getcsr(), 0u); }
#elif defined(IN_RUNTIME)
// In what the linker makes known as the runtime's code: bytes may look like it there by chance.
asm(R"(
  .text
  .globl jacquard_text_begin, jacquard_text_end
  .hidden jacquard_text_begin, jacquard_text_end
jacquard_text_begin:
  stmxcsr -4(%rsp)
  ret
jacquard_text_end:
)");
constexpr bool kExpected = false;
void Use() {}
#else
constexpr bool kExpected = false;
void Use() {  // the runtime's own instructions do not count
  Context here = nullptr;
  static Context back;
  static Context ended;
  back = nullptr;
  ReserveStacks(1);
  here = FreshContext(0, [] { SwitchFloatingPointContext(&ended, back); });
  SwitchFloatingPointContext(&back, here);
}
#endif

TEST(FloatingPoint, UseIsFound) {
  Use();
  EXPECT_EQ(UsesFloatingPointEnvironment(), kExpected);
}

}  // namespace
}  // namespace jacquard::sim
