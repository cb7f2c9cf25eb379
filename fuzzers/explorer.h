// The explorer: looks for bugs in scenarios with a strategy instead of a fuzzing engine.
#ifndef JACQUARD_FUZZERS_EXPLORER_H_
#define JACQUARD_FUZZERS_EXPLORER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/features.h"
#include "fuzzers/files.h"
#include "fuzzers/scenarios.h"
#include "sim/execute.h"

namespace jacquard::fuzzers {

struct ExplorerOptions {
  std::string strategy = "portfolio";
  uint64_t seed = 1;
  uint64_t executions = 0;  // 0: no bound; bounds are for one process
  double seconds = 0;       // 0: no bound; only stops
  // So many executions of one scenario, then the next one's turn. 0: until the strategy has nothing
  // left.
  uint64_t per_scenario = 20;
  bool stop_at_first_bug = true;
  bool minimize = true;
  ExecutionOptions execution;
  // This process is number `worker` of `workers`, which share the scenarios.
  int worker = 0;
  int workers = 1;
};

// How far it has come.
struct ExplorerProgress {
  uint64_t executions = 0;
  uint64_t steps = 0;
  uint64_t scenarios = 0;           // begun
  uint64_t distinct_schedules = 0;  // of different scenarios, or in a different order
  uint64_t failures = 0;
  // All is executed that the scenarios and the strategy have, or this share of it; below 0: without
  // end. Of the scenario that is being explored if there are scenarios without end.
  bool exhausted = false;
  double share_done = -1;
  bool share_is_of_scenario = false;
  // The features (features.h) that there were, a bit each.
  std::array<uint8_t, sizeof(Features) / 8> behaviours = {};
};

// A failure; one for each signature.
struct ExplorerBug {
  std::string kind;
  std::string signature;
  std::string message;
  Bytes input;               // the codec's, minimised
  uint64_t executions = 0;   // how many there were until then
  bool reproducible = true;  // false: it was not the same again; the input is the scenario alone
  bool minimal = false;
};

// Explores scenario after scenario. All that it finds follows from the options, but for a bound on
// the time. Once per process, on its first thread.
class Explorer {
 public:
  // Told a few times a second, and at the end; and of every bug at once.
  using OnProgress = std::function<void(const ExplorerProgress& progress)>;
  using OnBug = std::function<void(const ExplorerBug& bug)>;

  // `codec` must outlive it.
  Explorer(const Codec& codec, const ExplorerOptions& options, OnProgress on_progress,
           OnBug on_bug);
  ~Explorer();
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  // `given`: there are few scenarios, which are explored in turn, again and again.
  void Run(Scenarios& scenarios, bool given);

 private:
  struct State;
  State* const state_;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_EXPLORER_H_
