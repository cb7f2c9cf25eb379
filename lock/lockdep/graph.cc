#include "lock/lockdep/graph.h"

#include <algorithm>
#include <utility>

namespace jacquard::lock::lockdep {

const Edge* DependencyGraph::Find(ClassId from, ClassId to) const {
  if (from >= edges_.size()) return nullptr;
  const auto edge = std::find_if(edges_[from].begin(), edges_[from].end(),
                                 [to](const Edge& other) { return other.to == to; });
  return edge == edges_[from].end() ? nullptr : &*edge;
}

bool DependencyGraph::Has(ClassId from, ClassId to, EdgeKind kind) const {
  const Edge* const edge = Find(from, to);
  return edge != nullptr && edge->witnesses[kind.index()].taking != nullptr;
}

void DependencyGraph::Add(ClassId from, ClassId to, EdgeKind kind, const Witness& witness) {
  if (from >= edges_.size()) edges_.resize(from + 1);
  if (edges_[from].empty()) used_.push_back(from);
  Edge* edge = const_cast<Edge*>(Find(from, to));
  if (edge == nullptr) edge = &edges_[from].emplace_back(Edge{from, to});
  edge->witnesses[kind.index()] = witness;
  ++edge_count_;
}

// True the first time in this search.
bool DependencyGraph::Mark(ClassId at, bool recursive) {
  const std::size_t index = 2 * std::size_t{at} + recursive;
  if (index >= marks_.size()) marks_.resize(index + 1);
  return std::exchange(marks_[index], search_) != search_;
}

std::optional<std::vector<PathStep>> DependencyGraph::FindPathToClose(ClassId first, ClassId last,
                                                                      EdgeKind closing) {
  ++search_;
  visits_.clear();
  Mark(first, closing.recursive_taker);
  visits_.push_back({.at = first, .recursive = closing.recursive_taker});
  for (std::size_t i = 0; i < visits_.size(); ++i) {
    const Visit here = visits_[i];
    if (here.at >= edges_.size()) continue;
    for (const Edge& edge : edges_[here.at]) {
      // N before R: it leads further.
      for (const bool recursive : {false, true}) {
        for (const bool shared : {false, true}) {
          if (here.recursive && shared) continue;  // falls apart here
          const EdgeKind kind = {.shared_holder = shared, .recursive_taker = recursive};
          const Witness& witness = edge.witnesses[kind.index()];
          if (witness.taking == nullptr || !Mark(edge.to, recursive)) continue;
          visits_.push_back({.at = edge.to,
                             .recursive = recursive,
                             .before = static_cast<std::ptrdiff_t>(i),
                             .step = {here.at, edge.to, kind, witness}});
          if (edge.to != last || (recursive && closing.shared_holder)) continue;
          std::vector<PathStep> path;
          for (auto j = static_cast<std::ptrdiff_t>(visits_.size()) - 1; visits_[j].before >= 0;
               j = visits_[j].before) {
            path.push_back(visits_[j].step);
          }
          std::reverse(path.begin(), path.end());
          return path;
        }
      }
    }
  }
  return std::nullopt;
}

void DependencyGraph::Clear() {
  for (const ClassId from : used_) edges_[from].clear();
  used_.clear();
  takings_.clear();
  edge_count_ = 0;
}

}  // namespace jacquard::lock::lockdep
