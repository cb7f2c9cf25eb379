#include "tests/vma_lock/explore_inputs.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "fuzzers/minimizer.h"
#include "fuzzers/scenario.h"
#include "fuzzers/scenario_program.h"
#include "fuzzers/text.h"
#include "sim/byte_string.h"
#include "sim/execute.h"
#include "sim/explore.h"
#include "sim/random_walk.h"

namespace jacquard {

bool Simulated() { return true; }

namespace fuzzers {
namespace {

// The input that repeats an execution, as far as the text form can hold it.
std::string Reproducer(const Codec& codec, const Input& input, const ChoiceRecorder& recorder) {
  Input whole = input;
  bool complete = true;
  for (const Exception& exception : recorder.exceptions()) {
    complete = complete && whole.AddException(exception);
  }
  for (const Exception& exception : recorder.memory_exceptions()) {
    complete = complete && whole.AddMemoryException(exception);
  }
  return FormatText(codec, whole) + (complete ? "" : "# the schedule is longer than this\n");
}

void Run(const Codec& codec, const Input& input, Strategy& strategy, std::uint64_t executions,
         InputsResult& result, MemoryMode memory = MemoryMode::kRc11) {
  ScenarioProgram program(codec.type(), nullptr);
  program.SetInput(input);
  ChoiceRecorder recorder(strategy);
  const std::uint64_t steps = RuntimeCounters().steps;
  for (std::uint64_t i = 0; i < executions && recorder.BeginExecution(); ++i) {
    Verdict verdict =
        Execute(program, recorder, {.memory = memory, .check_leaks = codec.type().check_leaks});
    ++result.executions;
    recorder.EndExecution(verdict);
    if (verdict.passed()) continue;
    result.verdict = std::move(verdict);
    result.input = Reproducer(codec, input, recorder);
    break;
  }
  result.steps += RuntimeCounters().steps - steps;
}

}  // namespace

std::uint32_t Random::Below(std::uint32_t bound) {
  // SplitMix64.
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint32_t>(((z ^ (z >> 31)) >> 32) * bound >> 32);
}

void MakeRandomInput(const Codec& codec, int threads, int operations, Random& random,
                     Input& input) {
  input.Clear(threads);
  for (int t = 0; t < threads; ++t) {
    for (int i = 0; i < operations; ++i) {
      // An operation first, so that those with many arguments are not the most frequent.
      const std::uint32_t chosen = random.Below(codec.type().operation_count);
      Call call{.operation = static_cast<std::uint8_t>(chosen)};
      const OperationType& type = codec.type().operations[chosen];
      for (int a = 0; a < type.arity; ++a) {
        call.arguments[a] = static_cast<std::uint8_t>(random.Below(type.arguments[a].count));
      }
      input.AddCall(t, call);
    }
  }
}

InputsResult ExploreRandomInputs(const Codec& codec, std::uint64_t seed, std::uint64_t inputs,
                                 int walks, int max_threads, int max_operations,
                                 MemoryMode memory) {
  InputsResult result;
  Random random(seed);
  Input input;
  for (; result.inputs < inputs && result.verdict.passed(); ++result.inputs) {
    const int threads = 2 + static_cast<int>(random.Below(max_threads - 1));
    const int operations = 1 + static_cast<int>(random.Below(max_operations));
    MakeRandomInput(codec, threads, operations, random, input);
    RandomWalk walk(seed * 1'000'003 + result.inputs);
    Run(codec, input, walk, walks, result, memory);
    if (!result.verdict.passed()) continue;
    SparseWalk sparse(seed * 1'000'003 + result.inputs, 2 + result.inputs % 16);
    Run(codec, input, sparse, walks, result, memory);
  }
  return result;
}

InputsResult ExploreInput(const Codec& codec, const Input& input, Strategy& strategy,
                          std::uint64_t executions, MemoryMode memory) {
  InputsResult result;
  result.inputs = 1;
  Run(codec, input, strategy, executions, result, memory);
  return result;
}

std::vector<std::string> StoredInput::Comments(const std::string& name) const {
  const std::string begin = "# " + name + ": ";
  std::vector<std::string> comments;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(begin)) comments.push_back(line.substr(begin.size()));
  }
  return comments;
}

std::string StoredInput::Comment(const std::string& name) const {
  const std::vector<std::string> comments = Comments(name);
  return comments.empty() ? std::string() : comments.front();
}

StoredInput ParseStoredInput(const Codec& codec, const std::string& text) {
  StoredInput stored;
  stored.text = text;
  if (const auto error = ParseText(text, codec, stored.input)) {
    stored.error = error->ToString("text");
  }
  return stored;
}

StoredInput ReadStoredInput(const Codec& codec, const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  StoredInput stored = ParseStoredInput(codec, text.str());
  if (!stored.error.empty()) stored.error = path + ": " + stored.error;
  if (!file) stored.error = path + ": cannot read";
  return stored;
}

InputsResult WalkInput(const Codec& codec, const Input& input, std::uint64_t seed,
                       std::uint64_t executions) {
  InputsResult result;
  RandomWalk walk(seed);
  Run(codec, input, walk, executions / 2, result);
  for (std::uint32_t once_in : {4, 8, 16}) {
    if (!result.verdict.passed()) break;
    SparseWalk sparse(seed, once_in);
    Run(codec, input, sparse, executions / 6, result);
  }
  return result;
}

Verdict ExecuteInput(const Codec& codec, const Input& input, MemoryMode memory) {
  ByteString strategy;
  strategy.Set(input.exceptions(), input.memory_exceptions());
  return ExploreInput(codec, input, strategy, 1, memory).verdict;
}

MinimizedInput MinimizeInput(const Codec& codec, const Input& input, const std::string& signature,
                             std::uint64_t executions, MemoryMode memory) {
  ScenarioProgram program(codec.type(), nullptr);
  InputMinimizer minimizer(
      codec,
      [&](const Input& scenario, Strategy& strategy) {
        program.SetInput(scenario);
        return Execute(program, strategy,
                       {.memory = memory, .check_leaks = codec.type().check_leaks});
      },
      [&](int thread) { return program.OperationsDone(thread); }, signature, executions);
  MinimizedInput result;
  result.input = input;
  Choices choices = ChoicesOf(input);
  result.fails = minimizer.Minimize(result.input, choices);
  result.spent = minimizer.spent();
  result.executions = minimizer.executions();
  return result;
}

}  // namespace fuzzers
}  // namespace jacquard
