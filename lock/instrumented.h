// Whether tools follow the code by its instrumentation.
#ifndef JACQUARD_LOCK_INSTRUMENTED_H_
#define JACQUARD_LOCK_INSTRUMENTED_H_

namespace jacquard::lock {

// True if ThreadSanitizer's instrumentation is in the code, be it for ThreadSanitizer or for a
// simulated runtime. It tells them of each access and fence, and nothing of assembly; and to a
// simulation each access is a step, which costs far more than the access.
#if defined(__has_feature)
constexpr bool kInstrumented = __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_INSTRUMENTED_H_
