// What is said of a cycle in the order of locks whose parts come from several executions.
#ifndef JACQUARD_JACQUARD_LOCK_CYCLE_H_
#define JACQUARD_JACQUARD_LOCK_CYCLE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "jacquard/lock_graph.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard::call {

struct CycleFinding {
  Verdict verdict;
  std::vector<size_t> inputs;  // the executions that it takes, ascending
  Trace trace;                 // of the last of them, with the places of all
};

// Executes the inputs of the cycle again: `execute` records the given one. Nothing if they do not
// show it again, or if one line of code takes different locks of the cycle, so that data decide.
std::optional<CycleFinding> DescribeCycle(
    const LockGraph::Cycle& cycle, const std::function<void(size_t input, Trace& trace)>& execute);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_LOCK_CYCLE_H_
