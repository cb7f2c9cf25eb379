// Locks of code that serves the program within an execution and is no part of it, as a test
// framework does: no steps, no decisions, and nothing that an execution which is given up leaves
// behind. That code calls these functions by their own names (third_party/BUILD).
#include <pthread.h>

#include "sim/engine.h"
#include "sim/real.h"

using jacquard::sim::engine;

extern "C" {

// Within an execution there is one thread that runs, and no other takes over while such code does.
int jacquard_outside_mutex_lock(pthread_mutex_t* mutex) {
  if (engine.OnExecutingThread()) return 0;
  return JACQUARD_REAL(pthread_mutex_lock)(mutex);
}

int jacquard_outside_mutex_unlock(pthread_mutex_t* mutex) {
  if (engine.OnExecutingThread()) return 0;
  return JACQUARD_REAL(pthread_mutex_unlock)(mutex);
}

}  // extern "C"
