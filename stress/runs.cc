#include "stress/runs.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "stress/native_executor.h"
#include "stress/random_input.h"

namespace jacquard {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

// What is run.
struct Inputs {
  const fuzzers::Codec& codec;
  const RunsOptions& options;
  const fuzzers::Input* given;  // null: random ones

  fuzzers::Input OfSeed(uint64_t seed) const {
    return given != nullptr ? *given
                            : RandomInput(codec, options.threads, options.operations, seed);
  }
};

// One run after another from `seed` on, in this process. Tells `progress` of each that passed. Ends
// the process at a failure.
void RunMany(const Inputs& inputs, uint64_t seed, uint64_t step, uint64_t runs, int progress) {
  const RunsOptions& options = inputs.options;
  NativeOptions native;
  native.delays = !options.no_delays;
  native.deadlock_seconds = options.time_limit;
  native.on_failure = [](const std::string& report, const std::string& /*signature*/) {
    std::fputs(report.c_str(), stderr);
    std::fflush(stderr);
    _exit(kExitFailure);
  };
  NativeExecutor executor(inputs.codec, native);
  for (uint64_t i = 0; i < runs; ++i, seed += step) {
    executor.Execute(inputs.OfSeed(seed), seed);
    const char passed = 1;
    if (write(progress, &passed, 1) != 1) _exit(kExitUsage);  // nobody listens any more
  }
}

// The same in a child process. Returns how many runs passed: fewer than `runs` if one failed.
uint64_t RunInChild(const Inputs& inputs, uint64_t seed, uint64_t step, uint64_t runs, bool quiet) {
  int pipe_ends[2];
  std::fflush(nullptr);
  if (pipe(pipe_ends) != 0) std::perror("pipe"), std::exit(kExitUsage);
  const pid_t child = fork();
  if (child < 0) std::perror("fork"), std::exit(kExitUsage);
  if (child == 0) {
    close(pipe_ends[0]);
    if (quiet && std::freopen("/dev/null", "w", stderr) == nullptr) _exit(kExitUsage);
    RunMany(inputs, seed, step, runs, pipe_ends[1]);
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

// The seeds of the runs that have failed. The first one has said why.
std::vector<uint64_t> FailingSeeds(const Inputs& inputs) {
  const RunsOptions& options = inputs.options;
  std::vector<uint64_t> failed;
  for (uint64_t done = 0; done < options.runs;) {
    done += RunInChild(inputs, options.seed + done, 1, options.runs - done, !failed.empty());
    if (done == options.runs) break;
    failed.push_back(options.seed + done);
    ++done;
  }
  return failed;
}

}  // namespace

bool RunRandomInputs(const fuzzers::Codec& codec, const RunsOptions& options,
                     const std::string& program) {
  const Inputs inputs{codec, options, nullptr};
  const std::vector<uint64_t> failed = FailingSeeds(inputs);
  const std::string what = fmt::format(
      "{}, {} with {} each", codec.name(), Plural(static_cast<uint64_t>(options.threads), "thread"),
      Plural(static_cast<uint64_t>(options.operations), "operation"));
  if (failed.empty()) {
    std::fputs(fmt::format("{}: {} passed\n", what, Plural(options.runs, "run")).c_str(), stdout);
    return true;
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
      done += RunInChild(inputs, failed[0], 0, options.repeat - done, true);
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
  return false;
}

bool RunOneInput(const fuzzers::Codec& codec, const RunsOptions& options,
                 const fuzzers::Input& input, const std::string& file) {
  const size_t failed = FailingSeeds({codec, options, &input}).size();
  const std::string text =
      fmt::format("{}: {} of {} failed\n", file, failed, Plural(options.runs, "run"));
  std::fputs(text.c_str(), failed == 0 ? stdout : stderr);
  return failed == 0;
}

}  // namespace jacquard
