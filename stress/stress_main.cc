// A stress program: a scenario class on real threads.
//
//   NAME_stress                        random inputs, run after run (runs.h)
//   NAME_stress --replay FILE          one input, run after run
//   NAME_stress --seconds 60           without end, in the manner of locktorture (torture.h)
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/execution_flags.h"
#include "fuzzers/load_input.h"
#include "fuzzers/scenario.h"
#include "fuzzers/shell_word.h"
#include "stress/runs.h"
#include "stress/supervisor.h"
#include "stress/torture.h"

// Of the scenario: JACQUARD_FUZZ_TARGET.
const jacquard::ScenarioType& JacquardFuzzTarget();

namespace jacquard {

bool Simulated() { return false; }

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

int Complain(const std::string& problem) {
  std::fputs(fmt::format("jacquard: {}\n", problem).c_str(), stderr);
  return kExitUsage;
}

// "OPERATION=NUMBER", each; operations that are not named get 1. "" or what is wrong.
std::string ParseWeights(const ScenarioType& type, const std::vector<std::string>& texts,
                         std::vector<uint32_t>& weights) {
  constexpr uint32_t kMost = 1000;
  if (texts.empty()) return {};
  weights.assign(static_cast<size_t>(type.operation_count), 1);
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string_view name = std::string_view(text).substr(0, equals);
    int operation = 0;
    while (operation < type.operation_count && name != type.operations[operation].name) ++operation;
    if (operation == type.operation_count) {
      std::string all;
      for (int i = 0; i < type.operation_count; ++i)
        all += fmt::format(" {}", type.operations[i].name);
      return fmt::format("--weights: there is no operation \"{}\"; there are{}", name, all);
    }
    uint32_t& weight = weights[static_cast<size_t>(operation)];
    const std::string number = equals == std::string::npos ? "" : text.substr(equals + 1);
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, weight);
    if (error != std::errc() || rest != end || weight > kMost)
      return fmt::format("--weights: \"{}\" is not OPERATION=NUMBER with a number up to {}", text,
                         kMost);
  }
  for (const uint32_t weight : weights) {
    if (weight != 0) return {};
  }
  return "--weights: nothing is left to do";
}

int Run(int argc, char** argv) {
  const ScenarioType& type = JacquardFuzzTarget();
  if (const std::string problem = fuzzers::Codec::Problem(type); !problem.empty())
    return Complain(fmt::format("{}: {}", type.class_name, problem));
  const fuzzers::Codec codec(type);
  RunsOptions runs;
  runs.threads = type.max_threads;
  TortureOptions torture;
  SupervisorOptions supervisor;
  CLI::App app(
      fmt::format("Stress test of {}: random operations on real threads. Without "
                  "--seconds or --replay: short runs, each on a new object.",
                  codec.name()));
  app.option_defaults()->always_capture_default();
  app.set_help_flag("--help", "Print this help");
  app.add_option("--seed", runs.seed, "Everything that is random follows from it, but for timing");
  app.add_option("--threads", runs.threads, "So many")
      ->check(CLI::Range(type.min_threads, type.max_threads));
  app.add_option("--time-limit", runs.time_limit,
                 "Seconds; threads that do not end, or an operation that takes longer, have failed")
      ->check(fuzzers::PositiveNumber());
  app.add_flag("--no-delays", runs.no_delays, "No random delays between operations");

  auto* const short_runs = app.add_option_group("Short runs");
  short_runs->add_option("--runs", runs.runs, "How many")->check(fuzzers::PositiveNumber());
  short_runs->add_option("--repeat", runs.repeat,
                         "How often the first failing seed is tried again");
  std::string replay;
  auto* const replay_option = short_runs->add_option(
      "--replay", replay,
      "An input, bytes or text: run it so many times, and say how often it fails");

  auto* const torments = app.add_option_group("Torture");
  auto* const seconds = torments
                            ->add_option("--seconds", supervisor.seconds,
                                         "So long, with a status line a second, or until Ctrl-C")
                            ->check(fuzzers::PositiveNumber())
                            ->excludes(replay_option);
  torments->add_option("--json", supervisor.json, "The summary as JSON; -: to standard output")
      ->type_name("FILE");
  torments->add_flag("--quiet", supervisor.quiet, "No status lines");
  torments->add_flag("--keep-going", supervisor.keep_going,
                     "Go on after a failure, and count them");
  std::vector<std::string> weights;
  torments
      ->add_option("--weights", weights,
                   "OPERATION=NUMBER,...: how often each is chosen, 1 if not named; 0: never")
      ->delimiter(',');
  torments->add_flag("--churn", torture.churn, "New threads for each round");
  torments->add_flag("--pin", torture.pin, "Each thread stays on one processor");
  torments
      ->add_option("--stutter", torture.pause_every,
                   "Seconds, after which all threads rest for a moment; 0: never")
      ->check(CLI::NonNegativeNumber);
  bool validator = false;
  torments
      ->add_option("--validator", validator,
                   "on: the lock validator judges; of targets that know one")
      ->type_name("on|off");

  int operations = 0;
  app.add_option("--operations", operations,
                 "Of each thread in a run (0: 16); torture: in a round (0: different numbers)")
      ->check(CLI::NonNegativeNumber);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (validator && type.use_validator == nullptr)
    return Complain("--validator: this target knows no lock validator");
  if (type.use_validator != nullptr) type.use_validator(validator);

  if (seconds->count() > 0) {
    if (type.operation_count > kMaxStressOperations)
      return Complain(fmt::format("more than {} operations", kMaxStressOperations));
    if (const std::string problem = ParseWeights(type, weights, torture.weights); !problem.empty())
      return Complain(problem);
    torture.threads = runs.threads;
    torture.seed = runs.seed;
    torture.operations = static_cast<uint64_t>(operations);
    torture.delays = !runs.no_delays;
    torture.wait_limit = runs.time_limit;
    switch (Supervise(std::string(codec.name()), type, torture, supervisor)) {
      case StressEnd::kPassed:
        return 0;
      case StressEnd::kFailed:
        return kExitFailure;
      case StressEnd::kNoFile:
        return kExitUsage;
    }
  }
  for (const char* const name :
       {"--json", "--quiet", "--keep-going", "--weights", "--churn", "--pin", "--stutter"}) {
    if (app.get_option(name)->count() > 0) return Complain(fmt::format("{} needs --seconds", name));
  }
  if (operations > fuzzers::kMaxOperations)
    return Complain(fmt::format("--operations: a short run has at most {} of each thread",
                                fuzzers::kMaxOperations));
  if (operations > 0) runs.operations = operations;
  if (replay_option->count() == 0)
    return RunRandomInputs(codec, runs, fuzzers::ShellWord(argv[0])) ? 0 : kExitFailure;
  fuzzers::Input input;
  if (const std::string problem = fuzzers::LoadInput(replay, codec, &input); !problem.empty())
    return Complain(problem);
  return RunOneInput(codec, runs, input, replay) ? 0 : kExitFailure;
}

}  // namespace
}  // namespace jacquard

int main(int argc, char** argv) { return jacquard::Run(argc, argv); }
