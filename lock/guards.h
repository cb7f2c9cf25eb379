// Guards: a lock that is held while an object lives.
//
// `Lock` is any lock with the member functions of MmapLock or RwSemaphore, so each guard serves
// both. Guards of VMAs are for readers only: the write lock of a VMA ends with the guard of its
// mmap lock.
#ifndef JACQUARD_LOCK_GUARDS_H_
#define JACQUARD_LOCK_GUARDS_H_

#include "lock/thread_annotations.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"

namespace jacquard::lock {

// Holds `lock` for reading.
template <class Lock>
class [[nodiscard]] JACQUARD_SCOPED_CAPABILITY ReadGuard {
 public:
  explicit ReadGuard(Lock& lock) JACQUARD_ACQUIRE_SHARED(lock) : lock_(lock) { lock_.LockShared(); }
  ~ReadGuard() JACQUARD_RELEASE_GENERIC() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    lock_.UnlockShared();
  }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;

 private:
  Lock& lock_;
};

// Holds `lock` for writing.
template <class Lock>
class [[nodiscard]] JACQUARD_SCOPED_CAPABILITY WriteGuard {
 public:
  explicit WriteGuard(Lock& lock) JACQUARD_ACQUIRE(lock) : lock_(lock) { lock_.Lock(); }
  ~WriteGuard() JACQUARD_RELEASE_GENERIC() JACQUARD_NO_THREAD_SAFETY_ANALYSIS { lock_.Unlock(); }
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;

 private:
  Lock& lock_;
};

// Tries to hold a VMA for reading; says in result() whether it does, and if not, why.
template <LockWidths Widths, LockValidator Validator>
class [[nodiscard]] VmaReadGuard {
 public:
  VmaReadGuard(BasicVmaLock<Widths, Validator>& vma, BasicMmapLock<Widths, Validator>& mm)
      : vma_(vma), result_(vma.StartRead(mm)) {}
  ~VmaReadGuard() {
    if (result_ == ReadResult::kLocked) vma_.EndRead();
  }
  VmaReadGuard(const VmaReadGuard&) = delete;
  VmaReadGuard& operator=(const VmaReadGuard&) = delete;

  ReadResult result() const { return result_; }
  explicit operator bool() const { return result_ == ReadResult::kLocked; }

 private:
  BasicVmaLock<Widths, Validator>& vma_;
  const ReadResult result_;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_GUARDS_H_
