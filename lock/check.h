// What happens when a lock is misused: one line on stderr that says where and what, then abort().
//
// Checks stand where they cost nothing on the read path: on values that an atomic operation has
// just returned, or in slow paths. They are always on; a lock that goes on after a double unlock
// corrupts somebody else's data.
#ifndef JACQUARD_LOCK_CHECK_H_
#define JACQUARD_LOCK_CHECK_H_

namespace jacquard::lock {

// Prints "FILE:LINE: WHAT (CONDITION is false)" and aborts. Safe to call from any thread.
[[noreturn, gnu::cold, gnu::noinline]] void CheckFailed(const char* file, int line,
                                                        const char* condition, const char* what);

}  // namespace jacquard::lock

#define JACQUARD_LOCK_CHECK(condition, what)                               \
  do {                                                                     \
    if (!(condition)) [[unlikely]] {                                       \
      ::jacquard::lock::CheckFailed(__FILE__, __LINE__, #condition, what); \
    }                                                                      \
  } while (false)

#endif  // JACQUARD_LOCK_CHECK_H_
