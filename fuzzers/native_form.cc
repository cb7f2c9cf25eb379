// The native form: real threads, usually under a sanitizer. A failure ends the process.
#include <atomic>
#include <memory>
#include <utility>

#include "fuzzers/form.h"
#include "fuzzers/scenario.h"
#include "stress/native_executor.h"

namespace jacquard {

bool Simulated() { return false; }

namespace fuzzers {

struct Form::State {
  FormOptions options;
  std::unique_ptr<NativeExecutor> executor;
  uint64_t executions = 0;
  std::string report;
  std::string signature;
};

Form::Form(const Codec& codec, FormOptions options) : state_(new State) {
  state_->options = std::move(options);
  NativeOptions native;
  native.deadlock_seconds = state_->options.deadlock_seconds;
  native.on_failure = [this](const std::string& report, const std::string& signature) {
    state_->signature = signature;
    std::string text = report;
    if (!state_->options.replay_command.empty()) {
      text += "Replay (it may take many tries): " + state_->options.replay_command + "\n";
    }
    state_->options.on_fatal(text, /*no_step=*/false);
  };
  state_->executor = std::make_unique<NativeExecutor>(codec, std::move(native));
}

Form::~Form() = default;

bool Form::Execute(const Input& input) {
  // The delays follow from the number of the execution, so that the same input is tried with many.
  state_->executor->Execute(input, state_->executions++);
  return true;
}

std::string Form::Report(const Input& /*input*/, ReportFormat /*format*/) {
  return {};
}  // on_fatal has had it
bool Form::Reorder(Input& /*input*/, uint64_t /*seed*/) { return false; }

std::string Form::Minimize(Input& /*input*/, uint64_t /*executions*/) { return {}; }

const std::string& Form::signature() const { return state_->signature; }
uint64_t Form::executions() const { return state_->executions; }
uint64_t Form::cut_histories() const { return 0; }
uint64_t Form::distinct_schedules(bool& /*estimated*/) const { return 0; }
uint64_t Form::steps() const { return 0; }
ExecutionLength Form::length() const { return {}; }
std::span<const uint8_t> Form::state_slots() const { return {}; }
std::string Form::schedule_registers() const { return {}; }
void Form::RecordStates(std::vector<StateSeen>* /*seen*/) {}
uint64_t Form::states() const { return 0; }

const char* FormName() { return "native"; }

}  // namespace fuzzers
}  // namespace jacquard
