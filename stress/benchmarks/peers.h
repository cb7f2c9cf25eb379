// The locks that the per-VMA lock is measured beside, by the same four names: lock_shared,
// unlock_shared, lock, unlock (the C++ library's). Each says its name, and how many bytes one
// takes.
//
// The per-VMA lock comes as a reader and a writer use it: a reader that finds the VMA write-locked
// falls back to the mm's lock, a writer takes the mm's lock first, and unlocking is the end of the
// write section. All VMAs here are of one mm.
#ifndef JACQUARD_STRESS_BENCHMARKS_PEERS_H_
#define JACQUARD_STRESS_BENCHMARKS_PEERS_H_

#include <absl/synchronization/mutex.h>
#include <ck_pflock.h>
#include <ck_rwlock.h>
#include <nsync_mu.h>
#include <pthread.h>

#include <atomic>
#include <boost/thread/shared_mutex.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <shared_mutex>

#include "lock/mmap_lock.h"
#include "lock/vma_lock.h"

namespace jacquard::benchmarks {

// The limit: one read-modify-write to enter, one to leave. Keeps nobody out, so it has no writers.
class CounterPair {
 public:
  static constexpr const char* kName = "limit";
  static constexpr std::size_t kBytes = sizeof(std::uint32_t);

  // Acquire and release as a lock's: pair with each other.
  void lock_shared() { word_.fetch_add(1, std::memory_order_acquire); }
  void unlock_shared() { word_.fetch_sub(1, std::memory_order_release); }

 private:
  std::atomic<std::uint32_t> word_{1};
};

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

class Vma {
 public:
  static constexpr const char* kName = "vma_lock";
  static constexpr std::size_t kBytes = sizeof(lock::VmaLock);

  Vma() : vma_(mm) {
    mm.Lock();
    vma_.StartWrite(mm);
    vma_.MarkAttached(mm);
    mm.Unlock();
  }
  ~Vma() {
    mm.Lock();
    vma_.StartWrite(mm);
    vma_.MarkDetached(mm);
    mm.Unlock();
  }
  Vma(const Vma&) = delete;
  Vma& operator=(const Vma&) = delete;

  void lock_shared() {
    if (vma_.StartRead(mm) != lock::ReadResult::kLocked) [[unlikely]]
      FallBack();
  }
  void unlock_shared() { vma_.EndRead(); }
  void lock() {
    mm.Lock();
    vma_.StartWrite(mm);
  }
  void unlock() { mm.Unlock(); }

  // For a writer of many: the mm's lock once, then each VMA.
  void StartWrite() { vma_.StartWrite(mm); }

  static inline lock::MmapLock mm;

 private:
  [[gnu::noinline, gnu::cold]] void FallBack() {
    mm.LockShared();
    if (!vma_.StartReadLocked(mm)) std::abort();
    mm.UnlockShared();
  }

  lock::VmaLock vma_;
};

class AbslMutex {
 public:
  static constexpr const char* kName = "absl_mutex";
  static constexpr std::size_t kBytes = sizeof(absl::Mutex);

  void lock_shared() { mutex_.ReaderLock(); }
  void unlock_shared() { mutex_.ReaderUnlock(); }
  void lock() { mutex_.Lock(); }
  void unlock() { mutex_.Unlock(); }

 private:
  absl::Mutex mutex_;
};

#pragma clang attribute pop

class PthreadRwlock {
 public:
  static constexpr const char* kName = "pthread_rwlock";
  static constexpr std::size_t kBytes = sizeof(pthread_rwlock_t);

  void lock_shared() { Check(pthread_rwlock_rdlock(&lock_)); }
  void unlock_shared() { Check(pthread_rwlock_unlock(&lock_)); }
  void lock() { Check(pthread_rwlock_wrlock(&lock_)); }
  void unlock() { Check(pthread_rwlock_unlock(&lock_)); }

 private:
  static void Check(int error) {
    if (error != 0) [[unlikely]]
      std::abort();
  }

  pthread_rwlock_t lock_ = PTHREAD_RWLOCK_INITIALIZER;
};

class SharedMutex : public std::shared_mutex {
 public:
  static constexpr const char* kName = "std_shared_mutex";
  static constexpr std::size_t kBytes = sizeof(std::shared_mutex);
};

class BoostSharedMutex : public boost::shared_mutex {
 public:
  static constexpr const char* kName = "boost_shared_mutex";
  static constexpr std::size_t kBytes = sizeof(boost::shared_mutex);
};

class NsyncMu {
 public:
  static constexpr const char* kName = "nsync_mu";
  static constexpr std::size_t kBytes = sizeof(nsync::nsync_mu);

  void lock_shared() { nsync::nsync_mu_rlock(&mu_); }
  void unlock_shared() { nsync::nsync_mu_runlock(&mu_); }
  void lock() { nsync::nsync_mu_lock(&mu_); }
  void unlock() { nsync::nsync_mu_unlock(&mu_); }

 private:
  nsync::nsync_mu mu_ = NSYNC_MU_INIT;
};

// Concurrency Kit's, which spin; its writers keep readers out that come later.
class CkRwlock {
 public:
  static constexpr const char* kName = "ck_rwlock";
  static constexpr std::size_t kBytes = sizeof(ck_rwlock_t);

  void lock_shared() { ck_rwlock_read_lock(&lock_); }
  void unlock_shared() { ck_rwlock_read_unlock(&lock_); }
  void lock() { ck_rwlock_write_lock(&lock_); }
  void unlock() { ck_rwlock_write_unlock(&lock_); }

 private:
  ck_rwlock_t lock_ = CK_RWLOCK_INITIALIZER;
};

// Its phase-fair one: readers and writers take turns.
class CkPflock {
 public:
  static constexpr const char* kName = "ck_pflock";
  static constexpr std::size_t kBytes = sizeof(ck_pflock_t);

  void lock_shared() { ck_pflock_read_lock(&lock_); }
  void unlock_shared() { ck_pflock_read_unlock(&lock_); }
  void lock() { ck_pflock_write_lock(&lock_); }
  void unlock() { ck_pflock_write_unlock(&lock_); }

 private:
  ck_pflock_t lock_ = CK_PFLOCK_INITIALIZER;
};

// Calls `function.operator()<Lock>()` for each lock; those that are compared closely stand
// together.
template <class Function>
void ForEachLock(Function function) {
  function.template operator()<Vma>();
  function.template operator()<PthreadRwlock>();
  function.template operator()<SharedMutex>();
  function.template operator()<AbslMutex>();
  function.template operator()<BoostSharedMutex>();
  function.template operator()<NsyncMu>();
  function.template operator()<CkRwlock>();
  function.template operator()<CkPflock>();
}

}  // namespace jacquard::benchmarks

#endif  // JACQUARD_STRESS_BENCHMARKS_PEERS_H_
