// Where the scenarios of an exploration come from: chance, all of them in order, or files.
#ifndef JACQUARD_FUZZERS_SCENARIOS_H_
#define JACQUARD_FUZZERS_SCENARIOS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"

namespace jacquard::fuzzers {

// At most so many threads and operations on each of them.
struct ScenarioSize {
  int threads = 3;
  int operations = 5;
};

// A sequence of scenarios, which are asked for in ascending order of their numbers from 0.
class Scenarios {
 public:
  virtual ~Scenarios() = default;

  // Number `n` of them. False: there are not so many.
  virtual bool Get(uint64_t n, Input& input) = 0;

  // How many there are; 0: without end.
  virtual double Count() const { return 0; }
};

// Of two threads or more, each with one operation or more; each follows from `seed` and its number.
// An operation is as likely as any other, however many arguments it has.
std::unique_ptr<Scenarios> RandomScenarios(const Codec& codec, uint64_t seed,
                                           const ScenarioSize& most);

// Every scenario in which two threads or more have as many operations each, the smallest first. Of
// those that differ in the order of the threads alone there is one.
std::unique_ptr<Scenarios> AllScenarios(const Codec& codec, const ScenarioSize& most);

// These. Their own exceptions mean nothing.
std::unique_ptr<Scenarios> GivenScenarios(std::vector<Input> inputs);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SCENARIOS_H_
