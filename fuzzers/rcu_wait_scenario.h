// The scenario of RcuWait: thread 0 sleeps, two others make true what it waits for.
//
// Each of the two raises a number of its own, and publishes something before it does. Whoever
// raises wakes the sleeper, who may be waiting for the other number: it must sleep on. At its end
// each raises its number as far as it goes, so a sleeper that sleeps for ever was forgotten: a
// deadlock, found at once. A wait that ends for no reason, or without seeing what was done before
// it was woken, is found by looking.
#ifndef JACQUARD_FUZZERS_RCU_WAIT_SCENARIO_H_
#define JACQUARD_FUZZERS_RCU_WAIT_SCENARIO_H_

#include <atomic>
#include <chrono>
#include <string>

#include "fuzzers/killable_waits.h"
#include "fuzzers/scenario.h"
#include "lock/rcu_wait.h"
#include "sim/runtime.h"

namespace jacquard {

class RcuWaitScenario {
 public:
  static constexpr const char* kName = "rcuwait";
  static constexpr int kWakers = 2;
  static constexpr int kMinThreads = 1 + kWakers;
  static constexpr int kMaxThreads = kMinThreads;

  static auto Operations() {
    using S = RcuWaitScenario;
    const Argument waker = {"waker", kWakers};
    return jacquard::Operations<S>{
        {"wait", &S::Wait, waker},  // until that one has raised its number once more
        {"wait_killable", &S::WaitKillable, waker},
        {"wait_for", &S::WaitFor, waker},
        {"raise", &S::Raise},
        {"wake", &S::Wake},
        {"kill", &S::Kill},
        {"poll", &S::Poll, waker},
        {"wait_for_long", &S::WaitForLong, waker},
    };
  }

  const char* Wait(int w) {
    if (!MayWait(w)) return kSkipped;
    sleeper_.WaitUntil([this, w] { return IsRaised(w); });
    return End(w, lock::WaitResult::kConditionHeld);
  }

  const char* WaitKillable(int w) {
    if (!MayWait(w)) return kSkipped;
    const lock::WaitResult result =
        sleeper_.WaitUntilKillable([this, w] { return IsRaised(w); }, waits_.Begin());
    waits_.End();
    Check(result != lock::WaitResult::kTimedOut, kForNothing);
    Check(result != lock::WaitResult::kKilled || waits_.WasKilled(), kForNothing);
    return End(w, result);
  }

  const char* WaitFor(int w) { return WaitAtMost(std::chrono::milliseconds(1), w); }
  // No time at all: looks once or twice, and sleeps only if the clock stands still.
  const char* Poll(int w) { return WaitAtMost(std::chrono::nanoseconds::zero(), w); }
  // More than the clock can say: for ever.
  const char* WaitForLong(int w) { return WaitAtMost(std::chrono::nanoseconds::max(), w); }

  const char* Raise() {
    if (IsSleeper() || Mine().raised == kMost) return kSkipped;
    RaiseTo(Mine().raised + 1);
    return nullptr;
  }

  // For no reason: must be harmless.
  const char* Wake() {
    if (IsSleeper()) return kSkipped;
    sleeper_.Wake();
    return nullptr;
  }

  const char* Kill() {
    if (IsSleeper()) return kSkipped;
    return waits_.Kill();
  }

  void EndThread() {
    if (!IsSleeper() && Mine().raised < kMost) RaiseTo(kMost);
  }

  // How far each has been raised, and waited for.
  JACQUARD_CHECK_CODE int StateFeature() const {
    int feature = 0;
    for (const Waker& waker : wakers_) {
      const int ahead = waker.awaited - waker.raised;
      feature = feature * 16 +
                (ahead <= 0  ? 0
                 : ahead < 3 ? ahead
                             : 3) *
                    4 +
                (waker.raised < 3 ? waker.raised : 3);
    }
    return feature;
  }

  std::string NameOf(const void* address) const {
    if (address == static_cast<const void*>(&sleeper_)) return "sleeper";
    for (int w = 0; w < kWakers; ++w) {
      if (address == &wakers_[w].number) return "number" + std::to_string(w);
    }
    return {};
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    if (address != static_cast<const void*>(&sleeper_)) return {};
    return value == 0 ? "nobody waits" : "waits";
  }

 private:
  const char* WaitAtMost(std::chrono::nanoseconds timeout, int w) {
    if (!MayWait(w)) return kSkipped;
    const lock::WaitResult result =
        sleeper_.WaitUntilFor([this, w] { return IsRaised(w); }, timeout);
    Check(result != lock::WaitResult::kKilled, kForNothing);
    Check(result != lock::WaitResult::kTimedOut || timeout < std::chrono::hours(1), kForNothing);
    return End(w, result);
  }

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kForNothing = "a wait ends for nothing";
  static constexpr int kMost = 8;

  struct Waker {
    JACQUARD_CHECK_CODE Waker() = default;

    std::atomic<int> number = 0;
    int raised = 0;              // the same, for the waker itself
    int awaited = 0;             // how far the sleeper has waited for it
    bool published[kMost] = {};  // each before the number goes beyond it
  };

  JACQUARD_CHECK_CODE bool IsSleeper() const { return CurrentThread() == 0; }
  JACQUARD_CHECK_CODE Waker& Mine() { return wakers_[CurrentThread() - 1]; }

  // Skipped by others than the sleeper, and where there is nothing more to wait for.
  JACQUARD_CHECK_CODE bool MayWait(int w) {
    if (!IsSleeper() || wakers_[w].awaited == kMost) return false;
    ++wakers_[w].awaited;
    return true;
  }

  bool IsRaised(int w) const {
    // Acquire: pairs with RaiseTo.
    return wakers_[w].number.load(std::memory_order_acquire) >= Awaited(w);
  }
  JACQUARD_CHECK_CODE int Awaited(int w) const { return wakers_[w].awaited; }

  void RaiseTo(int number) {
    Waker& me = Mine();
    for (int i = me.raised; i < number; ++i) me.published[i] = true;
    me.raised = number;
    // Release: pairs with IsRaised.
    me.number.store(number, std::memory_order_release);
    sleeper_.Wake();
  }

  const char* End(int w, lock::WaitResult result) {
    if (result == lock::WaitResult::kTimedOut) return "timed out";
    if (result == lock::WaitResult::kKilled) return "killed";
    for (int i = 0; i < wakers_[w].awaited; ++i) {
      Check(wakers_[w].published[i], "the sleeper does not see what was done before");
    }
    return "held";
  }

  lock::RcuWait sleeper_;
  Waker wakers_[kWakers];
  fuzzers::KillableWaits waits_;  // the sleeper's
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_RCU_WAIT_SCENARIO_H_
