// A report: the whole failure, as text or a page for a person and as JSON for a program.
#ifndef JACQUARD_SIM_REPORT_H_
#define JACQUARD_SIM_REPORT_H_

#include <string>

#include "sim/timeline.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard {

struct ReportOptions {
  TimelineOptions timeline;
  // The one command that replays the failure; "" leaves the line out.
  std::string replay_command;
};

// What was violated, where (call stack; for a deadlock every thread's), the timeline, the decisions
// that matter (those that were not benign) in words, the signature, the command that replays it.
// The first line is "KIND: MESSAGE". `trace` may be empty: then only what the verdict says.
// Same properties as FormatTimeline.
std::string FormatReport(const Verdict& verdict, const Trace& trace,
                         const ReportOptions& options = {});

// The same as JSON, one object with a newline at its end; docs/trace_json.md has the schema. Always
// every event; of `options`, only `timeline.symbolize` and `replay_command` matter.
std::string FormatJson(const Verdict& verdict, const Trace& trace,
                       const ReportOptions& options = {});

// The same as a page for a browser, in one piece that needs no network: the JSON with what shows it
// (sim/timeline_page/). Always every event; the page has filters.
std::string FormatHtml(const Verdict& verdict, const Trace& trace,
                       const ReportOptions& options = {});

}  // namespace jacquard

#endif  // JACQUARD_SIM_REPORT_H_
