// Barriers of the C library, as simulated threads use them.
//
// The object's memory says only how many threads it waits for (0: it is none); how many are there
// the engine knows, as they all sleep. The last one to arrive wakes them, and is the one that is
// told so. What anybody did before it arrived happens before what everybody does after.
#include <errno.h>
#include <pthread.h>

#include <cstdint>
#include <string>

#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// As the C library lays it out (since 2.24).
struct Barrier {
  uint32_t in;
  uint32_t round;
  uint32_t count;
  int32_t shared;
  uint32_t out;
};

uint32_t& Expected(pthread_barrier_t* barrier) {
  return reinterpret_cast<Barrier*>(barrier)->count;
}

void CheckBarrier(pthread_barrier_t* barrier, uintptr_t pc) {
  CheckUse(barrier, "barrier", Expected(barrier) == kDestroyedMark, pc);
  if (Expected(barrier) == 0) [[unlikely]]
    Misuse("use of a barrier that has not been initialised", "it expects no threads", pc);
}

uint32_t Sleepers(const pthread_barrier_t* barrier) {
  uint32_t count = 0;
  engine.ForEachWaiter(WaitReason::kBarrier, barrier,
                       [&](const SimThread& thread) { count += engine.IsBlocked(thread); });
  return count;
}

int Wait(pthread_barrier_t* barrier, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kBarrierArrive, barrier, pc);
  CheckBarrier(barrier, pc);
  engine.current->spin.Reset();
  const uint32_t there = Sleepers(barrier) + 1;
  engine.Release(barrier);
  if (there < Expected(barrier)) {
    Finish(StepKind::kBarrierArrive, barrier, there - 1, there, pc);
    engine.Block(WaitReason::kBarrier, barrier, pc);
    Finish(StepKind::kBarrierLeave, barrier, 0, 0, pc);
    return 0;
  }
  engine.Acquire(barrier);
  engine.ForEachWaiter(WaitReason::kBarrier, barrier, [barrier](SimThread& thread) {
    if (!engine.IsBlocked(thread)) return;  // of the round before
    engine.AcquireFor(thread, barrier);
    engine.MakeRunnable(thread);
  });
  Finish(StepKind::kBarrierArrive, barrier, there - 1, there, pc);
  return PTHREAD_BARRIER_SERIAL_THREAD;
}

// Also for the next initialisation.
void CheckNobodyWaits(pthread_barrier_t* barrier, uintptr_t pc) {
  CheckObject(barrier, pc);
  const uint32_t sleepers = Sleepers(barrier);
  if (sleepers == 0) return;
  Misuse(
      "barrier destroyed in use",
      std::to_string(sleepers) + " of " + std::to_string(Expected(barrier)) + " threads wait at it",
      pc);
}

void Destroy(pthread_barrier_t* barrier, uintptr_t pc) {
  CheckBarrier(barrier, pc);
  CheckNobodyWaits(barrier, pc);
  MarkDestroyed(barrier, Expected(barrier));
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;

extern "C" {

int pthread_barrier_init(pthread_barrier_t* barrier, const pthread_barrierattr_t* attributes,
                         unsigned count) noexcept {
  if (engine.Simulates()) jacquard::sim::CheckNobodyWaits(barrier, JACQUARD_CALLER);
  jacquard::sim::BeforeInit(barrier, JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_barrier_init)(barrier, attributes, count);
}

int pthread_barrier_destroy(pthread_barrier_t* barrier) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_barrier_destroy)(barrier);
  jacquard::sim::DestroyAsStep(barrier, JACQUARD_CALLER, jacquard::sim::Destroy);
  return 0;
}

int pthread_barrier_wait(pthread_barrier_t* barrier) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_barrier_wait)(barrier);
  return jacquard::sim::Wait(barrier, JACQUARD_CALLER);
}

}  // extern "C"
