// The call that unit tests make: how fast it is with threads that the body makes, and what a
// million executions say of the C++ library's own primitives.
#include <fmt/format.h>

#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr const char* kPrograms = "tools/figures/unit_test_programs";

ChildResult Run(const std::string& name, int executions) {
  const ScratchFolder scratch;
  return RunChild({Program(kPrograms), name, fmt::to_string(executions)}, scratch.path());
}

Figure ExecutionsPerSecond(const std::string& name, int executions, double bar,
                           const std::string& what) {
  std::vector<double> speeds;
  for (int run = 0; run < kRuns; ++run) {
    const ChildResult result = Run(name, executions);
    if (result.exit_status != 0) throw std::runtime_error(name + " failed:\n" + result.output);
    speeds.push_back(executions / result.cpu_seconds);
  }
  return {"unit_test_" + name,
          Median(speeds),
          "executions/s",
          Bar::kAtLeast,
          bar,
          fmt::format("{}; creation and join of the threads included, rc11 with races, CPU time of "
                      "{} executions, median of {} runs",
                      what, executions, kRuns)};
}

std::vector<Figure> Measure() {
  std::vector<Figure> figures = {
      ExecutionsPerSecond("spin_lock", 1'000'000, 2'000'000,
                          "the spin lock of examples/unit_tests, 2 threads"),
      ExecutionsPerSecond("ping_pong", 200'000, 300'000,
                          "4 turns with std::mutex and std::condition_variable, 2 threads"),
  };
  constexpr int kMillion = 1'000'000;
  constexpr int kNoSuchProgram = 2;
  int right = 0;
  int number = 0;
  for (;; ++number) {
    const int status = Run(fmt::to_string(number), kMillion).exit_status;
    if (status == kNoSuchProgram) break;
    right += status == 0;
  }
  figures.push_back({"library_programs", static_cast<double>(right), "programs", Bar::kAtLeast,
                     static_cast<double>(number),
                     "of the C++ library's primitives, judged rightly in a million executions each "
                     "(tests/libraries)"});
  return figures;
}

}  // namespace

std::vector<Measurement> UnitTests() {
  return {{"unit_tests", "the call in a unit test", Measure}};
}

}  // namespace jacquard::figures
