// Memory at addresses of the runtime's choice.
#ifndef JACQUARD_SIM_RESERVE_H_
#define JACQUARD_SIM_RESERVE_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// Reserves `size` bytes at `address`, which read as zeros and take up memory once they are touched;
// returns where. `what` they are for: if the addresses are taken, ends the process with a message.
void* ReserveAt(uintptr_t address, size_t size, const char* what);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RESERVE_H_
