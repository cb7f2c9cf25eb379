// The explorer on what must stay without a report: the fuzz targets on the lock as it is, and on
// copies of it with changes that do no harm (tests/controls).
#include "tools/figures/controls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/kept_results.h"
#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

constexpr const char* kFolder = "tests/controls";

// What is explored, and how much of all executions it gets: more where they are quick.
struct Share {
  const char* target;
  const char* control;  // null: the lock as it is
  uint64_t thousandths;
};
// Without vma_lock_narrow: its sequence comes round on purpose.
constexpr Share kShares[] = {
    {"vma_lock", nullptr, 290},
    {"address_space", nullptr, 5},
    {"rcu", nullptr, 40},
    {"rcuwait", nullptr, 120},
    {"rw_semaphore", nullptr, 120},
    {"lockdep", nullptr, 10},
    {"vma_assertions", nullptr, 10},
    {"vma_lock", "killed_wait_handled", 100},
    {"vma_lock", "no_early_check", 150},
    {"vma_lock", "spurious_wakeups", 150},
    {"address_space", "sequence_reset_on_free", 5},
};

constexpr uint64_t Thousandths() {
  uint64_t sum = 0;
  for (const Share& share : kShares) sum += share.thousandths;
  return sum;
}
static_assert(Thousandths() == 1000);

uint64_t all_executions = kControlExecutions;
uint64_t seed = 1;
int jobs = 1;
std::string page;

struct Exploration {
  uint64_t executions = 0;
  uint64_t scenarios = 0;
  uint64_t distinct_schedules = 0;
  uint64_t reports = 0;
  double seconds = 0;  // CPU time
};

Exploration Explore(const Share& share) {
  const ScratchFolder scratch;
  const std::string report = scratch.path() + "/report.json";
  const std::string program =
      share.control == nullptr ? fmt::format("fuzzers/{}_fuzz_test_explore_bin", share.target)
                               : fmt::format("{}/{}_fuzz_test_explore_bin", kFolder, share.control);
  const ChildResult result =
      RunChildOnce({Program(program), "--quiet", "--stop=never", fmt::format("--seed={}", seed),
                    fmt::format("--executions={}", all_executions / 1000 * share.thousandths),
                    "--json=" + report},
                   scratch);
  if (result.exit_status > 1) throw std::runtime_error("the explorer failed:\n" + result.output);
  if (result.exit_status == 1) fmt::print(stderr, "{}\n", result.output);
  const auto row = nlohmann::json::parse(ReadText(report))["strategies"][0];
  return {row["executions"], row["scenarios"], row["distinct_schedules"], row["failures"],
          result.cpu_seconds};
}

void CheckThatNoneIsForgotten() {
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    const auto is_it = [&](const Share& share) {
      return share.control != nullptr && name == share.control;
    };
    if (std::filesystem::exists(entry.path() / "control.md") &&
        std::ranges::none_of(kShares, is_it))
      throw std::runtime_error(fmt::format("the control {} has no share", name));
  }
}

std::string Row(const std::string& name, const Exploration& e) {
  return fmt::format("| {} | {} | {} | {} | {} | {:.0f} |\n", name, e.executions, e.scenarios,
                     e.distinct_schedules, e.reports, e.seconds);
}

std::string NameOf(const Share& share) {
  if (share.control == nullptr) return share.target;
  const std::string text = fmt::format("{}/{}/control.md", kFolder, share.control);
  return fmt::format("{}: [{}](../{})", share.target, Find(ReadText(text), "^# (.*)$"), text);
}

// Of each share, in their order; `jobs` of them at a time.
std::array<Exploration, std::size(kShares)> ExploreAll() {
  std::array<Exploration, std::size(kShares)> all;
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i; (i = next++) < all.size();) {
      all[i] = Explore(kShares[i]);
      fmt::print(stderr, "  {}", Row(NameOf(kShares[i]), all[i]));
    }
  };
  std::vector<std::future<void>> workers;
  for (int job = 0; job < jobs; ++job) workers.push_back(std::async(std::launch::async, work));
  for (std::future<void>& worker : workers) worker.get();
  return all;
}

std::vector<Figure> Measure() {
  CheckThatNoneIsForgotten();
  page = fmt::format(
      "<!-- Written by ./bazelw run -c opt //tools:figures -- controls --controls "
      "docs/controls.md --control-executions {} --control-seed {}; do not edit. -->\n"
      "# Controls\n\n"
      "What must stay without a report: the fuzz targets on the lock as it is, and on copies of it "
      "with changes that do no\nharm. Each of these has a folder in `tests/controls`, which says "
      "what is changed and why it does no harm, and a test that\nexecutes it some ten thousand "
      "times.\n\n"
      "By the [explorer](explore.md) with its default strategy, 20 executions of a random scenario "
      "each, on C++20's memory with all\noracles, one core; the seconds are the CPU time of the "
      "whole process, and all the rest is the same on every machine. Beyond 4\nmillion the "
      "distinct schedules are an estimate, with a standard error of 0.8 %. Not in the table: "
      "vma_lock_narrow,\nwhose sequence comes round on purpose.\n\n"
      "| target | executions | scenarios | distinct schedules | reports | seconds |\n"
      "|---|---|---|---|---|---|\n",
      all_executions, seed);
  const auto explorations = ExploreAll();
  Exploration all;
  for (size_t i = 0; i < explorations.size(); ++i) {
    const Exploration& one = explorations[i];
    page += Row(NameOf(kShares[i]), one);
    all.executions += one.executions;
    all.scenarios += one.scenarios;
    all.distinct_schedules += one.distinct_schedules;
    all.reports += one.reports;
    all.seconds += one.seconds;
  }
  page += Row("all", all);
  return {{"control_executions", static_cast<double>(all.executions), "executions", Bar::kAtLeast,
           static_cast<double>(kControlExecutions),
           "of the explorer, of the fuzz targets on the lock as it is and of the controls; "
           "--control-executions asks for fewer"},
          {"control_reports", static_cast<double>(all.reports), "reports", Bar::kAtMost, 0,
           fmt::format("in these executions; {} distinct schedules", all.distinct_schedules)}};
}

}  // namespace

std::vector<Measurement> Controls() {
  return {{"controls",
           "that the lock as it is, and the controls, stay without a report; two hours of one core",
           Measure}};
}

std::string ControlsPage() { return page; }

void SetControls(uint64_t executions, uint64_t s, int j) {
  all_executions = executions;
  seed = s;
  jobs = j;
}

}  // namespace jacquard::figures
