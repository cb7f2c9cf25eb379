// NAME_explore: looks for bugs in the scenarios of a fuzz target with strategies instead of an
// engine. --help lists its flags.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fuzzers/campaign.h"
#include "fuzzers/codec.h"
#include "fuzzers/command_line.h"
#include "fuzzers/execution_flags.h"
#include "fuzzers/files.h"
#include "fuzzers/load_input.h"
#include "fuzzers/scenario.h"
#include "fuzzers/scenario_program.h"
#include "fuzzers/scenarios.h"
#include "fuzzers/shell_word.h"
#include "jacquard/status_line.h"
#include "sim/byte_string.h"
#include "sim/report.h"
#include "sim/strategies.h"

// Of the scenario: JACQUARD_FUZZ_TARGET.
const jacquard::ScenarioType& JacquardFuzzTarget();

namespace jacquard {

bool Simulated() { return true; }

namespace fuzzers {
namespace {

constexpr uint64_t kDefaultExecutions = 1'000'000;
// Of bugs that most scenarios cannot have, more scenarios find more than more schedules do.
constexpr uint64_t kDefaultPerScenario = 20;
constexpr int kMostJobs = 256;

struct Flags {
  std::vector<std::string> strategies = {"portfolio"};
  std::string scenarios = "random";
  std::vector<std::string> files;
  ScenarioSize size;
  CampaignOptions campaign;
  std::string stop = "first";
  bool no_minimize = false;
  std::string output = ".";
  std::string json;
  bool force = false;
  std::string replay;
  bool quiet = false;
  bool all = false;
};

void PrintError(const std::string& text) { std::fputs(text.c_str(), stderr); }

std::string StrategyList() {
  std::string text;
  for (const StrategyType& type : StrategyTypes())
    text += fmt::format("  {:12} {}\n", type.name, type.description);
  return text;
}

// The status with which to end, if there is nothing more to do.
std::optional<int> ParseFlags(int argc, char** argv, const Codec& codec, Flags& flags) {
  ExplorerOptions& explorer = flags.campaign.explorer;
  const int max_threads = codec.type().max_threads;
  flags.size.threads = std::min(3, max_threads);
  explorer.per_scenario = 0;
  bool list = false;
  CLI::App app(fmt::format("Explores the scenarios of {} with strategies.", codec.name()));
  app.set_help_flag("--help", "Print this help");
  app.add_option(
      "FILE", flags.files,
      "Inputs, bytes or texts, or folders of them: their scenarios are explored, in turn");
  app.add_option("--strategy", flags.strategies,
                 "One, or several with commas between: one after another, for comparison")
      ->delimiter(',')
      ->allow_extra_args(false);  // FILEs may follow
  app.add_flag("--list", list, "List the strategies");
  app.add_option("--scenarios", flags.scenarios,
                 "random, or all (the smallest first, each once); without FILEs")
      ->check(CLI::IsMember({"random", "all"}));
  app.add_option("--threads", flags.size.threads, "Scenarios have at most so many threads")
      ->check(CLI::Range(1, max_threads));
  app.add_option("--operations", flags.size.operations, "and so many operations on each")
      ->check(CLI::Range(1, kMaxOperations));
  app.add_option("--seed", explorer.seed, "What scenarios and strategies draw their chance from");
  app.add_option("--executions", explorer.executions,
                 "So many with each strategy (default: a million; without end with "
                 "--seconds, for all scenarios, and for FILEs if the strategy has an end)")
      ->check(PositiveNumber());
  app.add_option("--seconds", explorer.seconds, "So long with each strategy")
      ->check(PositiveNumber());
  app.add_option("--per-scenario", explorer.per_scenario,
                 "So many executions of a scenario until the next one's turn (default: 20; for "
                 "dfs, delays and sleep 2000, and all there are of FILEs and of all scenarios)")
      ->check(PositiveNumber());
  app.add_option("--jobs", flags.campaign.jobs, "Processes that share scenarios and findings")
      ->check(CLI::Range(1, kMostJobs));
  app.add_option("--stop", flags.stop, "first: at the first bug; never: go on")
      ->check(CLI::IsMember({"first", "never"}));
  app.add_flag("--no-minimize", flags.no_minimize, "Write failures as they are found");
  app.add_option("--output", flags.output, "The folder that crash files are written to");
  app.add_option("--json", flags.json, "Write the result to this file, for programs; - is stdout")
      ->check(FileName());
  app.add_flag("--force", flags.force, "--json: overwrite an existing file");
  app.add_option("--replay", flags.replay, "Instead: execute one input, and report")
      ->check(FileName());
  app.add_flag("--all", flags.all, "In reports: every event");
  app.add_flag("--quiet", flags.quiet, "No status line");
  AddExecutionFlags(app, explorer.execution);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return kExitPass;
  } catch (const CLI::ParseError& error) {
    PrintError(fmt::format("jacquard: {}\n--help lists the flags\n", error.what()));
    return kExitUsage;
  }
  if (list) {
    std::fputs(StrategyList().c_str(), stdout);
    return kExitPass;
  }
  for (const std::string& strategy : flags.strategies) {
    if (MakeStrategy(strategy, 1) != nullptr) continue;
    PrintError(fmt::format("jacquard: there is no strategy \"{}\"; there are:\n{}", strategy,
                           StrategyList()));
    return kExitUsage;
  }
  explorer.stop_at_first_bug = flags.stop == "first";
  explorer.minimize = !flags.no_minimize;
  flags.campaign.given = !flags.files.empty();
  return {};
}

// ---- what is explored

// "" or what is wrong.
std::string LoadScenarios(const std::vector<std::string>& paths, const Codec& codec,
                          std::vector<Input>& inputs) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const size_t first = files.size();
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
    std::sort(files.begin() + static_cast<ptrdiff_t>(first), files.end());
    if (files.size() == first) return path + ": no file in it";
  }
  for (const std::string& file : files) {
    Input input;
    if (std::string problem = LoadInput(file, codec, &input); !problem.empty()) return problem;
    inputs.push_back(input);
  }
  return {};
}

// ---- what is found

// The path of a bug's input; "" if it cannot be written. A file of that name has that content.
std::string WriteCrash(const ExplorerBug& bug, const std::string& folder) {
  std::string path = fmt::format("{}/crash-{:016x}", folder, HashOf(bug.input));
  Bytes there;
  if (ReadFile(path, &there).empty() && there == bug.input) return path;
  const std::string problem = WriteFile(path, bug.input, /*overwrite=*/false);
  if (problem.empty()) return path;
  PrintError("jacquard: " + problem + "\n");
  return {};
}

std::string ReplayCommand(const ExecutionOptions& execution) {
  constexpr std::string_view kFlag = " --replay";
  std::string command;
  if (const char* const launcher = std::getenv("JACQUARD_REPLAY_COMMAND")) {
    command = launcher;
  } else {
    std::error_code error;
    command = ShellWord(std::filesystem::read_symlink("/proc/self/exe", error).string());
    command += kFlag;
  }
  if (command.ends_with(kFlag))
    command.insert(command.size() - kFlag.size(), ExecutionFlags(execution));
  return command;
}

// Executes `input` with a trace. False: it passes.
bool Report(const Codec& codec, const Flags& flags, const Input& input, const std::string& path) {
  ScenarioProgram program(codec.type(), nullptr);
  program.SetInput(input);
  ExecutionOptions execution = flags.campaign.explorer.execution;
  execution.check_leaks = codec.type().check_leaks;
  execution.allocations_may_fail = codec.type().allocations_may_fail;
  ByteString strategy;
  strategy.Set(input.exceptions(), input.memory_exceptions());
  strategy.BeginExecution();
  Trace trace;
  const Verdict verdict = Execute(program, strategy, execution, &trace);
  if (verdict.passed()) return false;
  ReportOptions report;
  report.timeline.all = flags.all;
  report.replay_command = ReplayCommand(execution) + " " + ShellWord(path);
  PrintError(FormatReport(verdict, trace, report) + "\n");
  return true;
}

// The strategies that come after those with results.
std::vector<std::string> NotBegun(const Flags& flags, size_t results) {
  return {flags.strategies.begin() + static_cast<ptrdiff_t>(results), flags.strategies.end()};
}

// Whether a signal has ended it before there was a whole result of each strategy.
bool IsInterrupted(const Flags& flags, const std::vector<CampaignStatus>& results) {
  return results.size() < flags.strategies.size() || results.back().interrupted;
}

std::string InterruptedText(const Flags& flags, const std::vector<CampaignStatus>& results) {
  std::string text = "interrupted";
  if (results.back().interrupted)
    text += fmt::format(": {} is not complete", results.back().strategy);
  if (const std::vector<std::string> missing = NotBegun(flags, results.size()); !missing.empty())
    text += fmt::format("; not begun: {}", fmt::join(missing, ", "));
  return text + "\n";
}

std::string ToJson(const Codec& codec, const Flags& flags,
                   const std::vector<CampaignStatus>& results,
                   const std::vector<std::vector<std::string>>& paths) {
  nlohmann::ordered_json json;
  json["target"] = codec.name();
  json["seed"] = flags.campaign.explorer.seed;
  json["jobs"] = flags.campaign.jobs;
  json["interrupted"] = IsInterrupted(flags, results);
  json["not_begun"] = NotBegun(flags, results.size());
  json["strategies"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < results.size(); ++i) {
    const CampaignStatus& result = results[i];
    nlohmann::ordered_json row;
    row["strategy"] = result.strategy;
    row["executions"] = result.executions;
    row["steps"] = result.steps;
    row["scenarios"] = result.scenarios;
    row["distinct_schedules"] = result.distinct_schedules;
    row["behaviours"] = result.behaviours;
    row["failures"] = result.failures;
    row["seconds"] = result.seconds;
    row["exhausted"] = result.exhausted;
    row["interrupted"] = result.interrupted;
    row["executions_to_first_bug"] = nullptr;
    if (!result.bugs.empty()) row["executions_to_first_bug"] = result.executions_to_first_bug;
    row["bugs"] = nlohmann::ordered_json::array();
    for (size_t b = 0; b < result.bugs.size(); ++b) {
      const ExplorerBug& bug = result.bugs[b];
      row["bugs"].push_back({{"kind", bug.kind},
                             {"signature", bug.signature},
                             {"message", bug.message},
                             {"executions", bug.executions},
                             {"reproducible", bug.reproducible},
                             {"minimal", bug.minimal},
                             {"file", paths[i][b]}});
    }
    json["strategies"].push_back(std::move(row));
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// ---- all of it

int Explore(const Codec& codec, Flags& flags) {
  std::vector<Input> inputs;
  if (const std::string problem = LoadScenarios(flags.files, codec, inputs); !problem.empty()) {
    PrintError("jacquard: " + problem + "\n");
    return kExitUsage;
  }
  if (const std::string problem = flags.json.empty() ? "" : OutputProblem(flags.json, flags.force);
      !problem.empty()) {
    PrintError("jacquard: --json: " + problem + "\n");
    return kExitUsage;
  }
  std::error_code error;
  std::filesystem::create_directories(flags.output, error);
  if (error) {
    PrintError(fmt::format("jacquard: --output: {}: {}\n", flags.output, error.message()));
    return kExitUsage;
  }
  call::StatusLine line(flags.quiet);
  std::vector<CampaignStatus> results;
  const uint64_t per_scenario = flags.campaign.explorer.per_scenario;
  for (const std::string& strategy : flags.strategies) {
    CampaignOptions campaign = flags.campaign;
    ExplorerOptions& explorer = campaign.explorer;
    explorer.strategy = strategy;
    // A process without a scenario would not use its part of the executions.
    if (campaign.given) campaign.jobs = std::min(campaign.jobs, static_cast<int>(inputs.size()));
    const bool has_end = MakeStrategy(strategy, 1)->ShareDone() >= 0;
    if (per_scenario == 0 && !(has_end && (campaign.given || flags.scenarios == "all")))
      explorer.per_scenario = has_end ? 100 * kDefaultPerScenario : kDefaultPerScenario;
    if (explorer.executions == 0 && explorer.seconds == 0 && flags.scenarios == "random" &&
        !(has_end && campaign.given))
      explorer.executions = kDefaultExecutions;
    const auto make_scenarios = [&]() -> std::unique_ptr<Scenarios> {
      if (campaign.given) return GivenScenarios(inputs);
      return flags.scenarios == "all" ? AllScenarios(codec, flags.size)
                                      : RandomScenarios(codec, explorer.seed, flags.size);
    };
    results.push_back(RunCampaign(codec, campaign, make_scenarios,
                                  [&line](const CampaignStatus& status) { line.Show(status); }));
    line.End();
    if (!results.back().problem.empty()) {
      PrintError(fmt::format("jacquard: {}: {}\n", strategy, results.back().problem));
      return kExitUsage;
    }
    if (CampaignInterrupted()) break;
  }

  // Only now: the runtime may not have been at work before the last process is forked.
  bool found = false;
  std::vector<std::vector<std::string>> paths;
  for (const CampaignStatus& result : results) {
    std::vector<std::string>& files = paths.emplace_back();
    for (const ExplorerBug& bug : result.bugs) {
      found = true;
      files.push_back(WriteCrash(bug, flags.output));
      Input input;
      codec.Decode(bug.input, input);
      if (!Report(codec, flags, input, files.back()) || !bug.reproducible) {
        PrintError(
            fmt::format("jacquard: {}: {}: the failure is not the same when it is repeated, "
                        "or has too many choices for an input; {} has its scenario\n",
                        bug.kind, bug.message, files.back()));
      }
    }
  }
  for (size_t i = 0; i < results.size(); ++i) {
    for (size_t b = 0; b < results[i].bugs.size(); ++b) {
      const ExplorerBug& bug = results[i].bugs[b];
      PrintError(fmt::format("{}: {}: after {} executions with {}{}\n", paths[i][b], bug.signature,
                             bug.executions, results[i].strategy,
                             bug.minimal ? "" : "; fewer choices may do"));
    }
  }
  const bool interrupted = IsInterrupted(flags, results);
  std::string table = call::FormatTable({results.begin(), results.end()});
  if (interrupted) table += InterruptedText(flags, results);
  std::fputs(table.c_str(), flags.json == "-" ? stderr : stdout);
  std::fflush(stdout);
  if (!flags.json.empty()) {
    const std::string json = ToJson(codec, flags, results, paths);
    const std::string problem = WriteFile(flags.json, Bytes(json.begin(), json.end()), flags.force);
    if (!problem.empty()) {
      PrintError("jacquard: " + problem + "\n");
      return kExitUsage;
    }
  }
  if (found) return kExitFailure;
  if (interrupted) return kExitInterrupted;
  for (const CampaignStatus& result : results) {
    if (result.executions != 0) continue;
    PrintError(fmt::format("jacquard: {}: nothing was executed; --seconds={} is too short\n",
                           result.strategy, flags.campaign.explorer.seconds));
    return kExitUsage;
  }
  return kExitPass;
}

int Main(int argc, char** argv) {
  const ScenarioType& type = JacquardFuzzTarget();
  if (const std::string problem = Codec::Problem(type); !problem.empty()) {
    PrintError(fmt::format("jacquard: {}: {}\n", type.class_name, problem));
    return kExitUsage;
  }
  const Codec codec(type);
  Flags flags;
  if (const std::optional<int> status = ParseFlags(argc, argv, codec, flags)) return *status;
  if (flags.replay.empty()) return Explore(codec, flags);
  Input input;
  if (const std::string problem = LoadInput(flags.replay, codec, &input); !problem.empty()) {
    PrintError("jacquard: " + problem + "\n");
    return kExitUsage;
  }
  if (Report(codec, flags, input, flags.replay)) return kExitFailure;
  PrintError(flags.replay + ": passes\n");
  return kExitPass;
}

}  // namespace
}  // namespace fuzzers
}  // namespace jacquard

int main(int argc, char** argv) {
  const int status = jacquard::fuzzers::Main(argc, argv);
  std::fflush(nullptr);
  // Destructors of globals are the code under test's.
  _exit(status);
}
