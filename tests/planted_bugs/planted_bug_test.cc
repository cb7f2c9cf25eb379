// A lock with a planted bug: the stored input shows it, and random inputs find it.
//
// Built once for each bug, with PLANTED_BUG as its name. The stored input says in a comment what
// verdict it leads to:
//
//   # verdict: invariant|reader and writer in one VMA|start_read
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "fuzzers/minimizer.h"
#include "fuzzers/text.h"
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

// What random inputs find, with many operations and a choice at nearly every pick.
TEST(PlantedBug, IsMinimised) {
  for (const MemoryMode memory : {MemoryMode::kSc, MemoryMode::kRc11}) {
    SCOPED_TRACE(MemoryModeName(memory));
    const InputsResult found = ExploreRandomInputs(TheCodec(), 1, 200'000, 5, 3, 8, memory);
    const StoredInput stored = ParseStoredInput(TheCodec(), found.input);
    ASSERT_EQ(stored.error, "");
    const std::string signature = found.verdict.signature;
    const MinimizedInput minimized =
        MinimizeInput(TheCodec(), stored.input, signature, 1'000'000, memory);
    ASSERT_TRUE(minimized.fails);
    ASSERT_FALSE(minimized.spent);
    EXPECT_LT(CostOf(minimized.input), CostOf(stored.input));
    EXPECT_EQ(ExecuteInput(TheCodec(), minimized.input, memory).signature, signature);
    for (const Input& smaller : SingleRemovals(TheCodec(), minimized.input)) {
      EXPECT_NE(ExecuteInput(TheCodec(), smaller, memory).signature, signature)
          << FormatText(TheCodec(), minimized.input) << "can do without something:\n"
          << FormatText(TheCodec(), smaller);
    }
    // The same again; and what is minimal stays as it is.
    const MinimizedInput again =
        MinimizeInput(TheCodec(), stored.input, signature, 1'000'000, memory);
    EXPECT_EQ(again.input, minimized.input);
    EXPECT_EQ(again.executions, minimized.executions);
    const MinimizedInput twice =
        MinimizeInput(TheCodec(), minimized.input, signature, 1'000'000, memory);
    EXPECT_EQ(twice.input, minimized.input);
    // Another signature is not what was asked for.
    EXPECT_FALSE(MinimizeInput(TheCodec(), stored.input, "race|other", 1000, memory).fails);
    std::printf("%s%llu executions\n", FormatText(TheCodec(), minimized.input).c_str(),
                static_cast<unsigned long long>(minimized.executions));
  }
}

// The stored inputs, which a person has written, are as small as can be.
TEST(PlantedBug, IsNotMadeLarger) {
  const StoredInput stored = ReadStoredInput(TheCodec(), "tests/planted_bugs/" PLANTED_BUG ".txt");
  const MinimizedInput minimized =
      MinimizeInput(TheCodec(), stored.input, stored.Comment("verdict"), 1'000'000);
  ASSERT_TRUE(minimized.fails);
  EXPECT_LE(CostOf(minimized.input), CostOf(stored.input));
}

}  // namespace
}  // namespace jacquard::fuzzers
