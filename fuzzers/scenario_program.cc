// The simulated form of a scenario: what runs on each simulated thread, and what is checked when.
#include "fuzzers/scenario_program.h"

#include "fuzzers/text.h"
#include "sim/runtime.h"

namespace jacquard::fuzzers {

void ScenarioProgram::Begin() {
  scenario_ = type_.create();
  last_thread_ = 0;
  last_operation_ = -1;
  last_state_ = -1;
}

void ScenarioProgram::RunThread(int thread) {
  if (type_.begin_thread != nullptr) type_.begin_thread(scenario_);
  for (const Call& call : input_->calls(thread)) {
    const OperationType& operation = type_.operations[call.operation];
    BeginOperation(call.operation);
    if (Tracing()) {
      char buffer[256];
      DescribeOperation(FormatCall(type_, call, buffer));
    }
    const int arguments[kMaxArguments] = {call.arguments[0], call.arguments[1], call.arguments[2]};
    const char* const result = operation.run(scenario_, operation.method, arguments);
    EndOperation();
    if (result != nullptr && Tracing()) DescribeOperation(result);
    if (type_.check_after_operation != nullptr) {
      const Ghost ghost;
      type_.check_after_operation(scenario_, thread);
    }
  }
  if (type_.end_thread != nullptr) type_.end_thread(scenario_);
}

void ScenarioProgram::OnStep(const Step& step) {
  if (type_.on_step != nullptr) type_.on_step(scenario_, step);
  if (type_.check_invariant != nullptr) type_.check_invariant(scenario_);
  if (features_ == nullptr) return;
  if (step.thread != last_thread_) features_->AddSwitch(last_operation_, step.operation);
  const int state = type_.state_feature != nullptr ? type_.state_feature(scenario_) : 0;
  if (state != last_state_ || step.operation != last_operation_) {
    features_->AddState(state, step.operation);
  }
  last_thread_ = step.thread;
  last_operation_ = step.operation;
  last_state_ = state;
}

void ScenarioProgram::End() {
  if (type_.check_final != nullptr) type_.check_final(scenario_);
  type_.destroy(scenario_);
}

std::string ScenarioProgram::NameOf(const void* address) {
  std::string name;
  if (type_.name_of != nullptr) type_.name_of(scenario_, address, &name);
  return name;
}

std::string ScenarioProgram::TextOf(const void* address, uint64_t value) {
  std::string text;
  if (type_.text_of != nullptr) type_.text_of(scenario_, address, value, &text);
  return text;
}

std::string ScenarioProgram::OperationName(int operation) {
  if (operation < 0 || operation >= type_.operation_count) return {};
  return type_.operations[operation].name;
}

}  // namespace jacquard::fuzzers
