// How long libFuzzer needs for the planted bugs of tests/planted_bugs, from an empty corpus.
#include <fmt/format.h>

#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr int kCrashExitStatus = 77;
// A run that has not found the bug by then counts with the time that it took.
constexpr int kGiveUpSeconds = 60;

double SecondsToFind(const std::string& bug, int seed) {
  const ScratchFolder scratch;
  const ChildResult result =
      RunChild({Program("tests/planted_bugs/" + bug + "_fuzz_test_bin"),
                fmt::format("-seed={}", seed), fmt::format("-max_total_time={}", kGiveUpSeconds)},
               scratch.path());
  if (result.exit_status != kCrashExitStatus && result.exit_status != 0) {
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  }
  return result.exit_status == kCrashExitStatus ? result.cpu_seconds : kGiveUpSeconds;
}

std::vector<Figure> Measure() {
  std::vector<Figure> figures;
  for (const std::string bug : {"no_recheck", "no_wait", "no_wake"}) {
    std::vector<double> seconds;
    for (int seed = 1; seed <= kRuns; ++seed) seconds.push_back(SecondsToFind(bug, seed));
    figures.push_back(
        {"find_" + bug, Median(seconds), "s", Bar::kAtMost, 2,
         fmt::format("CPU time until libFuzzer finds the planted bug, one core, median of {} runs "
                     "from an empty corpus",
                     kRuns)});
  }
  return figures;
}

}  // namespace

std::vector<Measurement> PlantedBugs() {
  return {{"planted_bugs", "time until the fuzzer finds each planted bug", Measure}};
}

}  // namespace jacquard::figures
