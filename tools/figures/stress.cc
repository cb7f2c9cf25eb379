// How much the torture of the per-VMA lock does on real threads, and what sanitizers, the lock
// validator and delays cost there; and what UndefinedBehaviorSanitizer costs in the simulation.
//
//   ./bazelw run -c opt //tools:figures -- --table docs/stress_figures.md stress
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr int kSeconds = 2;
constexpr int kThreads = 2;
constexpr int kExecutions = 500'000;

double OperationsPerSecond(const std::string& program, bool validator) {
  const ScratchFolder scratch;
  const ChildResult result = RunChild({Program(program), fmt::format("--seconds={}", kSeconds),
                                       fmt::format("--threads={}", kThreads), "--quiet", "--json=-",
                                       fmt::format("--validator={}", validator ? "on" : "off")},
                                      scratch.path());
  if (result.exit_status != 0) throw std::runtime_error("the torture failed:\n" + result.output);
  return nlohmann::json::parse(result.output)["operations_per_second"];
}

double SecondsOfFuzzing(const std::string& program) {
  const ScratchFolder scratch;
  const ChildResult result =
      RunChild({Program(program), fmt::format("-runs={}", kExecutions), "-seed=1"}, scratch.path());
  if (result.exit_status != 0) throw std::runtime_error("the target failed:\n" + result.output);
  return result.cpu_seconds;
}

std::vector<Figure> Measure() {
  std::vector<double> plain;
  std::vector<double> validated;
  std::vector<double> asan;
  std::vector<double> tsan;
  std::vector<double> delayed;
  std::vector<double> ubsan;
  for (int run = 0; run < kRuns; ++run) {
    plain.push_back(OperationsPerSecond("stress/vma_lock_stress", false));
    validated.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_stress", true));
    asan.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_asan_stress", false));
    tsan.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_tsan_stress", false));
    delayed.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_delayed_stress", false));
    const double simulated = SecondsOfFuzzing("fuzzers/vma_lock_fuzz_test_bin");
    ubsan.push_back(SecondsOfFuzzing("tools/figures/ubsan_fuzz_target") / simulated);
  }
  const std::string how =
      fmt::format("stress:vma_lock_stress with {} threads for {} s, median of {} runs", kThreads,
                  kSeconds, kRuns);
  const std::string cost = "as many without, " + how + ", one after another";
  // No bars: what a sanitizer costs is its own affair.
  return {
      {"stress_operations_per_second", Median(plain), "operations/s", Bar::kAtLeast, 0, how},
      {"stress_cost_of_validator", Median(validated), "times", Bar::kAtLeast, 0, cost},
      {"stress_cost_of_asan", Median(asan), "times", Bar::kAtLeast, 0, cost},
      {"stress_cost_of_tsan", Median(tsan), "times", Bar::kAtLeast, 0, cost},
      {"stress_cost_of_delays", Median(delayed), "times", Bar::kAtLeast, 0,
       cost + "; at atomic accesses as well"},
      {"fuzzing_cost_of_ubsan", Median(ubsan), "times", Bar::kAtLeast, 0,
       fmt::format("CPU time of {} executions of vma_lock_fuzz_test, simulated, as many without; "
                   "median of {} runs, one after another",
                   kExecutions, kRuns)},
  };
}

}  // namespace

std::vector<Measurement> Stress() {
  return {{"stress", "operations on real threads, and what sanitizers cost", Measure}};
}

}  // namespace jacquard::figures
