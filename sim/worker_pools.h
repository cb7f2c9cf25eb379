// Libraries that share out a program's loops among threads of their own: those of OpenMP, and
// oneTBB, on which std::execution::par stands. Without hooks, how those threads wait for each other
// nobody sees, and it stays from one execution to the next: they cannot be simulated. But they are
// told that there is one processor, and then do without.
#ifndef JACQUARD_SIM_WORKER_POOLS_H_
#define JACQUARD_SIM_WORKER_POOLS_H_

#include <cstdint>

namespace jacquard::sim {

// Before the first execution: which of the libraries in the process are such, and have no hooks.
void FindWorkerPools();

// Before main: what is parallel is to be done by the thread that comes there, unless the
// environment says otherwise. Says so.
void LimitWorkerPools();

// Whether `pc` lies in such a library.
bool IsInWorkerPool(uintptr_t pc);

// Ends the process if it is such a library that creates a thread at `pc`.
void RefuseThreadOfWorkerPool(uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_WORKER_POOLS_H_
