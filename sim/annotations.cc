// The public annotations of ThreadSanitizer (sanitizer/tsan_interface.h), by which code tells of
// synchronisation that the instrumentation does not see.
//
// Under sequential consistency, and without race detection, they have nothing to say; they exist so
// that annotated code links.
#include <cstddef>

extern "C" {

void __tsan_acquire(void*) {}
void __tsan_release(void*) {}

void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void*, unsigned, int) {}
int __tsan_mutex_pre_unlock(void*, unsigned) { return 1; }
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

}  // extern "C"
