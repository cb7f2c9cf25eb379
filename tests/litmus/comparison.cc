#include "tests/litmus/comparison.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace jacquard::litmus {
namespace {

std::vector<Outcome> Difference(const std::set<Outcome>& from, const std::set<Outcome>& what) {
  std::vector<Outcome> result;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(),
                      std::back_inserter(result));
  return result;
}

std::string ListText(const char* head, const std::vector<Outcome>& outcomes) {
  if (outcomes.empty()) return "";
  std::string text = head;
  for (const Outcome& outcome : outcomes) text += " " + OutcomeText(outcome);
  return text;
}

}  // namespace

Comparison Compare(const Program& program, const ExploreResult& result) {
  Comparison first;
  for (size_t i = 0; i < program.allowed.size(); ++i) {
    Comparison comparison;
    comparison.racy_expected = program.racy;
    comparison.racy_found = result.racy;
    if (!program.racy && !result.racy) {
      comparison.missing = Difference(program.allowed[i], result.outcomes);
      comparison.extra = Difference(result.outcomes, program.allowed[i]);
    }
    if (comparison.agrees()) return comparison;
    if (i == 0) first = comparison;
  }
  return first;
}

std::string ComparisonText(const Comparison& comparison) {
  if (comparison.agrees()) return "ok";
  if (comparison.racy_expected != comparison.racy_found) {
    return comparison.racy_found ? "has a race, and should have none"
                                 : "should have a race, and has none";
  }
  const std::string missing = ListText("missing:", comparison.missing);
  const std::string extra = ListText("not allowed:", comparison.extra);
  return missing + (missing.empty() || extra.empty() ? "" : "; ") + extra;
}

}  // namespace jacquard::litmus
