// Compiled litmus programs show exactly the outcomes that the table allows, and the races: so the
// hooks tell the memory model the truth.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/depth_first.h"
#include "sim/explore.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"
#include "tests/litmus/compiled_program.h"

namespace jacquard::litmus {
namespace {

// Programs whose decisions are more than this many are not searched to the end; random executions
// take over.
constexpr uint64_t kMostExecutions = 60'000;
constexpr uint64_t kRandomExecutions = 30'000;

std::array<std::atomic<Value>, CompiledProgram::kMost> atomics;
std::array<volatile Value, CompiledProgram::kMost> plain;
std::array<Value, 4 * CompiledProgram::kMost> registers;

class Execution : public Program {
 public:
  explicit Execution(CompiledProgram program) : program_(std::move(program)) {
    program_.atomics = atomics.data();
    program_.plain = plain.data();
    program_.registers = registers.data();
  }
  int ThreadCount() const override { return static_cast<int>(program_.threads.size()); }
  void Begin() override {
    for (size_t i = 0; i < program_.initial.size(); ++i) {
      atomics[i].store(program_.initial[i], std::memory_order_relaxed);
      plain[i] = program_.initial[i];
    }
    registers.fill(-1);
  }
  void RunThread(int thread) override { program_.threads[static_cast<size_t>(thread)](program_); }
  bool Observes() override { return false; }
  void End() override {
    for (size_t i = 0; i < program_.observe.size(); ++i) last_[i] = ValueOf(program_.observe[i]);
    complete_ = true;
  }

  // Executes under `strategy` until it has nothing left; returns whether that was reached.
  bool Search(Strategy& strategy, uint64_t executions) {
    for (uint64_t i = 0; i < executions; ++i) {
      if (!strategy.BeginExecution()) return true;
      complete_ = false;
      const Verdict verdict = Execute(*this, strategy, {});
      strategy.EndExecution(verdict);
      if (verdict.kind == VerdictKind::kRace) {
        race = true;
      } else {
        EXPECT_TRUE(verdict.passed() && complete_) << verdict.message;
        outcomes.emplace(last_.begin(),
                         last_.begin() + static_cast<std::ptrdiff_t>(program_.observe.size()));
      }
    }
    return false;
  }

  bool race = false;
  std::set<std::vector<Value>> outcomes;

 private:
  static Value ValueOf(const Observed& what) {
    if (what.index < 0) return -1;
    const auto index = static_cast<size_t>(what.index);
    switch (what.kind) {
      case Observed::kRegister:
        return registers[index];
      case Observed::kAtomic:
        return atomics[index].load(std::memory_order_relaxed);
      case Observed::kPlain:
        break;
    }
    return plain[index];
  }

  CompiledProgram program_;
  std::array<Value, 4 * CompiledProgram::kMost> last_ = {};  // written in an execution: no heap
  bool complete_ = false;
};

std::string TextOf(const std::vector<Value>& outcome) {
  std::string text = "[";
  for (const Value value : outcome) text += (text.size() > 1 ? "," : "") + std::to_string(value);
  return text + "]";
}

class Compiled : public testing::TestWithParam<CompiledProgram> {};

TEST_P(Compiled, AgreesWithTheTable) {
  const CompiledProgram& program = GetParam();
  Execution execution(program);
  DepthFirst search;
  const bool exhausted = execution.Search(search, kMostExecutions);
  if (!exhausted) {
    RandomWalk walk(1);
    execution.Search(walk, kRandomExecutions);
  }
  EXPECT_LE(execution.race, program.racy);
  if (exhausted) {
    EXPECT_EQ(execution.race, program.racy);
  }
  if (program.racy) return;
  for (const std::vector<Value>& outcome : execution.outcomes) {
    EXPECT_TRUE(program.allowed.contains(outcome)) << "not allowed: " << TextOf(outcome);
  }
  if (!exhausted) {
    RecordProperty("complete", "no");
    return;
  }
  for (const std::vector<Value>& outcome : program.allowed) {
    EXPECT_TRUE(execution.outcomes.contains(outcome)) << "missing: " << TextOf(outcome);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Compiled, testing::ValuesIn(CompiledPrograms()),
                         [](const testing::TestParamInfo<CompiledProgram>& info) {
                           std::string name = info.param.name;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name + "_" + std::to_string(info.index);
                         });

}  // namespace
}  // namespace jacquard::litmus
