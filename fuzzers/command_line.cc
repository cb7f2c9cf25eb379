// Two kinds of command lines: a tool's (--replay FILE and so on: all of it is ours), and the
// engine's, from which our own flags are taken.
#include "fuzzers/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

#include "fuzzers/execution_flags.h"
#include "fuzzers/input.h"

namespace jacquard::fuzzers {
namespace {

// "THREADSxOPS". "" or what is wrong.
std::string ParseShape(const std::string& text, int max_threads, CommandLine& line) {
  const char* const end = text.data() + text.size();
  int threads = 0;
  int operations = 0;
  auto result = std::from_chars(text.data(), end, threads);
  if (result.ec == std::errc{} && result.ptr != end && *result.ptr == 'x') {
    result = std::from_chars(result.ptr + 1, end, operations);
  } else {
    result.ptr = nullptr;
  }
  if (result.ptr != end || threads < 1 || threads > max_threads || operations < 1 ||
      operations > kMaxOperations) {
    return fmt::format(
        "--shape: \"{}\" is not THREADSxOPERATIONS with 1 to {} threads and 1 to {} "
        "operations, like 3x4",
        text, max_threads, kMaxOperations);
  }
  line.shape_threads = threads;
  line.shape_operations = operations;
  return {};
}

// A set by the names of its members. "" or what is wrong.
using Member = std::pair<std::string_view, uint32_t>;
constexpr Member kFeatureNames[] = {
    {"none", 0},
    {"states", kStateFeatures},
    {"switches", kSwitchFeatures},
    {"reads", kReadFeatures},
    {"hand-offs", kHandOffFeatures},
    {"blocked", kBlockedFeatures},
};
constexpr Member kMutationNames[] = {
    {"none", 0},
    {"records", kRecordMutations},
    {"cross-over", kCrossOverMutations},
    {"reorder", kReorderMutations},
    {"sweep", kSweepMutations},
};
std::string ParseSet(const std::string& list, std::span<const Member> members, uint32_t& set) {
  set = 0;
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    const auto known = std::ranges::find(members, name, &Member::first);
    if (known == members.end()) {
      std::string all;
      for (const Member& member : members) all += fmt::format(" {}", member.first);
      return fmt::format("there is no \"{}\"; there are{}", name, all);
    }
    set |= known->second;
  }
  return {};
}

bool IsMode(std::string_view argument) {
  for (const std::string_view mode : {"--replay", "--minimize", "--triage", "--add-regression",
                                      "--survey", "--to-text", "--from-text", "--seed-corpus"}) {
    if (argument == mode || (argument.starts_with(mode) && argument[mode.size()] == '='))
      return true;
  }
  return false;
}

// Set by ourselves, for the processes that the engine starts.
constexpr std::string_view kRestIsOurs = "-ignore_remaining_args=1";

// Flags of a fuzzing run that take a value.
bool TakesValue(std::string_view argument) {
  for (const std::string_view flag :
       {"--shape", "--features", "--mutations", "--addresses", "--executions", "--max-steps",
        "--time-limit", "--memory", "--max-history", "--html", "--repeat", "--output",
        "--sources"}) {
    if (argument == flag) return true;
  }
  return false;
}

}  // namespace

CommandLine ParseCommandLine(const std::vector<std::string>& arguments, const std::string& name,
                             int max_threads) {
  CommandLine line;
  const bool tool = std::any_of(arguments.begin(), arguments.end(), IsMode);

  std::vector<std::string> ours;
  if (!arguments.empty()) line.engine.push_back(arguments[0]);
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!tool && !arguments[i].starts_with("--")) {
      if (arguments[i] != kRestIsOurs) line.engine.push_back(arguments[i]);
      continue;
    }
    // A budget is the engine's own to share out.
    const bool inherits = !tool && !arguments[i].starts_with("--executions");
    const size_t first = ours.size();
    ours.push_back(arguments[i]);
    if (!tool && TakesValue(arguments[i]) && i + 1 < arguments.size())
      ours.push_back(arguments[++i]);
    if (!inherits) continue;
    if (line.inherited.empty()) line.inherited.emplace_back(kRestIsOurs);
    line.inherited.insert(line.inherited.end(), ours.begin() + static_cast<ptrdiff_t>(first),
                          ours.end());
  }

  CLI::App app(
      fmt::format("Fuzz target {}. Without a flag of the second group it fuzzes: flags with "
                  "one dash (-help=1 lists them), folders and files are the engine's.",
                  name));
  app.set_help_flag("--help", "Print this help");
  std::string shape;
  int64_t executions = 0;
  auto* const fuzz = app.add_option_group("Fuzzing");
  auto* const executions_option =
      fuzz->add_option("--executions", executions,
                       "Stop after so many (the engine's -runs; --minimize: a million)")
          ->check(CLI::Range(int64_t{0}, int64_t{std::numeric_limits<int>::max()}));
  auto* const tools = app.add_option_group("Instead of fuzzing");
  auto* const replay =
      tools->add_option("--replay", line.file, "Execute one input, bytes or text, and report");
  auto* const minimize = tools->add_option(
      "--minimize", line.file,
      "Shrink a failing input: fewest threads and operations, then fewest choices that are not "
      "benign, that fail with the same signature. Writes FILE.min, or what -o says");
  auto* const triage = tools->add_option(
      "--triage", line.file,
      "FOLDER: what has been found, one entry for each bug, with a minimal text that reproduces "
      "it in FOLDER/reproducers, or in the folder that -o names");
  auto* const add_regression =
      tools->add_option("--add-regression", line.file,
                        "Write an input as a text to the corpus's folder, which -o names, with its "
                        "failure as its name");
  auto* const survey =
      tools->add_flag("--survey")
          ->description(
              "FILE...: print, as JSON, what these inputs, or those in these folders, reach");
  auto* const to_text = tools->add_option("--to-text", line.file, "Print an input as text");
  auto* const from_text = tools->add_option("--from-text", line.file, "Turn a text into bytes");
  auto* const seed_corpus =
      tools->add_option("--seed-corpus", line.output,
                        "FOLDER FILE...: turn texts, also those in folders, into bytes; other "
                        "inputs are copied");
  auto* const sources = app.add_option("--sources", line.sources,
                                       "--seed-corpus: also write which seed comes from which file")
                            ->needs(seed_corpus);
  auto* const files = app.add_option("FILE", line.files, "For --seed-corpus and --survey");
  auto* const output = app.add_option("-o,--output", line.output, "Write to this file or folder");
  app.add_flag("--force", line.force, "Overwrite an existing file");
  app.add_flag("--all", line.all, "--replay, --minimize: every event");
  app.add_flag("--json", line.json, "--replay, --minimize, --triage: for programs");
  auto* const html =
      app.add_option("--html", line.html,
                     "--replay, --minimize: also write the timeline to this file, as a page for a "
                     "browser");
  app.add_option("--repeat", line.repeat, "--replay: so many times, and say how fast")
      ->check(PositiveNumber())
      ->needs(replay);
  auto* const shape_option = app.add_option(
      "--shape", shape, "THREADSxOPERATIONS: force every input to it (for benchmarks)");
  std::string features;
  app.add_option(
         "--features", features,
         "For measurements: what the engine is told of beside code coverage; some of states, "
         "switches, reads, hand-offs, blocked, with commas between, or none")
      ->type_name("LIST");
  std::string mutations;
  app.add_option(
         "--mutations", mutations,
         "For measurements: what is done to inputs beside the engine's own mutations; some of "
         "records, cross-over, reorder, sweep, or none")
      ->type_name("LIST");
  std::string addresses;
  app.add_option("--addresses", addresses,
                 "For measurements: how a fuzzing run says where an exception is; positions, "
                 "operations or writes")
      ->check(CLI::IsMember({"positions", "operations", "writes"}));
  app.add_option("--time-limit", line.time_limit,
                 "Seconds without a step (simulated), or until threads that do not end are a "
                 "deadlock (native)")
      ->check(PositiveNumber());
  AddExecutionFlags(app, line.execution);
  for (CLI::Option* const option : {replay, minimize, triage, add_regression, to_text, from_text,
                                    seed_corpus, sources, output, html})
    option->check(FileName());
  survey->excludes(replay, minimize, triage, add_regression, to_text, from_text, seed_corpus,
                   executions_option, output, shape_option);
  replay->excludes(minimize, triage, add_regression, to_text, from_text, seed_corpus,
                   executions_option, output);
  minimize->excludes(triage, add_regression, to_text, from_text, seed_corpus);
  triage->excludes(add_regression, to_text, from_text, seed_corpus, executions_option);
  add_regression->excludes(to_text, from_text, seed_corpus, executions_option);
  to_text->excludes(from_text, seed_corpus, shape_option);
  from_text->excludes(seed_corpus, shape_option);
  seed_corpus->excludes(output, shape_option);

  try {
    std::reverse(ours.begin(), ours.end());  // CLI11 takes them from the back
    app.parse(ours);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = app.exit(error, out, err);
    line.exit_status = status == 0 ? kExitPass : kExitUsage;
    line.message = status == 0
                       ? out.str()
                       : fmt::format("jacquard: {}\n--help lists the flags\n", error.what());
    return line;
  }

  if (replay->count() > 0) line.mode = CommandLine::Mode::kReplay;
  if (minimize->count() > 0) line.mode = CommandLine::Mode::kMinimize;
  if (triage->count() > 0) line.mode = CommandLine::Mode::kTriage;
  if (add_regression->count() > 0) line.mode = CommandLine::Mode::kAddRegression;
  if (survey->count() > 0) line.mode = CommandLine::Mode::kSurvey;
  if (to_text->count() > 0) line.mode = CommandLine::Mode::kToText;
  if (from_text->count() > 0) line.mode = CommandLine::Mode::kFromText;
  if (seed_corpus->count() > 0) line.mode = CommandLine::Mode::kSeedCorpus;
  if (addresses == "operations") line.addressing = Addressing::kOperations;
  if (addresses == "writes") line.addressing = Addressing::kWrites;
  std::string wrong;
  if (files->count() > 0 && survey->count() == 0 && seed_corpus->count() == 0)
    wrong = line.files.front() + ": only --seed-corpus and --survey take files";
  if (files->count() == 0 && survey->count() > 0) wrong = "--survey: which files or folders?";
  const bool reports =
      line.mode == CommandLine::Mode::kReplay || line.mode == CommandLine::Mode::kMinimize;
  const bool lists = reports || line.mode == CommandLine::Mode::kTriage;
  if (wrong.empty() && !reports && !line.html.empty())
    wrong = "--html: only with --replay or --minimize";
  if (wrong.empty() && !reports && line.all) wrong = "--all: only with --replay or --minimize";
  if (wrong.empty() && !lists && line.json)
    wrong = "--json: only with --replay, --minimize or --triage";
  if (wrong.empty() && line.mode == CommandLine::Mode::kFuzz) {
    if (line.force) wrong = "--force: a fuzzing run overwrites no file";
    if (output->count() > 0)
      wrong = "--output: a fuzzing run writes to the engine's -artifact_prefix";
  }
  if (!features.empty() && wrong.empty()) {
    wrong = ParseSet(features, kFeatureNames, line.features);
    if (!wrong.empty()) wrong = "--features: " + wrong;
  }
  if (!mutations.empty() && wrong.empty()) {
    wrong = ParseSet(mutations, kMutationNames, line.mutations);
    if (!wrong.empty()) wrong = "--mutations: " + wrong;
  }
  if (!wrong.empty()) {
    line.exit_status = kExitUsage;
    line.message = "jacquard: " + wrong + "\n";
    return line;
  }
  if (!shape.empty()) {
    if (const std::string problem = ParseShape(shape, max_threads, line); !problem.empty()) {
      line.exit_status = kExitUsage;
      line.message = "jacquard: " + problem + "\n";
      return line;
    }
  }
  if (executions_option->count() > 0 && line.mode == CommandLine::Mode::kMinimize) {
    line.minimize_executions = static_cast<uint64_t>(executions);
    return line;
  }
  if (executions_option->count() > 0) line.engine.push_back(fmt::format("-runs={}", executions));
  return line;
}

}  // namespace jacquard::fuzzers
