// How fast the libFuzzer binary drives the per-VMA lock.
#include <fmt/format.h>

#include <cstdlib>
#include <regex>
#include <stdexcept>

#include "fuzzers/child_process.h"
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
      {Program("fuzzers/vma_lock_fuzz_test_bin"), "--memory", "sc", "--shape", "3x4",
       fmt::format("-runs={}", kExecutions), fmt::format("-seed={}", seed), scratch.path()},
      scratch.path());
  static const std::regex statistics_line(R"(jacquard: (\d+) executions .*; ([0-9.]+) steps each)");
  std::smatch match;
  if (result.exit_status != 0 || !std::regex_search(result.output, match, statistics_line)) {
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  }
  const double executions = std::stod(match[1]);
  return {executions / result.cpu_seconds, executions * std::stod(match[2]) / result.cpu_seconds};
}

// The same without libFuzzer's own work: one stated input, again and again.
Rates MeasureRepeated() {
  const ScratchFolder scratch;
  const ChildResult result = RunChild(
      {Program("fuzzers/vma_lock_fuzz_test_bin"), "--memory", "sc", "--replay",
       Program("tools/figures/three_threads.txt"), "--repeat", fmt::to_string(kExecutions)},
      scratch.path());
  static const std::regex steps_line(R"(passes \d+ times \((\d+) steps each\))");
  std::smatch match;
  if (result.exit_status != 0 || !std::regex_search(result.output, match, steps_line)) {
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  }
  return {kExecutions / result.cpu_seconds, kExecutions / result.cpu_seconds * std::stod(match[1])};
}

std::vector<Figure> Measure() {
  std::vector<double> executions;
  std::vector<double> steps;
  for (int seed = 1; seed <= kRuns; ++seed) {
    const Rates rates = MeasureOnce(seed);
    executions.push_back(rates.executions);
    steps.push_back(rates.steps);
  }
  std::vector<double> repeated_executions;
  std::vector<double> repeated_steps;
  for (int run = 1; run <= kRuns; ++run) {
    const Rates rates = MeasureRepeated();
    repeated_executions.push_back(rates.executions);
    repeated_steps.push_back(rates.steps);
  }
  const std::string shape =
      "the libFuzzer binary of the per-VMA lock, 3 threads with 4 operations each, sequential "
      "consistency, "
      "invariants on, no trace, one core";
  const std::string fuzzed = fmt::format(
      "{}; fuzzing from an empty corpus, libFuzzer's own work included; {} executions by CPU time, "
      "median of {} runs",
      shape, kExecutions, kRuns);
  const std::string stated = fmt::format(
      "{}; the input tools/figures/three_threads.txt again and again; {} executions by CPU time, "
      "median of {} runs",
      shape, kExecutions, kRuns);
  return {
      {"fuzzed_executions_per_second", Median(executions), "executions/s", Bar::kAtLeast, 500'000,
       fuzzed},
      {"fuzzed_steps_per_second", Median(steps), "steps/s", Bar::kAtLeast, 20'000'000, fuzzed},
      {"executions_per_second", Median(repeated_executions), "executions/s", Bar::kAtLeast, 500'000,
       stated},
      {"steps_per_second", Median(repeated_steps), "steps/s", Bar::kAtLeast, 20'000'000, stated},
  };
}

}  // namespace

std::vector<Measurement> Speed() {
  return {{"speed", "executions and steps per second in the libFuzzer binary", Measure}};
}

}  // namespace jacquard::figures
