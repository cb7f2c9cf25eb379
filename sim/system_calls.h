// System calls that the simulation makes itself, with the arguments that the kernel would get.
#ifndef JACQUARD_SIM_SYSTEM_CALLS_H_
#define JACQUARD_SIM_SYSTEM_CALLS_H_

#include <errno.h>

#include <cstdint>

namespace jacquard::sim {

// What a system call returns: 0, or -1 with `error` as errno.
inline long ResultOf(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

// An execution begins: of the commands of membarrier(2) the program has said that it will use those
// that it has named outside of executions.
void BeginMembarriers();

// By the running thread; `pc` is where it calls (futex.cc).
long Futex(const long (&arguments)[6], uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SYSTEM_CALLS_H_
