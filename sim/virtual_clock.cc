#include "sim/virtual_clock.h"

#include <algorithm>

namespace jacquard::sim {

// Whoever looks at the clock until it is late enough must not look a million times. So the time
// that a look takes is doubled again and again; but then it is short once more, or whoever sets
// itself a time and looks whether that is over would always be too late. What a round of looks
// takes at most grows slowly: sixty looks in a row take a tenth of a second, a thousand a quarter
// of an hour.
uint64_t VirtualClock::Look(ClockLooks& looks, bool hurries) {
  constexpr uint64_t kFirstTick = 1'000;
  constexpr int kAtFirstTick = 16;
  constexpr int kDoublings = 14;  // in the first round: to 16 ms
  constexpr int kMostDoublings = 31;
  constexpr int kRoundsAlike = 2;
  constexpr uint64_t kLastTime = UINT64_MAX / 2;  // that std::chrono::nanoseconds can tell
  uint64_t tick = kFirstTick;
  if (hurries) {
    const int most = std::min(kDoublings + looks.rounds / kRoundsAlike, kMostDoublings);
    const int doublings = std::max(0, ++looks.count - kAtFirstTick);
    tick <<= std::min(doublings, most);
    if (doublings >= most) {
      ++looks.rounds;
      looks.count = 0;
    }
  }
  PassTo(std::min(now_ + tick, kLastTime));
  return now_;
}

}  // namespace jacquard::sim
