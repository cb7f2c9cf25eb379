// Golden files: expected texts that are too long for a test's body, in tests/sim/golden/.
//
// To see what a change of the code does to them, refresh them and look at the difference:
//   JACQUARD_UPDATE_GOLDEN=1 bazel run //tests/sim:timeline_test && git diff tests/sim/golden
#ifndef JACQUARD_TESTS_SIM_GOLDEN_H_
#define JACQUARD_TESTS_SIM_GOLDEN_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace jacquard {

// What stands in a file of the test's data; "" if there is none.
inline std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Expects `text` to be what tests/sim/golden/`name` holds; with JACQUARD_UPDATE_GOLDEN set, under
// `bazel run`, writes it there instead.
inline void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = "tests/sim/golden/" + name;
  const char* const update = std::getenv("JACQUARD_UPDATE_GOLDEN");
  if (update != nullptr && *update != '\0') {
    const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
    ASSERT_NE(workspace, nullptr) << "golden files are refreshed under `bazel run` only";
    std::ofstream file(std::string(workspace) + "/" + path, std::ios::binary);
    file << text;
    ASSERT_TRUE(file.flush()) << path << " cannot be written";
    return;
  }
  const std::string expected = FileText(path);
  EXPECT_NE(expected, "") << path << " is missing; tests/sim/golden.h says how to write it";
  EXPECT_EQ(expected, text) << "in " << path;
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_GOLDEN_H_
