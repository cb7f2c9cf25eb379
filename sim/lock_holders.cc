#include "sim/lock_holders.h"

#include <string>

#include "sim/engine.h"
#include "sim/lock_order.h"
#include "sim/recorder.h"
#include "sim/wait_text.h"

namespace jacquard::sim {

constinit LockHolders lock_holders;

void LockHolders::Take(const void* lock, HeldKind kind, uintptr_t pc, bool waits) {
  if (count_ != 0) CheckStack(__builtin_frame_address(0), pc);
  ++count_;
  SimThread& me = *engine.current;
  me.held.Add({lock, kind, ++me.locks_taken, engine.step() + 1, pc});
  if (waits && me.held.AreMany()) lock_order.Nest(me);
  if (engine.recorder != nullptr) [[unlikely]]
    engine.recorder->NoteHeld(lock, HeldKindName(kind), pc);
}

bool LockHolders::Leave(const void* lock, HeldKind kind) {
  if (!engine.current->held.Remove(lock, kind)) return false;
  if (--count_ != 0) CheckStack(__builtin_frame_address(0), 0);
  return true;
}

void LockHolders::CheckStack(const void* pointer, uintptr_t pc) {
  const uintptr_t bottom = engine.current->stack_bottom;
  const auto end = reinterpret_cast<uintptr_t>(pointer);
  if (end - bottom < kStackSize) CheckNoneHeld(reinterpret_cast<void*>(bottom), end - bottom, pc);
}

void LockHolders::ReportIfHeld(const void* address, size_t size, uintptr_t pc) {
  for (int i = 0; i < engine.thread_count(); ++i) {
    const SimThread& thread = engine.thread(i);
    for (const HeldLock& held : thread.held) {
      const auto lock = reinterpret_cast<uintptr_t>(held.lock);
      if (lock - reinterpret_cast<uintptr_t>(address) >= size) continue;
      const bool on_stack = lock - kStackArea < (kMaxThreads + 1) * kStackStride;
      static std::string message;  // kept, since this stack is given up
      {
        const Backstage backstage;
        message = std::string("the ") + HeldKindName(held.kind) + " " + NameOf(held.lock) +
                  (on_stack ? " was a variable of a function that has returned"
                            : " lies in memory that is freed") +
                  ", and thread " + std::to_string(i) + " has held it since step " +
                  std::to_string(held.step);
        if (engine.recorder != nullptr) engine.recorder->AddPlaceOfHeld(i, held.lock);
      }
      engine.Fail(VerdictKind::kMisuse, "lock destroyed while it is held", message,
                  {.pc = pc, .threads = engine.current->bit | thread.bit});
    }
  }
}

ThreadSet LockHolders::HoldersFor(const SimThread& waiter) const {
  ThreadSet holders = 0;
  const bool shared = waiter.wait == WaitReason::kShared;
  switch (waiter.wait) {
    case WaitReason::kMutex:
    case WaitReason::kShared:
    case WaitReason::kExclusive:
    case WaitReason::kOnce:
      for (int i = 0; i < engine.thread_count(); ++i) {
        const HeldLock* const held = engine.thread(i).held.Find(waiter.wait_address);
        if (held != nullptr && !(shared && held->kind == HeldKind::kShared))
          holders |= engine.thread(i).bit;
      }
      if (!shared || holders != 0) break;
      // The lock prefers writers, and one waits.
      engine.ForEachWaiter(WaitReason::kExclusive, waiter.wait_address,
                           [&holders](const SimThread& other) { holders |= other.bit; });
      break;
    case WaitReason::kJoin:
      return engine.thread(waiter.wait_thread).bit;
    default:
      break;
  }
  return holders;
}

HeldKind LockHolders::KindOf(const void* lock) const {
  for (int i = 0; i < engine.thread_count(); ++i) {
    if (const HeldLock* const held = engine.thread(i).held.Find(lock)) return held->kind;
  }
  return HeldKind::kMutex;
}

std::string LockHolders::Describe(const void* lock) const {
  std::string text;
  for (int i = 0; i < engine.thread_count(); ++i) {
    const HeldLock* const held = engine.thread(i).held.Find(lock);
    if (held == nullptr) continue;
    text += (text.empty() ? ", held by thread " : " and thread ") + std::to_string(i) +
            " since step " + std::to_string(held->step);
    if (engine.HasEnded(engine.thread(i))) text += ", which has ended";
  }
  return text;
}

}  // namespace jacquard::sim
