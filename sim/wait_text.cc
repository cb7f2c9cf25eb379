#include "sim/wait_text.h"

#include <cstdio>
#include <string>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/lock_holders.h"
#include "sim/recorder.h"

namespace jacquard::sim {

std::string NameOf(const void* object) {
  std::string name = engine.program().NameOf(object);
  if (!name.empty()) return name;
  char hexadecimal[32];
  std::snprintf(hexadecimal, sizeof(hexadecimal), "%p", object);
  return hexadecimal;
}

const char* HeldKindName(HeldKind kind) {
  switch (kind) {
    case HeldKind::kMutex:
      return "mutex";
    case HeldKind::kShared:
    case HeldKind::kExclusive:
      return "reader/writer lock";
    case HeldKind::kSpinLock:
      return "spin lock";
    case HeldKind::kOnce:
      return "initialisation";
    case HeldKind::kStream:
      return "stream";
  }
  return "lock";
}

std::string DescribeWait(const SimThread& thread) {
  const Backstage backstage;
  const std::string name = NameOf(thread.wait_address);
  switch (thread.wait) {
    case WaitReason::kFutex:
      return "sleeps on " + name;
    case WaitReason::kMutex: {
      const std::string holders = lock_holders.Describe(thread.wait_address);
      return std::string("waits for the ") +
             HeldKindName(lock_holders.KindOf(thread.wait_address)) + " " + name +
             (holders.empty() ? ", which no thread of the execution holds" : holders);
    }
    case WaitReason::kShared:
      return "waits to share the lock " + name + lock_holders.Describe(thread.wait_address);
    case WaitReason::kExclusive:
      return "waits for the lock " + name + lock_holders.Describe(thread.wait_address);
    case WaitReason::kOnce:
      return "waits for the initialisation " + name + lock_holders.Describe(thread.wait_address);
    case WaitReason::kCondition:
      return "waits for the condition variable " + name;
    case WaitReason::kSemaphore:
      return "waits for the semaphore " + name;
    case WaitReason::kBarrier:
      return "waits at the barrier " + name;
    case WaitReason::kDescriptor:
      return "is in " + DescribeDescriptorWait(thread);
    case WaitReason::kJoin:
      return "waits for thread " + std::to_string(thread.wait_thread) + " to end";
    case WaitReason::kSleep:
      return "sleeps";
    case WaitReason::kSignal:
      return "waits for a signal";
    case WaitReason::kSpin:
      return "spins on " + name;
    case WaitReason::kNone:
      break;
  }
  return "can run";
}

std::string DescribeWaits(ThreadSet threads) {
  const Backstage backstage;
  std::string message;
  for (const int id : MembersOf(threads)) {
    const SimThread& thread = engine.thread(id);
    message += (message.empty() ? "thread " : "; thread ") + std::to_string(id);
    const std::string operation = engine.program().OperationName(thread.operation);
    if (!operation.empty()) message += " (" + operation + ")";
    message += " " + DescribeWait(thread);
    if (engine.recorder == nullptr) continue;
    for (int i = 0; i < engine.thread_count(); ++i) {
      if (engine.thread(i).held.Find(thread.wait_address) != nullptr)
        engine.recorder->AddPlaceOfHeld(i, thread.wait_address);
    }
  }
  return message;
}

}  // namespace jacquard::sim
