// Plain accesses and function calls of the code under test.
//
// Nobody can see the order of plain accesses that do not race, so they are no decision points. A
// write is logged for the roll-back, and ends what the spin detector may think of the thread. With
// a memory model, races are found here (races.h).
//
// Where races are ignored (ExecutionOptions::races) each access is a step instead, and so is a read
// of a thread that seems to wait for what it reads (plain_loops.h). The hook comes before the
// access, and nothing can come between the two: another thread runs before the hook goes on, or
// after the access.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/call_stack.h"
#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/heap_check.h"
#include "sim/plain_loops.h"
#include "sim/plain_ranges.h"
#include "sim/races.h"
#include "sim/recorder.h"
#include "sim/spin.h"

// In hooks.S: go on in jacquard_plain_read4 and its like, below.
extern "C" {
#define JACQUARD_PLAIN_ENTRIES(SIZE)                    \
  void jacquard_enter_plain_read##SIZE(void* address);  \
  void jacquard_enter_plain_write##SIZE(void* address); \
  void jacquard_plain_read##SIZE(void* address);        \
  void jacquard_plain_write##SIZE(void* address);

JACQUARD_PLAIN_ENTRIES(1)
JACQUARD_PLAIN_ENTRIES(2)
JACQUARD_PLAIN_ENTRIES(4)
JACQUARD_PLAIN_ENTRIES(8)
JACQUARD_PLAIN_ENTRIES(16)
}

namespace jacquard::sim {
namespace {

// What the spin detector compares anyway.
bool OnOwnStack(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - engine.current->stack_bottom < kStackSize;
}

// A write that is not to the running thread's own stack, but perhaps to another one's.
[[gnu::always_inline]] inline void NoteOwner(const void* address) {
  const uintptr_t stack = (reinterpret_cast<uintptr_t>(address) - kStackArea) / kStackStride;
  if (stack < static_cast<uintptr_t>(engine.thread_count()))
    engine.thread(static_cast<int>(stack)).spin.BeginAnew();
}

// An access that is seen closely, before it takes place.
void NoteSeenClosely(const void* address, size_t size) {
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) engine.recorder->CountPlainAccess();
  if (engine.recurrence.watches())
    engine.recurrence.OnPlainAccess(engine.current->id, address, size);
}

// Apart from the heap's check, a read matters to the memory model, to the trace, and to what is
// known of the thread's loops.
[[gnu::always_inline]] inline void NoteRead(const void* address, size_t size, uintptr_t pc,
                                            bool counts = true) {
  if (!engine.Simulates()) return;
  if (counts && !engine.rollback.IsInOtherLibraries(address)) plain_loops.Count();
  if (engine.memory != nullptr) CheckPlainAccess<memory::AccessKind::kPlainRead>(address, size, pc);
}

[[gnu::always_inline]] inline void NoteWrite(const void* address, size_t size, uintptr_t pc) {
  engine.LogGlobal(address, size);
  if (!engine.Simulates()) return;
  if (engine.memory != nullptr)
    CheckPlainAccess<memory::AccessKind::kPlainWrite>(address, size, pc);
  if (OnOwnStack(address)) {
    engine.HasWrittenOwnStack(address, size);
  } else {
    engine.HasWritten(address, size);
    NoteOwner(address);
  }
}

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// ---- accesses that are steps

// Whether the running thread's access to `address` is a step. What is no affair of the program's
// is none.
bool IsStep(const void* address) {
  return engine.PlainAccessesAreSteps() && IsWatchedForRaces(address);
}

void FinishStep(StepKind kind, const void* address, size_t size, uintptr_t pc) {
  const auto told_size = static_cast<uint8_t>(std::min<size_t>(size, UINT8_MAX));
  const uint64_t value = size <= sizeof(value) ? ReadBytes(address, told_size) : 0;
  if (kind == StepKind::kPlainRead) engine.HasRead(address, told_size, value);
  engine.FinishStep(kind, MemoryOrder::kRelaxed, told_size, address, value, value, pc);
}

template <size_t kSize>
[[gnu::always_inline]] inline void ReadAsStep(void* address, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kPlainRead, address, pc);
  plain_loops.GoOn();
  CheckAccess(address, kSize, AccessKind::kRead, pc);
  NoteSeenClosely(address, kSize);
  NoteRead(address, kSize, pc);
  FinishStep(StepKind::kPlainRead, address, kSize, pc);
}

template <size_t kSize>
[[gnu::always_inline]] inline void WriteAsStep(void* address, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kPlainWrite, address, pc);
  CheckAccess(address, kSize, AccessKind::kWrite, pc);
  NoteSeenClosely(address, kSize);
  NoteWrite(address, kSize, pc);
  FinishStep(StepKind::kPlainWrite, address, kSize, pc);
}

using PlainHook = void(void* address);

template <size_t kSize>
constexpr PlainHook* EnterRead() {
  if constexpr (kSize == 1) return jacquard_enter_plain_read1;
  if constexpr (kSize == 2) return jacquard_enter_plain_read2;
  if constexpr (kSize == 4) return jacquard_enter_plain_read4;
  if constexpr (kSize == 8) return jacquard_enter_plain_read8;
  if constexpr (kSize == 16) return jacquard_enter_plain_read16;
}

template <size_t kSize>
constexpr PlainHook* EnterWrite() {
  if constexpr (kSize == 1) return jacquard_enter_plain_write1;
  if constexpr (kSize == 2) return jacquard_enter_plain_write2;
  if constexpr (kSize == 4) return jacquard_enter_plain_write4;
  if constexpr (kSize == 8) return jacquard_enter_plain_write8;
  if constexpr (kSize == 16) return jacquard_enter_plain_write16;
}

// Whether a read would take the shortest way if there were no trace.
template <size_t kSize>
bool TakesShortestWay(const void* address) {
  if (engine.memory != nullptr && !engine.memory->IsAlone()) return false;
  return AlignedOnHeap<kSize>(address, kNearTag) || SurelyOnStack(address, StackPointer());
}

// Whether a read, of those that count, is to be a step because the thread is looked at
// (plain_loops.h).
[[gnu::always_inline]] inline bool IsStepOfLook(const void* address) {
  return !plain_loops.OnlyCounts() && engine.Simulates() &&
         !engine.rollback.IsInOtherLibraries(address) && plain_loops.BeginsStep();
}

// `kIsAligned`: by a hook for aligned accesses.
template <size_t kSize, bool kIsAligned>
[[gnu::noinline]] void ReadSeenClosely(void* address) {
  const bool counts = !kIsAligned || !TakesShortestWay<kSize>(address);
  if (IsStep(address) || (counts && IsStepOfLook(address))) [[clang::musttail]]
    return EnterRead<kSize>()(address);
  CheckAccess(address, kSize, AccessKind::kRead, JACQUARD_CALLER);
  NoteSeenClosely(address, kSize);
  NoteRead(address, kSize, JACQUARD_CALLER, counts);
}

template <size_t kSize>
[[gnu::noinline]] void WriteSeenClosely(void* address) {
  if (IsStep(address)) [[clang::musttail]]
    return EnterWrite<kSize>()(address);
  CheckAccess(address, kSize, AccessKind::kWrite, JACQUARD_CALLER);
  NoteSeenClosely(address, kSize);
  NoteWrite(address, kSize, JACQUARD_CALLER);
}

// A range of bytes is one step. It is not taken for a turn of a spin loop. What is read, if
// anything, begins at `read`.
bool BeginStepOfRange(StepKind kind, const void* address, size_t size, uintptr_t pc,
                      const void* read) {
  if (size == 0) return false;
  if (!IsStep(address) && (read == nullptr || !IsStepOfLook(read))) return false;
  engine.DecisionPoint(kind, address, pc);
  plain_loops.GoOn();
  return true;
}

bool RangesMayBeSteps() { return engine.plain_seen_closely || !plain_loops.OnlyCounts(); }

// ---- accesses that are none

// Most accesses go to the heap. What is rare, and all accesses with a memory model or while a trace
// is recorded, go on in a function that takes the place of the hook: its caller is the code under
// test.
template <size_t kSize, bool kIsAligned = true>
[[gnu::noinline]] void ReadRarely(void* address) {
  if (engine.plain_seen_closely) [[unlikely]]
    [[clang::musttail]] return ReadSeenClosely<kSize, kIsAligned>(address);
  if (IsStepOfLook(address)) [[unlikely]]
    [[clang::musttail]] return EnterRead<kSize>()(address);
  CheckAccess(address, kSize, AccessKind::kRead, JACQUARD_CALLER);
  NoteRead(address, kSize, JACQUARD_CALLER);
}

template <size_t kSize>
[[gnu::noinline]] void WriteRarely(void* address) {
  if (engine.plain_seen_closely) [[unlikely]]
    [[clang::musttail]] return WriteSeenClosely<kSize>(address);
  CheckAccess(address, kSize, AccessKind::kWrite, JACQUARD_CALLER);
  NoteWrite(address, kSize, JACQUARD_CALLER);
}

// Whether an aligned access of the running thread to `address` is one to memory that is there, and
// neither the roll-back nor anybody else has to hear of it. False also means "not known".
template <size_t kSize, AccessKind kKind>
[[gnu::always_inline]] inline bool SurelyPermitted(const void* address) {
  if (AlignedOnHeap<kSize>(address, kNearTag)) return true;
  const auto bits = reinterpret_cast<uintptr_t>(address);
  if (!IsFarAway(address))
    return SurelyOnStack(address, StackPointer()) || engine.IsInUseByOther(bits);
  if (kKind == AccessKind::kWrite && engine.rollback.HasLogged(address, kSize)) return true;
  if (engine.rollback.IsInLibraries(address)) return false;
  return kKind == AccessKind::kRead ||
         (!engine.rollback.Covers(address) && foreign_words.Has(bits));
}

// Whether the memory model has been told of an access by a simulated thread that is permitted, and
// has nothing to say. False: nothing has been done.
template <size_t kSize, AccessKind kKind>
[[gnu::always_inline]] inline bool ToldAtOnce(const void* address) {
  constexpr auto kTold =
      kKind == AccessKind::kRead ? memory::AccessKind::kPlainRead : memory::AccessKind::kPlainWrite;
  if (engine.plain_seen_closely || !engine.hooks_on || !engine.OnStackOfCurrent()) return false;
  if (kKind == AccessKind::kRead && !plain_loops.OnlyCounts()) [[unlikely]]
    return false;
  const SimThread& me = *engine.current;
  if (me.ignores_races != 0 || !SurelyPermitted<kSize, kKind>(address) ||
      !engine.memory->PlainAtOnce<kTold>(me.id, address, kSize))
    return false;
  repeated_accesses.Note<kKind == AccessKind::kWrite>(address, kSize);
  if (kKind == AccessKind::kRead) plain_loops.Count();
  return true;
}

// The same for a write, which nobody may wait for. Does all that there is to do.
template <size_t kSize>
[[gnu::always_inline]] inline bool WriteToldAtOnce(const void* address) {
  if (engine.WritesAreAwaited() || !ToldAtOnce<kSize, AccessKind::kWrite>(address)) return false;
  if (OnOwnStack(address)) return true;
  engine.current->spin.Reset();
  NoteOwner(address);
  return true;
}

// Whether the memory model is told of accesses, has been told of this one by the running thread in
// this stretch, and the memory is surely still there: of its own stack only what lies above the
// stack pointer is.
template <size_t kSize, bool kWrites>
[[gnu::always_inline]] inline bool IsRepeated(const void* address) {
  const uintptr_t bottom = engine.current->stack_bottom;
  return kSize <= 8 && near_tag == kToldTag && repeated_accesses.Has<kWrites>(address, kSize) &&
         engine.hooks_on &&
         reinterpret_cast<uintptr_t>(address) - bottom >=
             reinterpret_cast<uintptr_t>(StackPointer()) - bottom;
}
// All that is left to do for such a read.
template <size_t kSize>
[[gnu::always_inline]] inline bool ReadIsRepeated(const void* address) {
  if (!IsRepeated<kSize, false>(address) || !plain_loops.OnlyCounts()) return false;
  plain_loops.Count();
  return true;
}

// Accesses of which the memory model, or a trace, is to hear.
template <size_t kSize>
[[gnu::noinline]] void ReadTold(void* address) {
  if constexpr (kSize <= 8) {
    if (ToldAtOnce<kSize, AccessKind::kRead>(address)) [[likely]]
      return;
  }
  [[clang::musttail]] return ReadRarely<kSize>(address);
}

template <size_t kSize>
[[gnu::noinline]] void WriteTold(void* address) {
  if constexpr (kSize <= 8) {
    if (WriteToldAtOnce<kSize>(address)) [[likely]]
      return;
  }
  [[clang::musttail]] return WriteRarely<kSize>(address);
}

// Second to the heap comes the thread's own stack. Nobody waits for what is written there, except
// who spins on it.
template <size_t kSize>
[[gnu::always_inline]] inline void ReadElsewhere(void* address) {
  if (near_tag != kNearTag) {
    if (ReadIsRepeated<kSize>(address)) [[likely]]
      return;
    [[clang::musttail]] return ReadTold<kSize>(address);
  }
  if (!SurelyOnStack(address, StackPointer())) [[unlikely]]
    [[clang::musttail]] return ReadRarely<kSize>(address);
}

template <size_t kSize>
[[gnu::always_inline]] inline void WriteElsewhere(void* address) {
  if (near_tag != kNearTag) {
    if (IsRepeated<kSize, true>(address)) [[likely]]
      return;
    [[clang::musttail]] return WriteTold<kSize>(address);
  }
  if (!SurelyOnStack(address, StackPointer()) || engine.WritesAreAwaited()) [[unlikely]]
    [[clang::musttail]] return WriteRarely<kSize>(address);
}

template <size_t kSize>
[[gnu::always_inline]] inline void PlainRead(void* address) {
  if (!AlignedOnHeap<kSize>(address, near_tag)) [[unlikely]]
    return ReadElsewhere<kSize>(address);
}

// The heap is neither a global nor the thread's own stack, so little of NoteWrite() is left.
template <size_t kSize>
[[gnu::always_inline]] inline void PlainWrite(void* address) {
  if (!AlignedOnHeap<kSize>(address, near_tag) || engine.WritesAreAwaited()) [[unlikely]]
    return WriteElsewhere<kSize>(address);
  if (engine.Simulates()) engine.current->spin.Reset();
}

// A range of bytes, by the function that stands in `pc`; of no step of its own.
[[gnu::always_inline]] inline void NoteWriteOfRange(const void* address, size_t size,
                                                    uintptr_t pc) {
  if (SurelyOnHeap(address, size) && near_tag == kNearTag) [[likely]] {
    if (engine.Simulates()) engine.HasWritten(address, size);
    return;
  }
  CheckAccess(address, size, AccessKind::kWrite, pc);
  if (engine.plain_seen_closely) [[unlikely]]
    NoteSeenClosely(address, size);
  NoteWrite(address, size, pc);
}

[[gnu::always_inline]] inline void NoteReadOfRange(const void* address, size_t size, uintptr_t pc) {
  CheckAccess(address, size, AccessKind::kRead, pc);
  if (engine.plain_seen_closely) [[unlikely]]
    NoteSeenClosely(address, size);
  NoteRead(address, size, pc);
}

[[gnu::always_inline]] inline void WriteRange(const void* address, size_t size, uintptr_t pc) {
  const bool steps = engine.plain_seen_closely &&
                     BeginStepOfRange(StepKind::kPlainWrite, address, size, pc, nullptr);
  NoteWriteOfRange(address, size, pc);
  if (steps) [[unlikely]]
    FinishStep(StepKind::kPlainWrite, address, size, pc);
}

[[gnu::always_inline]] inline void ReadRange(const void* address, size_t size, uintptr_t pc) {
  const bool steps =
      RangesMayBeSteps() && BeginStepOfRange(StepKind::kPlainRead, address, size, pc, address);
  NoteReadOfRange(address, size, pc);
  if (steps) [[unlikely]]
    FinishStep(StepKind::kPlainRead, address, size, pc);
}

// A copy is a write of what is there when the thread is picked: one step.
[[gnu::always_inline]] inline void CopyRange(const void* to, const void* from, size_t size,
                                             uintptr_t pc) {
  const bool steps =
      RangesMayBeSteps() && BeginStepOfRange(StepKind::kPlainWrite, to, size, pc, from);
  NoteReadOfRange(from, size, pc);
  NoteWriteOfRange(to, size, pc);
  if (steps) [[unlikely]] {
    engine.current->spin.Reset();  // who waits for what is copied is not taken for spinning
    FinishStep(StepKind::kPlainWrite, to, size, pc);
  }
}

// Of stack that is left for the hooks, what they call, and libraries.
constexpr uintptr_t kStackReserve = 32 << 10;

[[gnu::always_inline]] inline bool StackIsNearlyFull() {
  return reinterpret_cast<uintptr_t>(StackPointer()) - engine.current->stack_bottom < kStackReserve;
}

// So that no fault comes in the middle of a hook, which may hold a lock.
[[gnu::noinline]] void ReportFullStack(void* call_site) {
  if (engine.OnExecutingThread()) ReportStackOverflow(reinterpret_cast<uintptr_t>(call_site));
}

}  // namespace

void NotePlainRead(const void* address, size_t size, uintptr_t pc) { ReadRange(address, size, pc); }
void NotePlainWrite(const void* address, size_t size, uintptr_t pc) {
  WriteRange(address, size, pc);
}
void NotePlainCopy(const void* to, const void* from, size_t size, uintptr_t pc) {
  CopyRange(to, from, size, pc);
}

}  // namespace jacquard::sim

using jacquard::sim::AccessKind;
using jacquard::sim::CheckAccess;
using jacquard::sim::CopyRange;
using jacquard::sim::engine;
using jacquard::sim::IsRepeated;
using jacquard::sim::IsStep;
using jacquard::sim::kToldTag;
using jacquard::sim::near_tag;
using jacquard::sim::PlainRead;
using jacquard::sim::PlainWrite;
using jacquard::sim::ReadAsStep;
using jacquard::sim::ReadIsRepeated;
using jacquard::sim::ReadRange;
using jacquard::sim::ReadRarely;
using jacquard::sim::WriteAsStep;
using jacquard::sim::WriteRange;
using jacquard::sim::WriteRarely;
using jacquard::sim::WriteToldAtOnce;

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void* call_site) {
  if (jacquard::sim::StackIsNearlyFull()) [[unlikely]]
    jacquard::sim::ReportFullStack(call_site);
  if (engine.seen_closely) [[unlikely]]
    jacquard::sim::EnterFunction(call_site);
}
void __tsan_func_exit() {
  if (engine.seen_closely) [[unlikely]]
    jacquard::sim::LeaveFunction();
}

#define JACQUARD_READ_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainRead<SIZE>(address); }
#define JACQUARD_WRITE_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainWrite<SIZE>(address); }
#define JACQUARD_UNALIGNED_READ_HOOK(NAME, SIZE)                 \
  void __tsan_unaligned_##NAME(void* address) {                  \
    if (ReadIsRepeated<SIZE>(address)) return;                   \
    [[clang::musttail]] return ReadRarely<SIZE, false>(address); \
  }
#define JACQUARD_UNALIGNED_WRITE_HOOK(NAME, SIZE)          \
  void __tsan_unaligned_##NAME(void* address) {            \
    if (IsRepeated<SIZE, true>(address)) return;           \
    [[clang::musttail]] return WriteRarely<SIZE>(address); \
  }
#define JACQUARD_PLAIN_HOOKS(SIZE)                          \
  JACQUARD_READ_HOOK(read##SIZE, SIZE)                      \
  JACQUARD_UNALIGNED_READ_HOOK(read##SIZE, SIZE)            \
  JACQUARD_READ_HOOK(volatile_read##SIZE, SIZE)             \
  JACQUARD_UNALIGNED_READ_HOOK(volatile_read##SIZE, SIZE)   \
  JACQUARD_WRITE_HOOK(write##SIZE, SIZE)                    \
  JACQUARD_UNALIGNED_WRITE_HOOK(write##SIZE, SIZE)          \
  JACQUARD_WRITE_HOOK(volatile_write##SIZE, SIZE)           \
  JACQUARD_UNALIGNED_WRITE_HOOK(volatile_write##SIZE, SIZE) \
  JACQUARD_WRITE_HOOK(read_write##SIZE, SIZE)               \
  JACQUARD_UNALIGNED_WRITE_HOOK(read_write##SIZE, SIZE)

JACQUARD_PLAIN_HOOKS(1)
JACQUARD_PLAIN_HOOKS(2)
JACQUARD_PLAIN_HOOKS(4)
JACQUARD_PLAIN_HOOKS(8)
JACQUARD_PLAIN_HOOKS(16)

#define JACQUARD_PLAIN_STEPS(SIZE)                                                              \
  void jacquard_plain_read##SIZE(void* address) { ReadAsStep<SIZE>(address, JACQUARD_CALLER); } \
  void jacquard_plain_write##SIZE(void* address) { WriteAsStep<SIZE>(address, JACQUARD_CALLER); }

JACQUARD_PLAIN_STEPS(1)
JACQUARD_PLAIN_STEPS(2)
JACQUARD_PLAIN_STEPS(4)
JACQUARD_PLAIN_STEPS(8)
JACQUARD_PLAIN_STEPS(16)

void __tsan_read_range(void* address, size_t size) { ReadRange(address, size, JACQUARD_CALLER); }
void __tsan_write_range(void* address, size_t size) { WriteRange(address, size, JACQUARD_CALLER); }
void __tsan_vptr_read(void** address) { PlainRead<sizeof(void*)>(address); }
void __tsan_vptr_update(void** address, void* value) {
  // A destructor of a class without derived ones changes nothing. But a constructor is called for
  // memory that may hold anything: whether there is a step must not depend on that.
  if (*address == value && !IsStep(address)) return;
  if (near_tag == kToldTag &&
      (IsRepeated<sizeof(void*), true>(address) || WriteToldAtOnce<sizeof(void*)>(address)))
    return;
  WriteRange(address, sizeof(void*), JACQUARD_CALLER);
}

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  CopyRange(to, from, size, JACQUARD_CALLER);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  CopyRange(to, from, size, JACQUARD_CALLER);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, size_t size) {
  WriteRange(to, size, JACQUARD_CALLER);
  return std::memset(to, value, size);
}

}  // extern "C"
