// A timeline: how a trace is shown as text, one column per thread, time going down.
//
// The whole text of a failure, of which the timeline is a part, is in sim/report.h;
// docs/reading_a_failure.md explains both to readers.
#ifndef JACQUARD_SIM_TIMELINE_H_
#define JACQUARD_SIM_TIMELINE_H_

#include <string>

#include "sim/symbolize.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard {

struct TimelineOptions {
  // The longest line, in characters; at least 40. With more threads than fit side by side, the
  // columns shrink to lanes beside one column of text, and then to thread numbers.
  int width = 100;
  // Every event. Otherwise the interesting ones: context switches and the steps around them,
  // writes, steps where the choice was not the benign one, operations, notes, whatever blocks, and
  // the last step of each thread; runs of others become "… 5 steps".
  bool all = false;
  bool ascii = false;      // nothing but ASCII
  bool locations = false;  // file and line with each step
  // At most so many rows unless `all`: the first ones and, above all, the last ones stay.
  int max_rows = 200;
  // Tells a compare-exchange from an exchange, and gives the locations. Null: addresses stay
  // hexadecimal.
  FrameLookup symbolize = Symbolize;
};

// The timeline of `trace`, every line ended by a newline. `verdict` says which step to mark.
// Follows from its arguments alone: same trace, same text. Never fails, whatever the trace holds.
// Call outside of executions. Costs about a microsecond per event, plus the symbolising.
std::string FormatTimeline(const Trace& trace, const Verdict& verdict,
                           const TimelineOptions& options = {});

}  // namespace jacquard

#endif  // JACQUARD_SIM_TIMELINE_H_
