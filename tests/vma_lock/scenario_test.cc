// The scenario of the per-VMA lock on the lock as it is: no interleaving is a violation.
#include <gtest/gtest.h>

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

TEST(VmaLockScenario, PassesUnderRandomWalks) {
  const InputsResult result = ExploreRandomInputs(TheCodec(), 1, 20'000, 10, 4, 12);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message << "\n" << result.input;
  EXPECT_EQ(result.executions, 400'000u);
  printf("%lu steps\n", result.steps);
}

}  // namespace
}  // namespace jacquard::fuzzers
