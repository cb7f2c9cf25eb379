// The library's own primitives under exploration: nothing is reported but what is wrong with them.
#include <gtest/gtest.h>

#include <string>

#include "jacquard/jacquard.h"
#include "tests/libraries/programs.h"

namespace jacquard::libraries {
namespace {

class LibraryTest : public testing::TestWithParam<LibraryProgram> {};

TEST_P(LibraryTest, IsJudgedRightly) {
  const LibraryProgram& program = GetParam();
  const Result result = Explore(program.body, {.executions = 100'000});
  ASSERT_EQ(result.problem, "");
  if (program.finding == nullptr) {
    EXPECT_TRUE(result.ok()) << result.report();
    return;
  }
  ASSERT_FALSE(result.ok()) << program.finding << " is not found in " << result.executions;
  EXPECT_STREQ(VerdictKindName(result.findings.front().verdict.kind), program.finding)
      << result.report();
}

INSTANTIATE_TEST_SUITE_P(Libstdcxx, LibraryTest,
                         testing::ValuesIn(LibraryPrograms().begin(), LibraryPrograms().end()),
                         [](const auto& info) {
                           std::string name;
                           for (const char c : std::string(info.param.name)) {
                             if (std::isalnum(static_cast<unsigned char>(c))) name += c;
                           }
                           return name;
                         });

}  // namespace
}  // namespace jacquard::libraries
