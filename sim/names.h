// Names for what traces hold, beyond those that the public headers declare. Part of the report; the
// words must not change lightly: JSON readers know them (docs/trace_json.md).
#ifndef JACQUARD_SIM_NAMES_H_
#define JACQUARD_SIM_NAMES_H_

#include <string>

#include "sim/strategy.h"
#include "sim/trace.h"

namespace jacquard::sim {

// "schedule", "reads-from", ... Never null.
const char* PickKindName(PickKind kind);

// "step", "operation begin", ... Never null.
const char* EventTypeName(TraceEvent::Type type);

// "SIGUSR1".
std::string SignalName(int signal);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_NAMES_H_
