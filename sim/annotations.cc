// The public annotations of ThreadSanitizer (sanitizer/tsan_interface.h), by which code tells of
// synchronisation that the instrumentation does not see, and the older ones ("dynamic
// annotations"), which ThreadSanitizer's runtime still has and headers declare by themselves.
//
// Under sequential consistency, where no races are looked for, they have nothing to say, nor where
// ExecutionOptions::annotations is off.
#include <cstddef>

#include "sim/engine.h"

namespace jacquard::sim {
namespace {

constexpr unsigned kReadLock = 1 << 3;       // __tsan_mutex_read_lock
constexpr unsigned kTryLockFailed = 1 << 5;  // __tsan_mutex_try_lock_failed

bool AreBelieved() { return engine.Simulates() && engine.options().annotations; }

// Where there is something to be believed.
void Count() {
  if (engine.memory != nullptr) engine.CountAnnotation();
}

void Acquire(const void* object) {
  if (!AreBelieved()) return;
  engine.Acquire(object);
  Count();
}
void Release(const void* object) {
  if (AreBelieved()) engine.Release(object);
}

// Readers come behind writers, and writers behind all, as with rwlocks.cc.
const void* OfReaders(const void* lock) { return static_cast<const char*>(lock) + 1; }
void Lock(const void* lock, bool exclusively) {
  Acquire(lock);
  if (exclusively) Acquire(OfReaders(lock));
}
void Unlock(const void* lock, bool exclusively) { Release(exclusively ? lock : OfReaders(lock)); }

void IgnoreBegin() {
  if (!AreBelieved()) return;
  if (engine.current->ignores_races++ == 0) Count();
}
void IgnoreEnd() {
  if (engine.Simulates() && engine.current->ignores_races > 0) --engine.current->ignores_races;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Acquire;
using jacquard::sim::IgnoreBegin;
using jacquard::sim::IgnoreEnd;
using jacquard::sim::kReadLock;
using jacquard::sim::kTryLockFailed;
using jacquard::sim::Lock;
using jacquard::sim::Release;
using jacquard::sim::Unlock;

extern "C" {

void __tsan_acquire(void* object) { Acquire(object); }
void __tsan_release(void* object) { Release(object); }

void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
// Between `pre` and `post` the lock looks after its own: races there are none to be told of, but
// where it calls others in between (divert).
void __tsan_mutex_pre_lock(void*, unsigned) { IgnoreBegin(); }
void __tsan_mutex_post_lock(void* mutex, unsigned flags, int) {
  IgnoreEnd();
  if ((flags & kTryLockFailed) == 0) Lock(mutex, (flags & kReadLock) == 0);
}
int __tsan_mutex_pre_unlock(void* mutex, unsigned flags) {
  Unlock(mutex, (flags & kReadLock) == 0);
  IgnoreBegin();
  return 1;
}
void __tsan_mutex_post_unlock(void*, unsigned) { IgnoreEnd(); }
void __tsan_mutex_pre_signal(void*, unsigned) { IgnoreBegin(); }
void __tsan_mutex_post_signal(void*, unsigned) { IgnoreEnd(); }
void __tsan_mutex_pre_divert(void*, unsigned) { IgnoreEnd(); }
void __tsan_mutex_post_divert(void*, unsigned) { IgnoreBegin(); }

// What asks for nothing that is there. A program that switches stacks by itself is not followed.
[[gnu::weak]] void __tsan_flush_memory() {}
[[gnu::weak]] void* __tsan_get_current_fiber() { return nullptr; }
[[gnu::weak]] void* __tsan_create_fiber(unsigned) { return nullptr; }
[[gnu::weak]] void __tsan_destroy_fiber(void*) {}
[[gnu::weak]] void __tsan_switch_to_fiber(void*, unsigned) {}
[[gnu::weak]] void __tsan_set_fiber_name(void*, const char*) {}
[[gnu::weak]] void __tsan_check_no_mutexes_held() {}
[[gnu::weak]] void* __tsan_external_register_tag(const char*) { return nullptr; }
[[gnu::weak]] void __tsan_external_register_header(void*, const char*) {}
[[gnu::weak]] void __tsan_external_assign_tag(void*, void*) {}
[[gnu::weak]] void __tsan_external_read(void*, void*, void*) {}
[[gnu::weak]] void __tsan_external_write(void*, void*, void*) {}
[[gnu::weak]] void __sanitizer_print_stack_trace() {}
[[gnu::weak]] void __sanitizer_set_report_path(const char*) {}
[[gnu::weak]] void __sanitizer_set_report_fd(void*) {}
[[gnu::weak]] void __sanitizer_set_death_callback(void (*)()) {}
[[gnu::weak]] void __sanitizer_syscall_pre_impl_close(long) {}
[[gnu::weak]] void __sanitizer_syscall_post_impl_close(long, long) {}

void __tsan_ignore_thread_begin() { IgnoreBegin(); }
void __tsan_ignore_thread_end() { IgnoreEnd(); }

// The first two arguments are the place: file and line.

void AnnotateHappensBefore(const char*, int, void* object) { Release(object); }
void AnnotateHappensAfter(const char*, int, void* object) { Acquire(object); }
void WTFAnnotateHappensBefore(const char*, int, void* object) { Release(object); }
void WTFAnnotateHappensAfter(const char*, int, void* object) { Acquire(object); }

void AnnotateRWLockCreate(const char*, int, void*) {}
void AnnotateRWLockCreateStatic(const char*, int, void*) {}
void AnnotateRWLockDestroy(const char*, int, void*) {}
void AnnotateRWLockAcquired(const char*, int, void* lock, size_t is_writer) {
  Lock(lock, is_writer != 0);
}
void AnnotateRWLockReleased(const char*, int, void* lock, size_t is_writer) {
  Unlock(lock, is_writer != 0);
}

void AnnotateIgnoreReadsBegin(const char*, int) { IgnoreBegin(); }
void AnnotateIgnoreReadsEnd(const char*, int) { IgnoreEnd(); }
void AnnotateIgnoreWritesBegin(const char*, int) { IgnoreBegin(); }
void AnnotateIgnoreWritesEnd(const char*, int) { IgnoreEnd(); }

// Without effect, as in ThreadSanitizer: a race that is called benign remains one, and what orders
// accesses does so, whatever is to be ignored.
void AnnotateBenignRace(const char*, int, void*, const char*) {}
void AnnotateBenignRaceSized(const char*, int, void*, size_t, const char*) {}
void WTFAnnotateBenignRaceSized(const char*, int, void*, size_t, const char*) {}
void AnnotateIgnoreSyncBegin(const char*, int) {}
void AnnotateIgnoreSyncEnd(const char*, int) {}
void AnnotateEnableRaceDetection(const char*, int, int) {}
void AnnotateThreadName(const char*, int, const char*) {}
void AnnotateNewMemory(const char*, int, void*, size_t) {}
void AnnotateMemoryIsInitialized(const char*, int, void*, size_t) {}
void AnnotateMemoryIsUninitialized(const char*, int, void*, size_t) {}

}  // extern "C"
