// The two forms of a fuzz target, behind one interface: simulated_form.cc runs an input in the
// simulated runtime, native_form.cc on real threads. A program links one of them.
#ifndef JACQUARD_FUZZERS_FORM_H_
#define JACQUARD_FUZZERS_FORM_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"
#include "fuzzers/meaning.h"
#include "fuzzers/state_seen.h"
#include "sim/execute.h"

namespace jacquard::fuzzers {

// docs/reading_a_failure.md shows the text, docs/trace_json.md has the schema of the JSON; the page
// is for a browser.
enum class ReportFormat { kText, kJson, kHtml };

struct FormOptions {
  // Simulated; what the scenario class decides (leaks, allocations) is taken from there.
  ExecutionOptions execution;
  double no_step_seconds = 10;   // simulated: CPU time without a step until the watchdog barks
  double deadlock_seconds = 10;  // native: time until threads that do not end are a deadlock
  uint32_t features = 0;         // simulated: the kinds that libFuzzer is told of (features.h)
  Addressing addressing = Addressing::kPositions;  // simulated: how inputs are read

  // Simulated: as long as the form lives there is nothing but executions (ExecutionSeries).
  bool one_after_another = false;

  // Simulated: distinct schedules are estimated from the first one on, so that they can be united
  // with those of other processes.
  bool estimates_schedules = false;

  // How a failure is shown.
  bool all_events = false;  // of the text
  // The command that replays the input; "" if it is not known yet.
  std::string replay_command;

  // Called from any thread, with the report of a failure, where no more executions are possible:
  // always in the native form; in the simulated one for a watchdog (`no_step`). Must not return,
  // except for a watchdog: then the process ends.
  std::function<void(const std::string& report, bool no_step)> on_fatal;
};

// Executes inputs of one target. Must be used from the process's first thread. One per process.
class Form {
 public:
  // `codec` must outlive the form.
  Form(const Codec& codec, FormOptions options);
  ~Form();
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;

  // Executes `input` once. True if it passed. Otherwise Report() tells why, or on_fatal was called.
  bool Execute(const Input& input);

  // Executes `input`, which has failed, once more with a trace, and describes the failure. Ends
  // with a newline. The native form has no trace: what is to be said of it on_fatal has had.
  std::string Report(const Input& input, ReportFormat format = ReportFormat::kText);

  // Changes the choices of `input` in a way that follows from what it does when it is executed
  // (fuzzers/reorder.h). False: not possible; never in the native form.
  bool Reorder(Input& input, uint64_t seed);

  // Shrinks `input`, which was executed last and has failed, in at most so many executions
  // (fuzzers/minimizer.h). Returns what has become of it, in a line. Simulated form only.
  std::string Minimize(Input& input, uint64_t executions);

  // The signature of the last failure.
  const std::string& signature() const;

  // How long the last execution was; nothing in the native form.
  ExecutionLength length() const;

  // Executions and steps so far; 0 steps in the native form.
  uint64_t executions() const;
  uint64_t steps() const;
  // What ScenarioProgram::RecordStates says; nothing in the native form.
  void RecordStates(std::vector<StateSeen>* seen);

  // How many pairs of a state of the locks and an operation the fuzzed inputs have shown; 0 in the
  // native form. A scenario that tells no states has one.
  uint64_t states() const;
  // Executions in which the memory model's bounds mattered (Counters in sim/execute.h).
  uint64_t cut_histories() const;
  // How many schedules differed in who ran when, of the fuzzed inputs; 0 in the native form.
  // `estimated`: within about 1 %.
  uint64_t distinct_schedules(bool& estimated) const;
  // Which states and schedules those are, to be united with those of other processes
  // (fuzzers/run_totals.h); empty in the native form. Schedules if they are estimated from the
  // first one on.
  std::span<const uint8_t> state_slots() const;
  std::string schedule_registers() const;

 private:
  struct State;
  State* const state_;  // never freed: threads may hold on to it
};

// "simulated" or "native".
const char* FormName();

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_FORM_H_
