// The trace as JSON, for FormatJson and for the page that has it inside (html.cc). Part of the
// report.
#ifndef JACQUARD_SIM_JSON_H_
#define JACQUARD_SIM_JSON_H_

#include <string>

#include "sim/report.h"

namespace jacquard::sim {

// As FormatJson, without a newline at the end; every level indented by `indent` spaces, or all in
// one line if that is -1.
std::string TraceJson(const Verdict& verdict, const Trace& trace, const ReportOptions& options,
                      int indent);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_JSON_H_
