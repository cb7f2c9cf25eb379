// A sequence of two bits: the lock's natural bug, that old numbers mean "now" again, is found.
//
// The VMA was last write-locked in a section whose number comes again two sections later. A reader
// that entered in between is inside when a writer of that later section finds the VMA carrying its
// number, takes it for write-locked and does not wait.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "fuzzers/vma_lock_scenario.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

constexpr const char* kStored = "tests/vma_lock/sequence_comes_round.txt";

const Codec& NarrowCodec() {
  static const Codec codec(ScenarioTypeOf<VmaLockNarrowScenario>("VmaLockNarrowScenario"));
  return codec;
}

TEST(NarrowWidths, StoredInputShowsTheSequenceComingRound) {
  const StoredInput stored = ReadStoredInput(NarrowCodec(), kStored);
  ASSERT_EQ(stored.error, "");
  const Verdict verdict = ExecuteInput(NarrowCodec(), stored.input);
  EXPECT_EQ(verdict.signature, stored.Comment("verdict")) << verdict.message;
}

// The operations have the same numbers at every width.
TEST(NarrowWidths, StoredInputShowsNothingAtTheKernelsWidths) {
  const StoredInput stored = ReadStoredInput(NarrowCodec(), kStored);
  ASSERT_EQ(stored.error, "");
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  const Verdict verdict = ExecuteInput(codec, stored.input);
  EXPECT_TRUE(verdict.passed()) << verdict.message;
}

// Random inputs find it, and what else follows from a sequence that comes round: a speculation that
// spans two write sections does not notice. Nothing else fails.
TEST(NarrowWidths, RandomInputsFindItAndNothingElse) {
  std::map<std::string, int> found;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const InputsResult result = ExploreRandomInputs(NarrowCodec(), seed, 2'000, 5, 3, 12);
    if (!result.verdict.passed()) ++found[result.verdict.signature];
  }
  const std::set<std::string> expected = {
      "invariant|reader and writer in one VMA|start_write",
      "invariant|reader and writer in one VMA|start_write_killable",
      "invariant|speculation validates a torn snapshot|speculate_retry",
  };
  for (const std::string& signature : expected) EXPECT_GT(found[signature], 0) << signature;
  for (const auto& [signature, times] : found) {
    // A reader and a writer in one VMA may also be met at the data that they access, or the reader
    // may be the second to come: the number comes round between its two looks.
    const bool is_the_same = signature.starts_with("race|plain read and plain write|start_") ||
                             signature == "invariant|reader and writer in one VMA|start_read";
    EXPECT_TRUE(is_the_same || expected.contains(signature))
        << signature << ", " << times << " times";
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
