#include "fuzzers/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace jacquard::fuzzers {
namespace {

constexpr double kPaintEvery = 0.5;
// Lines in the file become rarer with time: there are few however long the run.
constexpr double kAppendAfter = 1.05;
constexpr size_t kMostLines = 16;  // of the panel

// The number after `key` in `line`; false if there is none.
bool NumberAfter(std::string_view line, std::string_view key, uint64_t& number) {
  const size_t place = line.find(key);
  if (place == std::string_view::npos) return false;
  const char* const begin = line.data() + place + key.size();
  return std::from_chars(begin, line.data() + line.size(), number).ec == std::errc();
}

// 1234567 as "1,234,567".
std::string WithCommas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, ",");
  return text;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

bool ParseEngineLine(std::string_view line, EngineProgress& progress) {
  EngineProgress read;
  if (!line.starts_with('#') || !NumberAfter(line, "#", read.executions)) return false;
  // The very first lines know of no features yet.
  const bool features = NumberAfter(line, " ft: ", read.features);
  const bool corpus = NumberAfter(line, " corp: ", read.corpus);
  if (!features && !corpus) return line.find('\t') != std::string_view::npos;
  progress = read;
  return true;
}

void Progress::OnEngineText(std::string_view text, double seconds) {
  // Without a panel nothing is held back.
  if (!options_.panel) options_.print(std::string(text));
  unfinished_ += text;
  for (size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos;) {
    const std::string line = unfinished_.substr(0, end);
    unfinished_.erase(0, end + 1);
    OnEngineLine(line, seconds);
  }
  Tick(seconds);
}

void Progress::OnEngineLine(const std::string& line, double seconds) {
  constexpr std::string_view kSignature = "DEDUP_TOKEN: ";
  const uint64_t features = engine_.features;
  const bool is_status = ParseEngineLine(line, engine_);
  if (engine_.features > features) last_new_feature_ = seconds;
  if (line.starts_with(kSignature)) ++bugs_[line.substr(kSignature.size())];
  if (is_status || !options_.panel) return;
  ClearPanel();
  options_.print(line + "\n");
}

std::string Progress::Panel(double seconds) const {
  const TargetProgress target = options_.target();
  const uint64_t executions = std::max(target.executions, engine_.executions);
  const double time = std::max(seconds, 1e-3);
  std::vector<std::string> lines = {
      fmt::format("{}, {}", options_.name, Duration(seconds)),
      fmt::format("executions     {:>15}   {} a second", WithCommas(executions),
                  WithCommas(static_cast<uint64_t>(static_cast<double>(executions) / time)))};
  if (target.steps != 0) {
    lines.push_back(
        fmt::format("steps          {:>15}   {} a second", WithCommas(target.steps),
                    WithCommas(static_cast<uint64_t>(static_cast<double>(target.steps) / time))));
  }
  lines.push_back(fmt::format("features       {:>15}   the last new one {} ago",
                              WithCommas(engine_.features), Duration(seconds - last_new_feature_)));
  if (target.states != 0) {
    lines.push_back(fmt::format("lock states    {:>15}   each with the operation it was seen in",
                                WithCommas(target.states)));
  }
  if (target.schedules != 0) {
    lines.push_back(fmt::format("schedules      {:>15}   distinct{}", WithCommas(target.schedules),
                                target.schedules_estimated ? ", estimated" : ""));
  }
  lines.push_back(fmt::format("corpus         {:>15}   inputs", WithCommas(engine_.corpus)));
  lines.push_back(fmt::format("bugs           {:>15}   by signature", bugs_.size()));
  for (const auto& [signature, times] : bugs_) {
    if (lines.size() == kMostLines) {
      lines.emplace_back("  ...");
      break;
    }
    lines.push_back(fmt::format("  {:>6} times  {}", times, signature));
  }
  std::string text;
  for (const std::string& line : lines)
    text += line.substr(0, static_cast<size_t>(options_.columns - 1)) + "\n";
  return text;
}

void Progress::ClearPanel() {
  if (painted_lines_ == 0) return;
  // Up to its first line, then everything below is erased.
  options_.print(fmt::format("\033[{}F\033[J", painted_lines_));
  painted_lines_ = 0;
}

void Progress::Paint(double seconds) {
  const std::string panel = Panel(seconds);
  ClearPanel();
  options_.print(panel);
  painted_lines_ = static_cast<int>(std::ranges::count(panel, '\n'));
}

void Progress::Append(double seconds) {
  if (options_.file.empty() || failed_to_append_) return;
  const TargetProgress target = options_.target();
  nlohmann::ordered_json json;
  json["began"] = options_.unix_time;
  json["seconds"] = seconds;
  json["executions"] = std::max(target.executions, engine_.executions);
  json["steps"] = target.steps;
  json["features"] = engine_.features;
  json["corpus"] = engine_.corpus;
  json["schedules"] = target.schedules;
  json["states"] = target.states;
  std::ofstream file(options_.file, std::ios::app);
  file << json.dump() + "\n";
  if (file.flush()) return;
  failed_to_append_ = true;
  options_.print(fmt::format("jacquard: cannot write {}\n", options_.file));
}

void Progress::Tick(double seconds) {
  if (seconds >= next_append_) {
    next_append_ = std::max(seconds + 1, seconds * kAppendAfter);
    Append(seconds);
  }
  if (options_.panel && seconds >= next_paint_) {
    next_paint_ = seconds + kPaintEvery;
    Paint(seconds);
  }
}

void Progress::Finish(double seconds) {
  if (options_.panel) {
    if (!unfinished_.empty()) OnEngineLine(unfinished_, seconds);
    unfinished_.clear();
    Paint(seconds);
  }
  painted_lines_ = 0;  // it stays; what comes is printed below
  Append(seconds);
}

}  // namespace jacquard::fuzzers
