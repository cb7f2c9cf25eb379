// What the figures of the call in a unit test are measured with: unit_test_programs NAME
// EXECUTIONS.
//
// NAME is spin_lock, ping_pong, or a number: that of a library program (tests/libraries).
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <thread>

#include "examples/unit_tests/spin_lock.h"
#include "jacquard/jacquard.h"
#include "sim/runtime.h"
#include "tests/libraries/programs.h"

namespace jacquard {
namespace {

void SpinLock() {
  examples::SpinLock lock;
  int counter = 0;
  const auto count = [&] {
    lock.lock();
    ++counter;
    lock.unlock();
  };
  std::thread a(count);
  std::thread b(count);
  a.join();
  b.join();
  Check(counter == 2, "the lock excludes");
}

// 0: as expected.
int Run(void (*body)(), const char* finding, uint64_t executions) {
  Options options = {.executions = executions};
  options.execution.library_bugs = true;
  const Result result = Explore(body, options);
  const char* const found =
      result.findings.empty() ? nullptr : VerdictKindName(result.findings[0].verdict.kind);
  const bool expected =
      found == nullptr || finding == nullptr ? found == finding : std::strcmp(found, finding) == 0;
  // An expected finding is printed as well: docs/findings.md shows it.
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.report().c_str());
  return expected && result.problem.empty() ? 0 : 1;
}

}  // namespace
}  // namespace jacquard

int main(int argc, char** argv) {
  const std::span<const jacquard::libraries::LibraryProgram> libraries =
      jacquard::libraries::LibraryPrograms();
  if (argc == 3) {
    const std::string name = argv[1];
    const uint64_t executions = std::strtoull(argv[2], nullptr, 10);
    if (name == "spin_lock") return jacquard::Run(jacquard::SpinLock, nullptr, executions);
    // Turns with a mutex and a condition variable.
    if (name == "ping_pong") {
      for (const auto& library : libraries) {
        if (std::strcmp(library.name, "std::condition_variable") == 0)
          return jacquard::Run(library.body, library.finding, executions);
      }
    }
    size_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && *end == '\0' && number < libraries.size()) {
      std::printf("%s\n", libraries[number].name);
      return jacquard::Run(libraries[number].body, libraries[number].finding, executions);
    }
  }
  std::fprintf(stderr, "unit_test_programs spin_lock|ping_pong|0..%zu EXECUTIONS\n",
               libraries.size() - 1);
  return 2;
}
