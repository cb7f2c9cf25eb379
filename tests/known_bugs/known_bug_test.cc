// A bug of the past, put back: the stored input shows it, with the verdict that it names.
//
// Built once for each bug on the patched lock, with KNOWN_BUG as its name; and once for each
// scenario on the lock as it is, with all its bugs, where no stored input may show anything.
#include <gtest/gtest.h>

#include <string>

#include SCENARIO_HEADER
#include "fuzzers/codec.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

const Codec& TheCodec() {
  static const Codec codec(ScenarioTypeOf<SCENARIO>(SCENARIO_NAME));
  return codec;
}

TEST(KnownBug, IsShownByTheStoredInputOnlyIfItIsThere) {
  for (const char* const bug : {KNOWN_BUGS}) {
    SCOPED_TRACE(bug);
    const StoredInput stored =
        ReadStoredInput(TheCodec(), std::string("tests/known_bugs/") + bug + "/input.txt");
    ASSERT_EQ(stored.error, "");
    ASSERT_NE(stored.Comment("verdict"), "");
    const Verdict verdict = ExecuteInput(TheCodec(), stored.input);
    EXPECT_EQ(verdict.signature, PATCHED ? stored.Comment("verdict") : "") << verdict.message;
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
