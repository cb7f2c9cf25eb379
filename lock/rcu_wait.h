// One thread sleeps until a condition holds; others, who may have made it true, wake it.
//
// Waking is a hint: the sleeper tests its condition again each time, so waking too often is
// harmless, and the caller of Wake need not know whether the condition holds. Waking too seldom is
// not: whoever changes what the condition reads, and may thereby have made it true, must call Wake
// afterwards. Then no wake-up is lost:
//
//     sleeper                                    waker
//     slot = waiting                             change what the condition reads
//     full fence A                               full fence B
//     condition?  yes: done                      slot == waiting?  no: done
//     no: sleep while slot == waiting            slot = empty, wake
//
// Whichever fence comes second, the access after it sees the store before the other: either the
// sleeper finds its condition true or the waker finds the sleeper. That needs both fences to be
// full; acquire and release leave a gap on either side.
//
// Nothing keeps the RcuWait itself alive: Wake touches it after the condition became true, so
// whoever destroys it must have waited for the wakers by other means. (The name is the kernel's,
// where RCU keeps the sleeping *task* alive.)
#ifndef JACQUARD_LOCK_RCU_WAIT_H_
#define JACQUARD_LOCK_RCU_WAIT_H_

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <stop_token>
#include <utility>

#include "lock/check.h"
#include "lock/fence.h"
#include "lock/futex.h"

namespace jacquard::lock {

// How a wait ended. The condition is tested first in each round: kTimedOut and kKilled say that it
// did not hold then.
enum class WaitResult { kConditionHeld, kTimedOut, kKilled };

class RcuWait {
 public:
  RcuWait() = default;
  RcuWait(const RcuWait&) = delete;
  RcuWait& operator=(const RcuWait&) = delete;

  // Returns when `condition` holds; it is called by this thread only, several times, and must read
  // with acquire what it wants to have seen. At most one thread may wait at a time (checked). Costs
  // one call if the condition holds at once.
  template <std::predicate Condition>
  void WaitUntil(Condition condition) {
    if (condition()) return;
    static_cast<void>(Sleep(std::move(condition), std::nullopt, std::stop_token()));
  }

  // The same, but gives up when `timeout` is over.
  template <std::predicate Condition>
  [[nodiscard]] WaitResult WaitUntilFor(Condition condition, std::chrono::nanoseconds timeout) {
    if (condition()) return WaitResult::kConditionHeld;
    return Sleep(std::move(condition), DeadlineAfter(timeout), std::stop_token());
  }

  // The same, but gives up when a stop is requested, as a fatal signal ends a killable sleep.
  template <std::predicate Condition>
  [[nodiscard]] WaitResult WaitUntilKillable(Condition condition, const std::stop_token& stop) {
    if (condition()) return WaitResult::kConditionHeld;
    return Sleep(std::move(condition), std::nullopt, stop);
  }

  // Wakes the sleeper if there is one. To be called after each change that may make the condition
  // true, whatever memory order that change had. Costs a full fence and a load if nobody sleeps.
  void Wake() {
    // Fence B, pairs with fence A: if the sleeper's test missed our change, we find the sleeper.
    FullFence();
    // Relaxed, here and below: the fences order the slot.
    if (slot_.load(std::memory_order_relaxed) == kEmpty) return;
    // Whoever empties the slot makes the system call; another waker that finds it empty has nothing
    // left to do.
    if (slot_.exchange(kEmpty, std::memory_order_relaxed) == kWaiting) FutexWakeOne(&slot_);
  }

 private:
  static constexpr std::uint32_t kEmpty = 0;
  static constexpr std::uint32_t kWaiting = 1;

  static FutexDeadline DeadlineAfter(std::chrono::nanoseconds timeout);

  template <typename Condition>
  WaitResult Sleep(Condition condition, FutexDeadline deadline, const std::stop_token& stop) {
    // A request to stop is a change of what the rounds below test, so it wakes like any other.
    // Leaving this function waits for a callback that is still running.
    const std::stop_callback wake_on_stop(stop, [this] { Wake(); });
    // Relaxed, here and below: fence A of the next round orders the slot.
    const std::uint32_t before = slot_.exchange(kWaiting, std::memory_order_relaxed);
    JACQUARD_LOCK_CHECK(before == kEmpty, "RcuWait has room for one sleeper");
    for (bool timed_out = false;;) {
      // Fence A, pairs with fence B: if a waker found the slot empty, we find its change.
      FullFence();
      if (condition()) return Finish(WaitResult::kConditionHeld);
      if (stop.stop_requested()) return Finish(WaitResult::kKilled);
      if (timed_out) return Finish(WaitResult::kTimedOut);
      timed_out = !FutexWait(slot_, kWaiting, deadline);
      slot_.store(kWaiting, std::memory_order_relaxed);
    }
  }

  WaitResult Finish(WaitResult result) {
    // Relaxed: pairs with nothing. A waker that is late finds nobody, or empties the slot of the
    // next sleeper, who just tests once more.
    slot_.store(kEmpty, std::memory_order_relaxed);
    return result;
  }

  FutexWord slot_{kEmpty};
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_RCU_WAIT_H_
