// What functions have in common that wait for the world outside of the simulation.
#ifndef JACQUARD_SIM_REAL_WAITS_H_
#define JACQUARD_SIM_REAL_WAITS_H_

namespace jacquard::sim {

// Whether a call by a simulated thread may wait for `file`: not if the file, or MSG_DONTWAIT among
// the call's `flags`, says that no call does. Counts as the thread's own doing, which the spin
// detector does not see.
bool MayWait(int file, int flags = 0);

// Whether `file` is ready for `events` (poll) now, or has an error to tell.
bool IsReady(int file, short events);

// Ends the execution if a call that reads from, or accepts at, `file` would wait.
void CheckInput(int file, const char* what, int flags = 0);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REAL_WAITS_H_
