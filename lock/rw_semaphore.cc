#include "lock/rw_semaphore.h"

#include "lock/check.h"
#include "lock/futex.h"
#include "lock/instrumented.h"

namespace jacquard::lock {
namespace {

// How often who waits looks before it sleeps. A critical section and the hand-over are mostly over
// sooner than a thread falls asleep and wakes up: a thousand looks take 25 us, and with them two
// threads that read and write in turn get on ten times as fast (docs/benchmarks.md). None where
// tools follow: to them the looks are steps in which nothing happens.
constexpr int kLooksBeforeSleep = kInstrumented ? 0 : 1000;

// Between two looks: lets the processor's other hardware thread run, and saves power.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

struct RwSemaphore::Waiter {
  // What has become of it. Granted is final: the lock is the waiter's, and the granter will not
  // touch the Waiter again.
  enum State : std::uint32_t { kQueued, kStopRequested, kGranted };

  explicit Waiter(std::uint32_t share) : share(share) {}

  // What the lock's word gains when this one is let in: kReader or kWriter.
  const std::uint32_t share;
  FutexWord state{kQueued};
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
};

RwSemaphore::~RwSemaphore() {
  JACQUARD_LOCK_CHECK(LoadRelaxed() == 0, "semaphore destroyed while held or waited for");
}

bool RwSemaphore::LockSharedSlow(const std::stop_token& stop) {
  JACQUARD_LOCK_CHECK(LoadRelaxed() <= kLastWithRoom, "too many readers");
  Waiter self(kReader);
  return Wait(self, stop);
}

bool RwSemaphore::LockSlow(const std::stop_token& stop) {
  Waiter self(kWriter);
  return Wait(self, stop);
}

// Also takes the case of no reader at all, so that UnlockShared needs one comparison only.
void RwSemaphore::UnlockSharedLast(std::uint32_t before) {
  JACQUARD_LOCK_CHECK(before >= kReader, "read lock dropped that nobody holds");
  if ((before & kWaiters) == 0) return;
  const MutexGuard guard(mutex_);
  Grant();
}

void RwSemaphore::UnlockSlow(std::uint32_t before) {
  JACQUARD_LOCK_CHECK(before == (kWriter | kWaiters), "write lock dropped that nobody holds");
  const MutexGuard guard(mutex_);
  Grant();
}

bool RwSemaphore::Wait(Waiter& self, const std::stop_token& stop) {
  {
    const MutexGuard guard(mutex_);
    Append(self);
    Grant();  // the lock may have become free before those inside could know that somebody waits
  }
  const std::stop_callback wake_on_stop(stop, [&self] {
    // Relaxed: pairs with nothing; this makes the sleeper look, and the mutex orders.
    std::uint32_t queued = Waiter::kQueued;
    if (self.state.compare_exchange_strong(queued, Waiter::kStopRequested,
                                           std::memory_order_relaxed)) {
      FutexWakeOne(&self.state);
    }
  });
  for (int looks_left = kLooksBeforeSleep;;) {
    // Acquire: pairs with the store in Grant.
    const std::uint32_t state = self.state.load(std::memory_order_acquire);
    if (state == Waiter::kGranted) return true;
    if (state == Waiter::kStopRequested) break;
    if (looks_left > 0) {
      --looks_left;
      Pause();
      continue;
    }
    FutexWait(self.state, Waiter::kQueued);
  }
  const MutexGuard guard(mutex_);
  // Relaxed: Grant runs under the mutex too, which orders.
  if (self.state.load(std::memory_order_relaxed) == Waiter::kGranted) return true;
  Remove(self);
  Grant();  // those behind us may only have waited for us; and kWaiters must not outlive the queue
  return false;
}

void RwSemaphore::Grant() {
  while (head_ != nullptr) {
    Waiter& waiter = *head_;
    // Nobody but us lets anybody in while kWaiters is set, so what is free here stays free; those
    // inside may leave, and will then find kWaiters and call Grant after us.
    const std::uint32_t in_the_way = waiter.share == kWriter ? ~kWaiters : kWriter;
    if ((LoadRelaxed() & in_the_way) != 0) return;
    // Acquire: pairs with UnlockShared, Unlock and Downgrade, on behalf of the waiter.
    word_.fetch_add(waiter.share, std::memory_order_acquire);
    Remove(waiter);
    FutexWord* const state = &waiter.state;
    // Release: pairs with the load in Wait; passes on what we acquired.
    state->store(Waiter::kGranted, std::memory_order_release);
    FutexWakeOne(state);  // the Waiter may be gone by now: its address is just a name
  }
  // Relaxed: pairs with nothing; as a read-modify-write it continues the release sequences.
  word_.fetch_and(~kWaiters, std::memory_order_relaxed);
}

void RwSemaphore::Append(Waiter& waiter) {
  waiter.previous = tail_;
  (tail_ != nullptr ? tail_->next : head_) = &waiter;
  tail_ = &waiter;
  // Relaxed: pairs with nothing; whoever leaves after this in the word's order sees it.
  word_.fetch_or(kWaiters, std::memory_order_relaxed);
}

void RwSemaphore::Remove(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : head_) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : tail_) = waiter.previous;
}

}  // namespace jacquard::lock
