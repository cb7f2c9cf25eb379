// Vector clocks: one lane per thread, compared and joined all lanes at once.
//
// The model counts two things in them. An *epoch* is the stretch of a thread's events between two
// of its releases; a happens-before clock says, for each thread, up to which epoch its events are
// known. A *rank* is the place of a seq_cst event among those of its thread; a clock of ranks
// stands for a set of seq_cst events that holds, with each event, all earlier ones of the same
// thread.
//
// Four forms: eight lanes of 16 bits in one register, 16 lanes of 32 bits for more threads or
// longer executions, and 64 and 256 of them for very many threads.
#ifndef JACQUARD_SIM_MEMORY_CLOCK_H_
#define JACQUARD_SIM_MEMORY_CLOCK_H_

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace jacquard::sim::memory {

template <class LaneType, int kLaneCount>
class Clock {
 public:
  using Lane = LaneType;
  static constexpr int kLanes = kLaneCount;
  // In a clock of first times: that thread has not.
  static constexpr Lane kNever = std::numeric_limits<Lane>::max();

  Clock() = default;

  // All lanes hold `value`.
  static Clock All(Lane value) {
    Clock result;
    result.lanes_ = result.lanes_ + value;
    return result;
  }

  // Of one in memory, only the lane is read.
  Lane operator[](int lane) const {
    Lane value;
    std::memcpy(&value, reinterpret_cast<const char*>(this) + sizeof(Lane) * lane, sizeof(Lane));
    return value;
  }

  // In a clock that fits a register, a lane is always written as part of the whole: a part of a
  // register that has just been written by itself is slow to read again with the others.
  void Set(int lane, Lane value) {
    if constexpr (kInRegister) {
      *this = All(value).Only(lane, *this);
    } else {
      std::memcpy(reinterpret_cast<char*>(this) + sizeof(Lane) * lane, &value, sizeof(Lane));
    }
  }
  void Increment(int lane) {
    if constexpr (kInRegister) {
      lanes_ = lanes_ - Mask(lane).lanes_;
    } else {
      Set(lane, (*this)[lane] + 1);
    }
  }

  // This lane of it, and in all others `rest`.
  Clock Only(int lane, Lane rest) const { return Only(lane, All(rest)); }

  // Lane by lane the greater: the union, if lanes say how much is known.
  void Join(const Clock& other) { lanes_ = __builtin_elementwise_max(lanes_, other.lanes_); }
  // Lane by lane the smaller: the first time of either.
  void Sooner(const Clock& other) { lanes_ = __builtin_elementwise_min(lanes_, other.lanes_); }
  void SoonerIn(int lane, Lane value) {
    if constexpr (kInRegister) {
      Sooner(All(value).Only(lane, kNever));
    } else if (value < (*this)[lane]) {
      Set(lane, value);
    }
  }

  // Whether some lane has reached what that lane of `first` says: whether one of several first
  // times lies within this clock.
  bool Reaches(const Clock& first) const { return Any(first.lanes_ <= lanes_); }
  // Whether some lane is greater than that lane of `other`.
  bool Exceeds(const Clock& other) const { return Any(lanes_ > other.lanes_); }
  bool IsZero() const { return !Any(lanes_ != Vector{}); }

  template <class OtherClock>
  static Clock From(const OtherClock& other) {
    return From(other, 0);
  }
  // For lanes that `OtherClock` does not have, `rest`.
  template <class OtherClock>
  static Clock From(const OtherClock& other, Lane rest) {
    Lane lanes[kLanes];
    for (int lane = 0; lane < OtherClock::kLanes; ++lane)
      lanes[lane] = other[lane] == OtherClock::kNever ? kNever : other[lane];
    for (int lane = OtherClock::kLanes; lane < kLanes; ++lane) lanes[lane] = rest;
    Clock result;
    std::memcpy(&result.lanes_, lanes, kBytes);
    return result;
  }

 private:
  static constexpr size_t kBytes = sizeof(Lane) * kLanes;
  static constexpr bool kInRegister = kBytes == sizeof(__m128i);
  using Vector __attribute__((vector_size(kBytes), aligned(kBytes < 64 ? kBytes : 64))) = Lane;

  struct Masks {
    alignas(16) Lane of_lane[kLanes][kLanes] = {};
    constexpr Masks() {
      for (int i = 0; i < kLanes; ++i) of_lane[i][i] = kNever;
    }
  };

  // All ones in `lane`, all zeros elsewhere.
  static Clock Mask(int lane) {
    Clock result;
    if constexpr (kInRegister) {  // a look is faster than a comparison
      static constexpr Masks kMasks;
      std::memcpy(&result.lanes_, kMasks.of_lane[lane], kBytes);
      return result;
    }
    Vector numbers;
    for (int i = 0; i < kLanes; ++i) numbers[i] = static_cast<Lane>(i);
    result.lanes_ = static_cast<Vector>(numbers == All(static_cast<Lane>(lane)).lanes_);
    return result;
  }

  Clock Only(int lane, const Clock& rest) const {
    const Vector mask = Mask(lane).lanes_;
    Clock result;
    result.lanes_ = (lanes_ & mask) | (rest.lanes_ & ~mask);
    return result;
  }

  template <class Truth>
  static bool Any(const Truth& mask) {
    if constexpr (sizeof(Truth) == sizeof(__m128i)) {
      return _mm_movemask_epi8(reinterpret_cast<__m128i>(mask)) != 0;
    } else {
      return __builtin_reduce_or(mask) != 0;
    }
  }

  Vector lanes_ = {};
};

using NarrowClock = Clock<uint16_t, 8>;
using MediumClock = Clock<uint32_t, 16>;
using WideClock = Clock<uint32_t, 64>;
using WidestClock = Clock<uint32_t, 256>;

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_CLOCK_H_
