// flockfile and its like, as simulated threads use them. The C library's own lock of a stream stays
// free: a thread that is not picked could hold it for as long as another waits in the kernel. So a
// stream keeps other threads' flockfile out, but not their printf, which is no step.
#include "sim/streams.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/engine.h"
#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

struct LockedStream {
  FILE* stream;
  int owner;
  int depth;
};
std::vector<LockedStream> locked_streams;

LockedStream* Find(FILE* stream) {
  for (LockedStream& locked : locked_streams) {
    if (locked.stream == stream) return &locked;
  }
  return nullptr;
}

// As a step's value: 0 free, else the owner's number plus 1.
uint64_t StateOf(FILE* stream) {
  const LockedStream* const locked = Find(stream);
  return locked == nullptr ? 0 : static_cast<uint64_t>(locked->owner) + 1;
}

// Whether the thread has it already, once more from now on.
bool EnterAgain(FILE* stream) {
  LockedStream* const locked = Find(stream);
  if (locked == nullptr || locked->owner != engine.current->id) return false;
  ++locked->depth;
  return true;
}

void Take(FILE* stream, uintptr_t pc, bool waits) {
  {
    const Backstage backstage;
    locked_streams.push_back({stream, engine.current->id, 1});
  }
  engine.HasWritten(stream, 1);
  engine.Acquire(stream);
  lock_holders.Take(stream, HeldKind::kStream, pc, waits);
}

void Lock(FILE* stream, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexLock, stream, pc);
  const uint64_t old_state = StateOf(stream);
  if (!EnterAgain(stream)) {
    while (Find(stream) != nullptr) {
      WaitForLock(WaitReason::kMutex, stream, pc, Engine::kNoDeadline);
    }
    Take(stream, pc, true);
  }
  Finish(StepKind::kMutexLock, stream, old_state, StateOf(stream), pc);
}

int TryLock(FILE* stream, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kMutexTryLock, stream, pc);
  const uint64_t old_state = StateOf(stream);
  bool takes = EnterAgain(stream);
  if (!takes && old_state == 0) {
    Take(stream, pc, false);
    takes = true;
  }
  if (!takes) engine.HasRead(stream, 1, old_state);
  Finish(StepKind::kMutexTryLock, stream, old_state, takes, pc);
  return takes ? 0 : -1;
}

void Unlock(FILE* stream, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexUnlock, stream, pc);
  LockedStream* const locked = Find(stream);
  const uint64_t old_state = StateOf(stream);
  if (locked == nullptr || locked->owner != engine.current->id) {
    Misuse("unlock of a stream by a thread that has not locked it",
           locked == nullptr ? "it is not locked"
                             : "thread " + std::to_string(locked->owner) + " has locked it",
           pc);
  }
  if (--locked->depth == 0) {
    engine.Release(stream);
    {
      const Backstage backstage;
      locked_streams.erase(locked_streams.begin() + (locked - locked_streams.data()));
    }
    engine.HasWritten(stream, 1);
    lock_holders.Leave(stream, HeldKind::kStream);
    engine.WakeAll(WaitReason::kMutex, stream);
  }
  Finish(StepKind::kMutexUnlock, stream, old_state, StateOf(stream), pc);
}

}  // namespace

void ForgetLockOf(FILE* stream) {
  const LockedStream* const locked = Find(stream);
  if (locked == nullptr) return;
  if (locked->owner == engine.current->id) lock_holders.Leave(stream, HeldKind::kStream);
  const Backstage backstage;
  locked_streams.erase(locked_streams.begin() + (locked - locked_streams.data()));
}

void ForgetLockedStreams() { locked_streams.clear(); }

}  // namespace jacquard::sim

using jacquard::sim::engine;

extern "C" {

void flockfile(FILE* stream) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(flockfile)(stream);
  jacquard::sim::Lock(stream, JACQUARD_CALLER);
}

int ftrylockfile(FILE* stream) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(ftrylockfile)(stream);
  return jacquard::sim::TryLock(stream, JACQUARD_CALLER);
}

void funlockfile(FILE* stream) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(funlockfile)(stream);
  jacquard::sim::Unlock(stream, JACQUARD_CALLER);
}

}  // extern "C"
