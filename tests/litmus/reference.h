// The reference: RC11 by its axioms, on execution graphs, obviously right and slow.
//
// A graph grows by one event at a time. Each read may take its value from any store that is there,
// each store may go anywhere in modification order, and after each event all axioms are evaluated
// from scratch; a graph that violates one is dropped. That loses nothing: every consistent graph
// has an order of its events that follows program order and reads-from (their union has no cycle,
// which is how RC11 rules load buffering out), and each prefix of a consistent graph is consistent.
// Graphs that differ only in the order in which they grew are explored once.
#ifndef JACQUARD_TESTS_LITMUS_REFERENCE_H_
#define JACQUARD_TESTS_LITMUS_REFERENCE_H_

#include <cstdint>
#include <set>

#include "tests/litmus/program.h"

namespace jacquard::litmus {

struct ReferenceResult {
  std::set<Outcome> outcomes;  // parallel to program.observe; empty if racy
  // Every complete graph, as text: what each thread read, and each location's stores in
  // modification order. Empty if racy.
  std::set<Outcome> graphs;
  bool racy = false;
  uint64_t states = 0;  // distinct graphs, complete or not
};

// A program must have at most 50 events in any execution. Costs about 5 microseconds per graph.
ReferenceResult SolveByAxioms(const Program& program);

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_REFERENCE_H_
