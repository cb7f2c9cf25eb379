// The minimiser of inputs: the smallest scenario, and the fewest choices, with which a failure
// still happens.
#ifndef JACQUARD_FUZZERS_MINIMIZER_H_
#define JACQUARD_FUZZERS_MINIMIZER_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"
#include "sim/minimizer.h"
#include "sim/strategy.h"
#include "sim/verdict.h"

namespace jacquard::fuzzers {

// What is wanted little of, the most important first.
struct InputCost {
  size_t threads = 0;
  size_t operations = 0;  // of all threads
  ScheduleCost schedule;
  uint64_t arguments = 0;  // their sum
  auto operator<=>(const InputCost&) const = default;
};
InputCost CostOf(const Input& input);

// `input` with each thread in turn, each operation, and each choice taken out of it (a choice in
// two ways: the later ones stay where they are, or come earlier): none of them may still fail.
std::vector<Input> SingleRemovals(const Codec& codec, const Input& input);

// The choices of an input; and an input with other ones. False: they are too many for an input.
Choices ChoicesOf(const Input& input);
bool SetChoices(const Choices& choices, Input& input);

// Shrinks one failing input for as long as its signature stays the same: threads and operations are
// removed first, then choices (sim/minimizer.h), then what is left gets smaller values. An
// operation that is missing moves all later choices, which are counted; so a smaller scenario is
// not only tried with the choices that there are, but with all schedules that have as few of them,
// as far as a part of the budget goes, and with some at random. Deterministic: executions are
// counted, no clock is looked at.
class InputMinimizer {
 public:
  // Executes an input's scenario once under a strategy that has begun.
  using Execute = std::function<Verdict(const Input& input, Strategy& strategy)>;
  // How many operations a thread has ended in the execution that is going on.
  using OperationsDone = std::function<int(int thread)>;

  // `codec` must outlive it.
  InputMinimizer(const Codec& codec, Execute execute, OperationsDone operations_done,
                 std::string signature, uint64_t executions);
  InputMinimizer(const InputMinimizer&) = delete;
  InputMinimizer& operator=(const InputMinimizer&) = delete;

  // Shrinks `input`, of which only the scenario counts, and `choices`, under which it fails with
  // the signature. False, and nothing is changed: it does not.
  bool Minimize(Input& input, Choices& choices);

  // Whether the executions are used up: then what was reached need not be minimal.
  bool spent() const { return schedules_.spent(); }
  uint64_t executions() const { return schedules_.executions() + executions_; }

 private:
  // An operation, and where it stands in the smallest scenario so far.
  struct Place {
    Call call;
    size_t thread = 0;
    size_t index = 0;
  };
  using Threads = std::vector<std::vector<Place>>;
  class Along;

  bool Try(Threads threads, uint64_t search);
  bool FailsUnder(Strategy& strategy, Choices& choices);
  bool FailsAlong(const Threads& threads, Choices& choices);
  bool FailsAtRandom(const Threads& threads, Choices& choices);
  void Accept(Threads threads, Choices choices);
  void ReadOrder();
  bool TryWithoutThread(const Threads& threads, size_t thread);
  bool RemoveThreads();
  bool JoinThreads();
  bool RemoveOperations();
  bool RemovePairs();
  bool MergeOperations();
  bool SwapThreads();
  bool LowerArguments();

  const Codec& codec_;
  const Execute execute_;
  const OperationsDone operations_done_;
  const std::string signature_;
  const uint64_t most_executions_;
  uint64_t executions_ = 0;  // beside those of schedules_
  Input tried_;              // what is executed
  ScheduleMinimizer schedules_;
  Threads threads_;  // the smallest so far
  Choices choices_;
  // The steps of the smallest so far: who, in which of its operations; only where there was a
  // choice.
  struct Turn {
    size_t thread;
    size_t operation;
  };
  std::vector<Turn> order_;
  bool order_is_read_ = false;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_MINIMIZER_H_
