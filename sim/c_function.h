// Functions of the C library, which has no hooks, whose accesses are those of the code under test
// that calls them.
#ifndef JACQUARD_SIM_C_FUNCTION_H_
#define JACQUARD_SIM_C_FUNCTION_H_

#include <cstdint>

#include "sim/arena.h"
#include "sim/engine.h"
#include "sim/hooked_code.h"
#include "sim/real.h"

namespace jacquard::sim {

// Whether the call that returns to `pc` is one of the code under test.
inline bool IsWatched(uintptr_t pc) {
  return engine.InExecution() && IsHookedCode(reinterpret_cast<const void*>(pc));
}

}  // namespace jacquard::sim

// Defines the C function NAME. What it accesses is noted by NOTE, for the calls of the code under
// test, which return to `pc`, before the `real` one is called. Under a name of its own in C++,
// where the headers overload some of these.
#define JACQUARD_C_FUNCTION(NAME, RESULT, PARAMETERS, ARGUMENTS, NOTE)            \
  extern "C" RESULT jacquard_##NAME PARAMETERS asm(#NAME);                        \
  RESULT jacquard_##NAME PARAMETERS {                                             \
    static const auto real =                                                      \
        reinterpret_cast<RESULT(*) PARAMETERS>(::jacquard::sim::FindReal(#NAME)); \
    const auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));     \
    if (::jacquard::sim::IsWatched(pc)) NOTE;                                     \
    return real ARGUMENTS;                                                        \
  }

#endif  // JACQUARD_SIM_C_FUNCTION_H_
