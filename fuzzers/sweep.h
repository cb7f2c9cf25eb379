// All schedules that differ from a seed's own in one place, and then in two.
//
// A seed shows a situation, and bugs are near: most need the seed's operations and one or two more
// switches (Musuvathi and Qadeer, "Iterative context bounding for systematic testing of
// multithreaded programs", PLDI 2007: most bugs need few). Random mutations of a corpus that grows
// come upon a certain pair of places late, or never; to try them all costs seconds once.
//
// Differs from the paper in that what is bounded is the number of exceptions to the seed's
// schedule, whether they preempt or not; so the number of schedules is known beforehand.
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
  // So many schedules at most.
  static constexpr uint64_t kMost = 1'000'000;

  // A seed, whose execution passed and took so many steps. One with a single thread is left out.
  void AddSeed(const Input& seed, uint64_t steps);

  // The next schedule of some seed: first those with one more exception, all seeds in turn, then
  // those with two. False: there are no more.
  bool Next(Input& out);

 private:
  struct Seed {
    Input input;
    uint64_t places;    // where an exception may stand
    uint64_t choices;   // and how many there are at each
    uint64_t done = 0;  // schedules of the present stage

    uint64_t Count(int exceptions) const {
      const uint64_t singles = places * choices;
      return exceptions == 1 ? singles : singles * singles;
    }
  };

  std::vector<Seed> seeds_;
  int exceptions_ = 1;    // the stage
  size_t turn_ = 0;       // of which seed it is
  size_t exhausted_ = 0;  // seeds in a row that had nothing more
  uint64_t given_ = 0;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SWEEP_H_
