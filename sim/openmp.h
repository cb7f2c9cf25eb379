// OpenMP's libraries share out a program's loops among threads of their own. How those wait for
// each other nobody sees, and it stays from one execution to the next: they cannot be simulated.
// But a program may be told to do without them.
#ifndef JACQUARD_SIM_OPENMP_H_
#define JACQUARD_SIM_OPENMP_H_

#include <cstdint>

namespace jacquard::sim {

// Before main, if the program has such a library: what is parallel is done by the thread that comes
// there, unless the environment says otherwise. Says so.
void LimitOpenMp();

// Ends the process if it is such a library that creates a thread at `pc`.
void RefuseThreadOfOpenMp(uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_OPENMP_H_
