// All executions that differ from a seed's own in one place, and then in two: where another thread
// runs, or where a pick of the memory model takes its second alternative (a read returns the value
// before the newest, a wait ends for no reason).
//
// A seed shows a situation, and bugs are near: most need the seed's operations and one or two more
// switches (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of
// multithreaded programs", PLDI 2007: most bugs need few). Random mutations of a corpus that grows
// come upon a certain pair of places late, or never; to try them all costs seconds once.
//
// Differs from the paper in that what is bounded is the number of exceptions to the seed's
// schedule, whether they preempt or not, and that older values that are read count as such; so the
// number of executions is known beforehand.
#ifndef JACQUARD_FUZZERS_SWEEP_H_
#define JACQUARD_FUZZERS_SWEEP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/input.h"

namespace jacquard::fuzzers {

// Follows from what it was given, in this order. Next costs some hundred nanoseconds.
class Sweep {
 public:
  // A larger corpus is no set of seeds any more.
  static constexpr size_t kMostSeeds = 64;
  // So many executions at most.
  static constexpr uint64_t kMost = 1'000'000;

  // A seed, whose execution passed and was so long. One with a single thread is left out.
  void AddSeed(const Input& seed, const ExecutionLength& length);

  // The next input near some seed: first those with one more exception, all seeds in turn, then
  // those with two. False: there are no more.
  bool Next(Input& out);

 private:
  // Where a new exception stands: after so many picks, of the memory model's or of the others.
  struct Place {
    bool of_memory;
    uint64_t at;
    uint32_t choice;
  };

  struct Seed {
    Input input;
    ExecutionLength length;
    uint64_t choices;   // of each pick of a thread
    uint64_t done = 0;  // inputs of the present stage

    // The exceptions that may be the only new one, or the first; and the second.
    uint64_t Firsts() const { return length.picks * choices + length.memory_picks; }
    uint64_t Seconds() const { return length.steps * choices + length.memory_picks; }
    uint64_t Count(int exceptions) const {
      return exceptions == 1 ? Firsts() : Firsts() * Seconds();
    }
    Place PlaceOf(uint64_t number, uint64_t places) const;
  };

  static bool Insert(const Input& seed, const std::vector<Place>& more, Input& out);

  std::vector<Seed> seeds_;
  int exceptions_ = 1;    // the stage
  size_t turn_ = 0;       // of which seed it is
  size_t exhausted_ = 0;  // seeds in a row that had nothing more
  uint64_t given_ = 0;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SWEEP_H_
