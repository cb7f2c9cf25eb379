// A main() for a fuzz target without an engine (--//tools:engine=replay): executes files, and all
// that lie in folders, once each.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "fuzzers/files.h"

extern "C" {
__attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
}

namespace {

constexpr int kExitUsage = 2;

int Complain(const std::string& problem) {
  std::fprintf(stderr, "replay: %s\n", problem.c_str());
  return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    // Flags of engines: a script may give the same to any build.
    if (argument.size() > 1 && argument.front() == '-') continue;
    if (const std::string problem = jacquard::fuzzers::AddFiles(argument, files); !problem.empty())
      return Complain(problem);
  }
  if (files.empty()) return Complain("no input; name files or folders (\"-\": standard input)");
  for (const std::string& file : files) {
    jacquard::fuzzers::Bytes bytes;
    if (const std::string problem = jacquard::fuzzers::ReadFile(file, &bytes); !problem.empty())
      return Complain(problem);
    std::fprintf(stderr, "replay: %s\n", file.c_str());  // so that a crash follows its input's name
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::fprintf(stderr, "replay: %zu inputs executed\n", files.size());
  return 0;
}
