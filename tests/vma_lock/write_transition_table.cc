// Writes the transition table into docs/vma_lock.md: bazel run
// //tests/vma_lock:write_transition_table
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/vma_lock/transition_table.h"

int main() {
  using jacquard::fuzzers::ExploreTransitions;
  using jacquard::fuzzers::ReplaceTable;
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string path =
      (workspace == nullptr ? std::string() : std::string(workspace) + "/") + "docs/vma_lock.md";
  std::ifstream in(path);
  std::ostringstream page;
  page << in.rdbuf();
  std::string error;
  const std::vector<std::string> rows = ExploreTransitions(&error);
  const auto replaced = ReplaceTable(page.str(), rows);
  if (!error.empty() || !replaced) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(),
                 error.empty() ? "no table in it" : error.c_str());
    return 1;
  }
  std::ofstream out(path);
  out << *replaced;
  if (!out.flush()) {
    std::fprintf(stderr, "%s: cannot write\n", path.c_str());
    return 1;
  }
  std::printf("%s: %zu transitions\n", path.c_str(), rows.size());
  return 0;
}
