#include "lock/rcu_wait.h"

namespace jacquard::lock {

FutexDeadline RcuWait::DeadlineAfter(std::chrono::nanoseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point now = Clock::now();
  if (timeout <= std::chrono::nanoseconds::zero()) return now;
  if (timeout > Clock::time_point::max() - now)
    return std::nullopt;  // later than the clock can say
  return now + timeout;
}

}  // namespace jacquard::lock
