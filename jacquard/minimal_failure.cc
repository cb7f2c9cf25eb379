#include "jacquard/minimal_failure.h"

#include <utility>

#include "jacquard/deadline.h"
#include "sim/byte_string.h"

namespace jacquard::call {
namespace {

// What a finding may cost until it is reported. The clock is for bodies that compute for long.
constexpr MinimizeBudget kBudget = {.executions = 10'000, .steps = 50'000'000, .seconds = 10};

}  // namespace

bool Minimize(Program& program, const ExecutionOptions& options, Silence& silence, Choices& choices,
              Verdict& verdict, Trace& trace) {
  ExecutionOptions quick = options;
  quick.lock_order = false;  // of what passes nothing is wanted
  quick.watch_from = kWatchSoon;
  ScheduleMinimizer minimizer(
      [&](Strategy& strategy) {
        return LastWasGivenUp() ? Verdict() : Execute(program, strategy, quick);
      },
      verdict.signature, kBudget);
  Choices fewer = choices;
  {
    const Deadline deadline(kBudget.seconds);
    if (minimizer.Fails(fewer)) minimizer.Minimize(fewer);
  }
  const bool is_cut = LastWasGivenUp();
  const Deadline none(0);
  for (const Choices& tried : {fewer, choices}) {
    Trace trace_of_tried;
    trace_of_tried.endless = verdict.endless;
    ByteString replay;
    replay.Set(tried.others, tried.of_memory);
    replay.BeginExecution();
    silence.Lift();
    Verdict again = Execute(program, replay, options, &trace_of_tried);
    silence.Restore();
    if (again.signature != verdict.signature) continue;
    const bool minimal = !minimizer.spent() && !is_cut && tried == fewer;
    choices = tried;
    verdict = std::move(again);
    trace = std::move(trace_of_tried);
    return minimal;
  }
  return false;
}

}  // namespace jacquard::call
