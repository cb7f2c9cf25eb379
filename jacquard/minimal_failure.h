// A failure as it is reported: of as few choices as still lead to it.
#ifndef JACQUARD_JACQUARD_MINIMAL_FAILURE_H_
#define JACQUARD_JACQUARD_MINIMAL_FAILURE_H_

#include "jacquard/silence.h"
#include "sim/execute.h"
#include "sim/minimizer.h"
#include "sim/program.h"

namespace jacquard::call {

// Replaces `choices`, which lead to `verdict`, by as few as still lead to its signature, and
// `verdict` and `trace` by those of that execution, whose output is let through. Whether no choice
// is left that is not needed; false also if that took too long to find out.
bool Minimize(Program& program, const ExecutionOptions& options, Silence& silence, Choices& choices,
              Verdict& verdict, Trace& trace);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_MINIMAL_FAILURE_H_
