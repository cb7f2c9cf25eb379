// A scenario class and an input as a program for the simulated runtime.
#ifndef JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_
#define JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_

#include <cstdint>
#include <string>

#include "fuzzers/features.h"
#include "fuzzers/input.h"
#include "fuzzers/scenario_type.h"
#include "sim/program.h"

namespace jacquard::fuzzers {

// Runs the threads of an input side by side on a new scenario object. Allocates nothing itself
// while the threads run, so that a traced execution is the same as one without a trace.
class ScenarioProgram : public Program {
 public:
  // Features are reported to `features` unless it is null. Both must outlive the program.
  ScenarioProgram(const ScenarioType& type, Features* features)
      : type_(type), features_(features) {}

  // What the next executions run; must outlive them.
  void SetInput(const Input& input) { input_ = &input; }

  int ThreadCount() const override { return input_->threads(); }
  void Begin() override;
  void RunThread(int thread) override;
  void OnStep(const Step& step) override;
  void End() override;
  std::string NameOf(const void* address) override;
  std::string TextOf(const void* address, uint64_t value) override;
  std::string OperationName(int operation) override;

 private:
  const ScenarioType& type_;
  Features* const features_;
  const Input* input_ = nullptr;
  void* scenario_ = nullptr;
  int last_thread_ = 0;
  int last_operation_ = -1;
  int last_state_ = -1;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_
