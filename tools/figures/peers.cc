// The same programs on Jacquard's weak memory and on Relacy's, both in one run.
#include <fmt/format.h>

#include <stdexcept>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kRuns = 5;
// Long enough that the start of a process does not count.
constexpr int kExecutions = 1'500'000;
// Of programs with 100 operations for each thread.
constexpr int kLongExecutions = 50'000;

constexpr const char* kJacquard = "tools/figures/peers/jacquard_programs";
constexpr const char* kRelacy = "tools/figures/peers/relacy_programs";

double Seconds(const char* program, std::vector<std::string> arguments) {
  const ScratchFolder scratch;
  arguments.insert(arguments.begin(), Program(program));
  const ChildResult result = RunChild(arguments, scratch.path());
  if (result.exit_status != 0) {
    throw std::runtime_error(arguments[0] + " " + arguments[1] + " failed:\n" + result.output);
  }
  return result.cpu_seconds;
}

// How many times as fast as Relacy: the median of pairs of runs.
Figure Compare(const std::string& name, int executions, bool std_thread, double bar,
               const std::string& what) {
  std::vector<std::string> arguments = {name, fmt::to_string(executions)};
  std::vector<double> ratios;
  for (int run = 0; run < kRuns; ++run) {
    const double theirs = Seconds(kRelacy, arguments);
    std::vector<std::string> ours = arguments;
    if (std_thread) ours.emplace_back("std_thread");
    ratios.push_back(theirs / Seconds(kJacquard, ours));
  }
  return {"against_relacy_" + name + (std_thread ? "_std_thread" : ""),
          Median(ratios),
          "times as fast",
          Bar::kAtLeast,
          bar,
          fmt::format("{}{}; Relacy's random scheduler against a random walk on rc11 with races, "
                      "CPU time of {} executions, median of {} pairs of runs",
                      what, std_thread ? ", on std::thread" : "", executions, kRuns)};
}

std::vector<Figure> Measure() {
  const std::vector<std::pair<std::string, std::string>> programs = {
      {"spin_lock", "a test-and-set spin lock, 2 threads"},
      {"ticket_lock", "a ticket lock, 3 threads"},
      {"reference_count", "a reference-count reader/writer lock, 2 readers and 1 writer"},
      {"store_buffering", "store buffering, 2 threads"},
  };
  std::vector<Figure> figures;
  for (const bool std_thread : {false, true}) {
    for (const auto& [name, what] : programs) {
      figures.push_back(Compare(name, kExecutions, std_thread, std_thread ? 1 : 2, what));
    }
  }
  for (const int threads : {2, 4, 8}) {
    figures.push_back(Compare(fmt::format("operations_{}", threads), kLongExecutions, false, 1.3,
                              fmt::format("fetch_add on one word, {} threads", threads)));
  }
  return figures;
}

}  // namespace

std::vector<Measurement> Peers() {
  return {{"peers", "speed on weak memory against Relacy", Measure}};
}

}  // namespace jacquard::figures
