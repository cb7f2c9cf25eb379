// All tiny scenarios, each with all its schedules up to two preemptions: none is a violation.
//
// Two threads with two actions each on VMA 0. An action is an operation, or a few that make sense
// only together ("lock; start_write"). Left out are sequences in which an operation would be
// skipped if the thread were alone, and mirror images.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fuzzers/scenario_program.h"
#include "fuzzers/text.h"
#include "fuzzers/vma_lock_scenario.h"
#include "sim/byte_string.h"
#include "sim/depth_first.h"
#include "sim/execute.h"
#include "sim/trace.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

constexpr const char* kActions[] = {
    "lock_shared",
    "lock_shared_killable",
    "try_lock_shared",
    "lock",
    "lock_killable",
    "try_lock",
    "unlock",
    "downgrade",
    "start_read vma=0",
    "start_read_locked vma=0",
    "end_read vma=0",
    "start_write vma=0",
    "start_write_killable vma=0",
    "speculate_begin vma=0",
    "speculate_retry",
    "kill thread=OTHER",
    "lock; start_write vma=0",
    "lock; start_write_killable vma=0",
    "mark_detached vma=0",
    "lock; start_write vma=0; mark_detached vma=0",
    "lock; start_write vma=0; mark_detached vma=0; mark_attached vma=0",
};

const Codec& TheCodec() {
  static const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  return codec;
}

Input InputOf(const std::string& first, const std::string& second) {
  std::string text = "jacquard scenario 1 vma_lock\n";
  int thread = 0;
  for (std::string sequence : {first, second}) {
    for (std::string::size_type at; (at = sequence.find("OTHER")) != std::string::npos;) {
      sequence.replace(at, 5, std::to_string(1 - thread));
    }
    if (!sequence.empty()) text += "thread " + std::to_string(thread) + ": " + sequence + "\n";
    ++thread;
  }
  const StoredInput stored = ParseStoredInput(TheCodec(), text);
  EXPECT_EQ(stored.error, "") << text;
  return stored.input;
}

// Whether each operation of `sequence` does something when nobody else is there.
bool IsEffective(const std::string& sequence) {
  const Input input = InputOf(sequence, "");
  ScenarioProgram program(TheCodec().type(), nullptr);
  program.SetInput(input);
  ByteString benign;
  benign.BeginExecution();
  Trace trace;
  EXPECT_TRUE(Execute(program, benign, ExecutionOptions(), &trace).passed()) << sequence;
  for (const TraceEvent& event : trace.events) {
    if (event.type == TraceEvent::Type::kOperationEnd && event.text == "skipped") return false;
  }
  return true;
}

// Which run side by side: all of them take minutes.
constexpr std::size_t kParts = 4;

// All pairs of sequences of two actions, under all schedules within the bounds; of the parts of
// these pairs, that one.
void ExpectAllPass(std::size_t part, int preemption_bound, int memory_bound, MemoryMode memory) {
  std::vector<std::string> sequences;
  for (const char* const first : kActions) {
    for (const char* const second : kActions) {
      const std::string sequence = std::string(first) + "; " + second;
      if (IsEffective(sequence)) sequences.push_back(sequence);
    }
  }
  std::uint64_t inputs = 0;
  std::uint64_t executions = 0;
  for (std::size_t i = part; i < sequences.size(); i += kParts) {
    for (std::size_t j = i; j < sequences.size(); ++j) {
      DepthFirst search(preemption_bound, memory_bound);
      const Input input = InputOf(sequences[i], sequences[j]);
      const InputsResult result = ExploreInput(TheCodec(), input, search, ~0ull, memory);
      ASSERT_TRUE(result.verdict.passed()) << result.verdict.message << "\n" << result.input;
      ++inputs;
      executions += result.executions;
    }
  }
  std::printf("%zu sequences, %lu inputs, %lu executions\n", sequences.size(), inputs, executions);
  EXPECT_GT(inputs, 1000 / kParts);
}

class TinyScenarios : public testing::TestWithParam<std::size_t> {};

TEST_P(TinyScenarios, PassUnderAllSchedulesWithTwoPreemptions) {
  ExpectAllPass(GetParam(), 2, DepthFirst::kUnbounded, MemoryMode::kSc);
}

TEST_P(TinyScenarios, PassWithOnePreemptionAndOneOldValue) {
  ExpectAllPass(GetParam(), 1, 1, MemoryMode::kRc11);
}

INSTANTIATE_TEST_SUITE_P(Parts, TinyScenarios, testing::Range(std::size_t{0}, kParts));

}  // namespace
}  // namespace jacquard::fuzzers
