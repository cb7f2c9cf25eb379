#include "jacquard/lock_graph.h"

#include <algorithm>

namespace jacquard::call {
namespace {

constexpr size_t kMostSeen = 1'000'000;
constexpr size_t kMostEdges = 500;
constexpr size_t kMostCycles = 64;
constexpr size_t kLongestCycle = 4;
constexpr int kSearchBudget = 1'000'000;

bool Intersect(const std::set<uint64_t>& one, const std::set<uint64_t>& other) {
  return std::any_of(one.begin(), one.end(), [&](uint64_t x) { return other.contains(x); });
}

// Whether creations and joins put `one` before `other`.
bool IsBefore(const LockGraph::Edge& one, const LockGraph::Edge& other) {
  return other.ended_before.contains(one.lineage) || one.created_after.contains(other.lineage) ||
         Intersect(one.created_after, other.ended_before);
}

bool HaveCommonGate(const LockGraph::Edge& one, const LockGraph::Edge& other) {
  for (const auto& [lock, shared] : one.held) {
    if (other.held.contains({lock, false}) || (!shared && other.held.contains({lock, true})))
      return true;
  }
  return false;
}

bool WaitsFor(const LockGraph::Edge& waiter, const LockGraph::Edge& holder) {
  return waiter.inner == holder.outer && !(waiter.inner_shared && holder.outer_shared);
}

}  // namespace

bool LockGraph::Edge::IsSame(const Edge& other) const {
  return lineage == other.lineage && outer == other.outer && inner == other.inner &&
         outer_shared == other.outer_shared && inner_shared == other.inner_shared &&
         outer_pc == other.outer_pc && inner_pc == other.inner_pc && held == other.held;
}

bool LockGraph::Add(const LockNestings& nestings) {
  if (full_ || nestings.all.empty() || !seen_.insert(nestings.key).second) return false;
  full_ = seen_.size() > kMostSeen;
  bool is_input = false;
  std::vector<size_t> present;
  for (size_t i = 0; i < nestings.all.size(); ++i) Learn(nestings, i, present, is_input);
  for (const size_t one : present) {
    for (const size_t other : present) {
      if (one < other) together_.insert({one, other});
    }
  }
  inputs_ += is_input;
  return is_input;
}

void LockGraph::Learn(const LockNestings& nestings, size_t i, std::vector<size_t>& present,
                      bool& is_input) {
  const LockNesting& nesting = nestings.all[i];
  Edge edge = {.lineage = nesting.lineage,
               .outer = LockNestings::FixedIdentity(nesting.outer.lock),
               .inner = LockNestings::FixedIdentity(nesting.inner.lock),
               .outer_shared = nesting.outer.shared,
               .inner_shared = nesting.inner.shared,
               .outer_pc = nesting.outer_pc,
               .inner_pc = nesting.inner_pc,
               .input = inputs_,
               .nesting = nesting.key};
  for (int j = 0; j < nesting.held_count; ++j) {
    const uint64_t identity = LockNestings::FixedIdentity(nesting.held[j].lock);
    if (identity == 0) return;
    edge.held.insert({identity, nesting.held[j].shared});
  }
  if (edge.inner == 0) return;
  auto known = std::find_if(edges_.begin(), edges_.end(),
                            [&](const Edge& other) { return other.IsSame(edge); });
  if (known == edges_.end()) {
    if (edges_.size() == kMostEdges) {
      full_ = true;
      return;
    }
    is_input = true;
    known = edges_.insert(edges_.end(), std::move(edge));
  }
  for (const uint64_t lineage : nestings.EndedBefore(i)) known->ended_before.insert(lineage);
  for (const uint64_t lineage : nestings.CreatedAfter(i)) known->created_after.insert(lineage);
  present.push_back(static_cast<size_t>(known - edges_.begin()));
}

std::vector<LockGraph::Cycle> LockGraph::FindCycles() const {
  std::vector<Cycle> cycles;
  if (full_) return cycles;
  int budget = kSearchBudget;
  for (size_t i = 0; i < edges_.size(); ++i) {
    std::vector<size_t> path = {i};
    Extend(path, cycles, budget);
  }
  return cycles;
}

bool LockGraph::Fit(size_t one, size_t other) const {
  const Edge& first = edges_[one];
  const Edge& second = edges_[other];
  return first.lineage != second.lineage && !HaveCommonGate(first, second) &&
         !IsBefore(first, second) && !IsBefore(second, first);
}

// Adds the cycles that `path` is the beginning of. A cycle is found from its first edge.
void LockGraph::Extend(std::vector<size_t>& path, std::vector<Cycle>& cycles, int& budget) const {
  if (path.size() > 1 && WaitsFor(edges_[path.back()], edges_[path.front()])) {
    bool all_together = true;
    for (const size_t one : path) {
      for (const size_t other : path)
        all_together &= one >= other || together_.contains({one, other});
    }
    if (!all_together) {
      Cycle& cycle = cycles.emplace_back();
      for (const size_t edge : path) cycle.push_back(&edges_[edge]);
    }
  }
  if (path.size() == kLongestCycle) return;
  for (size_t i = path.front() + 1; i < edges_.size(); ++i) {
    if (cycles.size() == kMostCycles || --budget < 0) return;
    if (!WaitsFor(edges_[path.back()], edges_[i])) continue;
    if (!std::all_of(path.begin(), path.end(), [&](size_t other) { return Fit(other, i); }))
      continue;
    path.push_back(i);
    Extend(path, cycles, budget);
    path.pop_back();
  }
}

}  // namespace jacquard::call
