// What a program may show, found by trying everything on a model of the primitives that POSIX and
// Linux describe: who may run is what the standard says, whatever an implementation prefers.
#ifndef JACQUARD_TESTS_SIM_SYNCHRONIZATION_MODEL_H_
#define JACQUARD_TESTS_SIM_SYNCHRONIZATION_MODEL_H_

#include "tests/sim/synchronization/program.h"

namespace jacquard::synchronization {

// `spurious`: waits for condition variables and futexes may end for no reason.
Outcomes SolveByModel(const Program& program, bool spurious);

}  // namespace jacquard::synchronization

#endif  // JACQUARD_TESTS_SIM_SYNCHRONIZATION_MODEL_H_
