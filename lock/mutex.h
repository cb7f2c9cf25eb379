// std::mutex with thread-safety annotations, and the guard that goes with it.
#ifndef JACQUARD_LOCK_MUTEX_H_
#define JACQUARD_LOCK_MUTEX_H_

#include <mutex>

#include "lock/thread_annotations.h"

namespace jacquard::lock {

class JACQUARD_CAPABILITY("mutex") Mutex {
 public:
  constexpr Mutex() = default;

  void Lock() JACQUARD_ACQUIRE() { mutex_.lock(); }
  void Unlock() JACQUARD_RELEASE() { mutex_.unlock(); }
  // Never sleeps. Not while the caller holds it.
  [[nodiscard]] bool TryLock() JACQUARD_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class [[nodiscard]] JACQUARD_SCOPED_CAPABILITY MutexGuard {
 public:
  explicit MutexGuard(Mutex& mutex) JACQUARD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexGuard() JACQUARD_RELEASE() { mutex_.Unlock(); }
  MutexGuard(const MutexGuard&) = delete;
  MutexGuard& operator=(const MutexGuard&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_MUTEX_H_
