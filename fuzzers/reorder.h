// Mutations of a schedule that follow from what an execution has done: what the mutator, which only
// sees bytes, cannot know.
#ifndef JACQUARD_FUZZERS_REORDER_H_
#define JACQUARD_FUZZERS_REORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/minimizer.h"
#include "sim/strategy.h"

namespace jacquard::fuzzers {

// Executes as another strategy says, and writes down what there was to choose.
class Watch : public Strategy {
 public:
  explicit Watch(Strategy& inner) : inner_(inner) {}

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;

 private:
  friend class Reorder;
  struct Seen {
    PickKind kind;
    int alternatives;
    int choice;
    // kSchedule: who was chosen, what it was about to do, and who else could have been.
    int thread;
    PendingOperation does;
    int first;
    ThreadSet candidates;
  };

  Strategy& inner_;
  std::vector<Seen> others_;  // in the order in which exceptions count them
  std::vector<Seen> of_memory_;
};

// Changes choices after an execution in one of three ways, at random:
// * Two accesses of different threads to one object, one of them a write, change places: the second
//   thread runs until it has done its own, then the first one goes on. So a read comes to read from
//   a write that it has not seen, or no longer does (the constraints of Wolff, Shi, Duck, Mathur
//   and Roychoudhury, "Greybox fuzzing for concurrency testing", ASPLOS 2024; there they are
//   preferences of a scheduler, here they are translated into choices).
// * Another thread runs at some pick at which it could have.
// * A read returns an older value, or what else the memory model offers, at a pick that there was.
class Reorder {
 public:
  // `choices` are those that `watch` has executed. False: there was nothing to choose.
  static bool Mutate(const Watch& watch, uint64_t seed, Choices& choices);

 private:
  struct Placed {
    uint64_t at;  // which pick, from 0
    uint32_t choice;
  };
  static std::vector<Placed> Place(const std::vector<Exception>& list);
  static std::vector<Exception> Unplace(const std::vector<Placed>& placed);
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_REORDER_H_
