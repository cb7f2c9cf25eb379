// A reader-writer semaphore that is first come, first served: what lies under an mmap lock.
//
// One word tells who is inside: the writer bit, or a number of readers, and a bit that says
// "somebody waits". While that bit is clear, taking and dropping the lock is one atomic operation
// on the word. While it is set, nobody takes the lock by the word alone: everybody who arrives
// joins the queue, and the lock is handed to the head of the queue, and to the readers that stand
// behind a reader there, by whoever makes room for them.
//
//     word              meaning
//     0                 free
//     n * kReader       n readers
//     kWriter           one writer
//     ... + kWaiters    the same, and the queue is not empty
//     kWaiters          free; whoever made it so is about to hand it to the head of the queue
//
// Fairness: from the moment a writer is in the queue, no reader that arrives later gets in before
// it (kMaxReadersPassingQueuedWriter). The price is a hand-over each time: who waits looks for it
// for some microseconds, and then sleeps. It also means that a thread that already reads and reads
// again deadlocks if a writer has queued in between: the second read waits for the writer, the
// writer for the first read. Do not nest.
//
// Destroying it while it is held or waited for is an error (checked), and so is dropping what is
// not held (checked as far as the word can tell: it does not know who). It must outlive every call:
// who drops the lock may still be on the way to the queue when the next owner already has it.
#ifndef JACQUARD_LOCK_RW_SEMAPHORE_H_
#define JACQUARD_LOCK_RW_SEMAPHORE_H_

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "lock/mutex.h"
#include "lock/thread_annotations.h"

namespace jacquard::lock {

class JACQUARD_CAPABILITY("rw_semaphore") RwSemaphore {
 public:
  // How many readers that arrive after a writer has queued may enter before it. None: they find
  // kWaiters set and queue behind.
  static constexpr int kMaxReadersPassingQueuedWriter = 0;

  RwSemaphore() = default;
  ~RwSemaphore();
  RwSemaphore(const RwSemaphore&) = delete;
  RwSemaphore& operator=(const RwSemaphore&) = delete;

  // Takes the lock for reading; sleeps while a writer is inside or anybody waits.
  void LockShared() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!TryLockShared()) LockSharedSlow(std::stop_token());
  }

  // The same, but gives up when a stop is requested: false then, and the queue is as if the caller
  // had never been there. A request does not matter if there is no need to wait, or if the lock was
  // handed over before it was noticed.
  [[nodiscard]] bool LockSharedKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return TryLockShared() || LockSharedSlow(stop);
  }

  // Never sleeps. False if a writer is inside or anybody waits, and only then.
  [[nodiscard]] bool TryLockShared()
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    std::uint32_t before = 0;  // a guess instead of a load: free
    // Acquire: pairs with Unlock and Downgrade; we see what the writers did. Relaxed: only
    // compared.
    while (!word_.compare_exchange_weak(before, before + kReader, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      if ((before & (kWriter | kWaiters)) != 0 || before > kLastWithRoom) return false;
    }
    return true;
  }

  // Drops a read lock.
  void UnlockShared() JACQUARD_RELEASE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    // Release: pairs with TryLock and Grant; what we read is read before the next writer writes.
    const std::uint32_t before = word_.fetch_sub(kReader, std::memory_order_release);
    if (before < 2 * kReader) UnlockSharedLast(before);
  }

  // Takes the lock for writing; sleeps while anybody is inside or waits.
  void Lock() JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    if (!TryLock()) LockSlow(std::stop_token());
  }

  // The same, but gives up when a stop is requested; see LockSharedKillable.
  [[nodiscard]] bool LockKillable(const std::stop_token& stop)
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return TryLock() || LockSlow(stop);
  }

  // Never sleeps. False if anybody is inside or waits, and only then.
  [[nodiscard]] bool TryLock() JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    std::uint32_t expected = 0;
    // Acquire: pairs with UnlockShared and Unlock; we see what those before us did. Relaxed: the
    // value is dropped.
    return word_.compare_exchange_strong(expected, kWriter, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  // Drops a write lock.
  void Unlock() JACQUARD_RELEASE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    // Release: pairs with TryLockShared, TryLock and Grant; those after us see what we did.
    const std::uint32_t before = word_.fetch_sub(kWriter, std::memory_order_release);
    if (before != kWriter) UnlockSlow(before);
  }

  // Turns a write lock into a read lock, with no moment in between at which another writer could
  // enter; readers at the head of the queue come in. Two threads that downgraded theirs keep each
  // other's writers out as any two readers do.
  void Downgrade() JACQUARD_RELEASE() JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    // Release: pairs with TryLockShared and Grant; readers see what we did.
    const std::uint32_t before = word_.fetch_add(kReader - kWriter, std::memory_order_release);
    if (before != kWriter) UnlockSlow(before);
  }

  // What the word says at some moment; hints, unless the caller holds the lock. They order nothing.
  bool IsWriteLocked() const { return (LoadRelaxed() & kWriter) != 0; }
  bool IsLocked() const { return (LoadRelaxed() & ~kWaiters) != 0; }
  bool HasWaiters() const { return (LoadRelaxed() & kWaiters) != 0; }
  std::uint32_t ReaderCount() const { return LoadRelaxed() / kReader; }

 private:
  struct Waiter;  // a thread in the queue, on its own stack

  static constexpr std::uint32_t kWriter = 1;
  static constexpr std::uint32_t kWaiters = 2;
  static constexpr std::uint32_t kReader = 4;
  // The largest word to which a reader is added: never overflows, whatever the other bits.
  static constexpr std::uint32_t kLastWithRoom = ~std::uint32_t{0} - 2 * kReader;

  std::uint32_t LoadRelaxed() const {
    // Relaxed: pairs with nothing; a hint, or stable by the caller's locks.
    return word_.load(std::memory_order_relaxed);
  }

  bool LockSharedSlow(const std::stop_token& stop);
  bool LockSlow(const std::stop_token& stop);
  void UnlockSharedLast(std::uint32_t before);
  void UnlockSlow(std::uint32_t before);

  // Queues the caller, sleeps, returns true with the lock handed over or false after a request to
  // stop.
  bool Wait(Waiter& self, const std::stop_token& stop);

  // Hands the lock to as many waiters from the head of the queue as may hold it together with those
  // inside. Called after every change that may have made room: somebody left, or the head of the
  // queue did.
  void Grant() JACQUARD_REQUIRES(mutex_);

  void Append(Waiter& waiter) JACQUARD_REQUIRES(mutex_);
  void Remove(Waiter& waiter) JACQUARD_REQUIRES(mutex_);

  std::atomic<std::uint32_t> word_{0};

  // The queue. kWaiters is set and cleared under the mutex, together with head_ becoming non-null
  // and null; while it is set, only Grant, under the mutex, lets anybody in.
  Mutex mutex_;
  Waiter* head_ JACQUARD_GUARDED_BY(mutex_) = nullptr;
  Waiter* tail_ JACQUARD_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_RW_SEMAPHORE_H_
