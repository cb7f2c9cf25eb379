#include "tools/figures/known_bugs.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/kept_results.h"
#include "tools/figures/known_bug_list.h"
#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
constexpr int kLimitSeconds = 60;
constexpr int kCrashExitStatus = 77;
constexpr double kNever = std::numeric_limits<double>::infinity();

// What a searcher came to: medians of all runs.
struct Detection {
  double executions = kNever;
  double seconds = kNever;
};

std::string page;

// `one_run` is called with each seed.
template <class OneRun>
Detection MedianOf(OneRun one_run) {
  std::vector<double> executions;
  std::vector<double> seconds;
  for (int seed = 1; seed <= kRuns; ++seed) {
    const Detection run = one_run(seed);
    executions.push_back(run.executions);
    seconds.push_back(run.seconds);
    // The median is decided.
    if (std::ranges::count(seconds, kNever) > kRuns / 2) return {};
  }
  return {Median(executions), Median(seconds)};
}

Detection FuzzOnce(const KnownBug& bug, int seed) {
  const ScratchFolder scratch;
  const ChildResult result = RunChildOnce(
      {Program(fmt::format("{}/{}_fuzz_test_bin", kKnownBugsFolder, bug.name)),
       fmt::format("-seed={}", seed), fmt::format("-max_total_time={}", kLimitSeconds),
       NewCorpus(scratch), Program(fmt::format("fuzzers/{}_fuzz_test_corpus", bug.scenario))},
      scratch);
  if (result.exit_status == 0) return {};
  if (result.exit_status != kCrashExitStatus)
    throw std::runtime_error("the fuzz target failed:\n" + result.output);
  const std::string executions =
      Find(result.output, "^jacquard: the failure came after (\\d+) executions?$");
  return {std::stod(executions), result.cpu_seconds};
}

Detection ExploreOnce(const KnownBug& bug, int seed) {
  const ScratchFolder scratch;
  const std::string report = scratch.path() + "/report.json";
  const ChildResult result =
      RunChildOnce({Program(fmt::format("{}/{}_fuzz_test_explore_bin", kKnownBugsFolder, bug.name)),
                    fmt::format("--seed={}", seed), fmt::format("--seconds={}", kLimitSeconds),
                    "--executions=1000000000", "--json=" + report},
                   scratch);
  if (result.exit_status > 1) throw std::runtime_error("the explorer failed:\n" + result.output);
  if (result.exit_status == 0) return {};
  const auto json = nlohmann::json::parse(ReadText(report));
  return {json["strategies"][0]["executions_to_first_bug"], result.cpu_seconds};
}

std::string Cell(const Detection& detection) {
  if (detection.seconds == kNever) return "not found";
  return fmt::format("{:.0f} ({:.2g} s)", detection.executions, detection.seconds);
}

std::vector<Figure> Measure() {
  std::vector<Figure> figures;
  page = fmt::format(
      "<!-- Written by ./bazelw run -c opt //tools:figures -- known_bugs --known-bugs "
      "docs/known_bugs.md{}; do not edit. -->\n"
      "# Known bugs\n\n"
      "Bugs that real experts made in this lock, or in drafts of it, and some that were invented. "
      "Each has a folder in\n`tests/known_bugs`: a patch that puts it back into a copy of `lock/`, "
      "a text with its history and interleaving, and the\nsmallest input that shows it, which "
      "`./bazelw test //tests/known_bugs/...` executes on the patched lock and on the lock as it "
      "is.\n\n"
      "Executions until it is caught, and the CPU time of the whole process: by libFuzzer from the "
      "ordinary seeds, and by the\n[explorer](explore.md) with its default strategy. Medians of {} "
      "seeds, one core, at most {} s.\nWhat real threads under ThreadSanitizer and "
      "AddressSanitizer find: [known_bugs_real_threads.md](known_bugs_real_threads.md).\n\n"
      "The texts number the bugs (B01 to B32) and the orders of the lock's steps (O1 to O10) as "
      "the description did\nfrom which this project started.\n\n"
      "| bug | when | caught as | libFuzzer | explorer |\n|---|---|---|---|---|\n",
      OnlyKnownBugsFlag(), kRuns, kLimitSeconds);
  for (const KnownBug& bug : ListKnownBugs()) {
    const Detection fuzzed = MedianOf([&](int seed) { return FuzzOnce(bug, seed); });
    const Detection explored = MedianOf([&](int seed) { return ExploreOnce(bug, seed); });
    page += fmt::format("| {} | {} | {} | {} | {} |\n", LinkTo(bug), bug.history, bug.verdict,
                        Cell(fuzzed), Cell(explored));
    figures.push_back({"known_bug_" + bug.name, std::min(fuzzed.seconds, 1e9), "s", Bar::kAtMost,
                       kLimitSeconds,
                       fmt::format("CPU time until libFuzzer catches the known bug from the "
                                   "ordinary seeds, one core, median of {} runs",
                                   kRuns)});
  }
  return figures;
}

}  // namespace

std::vector<Measurement> KnownBugs() {
  return {{"known_bugs", "time until each known bug is caught", Measure}};
}

std::string KnownBugsPage() { return page; }

}  // namespace jacquard::figures
