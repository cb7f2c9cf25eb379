// The names of the runtime's words, as reports print them. A value outside of an enumeration is
// "unknown": reports must not fail on a damaged trace.
#include "sim/names.h"

#include <string.h>

#include <string>

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
    case StepKind::kSharedLock:
      return "shared lock";
    case StepKind::kSharedTryLock:
      return "shared try-lock";
    case StepKind::kSharedUnlock:
      return "shared unlock";
    case StepKind::kConditionWait:
      return "condition wait";
    case StepKind::kConditionWakeUp:
      return "condition wake-up";
    case StepKind::kConditionNotify:
      return "condition notify";
    case StepKind::kSemaphoreWait:
      return "semaphore wait";
    case StepKind::kSemaphoreTryWait:
      return "semaphore try-wait";
    case StepKind::kSemaphorePost:
      return "semaphore post";
    case StepKind::kBarrierArrive:
      return "barrier arrive";
    case StepKind::kBarrierLeave:
      return "barrier leave";
    case StepKind::kPlainRead:
      return "plain read";
    case StepKind::kPlainWrite:
      return "plain write";
    case StepKind::kThreadCreate:
      return "thread create";
    case StepKind::kThreadJoin:
      return "thread join";
    case StepKind::kThreadEnd:
      return "thread end";
    case StepKind::kDestroy:
      return "destroy";
    case StepKind::kFileInput:
      return "file input";
    case StepKind::kFileOutput:
      return "file output";
    case StepKind::kFileClose:
      return "file close";
    case StepKind::kSignalSend:
      return "signal send";
    case StepKind::kSignalWait:
      return "signal wait";
    case StepKind::kExit:
      return "exit";
    case StepKind::kYield:
      return "yield";
    case StepKind::kSleep:
      return "sleep";
    case StepKind::kClock:
      return "clock";
    case StepKind::kOther:
      return "other";
  }
  return "unknown";
}

const char* MemoryOrderName(MemoryOrder order) {
  switch (order) {
    case MemoryOrder::kRelaxed:
      return "relaxed";
    case MemoryOrder::kConsume:
      return "consume";
    case MemoryOrder::kAcquire:
      return "acquire";
    case MemoryOrder::kRelease:
      return "release";
    case MemoryOrder::kAcqRel:
      return "acq_rel";
    case MemoryOrder::kSeqCst:
      return "seq_cst";
  }
  return "unknown";
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
    case VerdictKind::kHeapError:
      return "heap error";
    case VerdictKind::kStackError:
      return "stack error";
    case VerdictKind::kLeak:
      return "leak";
    case VerdictKind::kRace:
      return "race";
    case VerdictKind::kMisuse:
      return "misuse";
    case VerdictKind::kAbort:
      return "abort";
    case VerdictKind::kException:
      return "exception";
    case VerdictKind::kExpectation:
      return "expectation";
    case VerdictKind::kCrash:
      return "crash";
    case VerdictKind::kExit:
      return "exit";
    case VerdictKind::kNondeterministic:
      return "nondeterministic";
    case VerdictKind::kLockOrder:
      return "lock order";
    case VerdictKind::kThreadLeft:
      return "thread left";
    case VerdictKind::kUnsupported:
      return "unsupported";
  }
  return "unknown";
}

namespace sim {

const char* PickKindName(PickKind kind) {
  switch (kind) {
    case PickKind::kSchedule:
      return "schedule";
    case PickKind::kReadsFrom:
      return "reads-from";
    case PickKind::kPlacement:
      return "placement";
    case PickKind::kWeakCompareExchange:
      return "weak compare-exchange";
    case PickKind::kWakeOrder:
      return "wake order";
    case PickKind::kAllocationFailure:
      return "allocation failure";
    case PickKind::kSpuriousWakeUp:
      return "spurious wake-up";
    case PickKind::kSignalHandler:
      return "signal handler";
    case PickKind::kData:
      return "data";
  }
  return "unknown";
}

const char* EventTypeName(TraceEvent::Type type) {
  switch (type) {
    case TraceEvent::Type::kStep:
      return "step";
    case TraceEvent::Type::kOperationBegin:
      return "operation begin";
    case TraceEvent::Type::kOperationEnd:
      return "operation end";
    case TraceEvent::Type::kBlocked:
      return "blocked";
    case TraceEvent::Type::kNote:
      return "note";
  }
  return "unknown";
}

std::string SignalName(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

}  // namespace sim
}  // namespace jacquard
