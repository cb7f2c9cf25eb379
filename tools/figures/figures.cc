// figures: measures what the project promises, and says whether it holds.
//
//   ./bazelw run -c opt //tools:figures -- [NAME...]
//
// A JSON line for each figure, with name, value, unit, bar and whether it holds. Without a NAME:
// all. The exit status tells whether all hold. CPU time is what counts, so that a busy machine
// matters little.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tools/figures/benchmarks.h"
#include "tools/figures/controls.h"
#include "tools/figures/figure.h"
#include "tools/figures/kept_results.h"
#include "tools/figures/known_bug_list.h"
#include "tools/figures/known_bugs.h"
#include "tools/figures/leaderboard.h"
#include "tools/figures/real_threads.h"
#include "tools/figures/source_coverage.h"

namespace jacquard::figures {
namespace {

std::string ToJsonLine(const Figure& figure) {
  nlohmann::ordered_json json;
  json["name"] = figure.name;
  json["value"] = figure.value;
  json["unit"] = figure.unit;
  json["bar"] = fmt::format("{} {}", figure.bar_kind == Bar::kAtLeast ? ">=" : "<=", figure.bar);
  json["holds"] = figure.holds();
  return json.dump();
}

// `command`: what it was written with.
std::string ToTable(const std::vector<Figure>& figures, const std::string& command) {
  return fmt::format(
             "<!-- Written by ./bazelw run -c opt //tools:figures -- {}; do not edit. -->\n"
             "# Figures\n\n",
             command) +
         ToMarkdown(figures);
}

std::vector<Measurement> All() {
  std::vector<Measurement> all = Speed();
  for (Measurement& measurement : WeakMemory()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Peers()) all.push_back(std::move(measurement));
  for (Measurement& measurement : UnitTests()) all.push_back(std::move(measurement));
  for (Measurement& measurement : PlantedBugs()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Leaderboard()) all.push_back(std::move(measurement));
  for (Measurement& measurement : KnownBugs()) all.push_back(std::move(measurement));
  for (Measurement& measurement : RealThreads()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Controls()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Minimizing()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Guidance()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Lockdep()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Benchmarks()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Stress()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Timeline()) all.push_back(std::move(measurement));
  for (Measurement& measurement : SourceCoverage()) all.push_back(std::move(measurement));
  return all;
}

// Relative paths are the user's, not those of the folder in which Bazel runs us.
std::filesystem::path FromUsersFolder(const std::string& path) {
  const char* const folder = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder == nullptr ? std::filesystem::path(path) : std::filesystem::path(folder) / path;
}

void Write(const std::string& path, const std::string& text) {
  std::ofstream file(FromUsersFolder(path));
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

// A page of docs/ that a measurement makes, and where the user wants it.
struct Page {
  std::string option;
  std::string measurement;
  std::string description;
  // "" if it has not been measured. Is given all figures of this run.
  std::function<std::string(const std::vector<Figure>&)> text;
  // Those that stand beside it, by file name; null if there are none.
  std::function<std::vector<std::pair<std::string, std::string>>()> pictures = nullptr;
  std::string path = {};
};

// Of a page that needs no figures but its own.
std::function<std::string(const std::vector<Figure>&)> Alone(std::function<std::string()> text) {
  return [text = std::move(text)](const std::vector<Figure>&) { return text(); };
}

std::vector<Page> Pages() {
  return {{"--leaderboard", "leaderboard", "the leaderboard", Alone(LeaderboardPage)},
          {"--known-bugs", "known_bugs", "the known bugs", Alone(KnownBugsPage)},
          {"--known-bugs-real-threads", "known_bugs_real_threads", "those on real threads",
           Alone(RealThreadsPage)},
          {"--controls", "controls", "the controls", Alone(ControlsPage)},
          {"--benchmarks", "benchmarks", "the benchmarks (and their pictures beside it)",
           BenchmarksPage, BenchmarksPictures},
          {"--source-coverage", "source_coverage", "what of lock/ the seeds reach",
           SourceCoveragePage}};
}

int Run(const std::vector<std::string>& names, const std::string& table,
        const std::vector<Page>& pages) {
  const std::vector<Measurement> all = All();
  for (const std::string& name : names) {
    if (std::ranges::find(all, name, &Measurement::name) == all.end()) {
      throw std::runtime_error(fmt::format("no figure is called \"{}\"; --list tells them", name));
    }
  }
  for (const Page& page : pages) {
    if (!page.path.empty() && !names.empty() &&
        std::ranges::find(names, page.measurement) == names.end()) {
      throw std::runtime_error(fmt::format("{}: the figure \"{}\" is not among those named",
                                           page.option, page.measurement));
    }
  }
  std::vector<Figure> figures;
  for (const Measurement& measurement : all) {
    if (!names.empty() && std::ranges::find(names, measurement.name) == names.end()) continue;
    fmt::print(stderr, "measuring {}: {}\n", measurement.name, measurement.description);
    for (Figure& figure : measurement.run()) {
      fmt::print("{}\n", ToJsonLine(figure));
      std::fflush(stdout);
      figures.push_back(std::move(figure));
    }
  }
  if (!table.empty()) {
    std::string command = "--table " + table;
    for (const std::string& name : names) command += " " + name;
    Write(table, ToTable(figures, command));
  }
  for (const Page& page : pages) {
    if (page.path.empty()) continue;
    Write(page.path, page.text(figures));
    if (page.pictures == nullptr) continue;
    for (const auto& [name, picture] : page.pictures())
      Write(std::filesystem::path(page.path).replace_filename(name), picture);
  }
  return std::ranges::all_of(figures, &Figure::holds) ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Measures what the project promises: a JSON line for each figure.", "figures");
  std::vector<std::string> names;
  std::string table;
  std::string keep;
  bool list = false;
  app.add_option("NAME", names, "which measurements; all if none is named");
  app.add_option("--table", table, "also write the figures to this Markdown file");
  std::vector<Page> pages = Pages();
  for (Page& page : pages) {
    app.add_option(page.option, page.path,
                   fmt::format("write {} to this Markdown file", page.description));
  }
  int seeds = 20;
  app.add_option("--seeds", seeds, "of each strategy on the leaderboard")
      ->check(CLI::PositiveNumber);
  std::vector<std::string> only_bugs;
  app.add_option("--only-bugs", only_bugs, "of the known bugs only these, with commas between")
      ->delimiter(',')
      ->allow_extra_args(false);
  uint64_t control_executions = kControlExecutions;
  app.add_option("--control-executions", control_executions,
                 "of the controls, and of the lock as it is, in total")
      ->check(CLI::Range(uint64_t{1000}, uint64_t{1} << 60));
  uint64_t control_seed = 1;
  app.add_option("--control-seed", control_seed, "that the controls' explorer draws from");
  int control_jobs = 1;
  app.add_option("--control-jobs", control_jobs,
                 "how many of the controls are explored at a time; the result is the same")
      ->check(CLI::PositiveNumber);
  app.add_option("--keep", keep,
                 "a folder for the results of programs that run for long: what is there already is "
                 "taken over, so that a measurement can be stopped and taken up again");
  app.add_flag("--list", list, "only tell the names");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return 2;
  }
  if (list) {
    for (const Measurement& measurement : All())
      fmt::print("{}: {}\n", measurement.name, measurement.description);
    return 0;
  }
  if (!keep.empty()) KeepResultsIn(FromUsersFolder(keep));
  SetLeaderboardSeeds(seeds);
  OnlyKnownBugs(only_bugs);
  SetControls(control_executions, control_seed, control_jobs);
  return Run(names, table, pages);
}

}  // namespace

std::string Program(const std::string& target) {
  const std::filesystem::path path = std::filesystem::absolute(target);
  if (!std::filesystem::exists(path)) {
    throw std::runtime_error(
        fmt::format("there is no {}: run this with ./bazelw run -c opt //tools:figures", target));
  }
  return path;
}

std::string ToMarkdown(const std::vector<Figure>& figures) {
  std::string text =
      "| figure | value | unit | bar | holds | how |\n"
      "|---|---|---|---|---|---|\n";
  for (const Figure& figure : figures) {
    text += fmt::format("| {} | {:.4g} | {} | {} {:.4g} | {} | {} |\n", figure.name, figure.value,
                        figure.unit, figure.bar_kind == Bar::kAtLeast ? "≥" : "≤", figure.bar,
                        figure.holds() ? "yes" : "no", figure.how);
  }
  return text;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace jacquard::figures

int main(int argc, char** argv) {
  try {
    return jacquard::figures::Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "figures: {}\n", error.what());
    return 2;
  }
}
