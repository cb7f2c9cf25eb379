// The dependency graph: which class of locks was waited for while which other one was held.
//
// An edge from A to B says that some thread, holding a lock of A, took one of B and would have
// waited for it. A cycle is a deadlock that only waits for the right moment, but not every cycle:
// readers do not wait for readers. So each edge has kinds, by how its two locks are taken:
//
//     of the lock that is held        E  exclusively            S  shared
//     of the lock that is waited for  N  in a way that a reader R  as a recursive reader, who
//                                        inside may block          waits for a writer inside only
//
// Where one edge of a cycle ends with R and the next one begins with S, a recursive reader would
// wait for a reader, which it does not: the cycle falls apart there. One that has no such place,
// the closing edge included, is a *strong* cycle, and those are what is looked for. (The rules are
// those of Linux's lockdep since 5.10.)
//
// Gate locks are not considered: a cycle whose edges all were seen under one exclusive lock counts.
// Each edge remembers what else was held, so that a report can say so.
#ifndef JACQUARD_LOCK_LOCKDEP_GRAPH_H_
#define JACQUARD_LOCK_LOCKDEP_GRAPH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "lock/lockdep/classes.h"
#include "lock/lockdep/places.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

struct EdgeKind {
  bool shared_holder = false;    // S, else E
  bool recursive_taker = false;  // R, else N
  static constexpr int kCount = 4;
  constexpr int index() const { return 2 * shared_holder + recursive_taker; }
};

// An acquisition that has brought edges: one from each lock that was held.
struct Taking {
  AcquireMode mode = AcquireMode::kExclusive;
  int thread = 0;
  Stack stack;
  std::vector<ClassId> exclusively_held = {};
};

// How an edge of one kind was seen for the first time.
struct Witness {
  const Taking* taking = nullptr;  // null: not seen
  AcquireMode held_mode = AcquireMode::kExclusive;
};

struct Edge {
  ClassId from = 0;
  ClassId to = 0;
  std::array<Witness, EdgeKind::kCount> witnesses = {};
};

// One edge of a path, as the kind that makes the path strong.
struct PathStep {
  ClassId from = 0;
  ClassId to = 0;
  EdgeKind kind;
  Witness witness;
};

// Not thread-safe. Nothing in it has a fixed size.
class DependencyGraph {
 public:
  // Whether an edge from `from` to `to` of that kind is there. Costs a look at `from`'s edges.
  bool Has(ClassId from, ClassId to, EdgeKind kind) const;

  // Keeps it for the edges that it brings.
  const Taking& Keep(Taking taking) { return takings_.emplace_back(std::move(taking)); }

  // Adds an edge; it must not be there.
  void Add(ClassId from, ClassId to, EdgeKind kind, const Witness& witness);

  // A shortest path that an edge from `last` to `first` of that kind would close to a strong cycle.
  // Breadth-first search over pairs of a class and the end (N or R) of the edge that leads to it:
  // costs at most two visits of each edge.
  std::optional<std::vector<PathStep>> FindPathToClose(ClassId first, ClassId last,
                                                       EdgeKind closing);

  // Forgets all edges. Costs what they are.
  void Clear();

  std::size_t edge_count() const { return edge_count_; }

 private:
  // A class, reached by an edge with that end.
  struct Visit {
    ClassId at = 0;
    bool recursive = false;
    std::ptrdiff_t before = -1;  // index into visits_
    PathStep step = {};
  };
  const Edge* Find(ClassId from, ClassId to) const;
  bool Mark(ClassId at, bool recursive);

  std::vector<std::vector<Edge>> edges_;  // by the class they come from
  std::vector<ClassId> used_;             // classes that have some
  std::deque<Taking> takings_;
  std::size_t edge_count_ = 0;
  // Of the search.
  std::vector<Visit> visits_;
  std::vector<std::uint64_t> marks_;  // the search that was last at 2 * class + recursive
  std::uint64_t search_ = 0;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_GRAPH_H_
