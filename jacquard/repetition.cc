#include "jacquard/repetition.h"

#include "jacquard/deadline.h"

namespace jacquard::call {

Verdict Repeat(Program& program, Strategy& strategy, const ExecutionOptions& options, Trace* trace,
               Course& course) {
  const Deadline none(0);
  strategy.RepeatExecution();
  const uint64_t steps_before = RuntimeCounters().steps;
  Verdict verdict = Execute(program, strategy, options, trace);
  course = {LastSchedule(), RuntimeCounters().steps - steps_before, verdict.signature};
  return verdict;
}

bool RepeatsWithChoices(Program& program, const ChoiceRecorder& recorder,
                        const ExecutionOptions& options, const Course& course, Trace& trace) {
  constexpr int kTimes = 3;
  ByteString replay;
  replay.Set(recorder.exceptions(), recorder.memory_exceptions());
  for (int i = 0; i < kTimes; ++i) {
    trace = {};
    Course again;
    Repeat(program, replay, options, &trace, again);
    if (again != course) return false;
  }
  return true;
}

}  // namespace jacquard::call
