#include "sim/cancellation.h"

#include <errno.h>
#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "sim/engine.h"
#include "sim/notes.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/threads.h"

namespace jacquard::sim {
namespace {

// What each request hands over.
char requests[kMaxThreads];

bool IsPending(const SimThread& thread) {
  return thread.is_cancelled && !thread.leaves && thread.cancel_state == PTHREAD_CANCEL_ENABLE;
}

bool IsAsynchronous(const SimThread& thread) {
  return thread.cancel_type == PTHREAD_CANCEL_ASYNCHRONOUS;
}

[[noreturn]] void Leave(uintptr_t pc) {
  SimThread& me = *engine.current;
  me.leaves = true;  // once: what follows is a step
  engine.Acquire(&requests[me.id]);
  NoteInTrace([] { return "is cancelled"; });
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
  LeaveThread(PTHREAD_CANCELED, pc);
}

int Cancel(pthread_t handle, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  SimThread& me = *engine.current;
  SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) {
    Finish(StepKind::kOther, nullptr, 0, 0, pc);
    return ESRCH;
  }
  if (thread->joined || (thread->detached && engine.HasEnded(*thread))) {
    Misuse("pthread_cancel of a thread that is gone",
           thread->joined ? "it was joined before" : "it was detached, and has ended", pc);
  }
  me.spin.Reset();
  if (!engine.HasEnded(*thread) && !thread->is_cancelled) {
    thread->is_cancelled = true;
    engine.Release(&requests[thread->id]);
    NoteInTrace([thread] { return "cancels thread " + std::to_string(thread->id); });
    if (engine.IsBlocked(*thread) && IsCancelledIn(*thread, thread->wait)) {
      thread->wait_is_cancelled = thread->woken_spuriously = true;
      engine.MakeRunnable(*thread);
    }
    if (IsAsynchronous(*thread)) engine.LookForAsynchronousCancel();
    engine.WakeIfSpinning(*thread);
  }
  Finish(StepKind::kOther, nullptr, 0, static_cast<uint64_t>(thread->id), pc);
  TestAsynchronousCancel(me);
  return 0;
}

// Others run in between: who cancels it may wait for that.
void TestCancelAsStep(uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  TestCancel(pc);
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
}

// `old` may be null.
int Exchange(int& value, int to, int* old, uintptr_t pc) {
  if (old != nullptr) {
    CheckAccess(old, sizeof(*old), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(old, sizeof(*old));
    *old = value;
  }
  value = to;
  TestAsynchronousCancel(*engine.current);
  return 0;
}

}  // namespace

bool IsCancelledIn(const SimThread& thread, WaitReason reason) {
  constexpr WaitReason kPoints[] = {WaitReason::kCondition,  WaitReason::kSemaphore,
                                    WaitReason::kJoin,       WaitReason::kSleep,
                                    WaitReason::kDescriptor, WaitReason::kSignal};
  return IsPending(thread) &&
         std::find(std::begin(kPoints), std::end(kPoints), reason) != std::end(kPoints);
}

void TestCancel(uintptr_t pc) {
  if (IsPending(*engine.current)) [[unlikely]]
    Leave(pc);
}

void TestAsynchronousCancel(const SimThread& me) {
  if (IsPending(me) && IsAsynchronous(me)) [[unlikely]]
    Leave(0);
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

extern "C" {

int pthread_cancel(pthread_t thread) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_cancel)(thread);
  return jacquard::sim::Cancel(thread, JACQUARD_CALLER);
}

void pthread_testcancel() {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_testcancel)();
  jacquard::sim::TestCancelAsStep(JACQUARD_CALLER);
}

int pthread_setcancelstate(int state, int* old) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_setcancelstate)(state, old);
  if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE) return EINVAL;
  return jacquard::sim::Exchange(engine.current->cancel_state, state, old, JACQUARD_CALLER);
}

int pthread_setcanceltype(int type, int* old) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_setcanceltype)(type, old);
  if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS) return EINVAL;
  return jacquard::sim::Exchange(engine.current->cancel_type, type, old, JACQUARD_CALLER);
}

}  // extern "C"
