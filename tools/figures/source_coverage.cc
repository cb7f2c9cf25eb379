#include "tools/figures/source_coverage.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "fuzzers/child_process.h"

namespace jacquard::figures {
namespace {

// tools/figures/BUILD has the same.
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

void Require(const ChildResult& result, const std::string& what) {
  if (result.exit_status != 0)
    throw std::runtime_error(fmt::format("source_coverage: {}:\n{}", what, result.output));
}

// The entry of a file of lock/; null for others.
File* Find(const std::string& path, Files& files) {
  const size_t place = ("/" + path).rfind("/" + std::string(kFolder));
  return place == std::string::npos ? nullptr : &files[path.substr(place)];
}

// Of llvm-cov's lcov format "SF:PATH" and "DA:LINE,EXECUTIONS" count.
void AddLines(const std::string& lcov, Files& files) {
  File* file = nullptr;
  std::istringstream stream(lcov);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("SF:")) file = Find(line.substr(3), files);
    int number = 0;
    unsigned long long executions = 0;
    if (file != nullptr && std::sscanf(line.c_str(), "DA:%d,%llu", &number, &executions) == 2)
      file->lines[number] += executions;
  }
}

// Of its JSON, where each instance of a template has its own branches, what tells them apart: what
// one instance does is done.
void AddBranches(const std::string& text, Files& files) {
  const nlohmann::json json = nlohmann::json::parse(text);
  for (const nlohmann::json& entry : json.at("data").at(0).at("files")) {
    File* const file = Find(entry.at("filename"), files);
    if (file == nullptr) continue;
    for (const nlohmann::json& branch : entry.at("branches")) {
      Direction direction = {branch.at(0), branch.at(1), branch.at(2), branch.at(3), 1};
      file->branches[direction] += branch.at(4).get<uint64_t>();
      direction.back() = 0;
      file->branches[direction] += branch.at(5).get<uint64_t>();
    }
  }
}

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
  const std::string program = Program(fmt::format("tools/figures/{}_covered", target));
  const std::string profile = scratch.path() + "/profile";
  const std::string data = scratch.path() + "/data";
  Require(RunChild({"/usr/bin/env", "LLVM_PROFILE_FILE=" + profile, program, "-runs=0",
                    Program(fmt::format("fuzzers/{}_fuzz_test_corpus", target))},
                   scratch.path()),
          target + " fails");
  Require(RunChild({"/usr/bin/llvm-profdata-19", "merge", "-o", data, profile}, scratch.path()),
          "llvm-profdata-19 fails");
  const auto exported = [&](const char* format) {
    ChildResult result =
        RunChild({"/usr/bin/llvm-cov-19", "export", std::string("-format=") + format,
                  "-instr-profile=" + data, program},
                 scratch.path());
    Require(result, "llvm-cov-19 fails");
    return std::move(result.output);
  };
  AddLines(exported("lcov"), files);
  AddBranches(exported("text"), files);
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
      "Every fuzz target of `lock/` executes the seeds of its folder in `corpus/` once, nothing "
      "else. Lines and\n"
      "directions of branches by Clang's source coverage; a template counts as reached where one "
      "of its instances is.\n\n";
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
