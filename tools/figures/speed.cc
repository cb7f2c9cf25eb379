// How fast the libFuzzer binary drives the per-VMA lock.
#include <fmt/format.h>

#include <cstdlib>
#include <regex>
#include <stdexcept>

#include "tools/figures/child.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr int kExecutions = 1'500'000;

struct Rates {
  double executions;  // a second of CPU time
  double steps;
};

// The target says at its end how many executions there were, and how many steps each had.
Rates MeasureOnce(int seed) {
  const ScratchFolder scratch;
  const ChildResult result = RunChild(
      {Program("fuzzers/vma_lock_fuzz_test_bin"), "--shape", "3x4",
       fmt::format("-runs={}", kExecutions), fmt::format("-seed={}", seed), scratch.path()},
      scratch.path());
  static const std::regex kStatistics(R"(jacquard: (\d+) executions .*; ([0-9.]+) steps each)");
  std::smatch match;
  if (result.exit_status != 0 || !std::regex_search(result.output, match, kStatistics)) {
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  }
  const double executions = std::stod(match[1]);
  return {executions / result.cpu_seconds, executions * std::stod(match[2]) / result.cpu_seconds};
}

std::vector<Figure> Measure() {
  std::vector<double> executions;
  std::vector<double> steps;
  for (int seed = 1; seed <= kRuns; ++seed) {
    const Rates rates = MeasureOnce(seed);
    executions.push_back(rates.executions);
    steps.push_back(rates.steps);
  }
  const std::string how = fmt::format(
      "libFuzzer on the per-VMA lock, 3 threads with 4 operations each, invariants on, no trace, "
      "one core; {} "
      "executions of CPU time, median of {} runs from an empty corpus",
      kExecutions, kRuns);
  return {
      {"executions_per_second", Median(executions), "executions/s", Bar::kAtLeast, 500'000, how},
      {"steps_per_second", Median(steps), "steps/s", Bar::kAtLeast, 20'000'000, how}};
}

}  // namespace

std::vector<Measurement> Speed() {
  return {{"speed", "executions and steps per second in the libFuzzer binary", Measure}};
}

}  // namespace jacquard::figures
