// Names of threads. The kernel keeps one for each real thread, and all simulated ones are the same.
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <cstdarg>
#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr size_t kSize = SimThread::kNameSize;

// A longer one is cut.
void SetName(SimThread& thread, const char* name) {
  std::memset(thread.name, 0, kSize);
  std::memcpy(thread.name, name, strnlen(name, kSize - 1));
}

void GetName(const SimThread& thread, char* name, size_t size, uintptr_t pc) {
  CheckAccess(name, size, AccessKind::kWrite, pc);
  engine.LogGlobal(name, size);
  std::memcpy(name, thread.name, size);
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::SimThread;

extern "C" {

int pthread_setname_np(pthread_t handle, const char* name) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_setname_np)(handle, name);
  SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) return ESRCH;
  if (std::strlen(name) >= jacquard::sim::kSize) return ERANGE;
  jacquard::sim::SetName(*thread, name);
  return 0;
}

int pthread_getname_np(pthread_t handle, char* name, size_t size) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_getname_np)(handle, name, size);
  const SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) return ESRCH;
  if (size < jacquard::sim::kSize) return ERANGE;
  jacquard::sim::GetName(*thread, name, std::strlen(thread->name) + 1, JACQUARD_CALLER);
  return 0;
}

int prctl(int option, ...) noexcept {
  va_list list;
  va_start(list, option);
  unsigned long a[4];
  for (unsigned long& argument : a) argument = va_arg(list, unsigned long);
  va_end(list);
  char* const name = reinterpret_cast<char*>(a[0]);
  if (engine.Simulates() && option == PR_SET_NAME) {
    jacquard::sim::SetName(*engine.current, name);
    return 0;
  }
  if (engine.Simulates() && option == PR_GET_NAME) {
    jacquard::sim::GetName(*engine.current, name, jacquard::sim::kSize, JACQUARD_CALLER);
    return 0;
  }
  return JACQUARD_REAL(prctl)(option, a[0], a[1], a[2], a[3]);
}

}  // extern "C"
