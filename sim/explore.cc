#include "sim/explore.h"

#include <string>
#include <utility>

#include "sim/byte_string.h"
#include "sim/lock_nesting.h"

namespace jacquard {
namespace {

// Executes the failing run, whose verdict is in `result`, once more, to record it.
void RecordFailure(Program& program, ByteString& replay, const ExploreOptions& options,
                   ExploreResult& result) {
  replay.BeginExecution();
  result.trace.endless = result.verdict.endless;
  Verdict again = Execute(program, replay, options.execution, &result.trace);
  if (again.signature == result.verdict.signature) {
    result.verdict = std::move(again);  // its steps are the trace's
    return;
  }
  result.not_deterministic = true;
  result.trace = {};
  result.verdict.message += "; not deterministic: executed again with the same choices, it " +
                            (again.passed() ? "passes" : "fails with " + again.signature);
}

}  // namespace

ExploreResult Explore(Program& program, Strategy& strategy, const ExploreOptions& options) {
  ExploreResult result;
  ChoiceRecorder recorder(strategy);
  const uint64_t steps_before = RuntimeCounters().steps;
  const uint64_t cut_before = RuntimeCounters().cut_histories;
  const ExecutionSeries series;
  while (result.executions < options.executions) {
    if (!recorder.BeginExecution()) {
      result.exhausted = true;
      break;
    }
    Verdict verdict = Execute(program, recorder, options.execution);
    ++result.executions;
    recorder.EndExecution(verdict);
    if (verdict.passed()) continue;
    if (++result.failures == 1) {
      // Of a deadlock that could have been, the one that is.
      const DeadlockChoices& deadlock = LastDeadlockChoices();
      ByteString replay;
      replay.Set(recorder.exceptions(), recorder.memory_exceptions());
      if (verdict.kind == VerdictKind::kLockOrder) {
        replay.Set(deadlock.exceptions, deadlock.memory_exceptions);
        replay.BeginExecution();
        verdict = Execute(program, replay, options.execution);
      }
      result.verdict = std::move(verdict);
      if (options.trace) RecordFailure(program, replay, options, result);
    }
    if (options.stop_at_first_bug) break;
  }
  result.steps = RuntimeCounters().steps - steps_before;
  result.cut_histories = RuntimeCounters().cut_histories - cut_before;
  if (result.steps == 0 && result.failures == 0 && result.executions != 0) {
    result.no_step = true;
    result.verdict.kind = VerdictKind::kUnsupported;
    result.verdict.signature = "unsupported|no instrumented step";
    result.verdict.message =
        "no instrumented step ever happened: the code under test was built without the hooks "
        "(build it with "
        "jacquard_cc_test or cc_fuzz_test), or it has no atomic operation and no call into the "
        "thread "
        "library";
  }
  return result;
}

ExploreResult Explore(const std::function<void()>& body, Strategy& strategy,
                      const ExploreOptions& options) {
  Closure program(body);
  return Explore(program, strategy, options);
}

}  // namespace jacquard
