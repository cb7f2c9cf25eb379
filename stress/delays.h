// Random short delays, which bring real threads into orders that they would not come into by
// themselves: between operations, and in NAME_delayed_stress at each atomic access as well.
#ifndef JACQUARD_STRESS_DELAYS_H_
#define JACQUARD_STRESS_DELAYS_H_

#include <cstdint>
#include <thread>

namespace jacquard {

// For one thread. Follows from `seed`.
class Delays {
 public:
  explicit Delays(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}

  // xorshift64 (Marsaglia, "Xorshift RNGs", 2003): fast and good enough for delays.
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

  // Nothing, a spin of up to some microseconds, or the time slice.
  void Perturb() {
    const uint64_t random = Next();
    switch (random % 8) {
      case 0:
      case 1:
        std::this_thread::yield();
        break;
      case 2:
      case 3:
        for (uint64_t i = 0; i < (random >> 8) % 512; ++i) __builtin_ia32_pause();
        break;
      default:
        break;
    }
  }

  // At an atomic access: mostly nothing.
  void PerturbAtAccess() {
    ++accesses_;
    if (Next() % 16 == 0) Perturb();
  }

  // How often that was called.
  uint64_t accesses() const { return accesses_; }

 private:
  uint64_t state_;
  uint64_t accesses_ = 0;
};

// Those of the calling thread's atomic accesses; null: none. Only in NAME_delayed_stress is there
// anybody who looks (access_delays.cc).
inline constinit thread_local Delays* delays_at_accesses = nullptr;

// While it lives, the calling thread delays its accesses; if `delays` is null, it does not.
class DelayAccesses {
 public:
  explicit DelayAccesses(Delays* delays) { delays_at_accesses = delays; }
  ~DelayAccesses() { delays_at_accesses = nullptr; }
  DelayAccesses(const DelayAccesses&) = delete;
  DelayAccesses& operator=(const DelayAccesses&) = delete;
};

}  // namespace jacquard

#endif  // JACQUARD_STRESS_DELAYS_H_
