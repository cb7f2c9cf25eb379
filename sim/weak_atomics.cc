#include "sim/weak_atomics.h"

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/library_bugs.h"
#include "sim/memory/memory.h"
#include "sim/races.h"
#include "sim/recorder.h"
#include "sim/repeated_accesses.h"

namespace jacquard::sim {
namespace {

template <class T>
uint64_t Low(T value) {
  return static_cast<uint64_t>(value);
}

// Answers the model's picks.
struct AskStrategy {
  int operator()(PickKind kind, int alternatives) const {
    return engine.ChooseForMemory(kind, alternatives);
  }
};

// What the model is told to call a store: the step that makes it.
int32_t ThisStep() { return static_cast<int32_t>(engine.step() + 1); }

// The access has been told to the model: reports a race, and what the trace wants to know.
void AfterAccess(bool reads, int32_t event, uintptr_t pc) {
  if (engine.memory->has_race()) [[unlikely]]
    OnRace(pc);
  if (engine.recorder != nullptr && reads) [[unlikely]]
    engine.recorder->NoteRead(event);
}

// The running thread has read a value and left it there.
void HasOnlyRead(const void* address, uint8_t size, uint64_t value, bool newest) {
  if (newest) [[likely]] {
    engine.HasRead(address, size, value);
  } else {
    engine.current->spin.OnStaleRead(address, size);
  }
}

// Who looks whether somebody waits for an atomic object has changed it before; who has announced
// that it waits looks at it afterwards. Sequential consistency among the counts alone does not
// order these (sim/library_bugs.h).
template <class T>
void FenceIfWaiterCount(const T* address, MemoryOrder order) {
  if constexpr (sizeof(T) == sizeof(int)) {
    if (IsWaiterCount(address) && order == MemoryOrder::kSeqCst) [[unlikely]]
      engine.FenceMemory(MemoryOrder::kSeqCst);
  }
}

}  // namespace

template <class T>
T WeakLoad(T* address, MemoryOrder order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kLoad, address, pc);
  CheckAtomicAccess<T>(address, AccessKind::kRead, pc);
  FenceIfWaiterCount(address, order);
  const auto read = engine.memory->Load(engine.current->id, address, order, AskStrategy());
  AfterAccess(true, read.event, pc);
  HasOnlyRead(address, sizeof(T), Low(read.value), read.newest);
  engine.FinishStep(StepKind::kLoad, order, sizeof(T), address, Low(read.value), Low(read.value),
                    pc, read.newest);
  return read.value;
}

template <class T>
void WeakStore(T* address, T value, MemoryOrder order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kStore, address, pc);
  CheckAtomicAccess<T>(address, AccessKind::kWrite, pc);
  const T old = *address;
  const bool newest = engine.memory->StoreValue(engine.current->id, address, value, order,
                                                ThisStep(), AskStrategy());
  AfterAccess(false, 0, pc);
  if (newest) [[likely]] {
    engine.rollback.BeforeWrite(address, sizeof(T));
    *address = value;
  }
  engine.HasWritten(address, sizeof(T));
  engine.FinishStep(StepKind::kStore, order, sizeof(T), address, Low(old), Low(value), pc, newest);
}

template <class T>
T WeakUpdate(T* address, Update update, T operand, MemoryOrder order, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, address, pc);
  CheckAtomicAccess<T>(address, AccessKind::kWrite, pc);
  const auto result = engine.memory->ReadModifyWrite(
      engine.current->id, address,
      [update, operand](T old) { return Updated<T>(update, old, operand); }, order, ThisStep(),
      AskStrategy());
  FenceIfWaiterCount(address, order);
  AfterAccess(true, result.event, pc);
  CheckContractOfUpdate(update, result.old_value, operand, order, pc);
  if (result.value == result.old_value && result.write) {
    // A spin lock that writes "taken" over "taken" only looks.
    engine.HasRead(address, sizeof(T), Low(result.value));
  } else {
    if (result.write) [[likely]] {
      engine.rollback.BeforeWrite(address, sizeof(T));
      *address = result.value;
    }
    engine.HasWritten(address, sizeof(T));
  }
  engine.FinishStep(StepKind::kReadModifyWrite, order, sizeof(T), address, Low(result.old_value),
                    Low(result.value), pc, result.write);
  return result.old_value;
}

template <class T>
bool WeakCompareExchange(T* address, T* expected, T desired, bool weak, MemoryOrder order,
                         MemoryOrder failure, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kReadModifyWrite, address, pc);
  CheckAtomicAccess<T>(address, AccessKind::kWrite, pc);
  const auto result = engine.memory->CompareExchange(engine.current->id, address, *expected,
                                                     desired, weak && MayFailSpuriously(pc), order,
                                                     failure, ThisStep(), AskStrategy());
  AfterAccess(true, result.event, pc);
  if (!result.stored) {
    if (result.old_value == *expected) {
      NoteSpuriousFailure(pc);
    } else {
      NoteOtherValue();
      HasOnlyRead(address, sizeof(T), Low(result.old_value), result.read_newest);
      *expected = result.old_value;
    }
    engine.FinishStep(StepKind::kLoad, failure, sizeof(T), address, Low(result.old_value),
                      Low(result.old_value), pc, result.read_newest);
    return false;
  }
  NoteStored();
  if (desired == result.old_value && result.write) {
    engine.HasRead(address, sizeof(T), Low(desired));
  } else {
    if (result.write) [[likely]] {
      engine.rollback.BeforeWrite(address, sizeof(T));
      *address = desired;
    }
    engine.HasWritten(address, sizeof(T));
  }
  engine.FinishStep(StepKind::kReadModifyWrite, order, sizeof(T), address, Low(result.old_value),
                    Low(desired), pc, result.write);
  return true;
}

#define JACQUARD_WEAK_ATOMICS(T)                                   \
  template T WeakLoad<T>(T*, MemoryOrder, uintptr_t);              \
  template void WeakStore<T>(T*, T, MemoryOrder, uintptr_t);       \
  template T WeakUpdate<T>(T*, Update, T, MemoryOrder, uintptr_t); \
  template bool WeakCompareExchange<T>(T*, T*, T, bool, MemoryOrder, MemoryOrder, uintptr_t);

JACQUARD_WEAK_ATOMICS(uint8_t)
JACQUARD_WEAK_ATOMICS(uint16_t)
JACQUARD_WEAK_ATOMICS(uint32_t)
JACQUARD_WEAK_ATOMICS(uint64_t)
JACQUARD_WEAK_ATOMICS(unsigned __int128)

// ---- spurious failures

bool MayFailSpuriously(uintptr_t pc) {
  const SimThread& me = *engine.current;
  return engine.SpuriousIsAllowed() && me.spurious_pc != pc &&
         me.spurious_failures < kMaxSpuriousFailures;
}

void NoteSpuriousFailure(uintptr_t pc) {
  SimThread& me = *engine.current;
  me.spurious_pc = pc;
  ++me.spurious_failures;
  engine.CountSpurious();
  me.spin.Reset();  // the next round may end otherwise
}

void NoteStored() {
  engine.current->spurious_pc = 0;
  engine.current->spurious_failures = 0;
}

void NoteOtherValue() { engine.current->spurious_pc = 0; }

// ---- the runtime's own accesses

void SeeNewest(const uint32_t* word) {
  if (engine.memory == nullptr) return;
  engine.memory->LearnNewest(engine.current->id, word);
}

void PublishByte(uint8_t* address, uint8_t value) {
  if (engine.memory == nullptr || !engine.hooks_on) return;
  engine.memory->StoreValue(engine.current->id, address, value, MemoryOrder::kRelease, ThisStep(),
                            [](PickKind, int) { return 0; });
}

// ---- the engine's part

void Engine::Acquire(const void* object) {
  if (memory != nullptr && hooks_on) memory->Acquire(current->id, object);
}

void Engine::AcquireFor(const SimThread& thread, const void* object) {
  if (memory != nullptr) memory->Acquire(thread.id, object);
}

void Engine::Release(const void* object) {
  if (memory != nullptr && hooks_on) memory->Release(current->id, object);
}

void Engine::ReleaseUnseen() {
  if (memory != nullptr && hooks_on) memory->ReleaseUnseen(current->id);
}

void Engine::AcquireAll() {
  if (memory != nullptr && hooks_on) memory->AcquireAll(current->id);
}

void Engine::FenceMemory(MemoryOrder order) {
  if (memory != nullptr) memory->Fence(current->id, order);
}

void Engine::FenceAll() {
  if (memory != nullptr) memory->FenceAll(current->id);
}

void Engine::BeginEpochsAtSteps() {
  if (memory == nullptr || steps_begin_epochs_) return;
  steps_begin_epochs_ = true;
  for (int i = 0; i < thread_count_; ++i) memory->BeginEpoch(i);
  SetLimit(limit_);
}

void Engine::ForgetMemory(const void* address, size_t size) {
  memory->Forget(address, size);
  repeated_accesses.Forget(address, size);
}

void Engine::BeginMemory() {
  static Memory* const model = new Memory();
  memory = nullptr;
  if (options_.memory != MemoryMode::kRc11) return;
  memory = model;
  memory->BeginExecution({.max_history = options_.max_history, .check_races = options_.races});
  BeginLibraryBugs(options_.library_bugs);
}

void Engine::EndMemory() {
  if (memory == nullptr) return;
  if (memory->HasLostDetail()) ++counters_.cut_histories;
  memory = nullptr;
}

void Engine::TellCreation(int parent, int child) {
  if (memory == nullptr || child == 0) return;
  memory->CreateThread(parent, child);
  SetNearTag();
}

void Engine::TellCreationAgain(int parent, int child) {
  if (memory == nullptr) return;
  memory->CreateThreadAgain(parent, child);
  SetNearTag();
}

void Engine::TellJoin(int child) {
  if (memory == nullptr) return;
  memory->JoinThread(current->id, child);
  SetNearTag();
}

// A spinning thread has read old values: where it did, it sees the newest next.
void Engine::SeeNewestNext() {
  SpinDetector& spin = current->spin;
  for (int i = 0; i < spin.stale_read_count(); ++i) {
    const SpinDetector::Read read = spin.stale_read(i);
    memory->SeeNewestNext(current->id, read.address, read.size);
  }
  spin.Reset();
}

}  // namespace jacquard::sim
