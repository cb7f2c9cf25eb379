// What the synchronisation primitives of the C library have in common in the simulation.
//
// Each family has a file of its own. A primitive keeps its state in its own memory, so that static
// initialisers, the roll-back of globals and objects that were initialised outside of an execution
// just work; who waits for it the engine knows. Every call is one step, or two where it sleeps
// between: decision point, look at the object, effect, FinishStep.
#ifndef JACQUARD_SIM_SYNC_H_
#define JACQUARD_SIM_SYNC_H_

#include <errno.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/races.h"
#include "sim/wake_up.h"

namespace jacquard::sim {

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

inline constexpr uint64_t kSecond = 1'000'000'000;

inline bool IsValid(const timespec& time) {
  return time.tv_nsec >= 0 && static_cast<uint64_t>(time.tv_nsec) < kSecond;
}

// The same, and not before the beginning of all.
inline bool IsTime(const timespec& time) { return time.tv_sec >= 0 && IsValid(time); }

// In nanoseconds; what is too long is very long.
inline uint64_t Nanoseconds(const timespec& time) {
  constexpr uint64_t kLongest = Engine::kNoDeadline / 2;
  if (time.tv_sec < 0) return 0;
  if (static_cast<uint64_t>(time.tv_sec) >= kLongest / kSecond) return kLongest;
  return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

inline timespec ToTimespec(uint64_t nanoseconds) {
  return {static_cast<time_t>(nanoseconds / kSecond), static_cast<long>(nanoseconds % kSecond)};
}

// The clocks that timed waits may name. They all agree (time.cc).
inline bool IsWaitClock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

// A timed wait before main, where time is virtual and the wait would be real: passes that time.
// Defined in time.cc.
void PassTimeBeforeProgram(const timespec& deadline);
// What timer_create says of a clock; 0: there may be a timer.
int ErrorOfTimerClock(clockid_t clock);

[[noreturn]] inline void Misuse(std::string_view rule, std::string_view message, uintptr_t pc) {
  engine.Fail(VerdictKind::kMisuse, rule, message, {.pc = pc});
}

// The step is done.
inline void Finish(StepKind kind, const void* object, uint64_t old_value, uint64_t new_value,
                   uintptr_t pc) {
  engine.FinishStep(kind, MemoryOrder::kAcqRel, 0, object, old_value, new_value, pc);
}

// The bytes of a primitive are about to be written. Tell HasWritten() afterwards.
template <class T>
void BeforeChange(T* object) {
  engine.rollback.BeforeLockWrite(object, sizeof(*object));
}

template <class T>
void CheckObject(const T* object, uintptr_t pc) {
  CheckAccess(object, sizeof(*object), AccessKind::kWrite, pc);
}

// For *_init and *_destroy: what the real function is about to write is rolled back.
template <class T>
void BeforeInit(T* object, uintptr_t pc) {
  if (engine.Simulates()) {
    CheckObject(object, pc);
    engine.HasWritten(object, sizeof(*object));
  }
  if (engine.OnExecutingThread()) engine.rollback.BeforeWrite(object, sizeof(*object));
}

// *_destroy is a step, before which others may still use the object. `destroy(object, pc)` ends the
// execution if it is in use, and leaves a mark in it that no initialiser leaves.
template <class T>
void DestroyAsStep(T* object, uintptr_t pc, auto destroy) {
  engine.DecisionPoint(StepKind::kDestroy, object, pc);
  destroy(object, pc);
  Finish(StepKind::kDestroy, object, 0, 0, pc);
}

// In an object's own words for that: what nothing else leaves there.
inline constexpr uint32_t kDestroyedMark = 0xFFFF'FFFF;

template <class T>
void MarkDestroyed(T* object, uint32_t& word) {
  BeforeChange(object);
  word = kDestroyedMark;
  engine.HasWritten(object, sizeof(*object));
}

// Before each use of an object, and after a wait, when it may have been given up in the meantime.
template <class T>
void CheckUse(const T* object, std::string_view what, bool destroyed, uintptr_t pc) {
  CheckObject(object, pc);
  if (destroyed) [[unlikely]] {
    Misuse("use of a " + std::string(what) + " that has been destroyed",
           "and not initialised again", pc);
  }
  CheckUseOfLock(object, std::min<size_t>(sizeof(*object), 8), pc);
}

inline WakeUp HowWoken(const SimThread& thread) {
  if (thread.wait_is_cancelled) return kCancelled;
  return thread.timed_out ? kTimedOut : thread.woken_spuriously ? kForNoReason : kWoken;
}

// Those who still wait for `object` and whom `counts(thread)` selects, longest first, into
// `waiters` (room for kMaxThreads); returns how many.
int WaitersLongestFirst(WaitReason reason, const void* object, SimThread** waiters, auto counts) {
  int count = 0;
  engine.ForEachWaiter(reason, object, [&](SimThread& thread) {
    if (!engine.IsBlocked(thread) || !counts(thread)) return;
    int place = count++;
    for (; place > 0 && waiters[place - 1]->wait_ticket > thread.wait_ticket; --place) {
      waiters[place] = waiters[place - 1];
    }
    waiters[place] = &thread;
  });
  return count;
}

// Waits once, without holding up anybody else, until somebody makes the thread runnable; `deadline`
// may be Engine::kNoDeadline. False: the time is over.
inline bool WaitForLock(WaitReason reason, const void* lock, uintptr_t pc, uint64_t deadline) {
  if (deadline == Engine::kNoDeadline) engine.CheckCycle(reason, lock, 0, pc);
  engine.Block(reason, lock, pc, deadline);
  return !engine.current->timed_out;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SYNC_H_
