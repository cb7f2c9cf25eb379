// The leaderboard: how soon each strategy finds each of the planted bugs of tests/leaderboard, how
// many preemptions each bug needs, and whether anybody cries wolf on the twins without a bug.
#include "tools/figures/leaderboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "fuzzers/child_process.h"
#include "tools/figures/kept_results.h"

namespace jacquard::figures {
namespace {

constexpr const char* kProgram = "tests/leaderboard/leaderboard";
int seeds_of_each = 20;
// CPU time is what counts, so runs may go on side by side.
constexpr int kAtOnce = 4;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr const char* kPortfolio = "portfolio";
constexpr const char* kSafeStack = "safe_stack";

// Those that follow from no seed are run once.
struct Contender {
  const char* strategy;
  bool has_seed = true;
};
constexpr Contender kContenders[] = {
    {kPortfolio},        {"random"},       {"random:0.1"},   {"pct"},
    {"pctwm"},           {"pos"},          {"urw"},          {"surw"},
    {"turns"},           {"rff"},          {"dfs:1", false}, {"dfs:2", false},
    {"delays:2", false}, {"sleep", false},
};

struct Planted {
  std::string name;
  std::string bug;
  int preemptions = 0;
};

struct Run {
  bool found = false;
  double executions = 0;
  double seconds = 0;
  bool exhausted = false;
  bool as_expected = false;  // the finding is that of the program, or none
  std::string output;
};

// Seconds and executions to the first bug: the median of all seeds; kNever if fewer than half of
// the runs have found it.
struct Score {
  double executions = kNever;
  double seconds = kNever;
  double slowest = 0;  // of all runs, in seconds
  int found = 0;
  int runs = 0;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Planted> PlantedPrograms() {
  const ScratchFolder scratch;
  std::vector<Planted> programs;
  for (const std::string& line : Lines(RunChild({Program(kProgram)}, scratch.path()).output)) {
    const auto json = nlohmann::json::parse(line);
    programs.push_back({json["name"], json["bug"], json["preemptions"]});
  }
  return programs;
}

Run RunOnce(const std::string& name, bool broken, const std::string& strategy, int seed,
            uint64_t executions, std::vector<std::string> options) {
  const ScratchFolder scratch;
  std::vector<std::string> command = {Program(kProgram),
                                      name,
                                      broken ? "broken" : "correct",
                                      strategy,
                                      fmt::to_string(seed),
                                      fmt::to_string(executions)};
  command.insert(command.end(), options.begin(), options.end());
  const ChildResult result = RunChildOnce(command, scratch);
  const std::vector<std::string> lines = Lines(result.output);
  if (result.exit_status > 1 || lines.empty())
    throw std::runtime_error(fmt::format("{} with {} failed:\n{}", name, strategy, result.output));
  const auto json = nlohmann::json::parse(lines.front());
  return {json["found"],     json["executions"],      json["seconds"],
          json["exhausted"], result.exit_status == 0, result.output};
}

// After so many executions a run gives up: counted, not timed, so that the table is the same on
// every machine. The more threads there are, the longer an execution takes.
uint64_t GiveUpAfter(const std::string& name, const std::string& strategy) {
  if (name == kSafeStack) return strategy == kPortfolio ? 5'000'000 : 200'000;
  if (name.ends_with("_100")) return 300;
  return name.ends_with("_50") ? 10'000 : 100'000;
}

Score Measure(const std::string& name, const Contender& contender) {
  const uint64_t most = GiveUpAfter(name, contender.strategy);
  Score score;
  std::vector<double> executions;
  std::vector<double> seconds;
  const int seeds = contender.has_seed ? seeds_of_each : 1;
  for (int first = 1; first <= seeds; first += kAtOnce) {
    std::vector<std::future<Run>> runs;
    for (int seed = first; seed < std::min(first + kAtOnce, seeds + 1); ++seed) {
      runs.push_back(std::async(std::launch::async, RunOnce, name, true, contender.strategy, seed,
                                most, std::vector<std::string>()));
    }
    for (std::future<Run>& future : runs) {
      const Run run = future.get();
      if (!run.as_expected) throw std::runtime_error("another bug than planted:\n" + run.output);
      ++score.runs;
      score.found += run.found;
      executions.push_back(run.found ? run.executions : kNever);
      seconds.push_back(run.found ? run.seconds : kNever);
      score.slowest = std::max(score.slowest, run.found ? run.seconds : kNever);
    }
    // The median is decided.
    if (score.runs - score.found > seeds / 2) return score;
  }
  score.executions = Median(executions);
  score.seconds = Median(seconds);
  return score;
}

using Scores = std::map<std::string, std::map<std::string, Score>>;  // by program, then strategy

std::string Cell(const Score& score) {
  if (score.executions == kNever) return "–";
  return fmt::format("{:.0f} ({:.2g} s)", score.executions, score.seconds);
}

std::string MakePage(const std::vector<Planted>& programs, Scores& scores,
                     const std::vector<Figure>& figures) {
  std::string text = fmt::format(
      "<!-- Written by ./bazelw run -c opt //tools:figures -- leaderboard --leaderboard "
      "docs/leaderboard.md --seeds {}; do not edit. -->\n"
      "# Leaderboard\n\n"
      "Executions to the first bug, and the CPU time that they took, for the planted bugs of\n"
      "`tests/leaderboard` and each [strategy](strategies.md): the median of {} seeds (of one run "
      "where no seed\nmatters), on C++20's memory with all oracles, one core. Executions from "
      "which a strategy only learns count.\n–: half of the runs, or more, had not found it when "
      "they gave up, after so many executions as the second\ntable says. All but the seconds is "
      "the same on every machine. That each bug needs the preemptions that are\nsaid, and that "
      "nobody reports anything on the programs without the bug, is in\n"
      "[leaderboard_controls.md](leaderboard_controls.md).\n\n",
      seeds_of_each, seeds_of_each);
  text += "| program |";
  for (const Contender& contender : kContenders) text += fmt::format(" {} |", contender.strategy);
  text += "\n|---|";
  for (size_t i = 0; i < std::size(kContenders); ++i) text += "---|";
  text += "\n";
  for (const Planted& program : programs) {
    text += fmt::format("| {} |", program.name);
    for (const Contender& contender : kContenders)
      text += fmt::format(" {} |", Cell(scores[program.name][contender.strategy]));
    text += "\n";
  }
  text +=
      "\n| program | what is wrong | preemptions needed | gives up after |\n|---|---|---|---|\n";
  for (const Planted& program : programs) {
    const uint64_t limit = GiveUpAfter(program.name, "");
    const uint64_t of_portfolio = GiveUpAfter(program.name, kPortfolio);
    text += fmt::format("| {} | {} | {} | {}{} |\n", program.name, program.bug, program.preemptions,
                        limit,
                        limit == of_portfolio ? "" : fmt::format(" (portfolio: {})", of_portfolio));
  }
  return text + "\n" + ToMarkdown(figures);
}

std::string page;

Figure Bound(const std::string& name, double value, const std::string& unit, double bar,
             const std::string& how) {
  return {"leaderboard_" + name, value, unit, Bar::kAtMost, bar, how};
}

std::vector<Figure> MeasureLeaderboard() {
  const std::vector<Planted> programs = PlantedPrograms();
  Scores scores;
  std::vector<Figure> figures;
  const std::map<std::string, double> bars = {{"reorder_100", 20}, {"twostage_100", 60}};
  const std::string median = fmt::format("median of {} seeds", seeds_of_each);
  for (const Planted& program : programs) {
    double best = kNever;
    for (const Contender& contender : kContenders) {
      const Score score = Measure(program.name, contender);
      fmt::print(stderr, "  {} {}: {}\n", program.name, contender.strategy, Cell(score));
      scores[program.name][contender.strategy] = score;
      best = std::min(best, score.executions);
    }
    const Score& portfolio = scores[program.name][kPortfolio];
    if (const auto bar = bars.find(program.name); bar != bars.end()) {
      figures.push_back(Bound(program.name + "_best", best, "executions", bar->second,
                              "to the first bug, by the best strategy, " + median));
      figures.push_back(Bound(program.name + "_portfolio", portfolio.executions, "executions",
                              10 * bar->second, "to the first bug, by the portfolio, " + median));
    }
    if (program.name == kSafeStack) {
      figures.push_back(Bound(program.name + "_slowest", portfolio.slowest, "s", 60,
                              fmt::format("CPU time to the first bug, by the portfolio, the "
                                          "slowest of {} seeds",
                                          seeds_of_each)));
    } else {
      figures.push_back(Bound(program.name + "_seconds", portfolio.seconds, "s", 1,
                              "CPU time to the first bug, by the portfolio, " + median));
    }
  }
  page = MakePage(programs, scores, figures);
  return figures;
}

// A search of all executions with so many preemptions, on strong memory without spurious wake-ups.
// Throws if there are too many.
Run SearchWithin(const std::string& name, int preemptions) {
  constexpr uint64_t kMost = 500'000'000;
  const Run run = RunOnce(name, true, fmt::format("dfs:{}", preemptions), 1, kMost,
                          {"memory=sc", "spurious=off"});
  if (!run.found && !run.exhausted)
    throw std::runtime_error(fmt::format("{}: too many executions", name));
  return run;
}

std::vector<Figure> MeasurePreemptions() {
  int programs = 0;
  int as_said = 0;
  std::vector<Figure> figures;
  for (const Planted& program : PlantedPrograms()) {
    // With a hundred threads there are too many orders even without preemptions.
    if (program.name.ends_with("0")) continue;
    Run with_fewer;
    if (program.preemptions > 0) with_fewer = SearchWithin(program.name, program.preemptions - 1);
    const bool needed = !with_fewer.found;
    if (program.name == kSafeStack) {
      figures.push_back(
          {"leaderboard_safe_stack_with_fewer", needed ? 0.0 : 1.0, "bugs", Bar::kAtMost, 0,
           fmt::format("in all {:.0f} executions with at most {} preemptions; those with one more, "
                       "the least that the literature says, are some twenty times as many and not "
                       "searched here (tests/leaderboard/structures.h)",
                       with_fewer.executions, program.preemptions - 1)});
      continue;
    }
    ++programs;
    const bool enough = SearchWithin(program.name, program.preemptions).found;
    fmt::print(stderr, "  {}: {} preemptions are {}enough, and {}needed\n", program.name,
               program.preemptions, enough ? "" : "not ", needed ? "" : "not ");
    as_said += enough && needed;
  }
  figures.insert(figures.begin(),
                 {"leaderboard_preemptions", static_cast<double>(as_said), "programs",
                  Bar::kAtLeast, static_cast<double>(programs),
                  "need as many preemptions as is said, and no more: depth-first search through "
                  "all executions with fewer finds nothing"});
  return figures;
}

// So many executions of a program without its bug. With 50 threads and more each takes long.
constexpr uint64_t kOfTwin = 1'000'000;
constexpr uint64_t kOfTwinWith50Threads = 10'000;
constexpr uint64_t kOfTwinWith100Threads = 1'000;  // at 10 ms each
// SafeStack's threads spin for as long as nothing makes a depth-first search leave them: 2.7 ms.
constexpr uint64_t kOfTwinThatSpins = 100'000;
uint64_t ExecutionsOfTwin(const std::string& name, const Contender& contender) {
  if (name == kSafeStack && !contender.has_seed) return kOfTwinThatSpins;
  if (name.ends_with("_100")) return kOfTwinWith100Threads;
  return name.ends_with("_50") ? kOfTwinWith50Threads : kOfTwin;
}

std::vector<Figure> MeasureTwins() {
  int alarms = 0;
  double executions = 0;
  for (const Planted& program : PlantedPrograms()) {
    for (const Contender& contender : kContenders) {
      const Run run = RunOnce(program.name, false, contender.strategy, 1,
                              ExecutionsOfTwin(program.name, contender), {});
      fmt::print(stderr, "  {} {}: {:.0f} executions, {:.1f} s\n", program.name, contender.strategy,
                 run.executions, run.seconds);
      executions += run.executions;
      alarms += run.found;
      if (run.found) fmt::print(stderr, "{}\n", run.output);
    }
  }
  return {
      {"leaderboard_false_alarms", static_cast<double>(alarms), "reports", Bar::kAtMost, 0,
       fmt::format("on the programs without the bug: {} executions of each strategy, {} with 50 "
                   "threads and {} with 100, and {} of depth-first searches of SafeStack; fewer "
                   "where that is all there are; {:.0f} in all",
                   kOfTwin, kOfTwinWith50Threads, kOfTwinWith100Threads, kOfTwinThatSpins,
                   executions)}};
}

}  // namespace

const std::string& LeaderboardPage() { return page; }

void SetLeaderboardSeeds(int seeds) { seeds_of_each = seeds; }

std::vector<Measurement> Leaderboard() {
  return {
      {"leaderboard", "how soon each strategy finds each planted bug", MeasureLeaderboard},
      {"leaderboard_preemptions", "how many preemptions each bug needs", MeasurePreemptions},
      {"leaderboard_twins", "a million executions of each program without its bug", MeasureTwins},
  };
}

}  // namespace jacquard::figures
