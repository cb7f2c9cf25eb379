// Runs a scenario class over inputs: random ones, given ones, all of a small size.
#ifndef JACQUARD_TESTS_VMA_LOCK_EXPLORE_INPUTS_H_
#define JACQUARD_TESTS_VMA_LOCK_EXPLORE_INPUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"
#include "fuzzers/scenario_type.h"
#include "sim/execute.h"
#include "sim/strategy.h"
#include "sim/verdict.h"

namespace jacquard::fuzzers {

// What a number of executions came to.
struct InputsResult {
  std::uint64_t inputs = 0;
  std::uint64_t executions = 0;
  std::uint64_t steps = 0;
  Verdict verdict;    // the first that is no pass
  std::string input;  // its input, as text with the schedule: what to replay
};

// A random number generator, the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // In [0, bound).
  std::uint32_t Below(std::uint32_t bound);

 private:
  std::uint64_t state_;
};

// A random walk that lets a thread go on most of the time: it changes the thread, or whatever else
// there is to choose, once in so many picks. Reaches what needs few switches in the right places,
// where RandomWalk, which switches all the time, reaches what needs many.
class SparseWalk : public Strategy {
 public:
  SparseWalk(std::uint64_t seed, std::uint32_t once_in) : random_(seed), once_in_(once_in) {}
  bool BeginExecution() override { return true; }
  int Choose(const Pick& pick) override {
    if (random_.Below(once_in_) != 0) return 0;
    return 1 + static_cast<int>(random_.Below(pick.alternatives - 1));
  }

 private:
  Random random_;
  const std::uint32_t once_in_;
};

// An input with `threads` threads that do `operations` each, at random, without exceptions.
void MakeRandomInput(const Codec& codec, int threads, int operations, Random& random, Input& input);

// Executes `inputs` random inputs of 2 to `max_threads` threads with 1 to `max_operations`
// operations each, every one `walks` times under a random walk and as often under a sparse one. All
// follows from `seed`. Stops at the first failure.
InputsResult ExploreRandomInputs(const Codec& codec, std::uint64_t seed, std::uint64_t inputs,
                                 int walks, int max_threads, int max_operations,
                                 MemoryMode memory = MemoryMode::kRc11);

// Executes `input` under `strategy` until that has nothing left, or `executions` are over, or one
// fails.
InputsResult ExploreInput(const Codec& codec, const Input& input, Strategy& strategy,
                          std::uint64_t executions = ~std::uint64_t{0},
                          MemoryMode memory = MemoryMode::kRc11);

// Executes `input` so often under the random walk of `seed` and under sparse ones, or until it
// fails.
InputsResult WalkInput(const Codec& codec, const Input& input, std::uint64_t seed,
                       std::uint64_t executions);

// A failing input as small as the minimiser makes it, and how that went.
struct MinimizedInput {
  bool fails = false;
  bool spent = false;
  std::uint64_t executions = 0;
  Input input;
};
MinimizedInput MinimizeInput(const Codec& codec, const Input& input, const std::string& signature,
                             std::uint64_t executions, MemoryMode memory = MemoryMode::kRc11);

// A file in text form.
struct StoredInput {
  std::string text;
  std::string error;  // why it cannot be used; "" if it can
  Input input;

  // What follows "# NAME: " in the lines that begin so.
  std::vector<std::string> Comments(const std::string& name) const;
  // The first of them; "" if there is none.
  std::string Comment(const std::string& name) const;
};
StoredInput ParseStoredInput(const Codec& codec, const std::string& text);
StoredInput ReadStoredInput(const Codec& codec, const std::string& path);

// Executes `input` once, with its own schedule.
Verdict ExecuteInput(const Codec& codec, const Input& input, MemoryMode memory = MemoryMode::kRc11);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_TESTS_VMA_LOCK_EXPLORE_INPUTS_H_
