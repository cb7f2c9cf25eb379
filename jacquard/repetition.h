// Executions once more, to see whether they take the same course.
#ifndef JACQUARD_JACQUARD_REPETITION_H_
#define JACQUARD_JACQUARD_REPETITION_H_

#include <cstdint>
#include <string>

#include "sim/byte_string.h"
#include "sim/execute.h"

namespace jacquard::call {

// What two executions with the same choices must have in common.
struct Course {
  uint64_t schedule = 0;
  uint64_t steps = 0;
  std::string signature;
  bool operator==(const Course&) const = default;
};

// Executes `program` once more as `strategy` had it executed last, with the same choices, however
// long it takes.
Verdict Repeat(Program& program, Strategy& strategy, const ExecutionOptions& options, Trace* trace,
               Course& course);

// Whether what `recorder` has recorded leads to the same course again and again. Else `trace` is of
// another one.
bool RepeatsWithChoices(Program& program, const ChoiceRecorder& recorder,
                        const ExecutionOptions& options, const Course& course, Trace& trace);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_REPETITION_H_
