// Watches a torture from another process: says once a second how it goes, ends it, and sums up,
// however it has ended.
#ifndef JACQUARD_STRESS_SUPERVISOR_H_
#define JACQUARD_STRESS_SUPERVISOR_H_

#include <string>

#include "fuzzers/scenario_type.h"
#include "stress/torture.h"

namespace jacquard {

struct SupervisorOptions {
  double seconds = 10;
  bool keep_going = false;  // after a failure: with the next seed, until the time is over
  bool quiet = false;       // no line a second
  std::string json;         // the summary goes there as well; "-": to standard output, instead
};

// What has become of it; the last one whether or not something has failed.
enum class StressEnd {
  kPassed,  // the time is over, or somebody has interrupted it, and nothing has failed
  kFailed,
  kNoFile,  // the summary could not be written
};

// Runs until the time is over, SIGINT or SIGTERM comes, or something fails. Status lines and
// reports go to standard error, the summary to standard output. `name` is the target's. No threads
// may be there yet.
StressEnd Supervise(const std::string& name, const ScenarioType& type,
                    const TortureOptions& torture, const SupervisorOptions& options);

}  // namespace jacquard

#endif  // JACQUARD_STRESS_SUPERVISOR_H_
