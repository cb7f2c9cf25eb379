// The minimiser of schedules: with how few choices that are not benign a failure still happens.
#ifndef JACQUARD_SIM_MINIMIZER_H_
#define JACQUARD_SIM_MINIMIZER_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/byte_string.h"
#include "sim/strategy.h"
#include "sim/verdict.h"

namespace jacquard {

// The choices of an execution that are not benign, as byte_string.h has them.
struct Choices {
  std::vector<Exception> others;
  std::vector<Exception> of_memory;
  bool operator==(const Choices&) const = default;
};

// `list` without `count` exceptions from number `i` on. The later ones stay at their picks, or they
// come earlier, each with the gap that it has.
std::vector<Exception> WithoutInPlace(const std::vector<Exception>& list, size_t i,
                                      size_t count = 1);
std::vector<Exception> WithoutAndCloser(const std::vector<Exception>& list, size_t i,
                                        size_t count = 1);

// What is wanted little of, the most important first.
struct ScheduleCost {
  size_t others = 0;     // choices that are not the memory model's: nearly all are context switches
  size_t of_memory = 0;  // choices of the memory model: older values, misplaced stores
  uint64_t values = 0;   // the sum of the choices
  uint64_t gaps = 0;     // how late they come
  auto operator<=>(const ScheduleCost&) const = default;
};
ScheduleCost CostOf(const Choices& choices);

// How much may be tried. Executions and steps are counted, so that the result is the same on every
// machine; the clock is there for programs whose steps take very long, and only stops.
struct MinimizeBudget {
  uint64_t executions = 10'000;
  uint64_t steps = 10'000'000;
  double seconds = 0;  // 0: no clock
};

// Shrinks the choices of one failure, for as long as its signature stays the same. Deterministic.
//
// First choices are removed in large and small chunks (Zeller and Hildebrandt, "Simplifying and
// isolating failure-inducing input", TSE 2002), and stretches of one thread are put together
// (Jalbert and Sen, "A trace simplification technique for effective debugging of concurrent
// programs", FSE 2010). Then all schedules with fewer choices than are left are tried, the fewest
// first, as far as the budget goes: a failure is reached in a simpler way than it was found. What
// is left at the end is such that no choice can be removed, whether or not the later ones then come
// earlier.
class ScheduleMinimizer {
 public:
  // Executes the program once under `strategy`, which has begun.
  using Execute = std::function<Verdict(Strategy& strategy)>;

  static constexpr uint64_t kMostInSearch = 50'000;

  ScheduleMinimizer(Execute execute, std::string signature, const MinimizeBudget& budget);
  ScheduleMinimizer(const ScheduleMinimizer&) = delete;
  ScheduleMinimizer& operator=(const ScheduleMinimizer&) = delete;

  // Whether the program fails with the signature under `choices`. They are then replaced by those
  // that were taken, without what has had no effect.
  bool Fails(Choices& choices);

  // Shrinks `choices`, which fail. So many executions at most are spent on all schedules with
  // fewer.
  void Minimize(Choices& choices, uint64_t most_in_search = kMostInSearch);

  // Looks for choices that fail and that are fewer than `most`, or (`or_as_many`) at least no more:
  // the fewest first, in at most so many executions. False: `found` is as it was.
  bool FindFewer(const Choices& most, bool or_as_many, uint64_t executions, Choices& found);

  // Whether the budget is used up: then what was reached need not be minimal.
  bool spent() const { return spent_; }
  uint64_t executions() const { return executions_; }

 private:
  class Player;
  struct Search;

  bool Run(Player& player);
  bool Replace(Choices& choices, Choices candidate);
  bool RemoveChunks(Choices& choices, std::vector<Exception> Choices::* list);
  bool RemoveSingles(Choices& choices);
  bool JoinStretches(Choices& choices);
  bool LowerValues(Choices& choices);
  bool Enumerate(Search& search, size_t from, size_t others, size_t of_memory);

  const Execute execute_;
  const std::string signature_;
  const MinimizeBudget budget_;
  const uint64_t steps_at_first_;
  const uint64_t deadline_;  // in nanoseconds of the steady clock
  uint64_t executions_ = 0;
  bool spent_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_MINIMIZER_H_
