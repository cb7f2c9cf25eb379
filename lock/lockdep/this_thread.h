// Where the validator runs: whose books are kept, and how a stack is read. One form for real
// threads (native.cc), one for the simulation (simulated.cc).
#ifndef JACQUARD_LOCK_LOCKDEP_THIS_THREAD_H_
#define JACQUARD_LOCK_LOCKDEP_THIS_THREAD_H_

#include <cstdint>
#include <vector>

#include "lock/lockdep/checker.h"
#include "lock/lockdep/task.h"
#include "sim/symbolize.h"

namespace jacquard::lock::lockdep {

// The process's own; never destroyed.
Checker& TheChecker();

// The calling thread's; null where no books are kept: in the simulated form outside of executions.
Task* CurrentTask();

// The functions at a return address, as sim/symbolize.h has them.
std::vector<SourceFrame> LookUp(std::uintptr_t place);

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_THIS_THREAD_H_
