// The same programs on the C library's primitives, in the simulated runtime.
#ifndef JACQUARD_TESTS_SIM_SYNCHRONIZATION_PERFORM_H_
#define JACQUARD_TESTS_SIM_SYNCHRONIZATION_PERFORM_H_

#include <cstdint>
#include <string>

#include "sim/execute.h"
#include "tests/sim/synchronization/program.h"

namespace jacquard::synchronization {

struct Performed {
  Outcomes outcomes;
  bool complete = false;      // all executions that there are
  std::string other_verdict;  // one that is neither a deadlock nor misuse; empty if there was none
};

// In up to so many executions.
Performed Perform(const Program& program, uint64_t executions, const ExecutionOptions& options);

}  // namespace jacquard::synchronization

#endif  // JACQUARD_TESTS_SIM_SYNCHRONIZATION_PERFORM_H_
