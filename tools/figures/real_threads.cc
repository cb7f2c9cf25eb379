// The same fuzz targets in their native form: libFuzzer chooses operations, and real threads carry
// them out under ThreadSanitizer or AddressSanitizer.
#include "tools/figures/real_threads.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>
#include <thread>

#include "fuzzers/child_process.h"
#include "tools/figures/kept_results.h"
#include "tools/figures/known_bug_list.h"
#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

constexpr int kLimitSeconds = 60;
constexpr std::array kSanitizers = {"tsan", "asan"};

std::string page;

// What the first group of `pattern` matches, if anything does.
std::optional<std::string> Match(const std::string& text, const char* pattern) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(pattern, std::regex::multiline))) return {};
  return match[1];
}

// In a few words, what a program has reported.
std::string KindOfReport(const std::string& output) {
  // The lock's own check first: what comes after it is about the abort. The file is a patched copy.
  if (const auto what = Match(output, R"(^\S*lock/\S+:\d+: (.*) \(.* is false\)$)"))
    return "check failed: " + *what;
  if (const auto rule = Match(output, "^Signature: native (.*)$"))
    return *rule == "deadlock" ? "hang" : *rule;
  if (const auto kind = Match(output, R"(WARNING: ThreadSanitizer: (.*?)( \(pid=\d+\))?$)"))
    return *kind;
  if (const auto kind = Match(output, R"(ERROR: \w+Sanitizer: ([-\w]+(?: memory leaks)?))"))
    return *kind;
  if (const auto kind = Match(output, "ERROR: libFuzzer: (.*?)( after .*| \\(.*)?$"))
    return kind->starts_with("timeout") ? "hang" : *kind;
  throw std::runtime_error("the fuzz target failed:\n" + output);
}

struct Detection {
  std::string kind;  // "" if there was no report
  double seconds = 0;
};

// `program` without its ending, from the seeds of a scenario.
Detection FuzzOnRealThreads(const std::string& program, const std::string& sanitizer,
                            const std::string& scenario) {
  const ScratchFolder scratch;
  const ChildResult result =
      RunChildOnce({Program(fmt::format("{}_fuzz_test_{}_bin", program, sanitizer)), "-seed=1",
                    fmt::format("-max_total_time={}", kLimitSeconds), NewCorpus(scratch),
                    Program(fmt::format("fuzzers/{}_fuzz_test_corpus", scenario))},
                   scratch);
  if (result.exit_status == 0) return {};
  return {KindOfReport(result.output), result.cpu_seconds};
}

std::string Cell(const Detection& detection) {
  return detection.kind.empty() ? "nothing"
                                : fmt::format("{} ({:.2g} s)", detection.kind, detection.seconds);
}

// A row, which begins with `cells`; and what each sanitizer has come to.
std::array<Detection, kSanitizers.size()> MeasureRow(const std::string& cells,
                                                     const std::string& program,
                                                     const std::string& scenario) {
  std::array<Detection, kSanitizers.size()> detections;
  std::string row = cells;
  for (size_t s = 0; s < kSanitizers.size(); ++s) {
    detections[s] = FuzzOnRealThreads(program, kSanitizers[s], scenario);
    row += fmt::format(" | {}", Cell(detections[s]));
  }
  row += " |\n";
  fmt::print(stderr, "  {}", row);
  page += row;
  return detections;
}

std::vector<Figure> Measure() {
  const std::vector<KnownBug> bugs = ListKnownBugs();
  page = fmt::format(
      "<!-- Written by ./bazelw run -c opt //tools:figures -- known_bugs_real_threads "
      "--known-bugs-real-threads docs/known_bugs_real_threads.md{}; do not edit. -->\n"
      "# Known bugs on real threads\n\n"
      "For comparison with [known_bugs.md](known_bugs.md): the same fuzz targets in their native "
      "form, in which libFuzzer chooses\noperations, from the ordinary seeds as well, and real "
      "threads carry them out with random delays between them, under\nThreadSanitizer and under "
      "AddressSanitizer. What has been reported within {} s, and the CPU time of the whole process "
      "until\nthen; one run of each, one after another, on {} processors. A hang is an execution "
      "that has not ended after 10 s, which are\nwaited for on top. No two runs of real threads "
      "are the same: another one may find what this one has not, or the other way\nround. What "
      "only the ghost state sees, and orders of memory that x86 does not weaken, they cannot "
      "find.\n\n"
      "ThreadSanitizer does not understand fences: what a fence alone orders it would report. The "
      "lock has fences in three places,\n`lock/rcu_wait.h`, `lock/sequence.h` and `lock/rcu.cc`, "
      "and what they order is atomic. The first rows show that neither\nsanitizer has anything to "
      "report of the lock as it is.\n\n"
      "| bug | caught in the simulation as | ThreadSanitizer | AddressSanitizer |\n"
      "|---|---|---|---|\n",
      OnlyKnownBugsFlag(), kLimitSeconds, std::thread::hardware_concurrency());
  std::set<std::string> scenarios;
  for (const KnownBug& bug : bugs) scenarios.insert(bug.scenario);
  int alarms = 0;
  for (const std::string& scenario : scenarios) {
    for (const Detection& detection :
         MeasureRow(fmt::format("| none: {} on the lock as it is | ", scenario),
                    "fuzzers/" + scenario, scenario))
      alarms += !detection.kind.empty();
  }
  std::array<int, kSanitizers.size()> found = {};
  int by_any = 0;
  for (const KnownBug& bug : bugs) {
    const auto detections =
        MeasureRow(fmt::format("| {} | {}", LinkTo(bug), bug.verdict),
                   fmt::format("{}/{}", kKnownBugsFolder, bug.name), bug.scenario);
    bool any = false;
    for (size_t s = 0; s < kSanitizers.size(); ++s) {
      found[s] += !detections[s].kind.empty();
      any |= !detections[s].kind.empty();
    }
    by_any += any;
  }
  page += fmt::format(
      "\nOf {} known bugs ThreadSanitizer finds {}, AddressSanitizer {}, both together {}.\n",
      bugs.size(), found[0], found[1], by_any);
  return {{"real_threads_reports", static_cast<double>(alarms), "reports", Bar::kAtMost, 0,
           fmt::format("of the fuzz targets on the lock as it is, on real threads, {} s each under "
                       "ThreadSanitizer and AddressSanitizer",
                       kLimitSeconds)}};
}

}  // namespace

std::vector<Measurement> RealThreads() {
  return {{"known_bugs_real_threads",
           "what real threads under sanitizers find of the known bugs; two minutes for each bug "
           "that they do not",
           Measure}};
}

std::string RealThreadsPage() { return page; }

}  // namespace jacquard::figures
