// Named semaphores: sem_open, sem_close and sem_unlink.
//
// They are the program's own, as if no other process had ever made one, and are gone when the
// execution is over. What is done with one that is open is the same as with any other
// (semaphores.cc).
#ifndef JACQUARD_SIM_NAMED_SEMAPHORES_H_
#define JACQUARD_SIM_NAMED_SEMAPHORES_H_

namespace jacquard::sim {

// The execution is over.
void ForgetNamedSemaphores();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_NAMED_SEMAPHORES_H_
