// What was explored, in words.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/status_line.h"

namespace jacquard {

using nlohmann::ordered_json;

std::string Summary(const Result& result) {
  std::string text =
      fmt::format("{} executions, {} steps, {}{} distinct schedules in {:.1f} s", result.executions,
                  result.steps, result.schedules_estimated ? "about " : "",
                  result.distinct_schedules, result.seconds);
  if (result.exhausted) text += "; that is all there are";
  if (result.cut_histories != 0) {
    text += fmt::format(
        "; in {} something was forgotten: values that a read might have returned (max_history "
        "keeps more), or accesses to very many objects, among which races are no longer found",
        result.cut_histories);
  }
  // A few go on because threads wait for each other by turns.
  if (result.findings.empty() && result.long_executions > result.executions / 2) {
    text += fmt::format(
        "; {} were so long that what came last was not explored: every thread got its turn then "
        "(unfair_steps explores more)",
        result.long_executions);
  }
  if (result.steps_given_up != 0) {
    text += fmt::format("; the time was over in one more, which was given up after {} steps",
                        result.steps_given_up);
    constexpr uint64_t kManyMore = 1000;
    if (result.executions != 0 &&
        result.steps_given_up / kManyMore > result.steps / result.executions)
      text +=
          ", many more than the others took: it may have been one that never ends, as a smaller "
          "max_steps would show";
  }
  if (result.failing_statuses != 0) {
    text += fmt::format(
        "; {} times the program ended with another status than 0, which is not counted "
        "(status=report reports it)",
        result.failing_statuses);
  }
  if (result.library_bugs != 0) {
    text += fmt::format(
        "; {} times the C++ library lost a wake-up or had a race of its own, which is not counted "
        "(library_bugs=report reports it)",
        result.library_bugs);
  }
  if (result.annotations != 0) {
    text += fmt::format(
        "; {} times the program told ThreadSanitizer what is ordered, or where not to look, and "
        "was "
        "believed (annotations=ignore looks at everything)",
        result.annotations);
  }
  for (const Finding& finding : result.findings) {
    text += fmt::format("\n{} x {}", finding.count, finding.verdict.signature);
    if (finding.kept == finding.choices) continue;
    text += fmt::format(" (reported with {} of {} choices that were not benign{})", finding.kept,
                        finding.choices, finding.minimal ? "" : "; fewer may do");
  }
  if (result.strategies.size() < 2 || result.findings.empty()) return text;
  return text + "\n" + Table(result);
}

std::string Table(const Result& result) {
  std::vector<call::SearchStatus> rows(1);
  call::SearchStatus& all = rows.front();
  all.strategy = result.strategy;
  all.executions = result.executions;
  all.scenarios = 1;
  all.distinct_schedules = result.distinct_schedules;
  all.behaviours = result.behaviours;
  all.bug_count = result.findings.size();
  all.executions_to_first_bug = result.first_failure;
  all.seconds = result.seconds;
  all.exhausted = result.exhausted;
  if (result.strategies.size() > 1) {
    for (const StrategyShare& share : result.strategies) {
      call::SearchStatus& row = rows.emplace_back();
      row.strategy = "  " + share.name;
      row.executions = share.executions;
      row.behaviours = share.behaviours;
      row.bug_count = share.failures;
      row.executions_to_first_bug = share.first_failure;
      row.is_part = true;
    }
  }
  std::string text = call::FormatTable(rows);
  text.pop_back();
  return text;
}

std::string ResultToJson(const Result& result, const Options& options) {
  const auto first = [](uint64_t executions) {
    return executions == 0 ? ordered_json() : ordered_json(executions);
  };
  ordered_json json;
  json["strategy"] = result.strategy;
  json["seed"] = options.seed;
  json["jobs"] = options.jobs;
  json["executions"] = result.executions;
  json["steps"] = result.steps;
  json["distinct_schedules"] = result.distinct_schedules;
  json["schedules_estimated"] = result.schedules_estimated;
  json["behaviours"] = result.behaviours;
  json["seconds"] = result.seconds;
  json["exhausted"] = result.exhausted;
  json["executions_to_first_bug"] = first(result.first_failure);
  json["strategies"] = ordered_json::array();
  for (const StrategyShare& share : result.strategies) {
    json["strategies"].push_back({{"strategy", share.name},
                                  {"executions", share.executions},
                                  {"behaviours", share.behaviours},
                                  {"failures", share.failures},
                                  {"executions_to_first_bug", first(share.first_failure)}});
  }
  json["bugs"] = ordered_json::array();
  for (const Finding& finding : result.findings) {
    json["bugs"].push_back({{"kind", VerdictKindName(finding.verdict.kind)},
                            {"signature", finding.verdict.signature},
                            {"message", finding.verdict.message},
                            {"executions", finding.first},
                            {"count", finding.count},
                            {"minimal", finding.minimal},
                            {"token", finding.token}});
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace jacquard
