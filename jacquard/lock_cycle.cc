#include "jacquard/lock_cycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/symbolize.h"

namespace jacquard::call {
namespace {

// The innermost line of the user's code, and its function.
struct Site {
  std::string function;
  std::string location;
  auto operator<=>(const Site&) const = default;
};

Site SiteOf(const TracePlace& place) {
  std::vector<uintptr_t> pcs = {place.pc};
  pcs.insert(pcs.end(), place.stack.begin(), place.stack.end());
  for (const uintptr_t pc : pcs) {
    if (pc == 0) continue;
    for (const SourceFrame& frame : Symbolize(pc)) {
      if (!IsLibraryFrame(frame)) return {frame.function, SourceLocation(frame)};
    }
  }
  return {};
}

// One part of the cycle, as its execution has it.
struct Part {
  LockNesting nesting;
  size_t input = 0;
  TracePlace outer;
  TracePlace inner;
  TracePlace allocated;  // the outer lock's memory
};

// Whether each line takes one lock only, and each line is known.
bool CodeDecides(const std::vector<Part>& parts) {
  std::map<Site, uint64_t> locks;
  for (const Part& part : parts) {
    const std::pair<const TracePlace*, const void*> taken[] = {
        {&part.outer, part.nesting.outer.lock}, {&part.inner, part.nesting.inner.lock}};
    for (const auto& [place, lock] : taken) {
      const Site site = SiteOf(*place);
      const uint64_t identity = LockNestings::FixedIdentity(lock);
      if (site.location.empty() || locks.emplace(site, identity).first->second != identity)
        return false;
    }
  }
  return true;
}

std::string Words(const Part& part, size_t number) {
  const LockNesting& nesting = part.nesting;
  return fmt::format("in execution {} thread {} took {} in step {} while it held {} since step {}",
                     number, nesting.thread, nesting.inner.lock, nesting.inner_step,
                     nesting.outer.lock, nesting.outer_step);
}

}  // namespace

std::optional<CycleFinding> DescribeCycle(
    const LockGraph::Cycle& cycle, const std::function<void(size_t input, Trace& trace)>& execute) {
  std::set<size_t> inputs;
  for (const LockGraph::Edge* const edge : cycle) inputs.insert(edge->input);
  CycleFinding finding;
  finding.inputs.assign(inputs.begin(), inputs.end());
  std::vector<Part> parts;
  for (const size_t input : inputs) {
    finding.trace = {};
    execute(input, finding.trace);
    const LockNestings nestings = LastLockNestings();
    for (const LockGraph::Edge* const edge : cycle) {
      if (edge->input != input) continue;
      const auto nesting =
          std::find_if(nestings.all.begin(), nestings.all.end(),
                       [&](const LockNesting& other) { return other.key == edge->nesting; });
      if (nesting == nestings.all.end()) return {};
      const auto places = nestings.Places(static_cast<size_t>(nesting - nestings.all.begin()));
      if (places.empty()) return {};
      parts.push_back({*nesting, input, places[0], places[1], places[2]});
    }
  }
  if (!CodeDecides(parts)) return {};
  Verdict& verdict = finding.verdict;
  verdict.kind = VerdictKind::kLockOrder;
  verdict.message = "threads could wait for each other: ";
  std::set<std::string> functions;
  for (const Part& part : parts) {
    const size_t number =
        1 + static_cast<size_t>(std::distance(inputs.begin(), inputs.find(part.input)));
    verdict.message += Words(part, number) + "; ";
    functions.insert(SiteOf(part.inner).function);
    for (TracePlace place : {part.outer, part.inner, part.allocated}) {
      if (place.what.empty()) continue;
      place.what = fmt::format("execution {}: {}", number, place.what);
      finding.trace.places.push_back(std::move(place));
    }
  }
  verdict.message += "no execution has shown all of it, so this was not tried";
  verdict.signature =
      fmt::format("{}|in different executions", VerdictKindName(VerdictKind::kLockOrder));
  for (const std::string& function : functions) verdict.signature += "|" + function;
  verdict.thread = parts.back().nesting.thread;
  verdict.step = parts.back().nesting.inner_step;
  return finding;
}

}  // namespace jacquard::call
