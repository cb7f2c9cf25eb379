// A step: one visible operation of a thread, and what it did.
#ifndef JACQUARD_SIM_STEP_H_
#define JACQUARD_SIM_STEP_H_

#include <cstdint>

namespace jacquard {

// The new value of a try that has waited until its time was over.
inline constexpr uint64_t kTimeIsOver = 2;

// What a visible operation does. Atomic accesses come first.
enum class StepKind : uint8_t {
  kLoad,             // atomic load; also a compare-exchange that failed
  kStore,            // atomic store
  kReadModifyWrite,  // exchange, fetch_*; also a compare-exchange that succeeded
  kFence,
  kFutexWait,     // about to sleep, or the comparison failed (new_value 0 = sleeps, 1 = value
                  // differed)
  kFutexWakeUp,   // left the sleep (new_value: 0 = woken, 1 = timed out, 2 = for no reason)
  kFutexWake,     // woke others (new_value: how many)
  kMutexLock,     // owns the mutex from here on
  kMutexTryLock,  // new_value: 1 = owns it, 0 = it was held, 2 = it was held until time was over
  kMutexUnlock,
  kThreadCreate,  // new_value: the new thread
  kThreadJoin,    // new_value: the thread that has ended
  kThreadEnd,
  kYield,
  kSleep,  // the sleep is over
  kClock,  // a clock was read
  kOther,
  kSharedLock,     // owns a reader/writer lock together with other readers; as a writer: kMutexLock
  kSharedTryLock,  // new_value: as of kMutexTryLock
  kSharedUnlock,
  kConditionWait,     // has released the mutex and sleeps
  kConditionWakeUp,   // left the sleep (new_value: as of kFutexWakeUp; 3 = is cancelled)
  kConditionNotify,   // new_value: how many were woken
  kSemaphoreWait,     // took one
  kSemaphoreTryWait,  // new_value: 1 = took one, 0 = there was none, 2 = none until time was over
  kSemaphorePost,
  kBarrierArrive,  // new_value: how many are there now
  kBarrierLeave,
  // Plain accesses, where they are steps (ExecutionOptions::races). Told before it takes effect, so
  // that a write's new_value is the old one; in a trace it is what has been written.
  kPlainRead,
  kPlainWrite,
  kExit,     // the thread ends the program
  kDestroy,  // a lock, a condition variable, a semaphore or a barrier is no more
  // Calls for descriptors (descriptors.h). new_value: which one; of kFileInput perhaps
  // kSeveralFiles, or kNoFileInTime.
  kFileInput,   // reads from it, or asks what it is ready for
  kFileOutput,  // writes to it
  kFileClose,
  kSignalSend,  // new_value: the signal; old_value: the thread that is to get it, or kToProcess
  kSignalWait,  // new_value: the signal that it has taken, 0 = none came in time
};

// Whether the code under test does it by itself, and not by a call.
constexpr bool IsAtomic(StepKind kind) { return kind <= StepKind::kFence; }

inline constexpr uint64_t kSeveralFiles = UINT64_MAX;
inline constexpr uint64_t kNoFileInTime = UINT64_MAX - 1;
inline constexpr uint64_t kToProcess = UINT64_MAX;

// C++'s memory orders as the instrumentation passes them.
enum class MemoryOrder : uint8_t { kRelaxed, kConsume, kAcquire, kRelease, kAcqRel, kSeqCst };

// One step, told after it has taken effect. Values wider than 8 bytes are cut to their low 8.
struct Step {
  int thread = -1;     // who
  int operation = -1;  // the named operation that the thread is in, by index; -1 outside of any
  StepKind kind = StepKind::kOther;
  MemoryOrder order = MemoryOrder::kSeqCst;
  uint8_t size = 0;               // bytes, for atomic accesses
  const void* address = nullptr;  // the object; null where there is none (fence, yield)
  uint64_t old_value = 0;         // before the step
  uint64_t new_value = 0;         // after the step; equal to old_value for a load
  // False on weak memory only: the step read an older value, or stored before newer ones in
  // modification order. Memory, which holds the newest value, is as it was.
  bool newest = true;
};

// Whether the step may have changed the object at `address`.
inline bool Writes(StepKind kind) {
  return kind == StepKind::kStore || kind == StepKind::kReadModifyWrite ||
         kind == StepKind::kPlainWrite;
}

// Whether the step is an access that is not atomic.
inline bool IsPlain(StepKind kind) {
  return kind == StepKind::kPlainRead || kind == StepKind::kPlainWrite;
}

// The name of a kind, as reports print it ("load", "read-modify-write", ...). Never null.
const char* StepKindName(StepKind kind);

// The name of a memory order ("relaxed", ...). Never null.
const char* MemoryOrderName(MemoryOrder order);

}  // namespace jacquard

#endif  // JACQUARD_SIM_STEP_H_
