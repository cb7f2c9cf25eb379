// What weak memory costs: time against sequential consistency, and whether memory grows.
#include <fmt/format.h>

#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr int kExecutions = 500'000;
constexpr int kFewExecutions = 1'000'000;
constexpr int kManyExecutions = 10'000'000;

// The scenario with three threads, again and again.
ChildResult Repeat(const char* memory, int executions) {
  const ScratchFolder scratch;
  ChildResult result =
      RunChild({Program("fuzzers/vma_lock_fuzz_test_bin"), "--memory", memory, "--replay",
                Program("tools/figures/three_threads.txt"), "--repeat", fmt::to_string(executions)},
               scratch.path());
  if (result.exit_status != 0) {
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  }
  return result;
}

std::vector<Figure> Measure() {
  std::vector<double> ratios;
  for (int run = 0; run < kRuns; ++run) {
    const double strong = Repeat("sc", kExecutions).cpu_seconds;
    ratios.push_back(Repeat("rc11", kExecutions).cpu_seconds / strong);
  }
  const double before = Repeat("rc11", kFewExecutions).resident_bytes;
  const double growth = Repeat("rc11", kManyExecutions).resident_bytes - before;
  const std::string what = "the per-VMA lock, tools/figures/three_threads.txt, invariants on";
  return {
      {"rc11_against_sc", Median(ratios), "times the CPU time", Bar::kAtMost, 2,
       fmt::format("{}; {} executions, rc11 with races against sc, median of {} pairs of runs",
                   what, kExecutions, kRuns)},
      {"rc11_memory_growth", growth / 1024 / 1024, "MiB", Bar::kAtMost, 1,
       fmt::format("{}; largest resident memory after {} executions, less that after {}", what,
                   kManyExecutions, kFewExecutions)},
  };
}

}  // namespace

std::vector<Measurement> WeakMemory() {
  return {{"weak_memory", "what weak memory costs, in time and memory", Measure}};
}

}  // namespace jacquard::figures
