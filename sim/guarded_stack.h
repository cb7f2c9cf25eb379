// Stacks for what must not depend on the stack of whoever comes: fault reports, symbolising.
#ifndef JACQUARD_SIM_GUARDED_STACK_H_
#define JACQUARD_SIM_GUARDED_STACK_H_

#include <cstddef>

namespace jacquard {

// Maps a stack of `size` bytes (a multiple of the page size) that nobody frees, below it a page
// that cannot be accessed: who needs more faults, and writes to nobody else's memory. Returns its
// lowest byte; null if there is no memory.
char* MapGuardedStack(size_t size);

}  // namespace jacquard

#endif  // JACQUARD_SIM_GUARDED_STACK_H_
