// What tells threads apart: where errno is, and pthread_self. Both are known without a look into
// the thread's storage, which a thread that asks for no more need not have (thread_storage.h).
#include <errno.h>
#include <pthread.h>

#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// Whether the caller is a simulated thread on the stack that it was given.
bool IsSimulated() { return engine.executing && engine.OnStackOfCurrent(); }

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::IsSimulated;

extern "C" {

int* __errno_location() noexcept {
  if (!IsSimulated()) return JACQUARD_REAL(__errno_location)();
  return engine.current->storage.error;
}

pthread_t pthread_self() noexcept {
  if (!IsSimulated()) return JACQUARD_REAL(pthread_self)();
  return engine.current->storage.pthread;
}

}  // extern "C"
