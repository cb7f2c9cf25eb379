// The C library's variables that programs assign by themselves: environ, stderr,
// program_invocation_name, optind. What an execution writes there must not reach the next one, in
// which what it points to is gone.
#ifndef JACQUARD_SIM_C_LIBRARY_H_
#define JACQUARD_SIM_C_LIBRARY_H_

#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {

// Those that the executable, or a loaded library with hooks, names. What stands in the executable
// in place of such a variable (without -fpie) is the executable's. Costs a look at all relocations.
std::vector<DataRange> VariablesOfCLibrary();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_C_LIBRARY_H_
