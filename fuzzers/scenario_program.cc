// The simulated form of a scenario: what runs on each simulated thread, and what is checked when.
#include "fuzzers/scenario_program.h"

#include "fuzzers/text.h"
#include "sim/runtime.h"
#include "sim/variables.h"

namespace jacquard::fuzzers {

void ScenarioProgram::Begin() {
  scenario_ = type_.create();
  last_ = {};
  operations_done_ = {};
  ++execution_;
  if (features_ != nullptr) features_->AddExecution();
}

void ScenarioProgram::RunThread(int thread) {
  const bool tracing = Tracing();
  if (type_.begin_thread != nullptr) type_.begin_thread(scenario_);
  for (const Call& call : input_->calls(thread)) {
    const OperationType& operation = type_.operations[call.operation];
    BeginOperation(call.operation);
    if (tracing) [[unlikely]] {
      char buffer[256];
      DescribeOperation(FormatCall(type_, call, buffer));
    }
    const int arguments[kMaxArguments] = {call.arguments[0], call.arguments[1], call.arguments[2]};
    const char* const result = operation.run(scenario_, operation.method, arguments);
    EndOperation();
    ++operations_done_[thread];
    if (tracing && result != nullptr) [[unlikely]]
      DescribeOperation(result);
    if (type_.check_after_operation != nullptr) {
      const Ghost ghost;
      type_.check_after_operation(scenario_, thread);
    }
  }
  if (type_.end_thread != nullptr) type_.end_thread(scenario_);
}

void ScenarioProgram::OnStep(const Step& step) {
  const int state = after_step_(scenario_, step);
  const Seen seen = {step.thread, step.operation, state};
  if (seen != last_) AddFeatures(seen);
  if (objects_ != nullptr && step.address != nullptr) AddAccess(step);
}

void ScenarioProgram::AddAccess(const Step& step) {
  const auto address = reinterpret_cast<uintptr_t>(step.address);
  ObjectHistory& object = (*objects_)[(address / 4 ^ address / 1024) % kObjects];
  if (object.execution != execution_ || object.address != step.address)
    object = {.address = step.address, .execution = execution_};
  features_->AddAccess(step, kinds_, object);
}

void ScenarioProgram::AddFeatures(Seen seen) {
  if (features_ != nullptr) {
    if ((kinds_ & kSwitchFeatures) != 0 && seen.thread != last_.thread) {
      features_->AddSwitch(last_.operation, seen.operation);
    }
    if ((kinds_ & kStateFeatures) != 0 &&
        (seen.state != last_.state || seen.operation != last_.operation)) {
      uint8_t& known = state_seen_[features_->AddState(seen.state, seen.operation)];
      states_seen_ += known == 0 ? 1 : 0;
      known = 1;
    }
  }
  if (recorded_ != nullptr && recorded_->size() < recorded_->capacity()) [[unlikely]]
    recorded_->push_back({seen.state, seen.operation});
  last_ = seen;
}

void ScenarioProgram::End() {
  if (type_.check_final != nullptr) type_.check_final(scenario_);
  type_.destroy(scenario_);
}

std::string ScenarioProgram::NameOf(const void* address) {
  std::string name;
  if (type_.name_of != nullptr) type_.name_of(scenario_, address, &name);
  return name.empty() ? NameOfVariable(address) : name;
}

std::string ScenarioProgram::TextOf(const void* address, uint64_t value) {
  std::string text;
  if (type_.text_of != nullptr) type_.text_of(scenario_, address, value, &text);
  return text;
}

std::string ScenarioProgram::HeldBy(int thread) {
  std::string text;
  if (type_.held_by != nullptr) type_.held_by(scenario_, thread, &text);
  return text;
}

std::string ScenarioProgram::OperationName(int operation) {
  if (operation < 0 || operation >= type_.operation_count) return {};
  return type_.operations[operation].name;
}

}  // namespace jacquard::fuzzers
