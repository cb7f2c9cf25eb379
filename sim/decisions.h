// The decisions that matter, in words: every choice that was not the benign one. Those one after
// another that differ only in their step share a sentence. Part of the report.
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
  size_t count = 0;                    // of all decisions
  size_t left_out = 0;                 // those of them behind the last sentence
};

// At most `most` sentences. Linear in the length of the trace for each decision in them.
Decisions DescribeDecisions(const TraceView& view, const StepText& words, size_t most);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_DECISIONS_H_
