// Names for Clang's thread-safety attributes (-Wthread-safety): which lock a function takes, drops
// or needs.
//
// They cost nothing at run time and vanish under other compilers. A function whose own body juggles
// the parts of a lock says what it does to its caller and switches the analysis off inside
// (JACQUARD_NO_THREAD_SAFETY_ANALYSIS).
#ifndef JACQUARD_LOCK_THREAD_ANNOTATIONS_H_
#define JACQUARD_LOCK_THREAD_ANNOTATIONS_H_

#if defined(__clang__)
#define JACQUARD_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define JACQUARD_THREAD_ATTRIBUTE(x)
#endif

// Types: a lock, and a guard that holds one while it lives.
#define JACQUARD_CAPABILITY(name) JACQUARD_THREAD_ATTRIBUTE(capability(name))
#define JACQUARD_SCOPED_CAPABILITY JACQUARD_THREAD_ATTRIBUTE(scoped_lockable)

// Data: only touched while the lock is held.
#define JACQUARD_GUARDED_BY(x) JACQUARD_THREAD_ATTRIBUTE(guarded_by(x))

// Functions: the caller must hold the lock, exclusively or at least shared.
#define JACQUARD_REQUIRES(...) JACQUARD_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define JACQUARD_REQUIRES_SHARED(...) \
  JACQUARD_THREAD_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))

// Functions: take or drop the lock. RELEASE_GENERIC drops it however it is held.
#define JACQUARD_ACQUIRE(...) JACQUARD_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define JACQUARD_ACQUIRE_SHARED(...) \
  JACQUARD_THREAD_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define JACQUARD_RELEASE(...) JACQUARD_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define JACQUARD_RELEASE_SHARED(...) \
  JACQUARD_THREAD_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define JACQUARD_RELEASE_GENERIC(...) \
  JACQUARD_THREAD_ATTRIBUTE(release_generic_capability(__VA_ARGS__))

// Functions: take the lock if they return the first argument.
#define JACQUARD_TRY_ACQUIRE(...) JACQUARD_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define JACQUARD_TRY_ACQUIRE_SHARED(...) \
  JACQUARD_THREAD_ATTRIBUTE(try_acquire_shared_capability(__VA_ARGS__))

// Functions: check at run time that somebody holds the lock, and are believed from there on.
#define JACQUARD_ASSERT_HELD(x) JACQUARD_THREAD_ATTRIBUTE(assert_capability(x))
#define JACQUARD_ASSERT_HELD_SHARED(x) JACQUARD_THREAD_ATTRIBUTE(assert_shared_capability(x))

#define JACQUARD_NO_THREAD_SAFETY_ANALYSIS JACQUARD_THREAD_ATTRIBUTE(no_thread_safety_analysis)

#endif  // JACQUARD_LOCK_THREAD_ANNOTATIONS_H_
