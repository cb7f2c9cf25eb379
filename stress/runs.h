// Run after run of short inputs on real threads: random ones, each from a seed of its own, or one
// that is given.
//
// Runs are executed by a child process, so that one that crashes, hangs or is ended by a sanitizer
// is counted and the others go on. Since real threads do not repeat themselves, a failing random
// one is tried again and again at the end: "n of m" says what to expect of a reproduction.
#ifndef JACQUARD_STRESS_RUNS_H_
#define JACQUARD_STRESS_RUNS_H_

#include <cstdint>
#include <string>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"

namespace jacquard {

struct RunsOptions {
  uint64_t runs = 1000;
  uint64_t seed = 1;  // of the first run; each has the one after its predecessor
  int threads = 0;
  int operations = fuzzers::kMaxOperations;
  uint64_t repeat = 100;
  double time_limit = 10;  // seconds; threads that do not end are a deadlock
  bool no_delays = false;
};

// Random inputs. `program` is how the replay command begins. True if none has failed. Reports go
// to standard error, the count to where it belongs.
bool RunRandomInputs(const fuzzers::Codec& codec, const RunsOptions& options,
                     const std::string& program);

// `input` so many times, each with other delays; `file` is what it is called. True if it has never
// failed.
bool RunOneInput(const fuzzers::Codec& codec, const RunsOptions& options,
                 const fuzzers::Input& input, const std::string& file);

}  // namespace jacquard

#endif  // JACQUARD_STRESS_RUNS_H_
