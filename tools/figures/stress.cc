// How much the torture of the per-VMA lock does on real threads, and what sanitizers and the lock
// validator cost there.
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

double OperationsPerSecond(const std::string& program, bool validator) {
  const ScratchFolder scratch;
  const ChildResult result = RunChild({Program(program), fmt::format("--seconds={}", kSeconds),
                                       fmt::format("--threads={}", kThreads), "--quiet", "--json=-",
                                       fmt::format("--validator={}", validator ? "on" : "off")},
                                      scratch.path());
  if (result.exit_status != 0) throw std::runtime_error("the torture failed:\n" + result.output);
  return nlohmann::json::parse(result.output)["operations_per_second"];
}

std::vector<Figure> Measure() {
  std::vector<double> plain;
  std::vector<double> validated;
  std::vector<double> asan;
  std::vector<double> tsan;
  for (int run = 0; run < kRuns; ++run) {
    plain.push_back(OperationsPerSecond("stress/vma_lock_stress", false));
    validated.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_stress", true));
    asan.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_asan_stress", false));
    tsan.push_back(plain.back() / OperationsPerSecond("stress/vma_lock_tsan_stress", false));
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
  };
}

}  // namespace

std::vector<Measurement> Stress() {
  return {{"stress", "operations on real threads, and what sanitizers cost", Measure}};
}

}  // namespace jacquard::figures
