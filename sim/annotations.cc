// The public annotations of ThreadSanitizer (sanitizer/tsan_interface.h), by which code tells of
// synchronisation that the instrumentation does not see.
//
// Under sequential consistency, where no races are looked for, they have nothing to say.
#include <cstddef>

#include "sim/engine.h"

namespace jacquard::sim {
namespace {

constexpr unsigned kTryLockFailed = 1 << 5;  // __tsan_mutex_try_lock_failed

void Acquire(const void* object) {
  if (engine.Simulates()) engine.Acquire(object);
}
void Release(const void* object) {
  if (engine.Simulates()) engine.Release(object);
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Acquire;
using jacquard::sim::engine;
using jacquard::sim::kTryLockFailed;
using jacquard::sim::Release;

extern "C" {

void __tsan_acquire(void* object) { Acquire(object); }
void __tsan_release(void* object) { Release(object); }

void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void* mutex, unsigned flags, int) {
  if ((flags & kTryLockFailed) == 0) Acquire(mutex);
}
int __tsan_mutex_pre_unlock(void* mutex, unsigned) {
  Release(mutex);
  return 1;
}
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

void __tsan_ignore_thread_begin() {
  if (engine.Simulates()) ++engine.current->ignores_races;
}
void __tsan_ignore_thread_end() {
  if (engine.Simulates() && engine.current->ignores_races > 0) --engine.current->ignores_races;
}

}  // extern "C"
