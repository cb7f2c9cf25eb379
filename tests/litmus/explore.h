// Explores a litmus program on the simulated memory: all picks, depth first.
#ifndef JACQUARD_TESTS_LITMUS_EXPLORE_H_
#define JACQUARD_TESTS_LITMUS_EXPLORE_H_

#include <cstdint>
#include <set>

#include "sim/memory/memory.h"
#include "tests/litmus/program.h"

namespace jacquard::litmus {

struct ExploreOptions {
  sim::Memory::Options memory;
  // Use the form of the memory for many threads.
  bool wide = false;
  // More executions than this without pruning: begins anew with pruning. 0: prunes at once.
  uint64_t max_unpruned = 100'000;
  // More executions than this: gives up, and the result says so.
  uint64_t max_executions = 20'000'000;
};

struct ExploreResult {
  std::set<Outcome> outcomes;  // parallel to program.observe; empty if racy
  // What each thread read, and each location's stores in modification order, as in
  // ReferenceResult. Empty if racy.
  std::set<Outcome> graphs;
  bool racy = false;
  uint64_t executions = 0;
  // An execution that came to a graph that had been seen was given up: what follows from there is
  // known, provided that the memory's answers depend on the graph only, and not on the order in
  // which it grew. False: every sequence of picks was carried out.
  bool pruned = false;
  bool complete = true;      // false: gave up
  bool lost_detail = false;  // the memory cut a history
};

// Costs about a microsecond per execution; with pruning, more.
ExploreResult ExploreOnMemory(const Program& program, const ExploreOptions& options = {});

// The same with random picks, `executions` times.
ExploreResult WalkOnMemory(const Program& program, uint64_t executions, uint64_t seed,
                           const ExploreOptions& options = {});

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_EXPLORE_H_
