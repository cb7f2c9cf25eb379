#include "sim/step.h"
#include "sim/verdict.h"

namespace jacquard {

const char* StepKindName(StepKind kind) {
  switch (kind) {
    case StepKind::kLoad:
      return "load";
    case StepKind::kStore:
      return "store";
    case StepKind::kReadModifyWrite:
      return "read-modify-write";
    case StepKind::kFence:
      return "fence";
    case StepKind::kFutexWait:
      return "futex wait";
    case StepKind::kFutexWakeUp:
      return "futex wake-up";
    case StepKind::kFutexWake:
      return "futex wake";
    case StepKind::kMutexLock:
      return "mutex lock";
    case StepKind::kMutexTryLock:
      return "mutex try-lock";
    case StepKind::kMutexUnlock:
      return "mutex unlock";
    case StepKind::kThreadCreate:
      return "thread create";
    case StepKind::kThreadJoin:
      return "thread join";
    case StepKind::kThreadEnd:
      return "thread end";
    case StepKind::kYield:
      return "yield";
    case StepKind::kSleep:
      return "sleep";
    case StepKind::kClock:
      return "clock";
    case StepKind::kOther:
      return "other";
  }
  return "?";
}

const char* MemoryOrderName(MemoryOrder order) {
  constexpr const char* kNames[] = {"relaxed", "consume", "acquire",
                                    "release", "acq_rel", "seq_cst"};
  return kNames[static_cast<int>(order) % 6];
}

const char* VerdictKindName(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPass:
      return "pass";
    case VerdictKind::kInvariant:
      return "invariant";
    case VerdictKind::kFinal:
      return "final";
    case VerdictKind::kDeadlock:
      return "deadlock";
    case VerdictKind::kLivelock:
      return "livelock";
    case VerdictKind::kMisuse:
      return "misuse";
    case VerdictKind::kAbort:
      return "abort";
    case VerdictKind::kException:
      return "exception";
    case VerdictKind::kUnsupported:
      return "unsupported";
  }
  return "?";
}

}  // namespace jacquard
