// Whether it is time to look at the clock.
#ifndef JACQUARD_JACQUARD_OCCASIONAL_LOOK_H_
#define JACQUARD_JACQUARD_OCCASIONAL_LOOK_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace jacquard::call {

// A look costs as much as a short execution. This one is due about once a millisecond, however long
// executions are.
class OccasionalLook {
 public:
  using Clock = std::chrono::steady_clock;

  // After so many executions.
  bool IsDue(uint64_t executions) const { return executions >= next_; }

  // Looks.
  Clock::time_point Now(uint64_t executions) {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(1)) {
      between_ *= 2;
    } else if (now - last_ > std::chrono::milliseconds(10)) {
      between_ = std::max<uint64_t>(1, between_ / 4);
    }
    last_ = now;
    next_ = executions + between_;
    return now;
  }

 private:
  Clock::time_point last_;
  uint64_t next_ = 0;
  uint64_t between_ = 1;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_OCCASIONAL_LOOK_H_
