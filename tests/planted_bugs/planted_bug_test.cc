// A lock with a planted bug: the stored input shows it, and random inputs find it.
//
// Built once for each bug, with PLANTED_BUG as its name. The stored input says in a comment what
// verdict it leads to:
//
//   # verdict: invariant|reader and writer in one VMA|start_read
#include <gtest/gtest.h>

#include <string>

#include "fuzzers/vma_lock_scenario.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

const Codec& TheCodec() {
  static const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  return codec;
}

TEST(PlantedBug, IsShownByTheStoredInput) {
  const StoredInput stored = ReadStoredInput(TheCodec(), "tests/planted_bugs/" PLANTED_BUG ".txt");
  ASSERT_EQ(stored.error, "");
  ASSERT_NE(stored.Comment("verdict"), "");
  const Verdict verdict = ExecuteInput(TheCodec(), stored.input);
  EXPECT_EQ(verdict.signature, stored.Comment("verdict")) << verdict.message;
}

TEST(PlantedBug, IsFoundByRandomInputs) {
  const StoredInput stored = ReadStoredInput(TheCodec(), "tests/planted_bugs/" PLANTED_BUG ".txt");
  ASSERT_EQ(stored.error, "");
  const InputsResult result = ExploreRandomInputs(TheCodec(), 1, 200'000, 5, 3, 8, MemoryMode::kSc);
  EXPECT_EQ(result.verdict.signature, stored.Comment("verdict")) << result.verdict.message;
  // On weak memory it may show in another way first: as a race of what the lock guards.
  EXPECT_FALSE(ExploreRandomInputs(TheCodec(), 1, 200'000, 5, 3, 8).verdict.passed());
}

}  // namespace
}  // namespace jacquard::fuzzers
