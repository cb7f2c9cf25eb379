#include "tools/figures/source_coverage.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fuzzers/child_process.h"

namespace jacquard::figures {
namespace {

// Targets of fuzzers/; tools/figures/BUILD has the same.
constexpr const char* kTargets[] = {"address_space", "lockdep",        "rcu",     "rcuwait",
                                    "rw_semaphore",  "vma_assertions", "vma_lock"};
constexpr std::string_view kFolder = "lock/";
constexpr double kLinesBar = 95;
constexpr double kBranchesBar = 90;

// Where a branch's condition stands: line and column of its first and of its last character; and
// the direction.
using Direction = std::array<int, 5>;

struct File {
  std::map<int, uint64_t> lines;  // executions, by number
  std::map<Direction, uint64_t> branches;
};

using Files = std::map<std::string, File>;

std::optional<Files> measured;

template <class Counts>
std::pair<size_t, size_t> ReachedOf(const Counts& counts) {
  size_t reached = 0;
  for (const auto& [place, count] : counts) reached += count != 0 ? 1 : 0;
  return {reached, counts.size()};
}

double Percent(std::pair<size_t, size_t> part) {
  return part.second == 0
             ? 100
             : 100 * static_cast<double>(part.first) / static_cast<double>(part.second);
}

// What one target reaches. Each has a profile of its own: the same function may be compiled into
// two of them in different ways.
void AddTarget(const std::string& target, Files& files) {
  const ScratchFolder scratch;
  const ChildResult result = RunChild({"/usr/bin/python3", Program("tools/source_coverage.py"),
                                       Program(fmt::format("fuzzers/{}_fuzz_test_covered", target)),
                                       Program(fmt::format("fuzzers/{}_fuzz_test_corpus", target))},
                                      scratch.path());
  if (result.exit_status != 0)
    throw std::runtime_error(fmt::format("source_coverage: {}:\n{}", target, result.output));
  const nlohmann::json json = nlohmann::json::parse(result.output);
  for (const auto& [path, reached] : json.items()) {
    if (!path.starts_with(kFolder)) continue;
    File& file = files[path];
    for (const nlohmann::json& line : reached.at("lines"))
      file.lines[line.at(0)] += line.at(1).get<uint64_t>();
    for (const nlohmann::json& branch : reached.at("branches")) {
      const Direction direction = {branch.at(0), branch.at(1), branch.at(2), branch.at(3),
                                   branch.at(4).get<bool>() ? 1 : 0};
      file.branches[direction] += branch.at(5).get<uint64_t>();
    }
  }
}

std::vector<Figure> Measure() {
  measured.emplace();
  for (const char* const target : kTargets) AddTarget(target, *measured);

  std::pair<size_t, size_t> lines;
  std::pair<size_t, size_t> branches;
  for (const auto& [name, file] : *measured) {
    const auto of_lines = ReachedOf(file.lines);
    const auto of_branches = ReachedOf(file.branches);
    lines.first += of_lines.first;
    lines.second += of_lines.second;
    branches.first += of_branches.first;
    branches.second += of_branches.second;
  }
  if (lines.second == 0) throw std::runtime_error("source_coverage: no line of lock/ was found");
  return {{"source_coverage_lines", Percent(lines), "%", Bar::kAtLeast, kLinesBar,
           fmt::format("of the {} lines of lock/ with code, those that the seeds in corpus/ reach",
                       lines.second)},
          {"source_coverage_branches", Percent(branches), "%", Bar::kAtLeast, kBranchesBar,
           fmt::format("of the {} directions of branches in lock/, the same", branches.second)}};
}

// Numbers in a row, ranges for neighbours: "3, 7-9".
std::string Ranges(const std::set<int>& numbers) {
  std::string text;
  int first = 0;
  int last = 0;
  const auto add = [&] {
    if (last == 0) return;
    text += text.empty() ? "" : ", ";
    text += first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
  };
  for (const int number : numbers) {
    if (number != last + 1 || last == 0) {
      add();
      first = number;
    }
    last = number;
  }
  add();
  return text;
}

template <class Counts, class LineOf>
std::string Missing(const Counts& counts, LineOf line_of) {
  std::set<int> lines;
  for (const auto& [place, count] : counts)
    if (count == 0) lines.insert(line_of(place));
  return Ranges(lines);
}

}  // namespace

std::vector<Measurement> SourceCoverage() {
  return {{"source_coverage", "how much of lock/ the seeds reach", Measure}};
}

std::string SourceCoveragePage(const std::vector<Figure>& figures) {
  if (!measured) return {};
  std::string text =
      "<!-- Written by ./bazelw run -c opt //tools:figures -- --source-coverage "
      "docs/source_coverage.md source_coverage; do not edit. -->\n"
      "# What of the lock the seeds reach\n\n"
      "Every fuzz target of `lock/` executes the seeds of its folder in `corpus/`, and names "
      "the states of the locks\n"
      "that they show (`--survey`), nothing else. Lines and directions of branches by Clang's "
      "source "
      "coverage; a template\n"
      "counts as reached where one of its instances is.\n\n";
  text +=
      "| file | lines | branches | lines not reached | lines with a branch that always goes one "
      "way |\n"
      "|---|---|---|---|---|\n";
  for (const auto& [name, file] : *measured) {
    const auto lines = ReachedOf(file.lines);
    const auto branches = ReachedOf(file.branches);
    text += fmt::format(
        "| {} | {} of {} | {} of {} | {} | {} |\n", name, lines.first, lines.second, branches.first,
        branches.second, Missing(file.lines, [](int line) { return line; }),
        Missing(file.branches, [](const Direction& direction) { return direction.front(); }));
  }
  std::vector<Figure> own;
  for (const Figure& figure : figures)
    if (figure.name.starts_with("source_coverage_")) own.push_back(figure);
  return text + "\n" + ToMarkdown(own);
}

}  // namespace jacquard::figures
