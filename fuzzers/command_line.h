// The command line of a fuzz target: Jacquard's flags have two dashes, the engine's have one.
#ifndef JACQUARD_FUZZERS_COMMAND_LINE_H_
#define JACQUARD_FUZZERS_COMMAND_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fuzzers/features.h"
#include "fuzzers/meaning.h"
#include "sim/execute.h"

namespace jacquard::fuzzers {

// The process's exit status where it is not the engine's.
inline constexpr int kExitPass = 0;
inline constexpr int kExitFailure = 1;       // a replayed input fails
inline constexpr int kExitUsage = 2;         // bad flags or bad input
inline constexpr int kExitInterrupted = 72;  // as libFuzzer

// What makes new inputs of old ones, as a set; beside the engine's own mutations.
enum MutationKind : uint32_t {
  kRecordMutations = 1,     // mutator.h: Mutate
  kCrossOverMutations = 2,  // mutator.h: CrossOver
  kReorderMutations = 4,    // reorder.h
  kSweepMutations = 8,      // sweep.h
};
inline constexpr uint32_t kDefaultMutations = 15;

struct CommandLine {
  enum class Mode {
    kFuzz,
    kReplay,
    kMinimize,
    kTriage,
    kAddRegression,
    kSurvey,
    kToText,
    kFromText,
    kSeedCorpus
  };
  Mode mode = Mode::kFuzz;

  std::string file;    // of all but kFuzz, kSurvey and kSeedCorpus; kTriage: a folder
  std::string output;  // kMinimize, kToText, kFromText: file, else a folder; "" if not given
  std::vector<std::string> files;  // kSeedCorpus, kSurvey: also folders
  std::string sources;             // kSeedCorpus: file for seed_sources.h; "" if not given
  bool force = false;
  bool all = false;
  int repeat = 1;  // kReplay: so often, and say how fast
  bool json = false;
  std::string html;                          // kReplay, kMinimize: file; "" if not given
  uint64_t minimize_executions = 1'000'000;  // kMinimize: at most

  int shape_threads = 0;  // 0: as the bytes say
  int shape_operations = 0;
  double time_limit = 10;  // seconds
  ExecutionOptions execution;
  uint32_t features = kDefaultFeatures;  // what the engine is told of
  uint32_t mutations = kDefaultMutations;
  Addressing addressing = Addressing::kPositions;

  // What remains for the engine, the program's name first.
  std::vector<std::string> engine;
  // Flags that processes which the engine starts (-fork, -jobs) need as well.
  std::vector<std::string> inherited;

  // Set if there is nothing more to do than to print `message` and to exit.
  std::optional<int> exit_status;
  std::string message;
};

// `arguments` begin with the program's name. `name` is the target's, for the help text.
CommandLine ParseCommandLine(const std::vector<std::string>& arguments, const std::string& name,
                             int max_threads);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_COMMAND_LINE_H_
