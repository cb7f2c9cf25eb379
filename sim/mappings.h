// Memory that the program has mapped in an execution.
#ifndef JACQUARD_SIM_MAPPINGS_H_
#define JACQUARD_SIM_MAPPINGS_H_

namespace jacquard::sim {

// After an execution: unmaps what it has mapped without saying where.
void UnmapProgramsMemory();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_MAPPINGS_H_
