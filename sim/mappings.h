// Memory that the program has mapped in an execution, or before them.
#ifndef JACQUARD_SIM_MAPPINGS_H_
#define JACQUARD_SIM_MAPPINGS_H_

#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {

// After an execution: unmaps what it has mapped without saying where.
void UnmapProgramsMemory();

// What the next one will write can be written again, where the program has protected it.
void UnprotectPages();

// What a program with a main of its own has mapped for itself before that, and not given back.
std::vector<DataRange> MappedBeforeMain();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_MAPPINGS_H_
