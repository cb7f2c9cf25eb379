// A lock with one memory order taken away fails, or nothing that the scenario does needs that
// order.
//
// Built once for each order, with CAUGHT saying which, on a copy of the lock with a patch.
#include <gtest/gtest.h>

#include <cstdio>

#include "fuzzers/vma_lock_scenario.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

TEST(WeakenedOrder, DoesNotShowOnSequentiallyConsistentMemory) {
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  const InputsResult result = ExploreRandomInputs(codec, 1, 2'000, 5, 4, 10, MemoryMode::kSc);
  EXPECT_TRUE(result.verdict.passed()) << result.input;
}

TEST(WeakenedOrder, IsCaughtIfTheScenarioNeedsIt) {
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  const std::uint64_t inputs = CAUGHT ? 200'000 : 20'000;
  const InputsResult result = ExploreRandomInputs(codec, 1, inputs, 5, 4, 10);
  std::printf("%llu executions: %s\n", static_cast<unsigned long long>(result.executions),
              result.verdict.passed() ? "no failure" : result.verdict.message.c_str());
  EXPECT_EQ(!result.verdict.passed(), CAUGHT) << result.input;
}

}  // namespace
}  // namespace jacquard::fuzzers
