// The simulated form: one OS thread, every interleaving under control of the input.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "fuzzers/engine.h"
#include "fuzzers/features.h"
#include "fuzzers/form.h"
#include "fuzzers/meaning.h"
#include "fuzzers/minimizer.h"
#include "fuzzers/reorder.h"
#include "fuzzers/scenario.h"
#include "fuzzers/scenario_program.h"
#include "jacquard/schedule_counter.h"
#include "sim/byte_string.h"
#include "sim/execute.h"
#include "sim/report.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard {

bool Simulated() { return true; }

namespace fuzzers {

static_assert(sizeof(Features) <= kMostCounters);

struct Form::State {
  State(const Codec& c, FormOptions o)
      : codec(c),
        options(std::move(o)),
        program(codec.type(), options.features != 0 ? &features : nullptr, options.features) {
    options.execution.check_leaks = codec.type().check_leaks;
    options.execution.allocations_may_fail = codec.type().allocations_may_fail;
  }

  Verdict Run(const Input& input, Trace* trace) {
    program.SetInput(input);
    steps_before = RuntimeCounters().steps;
    if (options.addressing != Addressing::kPositions) [[unlikely]] {
      meaning.Set(input.exceptions(), input.memory_exceptions());
      meaning.BeginExecution();
      return jacquard::Execute(program, meaning, options.execution, trace);
    }
    strategy.Set(input.exceptions(), input.memory_exceptions());
    strategy.BeginExecution();
    return jacquard::Execute(program, strategy, options.execution, trace);
  }

  const Codec& codec;
  FormOptions options;
  ScenarioProgram program;
  ByteString strategy;
  std::optional<ExecutionSeries> series;
  Meaning meaning{options.addressing};
  Watch watch{strategy};
  call::ScheduleCounter schedules{options.estimates_schedules ? 0
                                                              : call::ScheduleCounter::kMostExact};
  uint64_t steps_before = 0;  // the last execution
  Verdict verdict;            // of the last failure
};

Form::Form(const Codec& codec, FormOptions options) : state_(new State(codec, std::move(options))) {
  BeginTests();
  if (state_->options.one_after_another) state_->series.emplace();
  SetWatchdog(state_->options.no_step_seconds, [this](const std::string& text) {
    if (state_->options.on_fatal) state_->options.on_fatal(text, /*no_step=*/true);
  });
}

Form::~Form() = default;

bool Form::Execute(const Input& input) {
  Verdict verdict = state_->Run(input, nullptr);
  state_->schedules.Add(LastSchedule());
  TellEngine({reinterpret_cast<uint8_t*>(&features), sizeof(features)});
  if (verdict.passed()) [[likely]]
    return true;
  state_->verdict = std::move(verdict);
  return false;
}

std::string Form::Report(const Input& input, ReportFormat format) {
  Trace trace;
  trace.endless = state_->verdict.endless;
  const Verdict verdict = state_->Run(input, &trace);
  ReportOptions options;
  options.timeline.all = state_->options.all_events;
  options.replay_command = state_->options.replay_command;
  if (verdict.signature != state_->verdict.signature) {
    // Should never happen: something that decides is not under the input's control.
    const std::string second = verdict.passed() ? "passes" : "fails with " + verdict.signature;
    return fmt::format(
               "jacquard: not deterministic: executed again, the same input {}. The report is of "
               "the first execution; no trace belongs to it.\n",
               second) +
           FormatReport(state_->verdict, Trace{}, options);
  }
  switch (format) {
    case ReportFormat::kText:
      break;
    case ReportFormat::kJson:
      return FormatJson(verdict, trace, options);
    case ReportFormat::kHtml:
      return FormatHtml(verdict, trace, options);
  }
  return FormatReport(verdict, trace, options);
}

bool Form::Reorder(Input& input, uint64_t seed) {
  state_->program.SetInput(input);
  state_->strategy.Set(input.exceptions(), input.memory_exceptions());
  state_->watch.BeginExecution();
  if (!jacquard::Execute(state_->program, state_->watch, state_->options.execution).passed())
    return false;
  Choices choices = ChoicesOf(input);
  return fuzzers::Reorder::Mutate(state_->watch, seed, choices) && SetChoices(choices, input);
}

std::string Form::Minimize(Input& input, uint64_t executions) {
  const auto execute = [this](const Input& scenario, Strategy& strategy) {
    state_->program.SetInput(scenario);
    return jacquard::Execute(state_->program, strategy, state_->options.execution);
  };
  InputMinimizer minimizer(
      state_->codec, execute, [this](int thread) { return state_->program.OperationsDone(thread); },
      state_->verdict.signature, executions);
  const InputCost before = CostOf(input);
  Choices choices = ChoicesOf(input);
  minimizer.Minimize(input, choices);
  const InputCost after = CostOf(input);
  return fmt::format(
      "minimised in {} executions: threads {} -> {}, operations {} -> {}, choices {} -> {}, of the "
      "memory model {} -> {}{}",
      minimizer.executions(), before.threads, after.threads, before.operations, after.operations,
      before.schedule.others, after.schedule.others, before.schedule.of_memory,
      after.schedule.of_memory,
      minimizer.spent() ? "; that was the budget, and --executions gives more" : "");
}

const std::string& Form::signature() const { return state_->verdict.signature; }
uint64_t Form::executions() const { return RuntimeCounters().executions; }
uint64_t Form::cut_histories() const { return RuntimeCounters().cut_histories; }
uint64_t Form::distinct_schedules(bool& estimated) const {
  const uint64_t count = state_->schedules.Count();
  estimated = state_->schedules.estimated();
  return count;
}
uint64_t Form::steps() const { return RuntimeCounters().steps; }
ExecutionLength Form::length() const {
  return {.steps = RuntimeCounters().steps - state_->steps_before,
          .picks = state_->strategy.picks(),
          .memory_picks = state_->strategy.memory_picks()};
}

void Form::RecordStates(std::vector<StateSeen>* seen) { state_->program.RecordStates(seen); }

uint64_t Form::states() const { return state_->program.states_seen(); }

std::span<const uint8_t> Form::state_slots() const { return state_->program.state_slots(); }
std::string Form::schedule_registers() const { return state_->schedules.Registers(); }

const char* FormName() { return "simulated"; }

}  // namespace fuzzers
}  // namespace jacquard
