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
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/figures/figure.h"
#include "tools/figures/known_bugs.h"
#include "tools/figures/leaderboard.h"

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
  for (Measurement& measurement : Minimizing()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Guidance()) all.push_back(std::move(measurement));
  for (Measurement& measurement : Lockdep()) all.push_back(std::move(measurement));
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

int Run(const std::vector<std::string>& names, const std::string& table,
        const std::string& leaderboard, const std::string& known_bugs) {
  const std::vector<Measurement> all = All();
  for (const std::string& name : names) {
    if (std::ranges::find(all, name, &Measurement::name) == all.end()) {
      throw std::runtime_error(fmt::format("no figure is called \"{}\"; --list tells them", name));
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
  if (!leaderboard.empty()) {
    if (LeaderboardPage().empty())
      throw std::runtime_error(
          "--leaderboard: the figure \"leaderboard\" is not among those named");
    Write(leaderboard, LeaderboardPage());
  }
  if (!known_bugs.empty()) {
    if (KnownBugsPage().empty())
      throw std::runtime_error("--known-bugs: the figure \"known_bugs\" is not among those named");
    Write(known_bugs, KnownBugsPage());
  }
  return std::ranges::all_of(figures, &Figure::holds) ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Measures what the project promises: a JSON line for each figure.", "figures");
  std::vector<std::string> names;
  std::string table;
  std::string leaderboard;
  std::string known_bugs;
  bool list = false;
  app.add_option("NAME", names, "which measurements; all if none is named");
  app.add_option("--table", table, "also write the figures to this Markdown file");
  app.add_option("--leaderboard", leaderboard, "write the leaderboard to this Markdown file");
  app.add_option("--known-bugs", known_bugs, "write the known bugs to this Markdown file");
  int seeds = 20;
  app.add_option("--seeds", seeds, "of each strategy on the leaderboard")
      ->check(CLI::PositiveNumber);
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
  SetLeaderboardSeeds(seeds);
  return Run(names, table, leaderboard, known_bugs);
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
