// Judges the simulated memory by litmus tables: one line per program, then a count. Ends with 0 if
// it shows exactly the outcomes that the tables allow, with 1 if not, with 2 if a file cannot be
// read.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/litmus/comparison.h"
#include "tests/litmus/explore.h"
#include "tests/litmus/program.h"

namespace jacquard::litmus {
namespace {

// For a program that is too large to explore: so many executions with random picks.
constexpr uint64_t kRandomExecutions = 2'000'000;
constexpr uint64_t kSeed = 1;

// `bazel run` starts the program elsewhere; file names belong to where it was called.
std::string Resolve(const std::string& path) {
  const char* const folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || path.starts_with('/')) return path;
  return std::string(folder) + "/" + path;
}

// Whether the memory does what the table says.
bool Judge(const Program& program) {
  ExploreResult result = ExploreOnMemory(program);
  std::string how = "every pick, " + std::to_string(result.executions) + " executions";
  if (!result.complete) {
    result = WalkOnMemory(program, kRandomExecutions, kSeed);
    how = "too large to explore: " + std::to_string(result.executions) +
          " executions with random picks, seed " + std::to_string(kSeed);
  } else if (result.racy) {
    how = "a race after " + std::to_string(result.executions) + " executions";
  } else if (result.pruned) {
    how = "every graph once, " + std::to_string(result.executions) + " executions";
  }
  const Comparison comparison = Compare(program, result);
  std::printf("%s: %s (%s)\n", program.name.c_str(), ComparisonText(comparison).c_str(),
              how.c_str());
  return comparison.agrees();
}

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: litmus FILE.json...\n", stderr);
    return 2;
  }
  int programs = 0;
  int different = 0;
  for (int i = 1; i < argc; ++i) {
    for (const Program& program : ReadTable(Resolve(argv[i]))) {
      ++programs;
      if (!Judge(program)) ++different;
    }
  }
  std::printf("%d programs, %d as the table says, %d different\n", programs, programs - different,
              different);
  return different == 0 ? 0 : 1;
}

}  // namespace
}  // namespace jacquard::litmus

int main(int argc, char** argv) {
  try {
    return jacquard::litmus::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "litmus: %s\n", error.what());
    return 2;
  }
}
