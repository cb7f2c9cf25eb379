// A lock that breaks one rule of the ghost state is found to break that one.
//
// Built once for each rule, with BROKEN_RULE as its name, on a copy of the lock with a patch.
#include <gtest/gtest.h>

#include "fuzzers/vma_lock_scenario.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

TEST(GhostRule, IsFoundBroken) {
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  const InputsResult result = ExploreRandomInputs(codec, 1, 200'000, 5, 4, 10, MemoryMode::kSc);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant);
  EXPECT_TRUE(result.verdict.message.starts_with(rule::BROKEN_RULE)) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard::fuzzers
