// The decisions that matter, in words: every choice that was not the benign one. Part of the
// report.
#ifndef JACQUARD_SIM_DECISIONS_H_
#define JACQUARD_SIM_DECISIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "sim/step_text.h"
#include "sim/trace_view.h"

namespace jacquard::sim {

struct Decisions {
  std::vector<std::string> sentences;  // the first ones, printable, one line each
  size_t count = 0;                    // of all
};

// At most `most` sentences. Linear in the length of the trace for each of them.
Decisions DescribeDecisions(const TraceView& view, const StepText& words, size_t most);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_DECISIONS_H_
