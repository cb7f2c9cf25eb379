// What each kind of feature and of mutation is worth to libFuzzer: how many executions it takes
// until planted bugs are found, and how much a fixed number of executions sees of a right lock.
//
//   ./bazelw run -c opt //tools:figures -- --table docs/guidance_figures.md guidance
//
// And what the ways to address exceptions are worth (fuzzers/meaning.h):
//
//   ./bazelw run -c opt //tools:figures -- --table docs/schedule_language.md schedule_language
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <regex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

// With fewer, chance alone makes a factor of 1.5 between two sets.
constexpr int kSeeds = 24;
// A run that finds nothing counts with so many.
constexpr int kMostExecutions = 100'000;
constexpr int kBehaviourSeeds = 3;
constexpr int kBehaviourExecutions = 100'000;

const char* const kBugs[] = {
    "tests/planted_bugs/no_recheck_fuzz_test_bin",
    "tests/planted_bugs/no_wait_fuzz_test_bin",
    "tests/planted_bugs/no_wake_fuzz_test_bin",
    "tests/weakened_orders/sleep_fence_fuzz_test_bin",
    "fuzzers/vma_lock_narrow_fuzz_test_bin",
};

const char* const kFeatures[] = {"none",
                                 "states",
                                 "switches",
                                 "states,switches",
                                 "states,switches,reads",
                                 "states,switches,hand-offs",
                                 "states,switches,blocked",
                                 "states,switches,reads,hand-offs,blocked"};
const char* const kMutations[] = {"none", "records", "records,cross-over", "records,reorder",
                                  "records,cross-over,reorder"};

double ExecutionsToFind(const std::string& bug, const std::string& flag, int seed,
                        const std::string& mutations) {
  const ScratchFolder scratch;
  const ChildResult result = RunChild({Program(bug), flag, mutations, fmt::format("-seed={}", seed),
                                       fmt::format("-runs={}", kMostExecutions)},
                                      scratch.path());
  static const std::regex line(R"(the failure came after (\d+) executions)");
  std::smatch match;
  return std::regex_search(result.output, match, line) ? std::stod(match[1]) : kMostExecutions;
}

// The geometric mean over seeds and bugs: each bug counts as much as any other.
double ExecutionsToFindAll(const std::string& flag, const std::string& mutations =
                                                        "--mutations=records,cross-over,reorder") {
  double sum = 0;
  for (const char* const bug : kBugs) {
    for (int seed = 1; seed <= kSeeds; ++seed)
      sum += std::log(ExecutionsToFind(bug, flag, seed, mutations));
  }
  return std::exp(sum / (kSeeds * static_cast<double>(std::size(kBugs))));
}

// How many features of all kinds the inputs have that a run has kept.
double Behaviours(const std::string& flag) {
  const std::string program = Program("fuzzers/vma_lock_fuzz_test_bin");
  std::vector<double> counts;
  for (int seed = 1; seed <= kBehaviourSeeds; ++seed) {
    const ScratchFolder scratch;
    const std::string corpus = scratch.path() + "/corpus";
    std::filesystem::create_directory(corpus);
    (void)RunChild({program, flag, fmt::format("-seed={}", seed),
                    fmt::format("-runs={}", kBehaviourExecutions), corpus},
                   scratch.path());
    const ChildResult result =
        RunChild({program, "--features=states,switches,reads,hand-offs,blocked", "-runs=0", corpus},
                 scratch.path());
    static const std::regex line(R"(INITED.* ft: (\d+))");
    std::smatch match;
    if (result.exit_status != 0)
      throw std::runtime_error("the fuzz target failed:\n" + result.output);
    // Without any feature nothing is kept, and there is no such line.
    counts.push_back(std::regex_search(result.output, match, line) ? std::stod(match[1]) : 0);
  }
  return Median(counts);
}

void MeasureKind(const std::string& kind, std::span<const char* const> sets,
                 const std::string& chosen, std::vector<Figure>& figures) {
  double best = 0;
  double of_chosen = 0;
  for (const std::string set : sets) {
    const std::string flag = fmt::format("--{}={}", kind, set);
    const double executions = kind == "mutations"
                                  ? ExecutionsToFindAll("--features=states,switches", flag)
                                  : ExecutionsToFindAll(flag);
    fmt::print(stderr, "  {}: {:.0f} executions\n", flag, executions);
    best = best == 0 ? executions : std::min(best, executions);
    if (set == chosen) of_chosen = executions;
    const std::string name = fmt::format("{}={}", kind, set);
    figures.push_back(
        {"executions_to_find_" + name, std::round(executions), "executions", Bar::kAtMost,
         kMostExecutions,
         fmt::format("geometric mean over {} bugs and {} seeds", std::size(kBugs), kSeeds)});
    figures.push_back({"behaviours_" + name, Behaviours(flag), "behaviours", Bar::kAtLeast, 0,
                       fmt::format("of all kinds, that the corpus has after {} executions of the "
                                   "lock without bugs, median of {} seeds",
                                   kBehaviourExecutions, kBehaviourSeeds)});
  }
  figures.push_back({"default_" + kind, of_chosen / best, "times the best", Bar::kAtMost, 1.5,
                     "executions to find with the default, \"" + chosen + "\""});
}

// Reordering knows positions only, so that all ways do without it.
std::vector<Figure> MeasureLanguage() {
  std::vector<Figure> figures;
  double positions = 0;
  for (const std::string way : {"positions", "operations", "writes"}) {
    const double executions =
        ExecutionsToFindAll("--addresses=" + way, "--mutations=records,cross-over");
    fmt::print(stderr, "  {}: {:.0f} executions\n", way, executions);
    if (positions == 0) positions = executions;
    figures.push_back(
        {"executions_to_find_addresses=" + way, std::round(executions), "executions", Bar::kAtMost,
         kMostExecutions,
         fmt::format("geometric mean over {} bugs and {} seeds", std::size(kBugs), kSeeds)});
    if (way != "positions") {
      figures.push_back({"positions_against_" + way, positions / executions, "times", Bar::kAtMost,
                         1, "executions to find with the default, \"positions\""});
    }
  }
  return figures;
}

std::vector<Figure> Measure() {
  std::vector<Figure> figures;
  MeasureKind("features", kFeatures, "states,switches", figures);
  MeasureKind("mutations", kMutations, "records,cross-over,reorder", figures);
  return figures;
}

}  // namespace

std::vector<Measurement> Guidance() {
  return {{"guidance", "what features and mutations are worth to libFuzzer", Measure},
          {"schedule_language", "what it is worth how exceptions are addressed", MeasureLanguage}};
}

}  // namespace jacquard::figures
