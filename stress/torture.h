// Real threads that do random operations of a scenario for a long time, in the manner of the
// kernel's locktorture.
//
// Time is divided into rounds. A round has an object of the scenario class of its own; its threads
// begin together, do operations until the round's number is reached, and end (EndThread releases
// what is held). When all have ended, nothing is held, and everything that can be checked at rest
// is. So some rounds have a few operations and some many thousands: some bugs need a fresh
// object, others an old one.
#ifndef JACQUARD_STRESS_TORTURE_H_
#define JACQUARD_STRESS_TORTURE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fuzzers/scenario_type.h"
#include "stress/statistics.h"

namespace jacquard {

struct TortureOptions {
  int threads = 2;
  uint64_t seed = 1;
  uint64_t operations = 0;        // of each thread in a round; 0: different ones, 16 to 65,536
  std::vector<uint32_t> weights;  // of each operation: how often it is chosen; empty: alike
  bool delays = true;             // random ones between operations
  bool churn = false;             // each round has new threads
  bool pin = false;               // thread t runs on processor t only, modulo their number
  double pause_every = 5;         // seconds; then all threads end, and rest for a moment; 0: never
  double wait_limit = 10;         // seconds; an operation that takes longer has failed
  // Called once, on any thread, with a report (lines of text); must end the process.
  std::function<void(const std::string& report)> on_failure;
};

// Returns when `statistics.stop` is set, after a round that was cut short. Uses the whole process:
// once, and before there are other threads.
void Torture(const ScenarioType& type, const TortureOptions& options, StressStatistics& statistics);

}  // namespace jacquard

#endif  // JACQUARD_STRESS_TORTURE_H_
