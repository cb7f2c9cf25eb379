// How a wait for a futex or a condition variable has ended: the new value of the step with which it
// does (StepKind::kFutexWakeUp, kConditionWakeUp).
#ifndef JACQUARD_SIM_WAKE_UP_H_
#define JACQUARD_SIM_WAKE_UP_H_

#include <cstdint>

namespace jacquard::sim {

enum WakeUp : uint64_t { kWoken, kTimedOut, kForNoReason, kCancelled };

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_WAKE_UP_H_
