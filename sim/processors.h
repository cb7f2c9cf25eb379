// Which processor a simulated thread runs on.
#ifndef JACQUARD_SIM_PROCESSORS_H_
#define JACQUARD_SIM_PROCESSORS_H_

#include <cstdint>

namespace jacquard::sim {

// As getcpu(), for the running simulated thread. Either result may be null. `pc` is the call.
int GetProcessor(unsigned* processor, unsigned* node, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PROCESSORS_H_
