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
  // A search may come upon what follows from it first.
  constexpr uint64_t kSearches = 3;
  bool found = false;
  for (uint64_t seed = 1; seed <= kSearches && !found; ++seed) {
    SCOPED_TRACE(seed);
    const InputsResult result =
        ExploreRandomInputs(codec, seed, 200'000, 5, 4, 10, MemoryMode::kSc);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant) << result.verdict.message;
    found = result.verdict.message.starts_with(rule::BROKEN_RULE);
  }
  EXPECT_TRUE(found) << rule::BROKEN_RULE;
}

}  // namespace
}  // namespace jacquard::fuzzers
