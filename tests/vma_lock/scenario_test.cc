// The scenario of the per-VMA lock on the lock as it is: no interleaving is a violation.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <new>

#include "fuzzers/codec.h"
#include "fuzzers/text.h"
#include "fuzzers/vma_lock_scenario.h"
#include "sim/depth_first.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

const Codec& TheCodec() {
  static const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  return codec;
}

TEST(VmaLockScenario, HasATableThatTheCodecTakes) {
  EXPECT_EQ(Codec::Problem(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario")), "");
  EXPECT_EQ(TheCodec().name(), "vma_lock");
}

// What a new object at `place` looks like, byte by byte.
template <typename Scenario>
std::array<std::byte, sizeof(Scenario)> NewObject(void* place) {
  std::memset(place, 0xCD, sizeof(Scenario));
  auto* const scenario = new (place) Scenario();
  std::array<std::byte, sizeof(Scenario)> bytes;
  std::memcpy(bytes.data(), place, sizeof(Scenario));
  scenario->~Scenario();
  return bytes;
}

// kStartsTheSame is no lie.
TEST(VmaLockScenario, StartsTheSame) {
  static_assert(VmaLockScenario::kStartsTheSame);
  alignas(VmaLockScenario) std::byte place[sizeof(VmaLockScenario)];
  EXPECT_EQ(NewObject<VmaLockScenario>(place), NewObject<VmaLockScenario>(place));
  alignas(VmaLockNarrowScenario) std::byte narrow[sizeof(VmaLockNarrowScenario)];
  EXPECT_EQ(NewObject<VmaLockNarrowScenario>(narrow), NewObject<VmaLockNarrowScenario>(narrow));
}

TEST(VmaLockScenario, PassesUnderRandomWalks) {
  const InputsResult result = ExploreRandomInputs(TheCodec(), 1, 20'000, 10, 4, 12);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message << "\n" << result.input;
  EXPECT_EQ(result.executions, 400'000u);
  printf("%lu steps\n", result.steps);
}

}  // namespace
}  // namespace jacquard::fuzzers
