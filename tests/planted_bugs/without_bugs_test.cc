// The inputs that show planted bugs show nothing on the lock as it is.
#include <gtest/gtest.h>

#include <filesystem>

#include "fuzzers/vma_lock_scenario.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

TEST(PlantedBugs, AreNotThereWithoutThePatch) {
  const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/planted_bugs")) {
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().string());
    const StoredInput stored = ReadStoredInput(codec, entry.path().string());
    ASSERT_EQ(stored.error, "");
    const Verdict verdict = ExecuteInput(codec, stored.input);
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    ++inputs;
  }
  EXPECT_EQ(inputs, 3);
}

}  // namespace
}  // namespace jacquard::fuzzers
