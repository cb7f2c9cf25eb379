// The time of an execution, which no real clock has a part in: it passes where a thread sleeps or
// waits for it, and a little with each look at it.
#ifndef JACQUARD_SIM_VIRTUAL_CLOCK_H_
#define JACQUARD_SIM_VIRTUAL_CLOCK_H_

#include <algorithm>
#include <cstdint>

namespace jacquard::sim {

// Each execution begins here, in nanoseconds: a round number that is plausible as a date
// (2001-09-09).
inline constexpr uint64_t kClockEpoch = 1'000'000'000'000'000'000;

// A thread's looks at the clock since it last waited.
struct ClockLooks {
  int count = 0;   // in this round
  int rounds = 0;  // in each of which looks take longer and longer
};

class VirtualClock {
 public:
  void BeginExecution() { now_ = kClockEpoch; }

  uint64_t now() const { return now_; }
  // Time never goes back.
  void PassTo(uint64_t time) { now_ = std::max(now_, time); }

  // Of a periodic timer whose deadline has come: how often it has expired by now, with it. The
  // deadline is the next one then.
  uint64_t Expire(uint64_t& deadline, uint64_t interval) const {
    const uint64_t times = 1 + (std::max(now_, deadline) - deadline) / interval;
    deadline += times * interval;
    return times;
  }

  // A thread with these looks has another one: the time that it sees. `hurries`: looks that are not
  // the first take longer and longer.
  uint64_t Look(ClockLooks& looks, bool hurries);

 private:
  uint64_t now_ = kClockEpoch;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_VIRTUAL_CLOCK_H_
