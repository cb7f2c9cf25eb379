// The order in which locks are taken, across the executions of a campaign.
//
// What one execution shows of it is judged there (sim/lock_order.h). Here are cycles whose parts
// were seen in different executions, and never in one: nobody can try those. They are a finding of
// the campaign as a whole, made at its end, and only where nothing speaks for another explanation:
//  * The locks are the same ones in all executions (LockNestings::FixedIdentity), and so are the
//    threads, as their creation tells.
//  * No lock that lets only one in is held in two parts, and creation and join do not order them.
//  * Each lock is taken in a place of its own in the code. Where one line takes different locks, as
//    in a list whose nodes are locked hand over hand, data decide on the order, which may well be
//    another one in another execution.
#ifndef JACQUARD_JACQUARD_LOCK_GRAPH_H_
#define JACQUARD_JACQUARD_LOCK_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sim/lock_nesting.h"

namespace jacquard::call {

class LockGraph {
 public:
  // The same nesting of the same locks by the same thread and code, in whatever execution.
  struct Edge {
    uint64_t lineage = 0;
    uint64_t outer = 0;  // identities of the locks
    uint64_t inner = 0;
    bool outer_shared = false;
    bool inner_shared = false;
    uintptr_t outer_pc = 0;
    uintptr_t inner_pc = 0;
    size_t input = 0;      // the first execution that had it, as Add counts them
    uint64_t nesting = 0;  // its key there
    std::set<std::pair<uint64_t, bool>> held = {};  // with whether it is shared
    // By lineage, in any execution.
    std::set<uint64_t> ended_before = {};
    std::set<uint64_t> created_after = {};

    bool IsSame(const Edge& other) const;
  };
  using Cycle = std::vector<const Edge*>;

  // Takes in what the last execution has shown; `nestings` is that. True if this execution is an
  // input of its own from now on: it was the first one to show something. Costs a look into a table
  // where an execution like it was seen before.
  bool Add(const LockNestings& nestings);

  // The cycles, each at most four parts long and with two of them never seen together.
  std::vector<Cycle> FindCycles() const;

 private:
  void Learn(const LockNestings& nestings, size_t i, std::vector<size_t>& present, bool& is_input);
  void Extend(std::vector<size_t>& path, std::vector<Cycle>& cycles, int& budget) const;
  bool Fit(size_t one, size_t other) const;

  std::unordered_set<uint64_t> seen_;  // keys of executions
  std::vector<Edge> edges_;
  std::set<std::pair<size_t, size_t>> together_;  // seen in one execution, the smaller one first
  size_t inputs_ = 0;
  bool full_ = false;  // no more is taken in: nothing is said any more
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_LOCK_GRAPH_H_
