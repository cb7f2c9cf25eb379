// A stress program: random inputs of a scenario class on real threads, run after run.
//
// Each run has a seed of its own, from which its operations and delays follow. Runs are executed by
// a child process, so that one that crashes, hangs or is ended by a sanitizer is counted and the
// others go on. Since real threads do not repeat themselves, a failing seed is tried again and
// again at the end: "n of m" says what to expect of a reproduction.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/scenario.h"
#include "stress/native_executor.h"
#include "stress/random_input.h"

// Of the scenario: JACQUARD_FUZZ_TARGET.
const jacquard::ScenarioType& JacquardFuzzTarget();

namespace jacquard {

bool Simulated() { return false; }

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

struct Options {
  uint64_t runs = 1000;
  uint64_t seed = 1;
  int threads = 0;
  int operations = fuzzers::kMaxOperations;
  uint64_t repeat = 100;
  double time_limit = 10;
  bool no_delays = false;
};

// One run after another from `seed` on, in this process. Tells `progress` of each that passed. Ends
// the process at a failure.
void RunMany(const fuzzers::Codec& codec, const Options& options, uint64_t seed, uint64_t step,
             uint64_t runs, int progress) {
  NativeOptions native;
  native.delays = !options.no_delays;
  native.deadlock_seconds = options.time_limit;
  native.on_failure = [](const std::string& report, const std::string& /*signature*/) {
    std::fputs(report.c_str(), stderr);
    std::fflush(stderr);
    _exit(kExitFailure);
  };
  NativeExecutor executor(codec, native);
  for (uint64_t i = 0; i < runs; ++i, seed += step) {
    executor.Execute(RandomInput(codec, options.threads, options.operations, seed), seed);
    const char passed = 1;
    if (write(progress, &passed, 1) != 1) _exit(kExitUsage);  // nobody listens any more
  }
}

// The same in a child process. Returns how many runs passed: fewer than `runs` if one failed.
uint64_t RunInChild(const fuzzers::Codec& codec, const Options& options, uint64_t seed,
                    uint64_t step, uint64_t runs, bool quiet) {
  int pipe_ends[2];
  std::fflush(nullptr);
  if (pipe(pipe_ends) != 0) std::perror("pipe"), std::exit(kExitUsage);
  const pid_t child = fork();
  if (child < 0) std::perror("fork"), std::exit(kExitUsage);
  if (child == 0) {
    close(pipe_ends[0]);
    if (quiet && std::freopen("/dev/null", "w", stderr) == nullptr) _exit(kExitUsage);
    RunMany(codec, options, seed, step, runs, pipe_ends[1]);
    std::exit(0);  // a sanitizer may have something to say yet
  }
  close(pipe_ends[1]);
  uint64_t passed = 0;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe_ends[0], buffer, sizeof(buffer))) > 0;) {
    passed += static_cast<uint64_t>(n);
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  // What a sanitizer finds only at the end of the process belongs to the last run.
  if (passed == runs && status != 0) --passed;
  return passed;
}

std::string Plural(uint64_t n, const char* what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

int Stress(const fuzzers::Codec& codec, const Options& options, const std::string& program) {
  std::vector<uint64_t> failed;
  for (uint64_t done = 0; done < options.runs;) {
    done +=
        RunInChild(codec, options, options.seed + done, 1, options.runs - done, !failed.empty());
    if (done == options.runs) break;
    failed.push_back(options.seed + done);
    ++done;
  }
  const std::string what = fmt::format(
      "{}, {} with {} each", codec.name(), Plural(static_cast<uint64_t>(options.threads), "thread"),
      Plural(static_cast<uint64_t>(options.operations), "operation"));
  if (failed.empty()) {
    std::fputs(fmt::format("{}: {} passed\n", what, Plural(options.runs, "run")).c_str(), stdout);
    return 0;
  }
  std::string text =
      fmt::format("{}: {} of {} failed; seeds", what, failed.size(), Plural(options.runs, "run"));
  constexpr size_t kShown = 10;
  for (size_t i = 0; i < std::min(failed.size(), kShown); ++i)
    text += fmt::format(" {}", failed[i]);
  if (failed.size() > kShown) text += " ...";
  text += '\n';
  if (options.repeat > 0) {
    uint64_t again = 0;
    for (uint64_t done = 0; done < options.repeat; ++done) {
      done += RunInChild(codec, options, failed[0], 0, options.repeat - done, true);
      if (done < options.repeat) ++again;
    }
    text += fmt::format("seed {} tried again: {} of {} failed\n", failed[0], again,
                        Plural(options.repeat, "run"));
  }
  text += fmt::format("Replay:    {} --seed {} --runs 1 --repeat {} --threads {} --operations {}\n",
                      program, failed[0], std::max<uint64_t>(options.repeat, 1), options.threads,
                      options.operations);
  std::fflush(stdout);
  std::fputs(text.c_str(), stderr);
  return kExitFailure;
}

}  // namespace
}  // namespace jacquard

int main(int argc, char** argv) {
  using jacquard::Options;
  const jacquard::ScenarioType& type = JacquardFuzzTarget();
  if (const std::string problem = jacquard::fuzzers::Codec::Problem(type); !problem.empty()) {
    std::fputs(fmt::format("jacquard: {}: {}\n", type.class_name, problem).c_str(), stderr);
    return jacquard::kExitUsage;
  }
  const jacquard::fuzzers::Codec codec(type);
  Options options;
  options.threads = type.max_threads;
  CLI::App app(fmt::format("Stress test of {}: random operations on real threads.", codec.name()));
  app.option_defaults()->always_capture_default();
  app.set_help_flag("--help", "Print this help");
  app.add_option("--runs", options.runs, "How many runs")->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed,
                 "Of the first run; each has the one after its predecessor");
  app.add_option("--threads", options.threads, "Of each run")
      ->check(CLI::Range(type.min_threads, type.max_threads));
  app.add_option("--operations", options.operations, "Of each thread")
      ->check(CLI::Range(1, jacquard::fuzzers::kMaxOperations));
  app.add_option("--repeat", options.repeat, "How often the first failing seed is tried again");
  app.add_option("--time-limit", options.time_limit,
                 "Seconds; threads that do not end are a deadlock")
      ->check(CLI::PositiveNumber);
  app.add_flag("--no-delays", options.no_delays, "No random delays between operations");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : jacquard::kExitUsage;
  }
  return jacquard::Stress(codec, options, argv[0]);
}
