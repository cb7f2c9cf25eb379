// Plain accesses and function calls of the code under test.
//
// Nobody can see the order of plain accesses that do not race, so they are no decision points. A
// write is logged for the roll-back, and ends what the spin detector may think of the thread. With
// a memory model, races are found here (races.h).
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/heap_check.h"
#include "sim/races.h"
#include "sim/recorder.h"

namespace jacquard::sim {
namespace {

// What the spin detector compares anyway.
bool OnOwnStack(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - engine.current->stack_bottom < kStackSize;
}

void Count() {
  if (engine.recorder != nullptr) [[unlikely]]
    engine.recorder->CountPlainAccess();
}

// Apart from the heap's check, a read matters to the memory model and to the trace.
[[gnu::always_inline]] inline void NoteRead(const void* address, size_t size, uintptr_t pc) {
  if (!engine.Simulates()) return;
  Count();
  if (engine.memory != nullptr) CheckPlainAccess<memory::AccessKind::kPlainRead>(address, size, pc);
}

[[gnu::always_inline]] inline void NoteWrite(const void* address, size_t size, uintptr_t pc) {
  if (engine.rollback.Covers(address)) [[unlikely]]
    engine.LogGlobal(address, size);
  if (!engine.Simulates()) return;
  Count();
  if (engine.memory != nullptr)
    CheckPlainAccess<memory::AccessKind::kPlainWrite>(address, size, pc);
  if (OnOwnStack(address)) {
    engine.HasWrittenOwnStack(address, size);
  } else {
    engine.HasWritten(address, size);
  }
}

// Most accesses go to the heap. What is rare, and all accesses with a memory model or while a trace
// is recorded, go on in a function that takes the place of the hook: its caller is the code under
// test.
#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

template <size_t kSize>
[[gnu::noinline]] void ReadRarely(void* address) {
  CheckAccess(address, kSize, AccessKind::kRead, JACQUARD_CALLER);
  NoteRead(address, kSize, JACQUARD_CALLER);
}

template <size_t kSize>
[[gnu::noinline]] void WriteRarely(void* address) {
  CheckAccess(address, kSize, AccessKind::kWrite, JACQUARD_CALLER);
  NoteWrite(address, kSize, JACQUARD_CALLER);
}

// Second to the heap comes the thread's own stack. Nobody waits for what is written there, except
// who spins on it.
template <size_t kSize>
[[gnu::noinline]] void ReadElsewhere(void* address) {
  if (near_tag != kNearTag || !SurelyOnStack(address, StackPointer())) [[unlikely]]
    [[clang::musttail]] return ReadRarely<kSize>(address);
}

template <size_t kSize>
[[gnu::noinline]] void WriteElsewhere(void* address) {
  if (near_tag != kNearTag || !SurelyOnStack(address, StackPointer()) || engine.SomebodySpins())
      [[unlikely]]
    [[clang::musttail]] return WriteRarely<kSize>(address);
}

template <size_t kSize>
[[gnu::always_inline]] inline void PlainRead(void* address) {
  if (!AlignedOnHeap<kSize>(address, near_tag)) [[unlikely]]
    [[clang::musttail]] return ReadElsewhere<kSize>(address);
}

// The heap is neither a global nor the thread's own stack, so little of NoteWrite() is left.
template <size_t kSize>
[[gnu::always_inline]] inline void PlainWrite(void* address) {
  if (!AlignedOnHeap<kSize>(address, near_tag) || engine.WritesAreAwaited()) [[unlikely]]
    [[clang::musttail]] return WriteElsewhere<kSize>(address);
  if (engine.Simulates()) engine.current->spin.Reset();
}

// A range of bytes, by the function that stands in `pc`.
[[gnu::always_inline]] inline void WriteRange(const void* address, size_t size, uintptr_t pc) {
  if (SurelyOnHeap(address, size) && near_tag == kNearTag) [[likely]] {
    if (engine.Simulates()) engine.HasWritten(address, size);
    return;
  }
  CheckAccess(address, size, AccessKind::kWrite, pc);
  NoteWrite(address, size, pc);
}

[[gnu::always_inline]] inline void ReadRange(const void* address, size_t size, uintptr_t pc) {
  CheckAccess(address, size, AccessKind::kRead, pc);
  NoteRead(address, size, pc);
}

// The harness's functions before and after the threads count, too: they allocate and free.
bool KeepsCallStack() {
  return engine.OnExecutingThread() && (engine.hooks_on || engine.current->id < 0);
}

// Of stack that is left for the hooks, what they call, and libraries.
constexpr uintptr_t kStackReserve = 32 << 10;

[[gnu::always_inline]] inline bool StackIsNearlyFull() {
  return reinterpret_cast<uintptr_t>(StackPointer()) - engine.current->stack_bottom < kStackReserve;
}

[[gnu::noinline]] void EnterFunction(void* call_site) {
  // Said before the end, so that no fault comes in the middle of a hook, which may hold a lock.
  if (StackIsNearlyFull() && engine.OnExecutingThread())
    ReportStackOverflow(reinterpret_cast<uintptr_t>(call_site));
  if (engine.recorder == nullptr || !KeepsCallStack()) return;
  SimThread& me = *engine.current;
  if (me.call_depth < SimThread::kMaxCallStack) {
    me.call_stack[me.call_depth] = reinterpret_cast<uintptr_t>(call_site);
  }
  ++me.call_depth;
}

[[gnu::noinline]] void LeaveFunction() {
  if (!KeepsCallStack()) return;
  SimThread& me = *engine.current;
  if (me.call_depth > 0) --me.call_depth;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AccessKind;
using jacquard::sim::CheckAccess;
using jacquard::sim::engine;
using jacquard::sim::PlainRead;
using jacquard::sim::PlainWrite;
using jacquard::sim::ReadRange;
using jacquard::sim::ReadRarely;
using jacquard::sim::WriteRange;
using jacquard::sim::WriteRarely;

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void* call_site) {
  if (engine.recorder != nullptr || jacquard::sim::StackIsNearlyFull()) [[unlikely]]
    jacquard::sim::EnterFunction(call_site);
}
void __tsan_func_exit() {
  if (engine.recorder != nullptr) [[unlikely]]
    jacquard::sim::LeaveFunction();
}

#define JACQUARD_READ_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainRead<SIZE>(address); }
#define JACQUARD_WRITE_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainWrite<SIZE>(address); }
#define JACQUARD_UNALIGNED_READ_HOOK(NAME, SIZE) \
  void __tsan_unaligned_##NAME(void* address) { ReadRarely<SIZE>(address); }
#define JACQUARD_UNALIGNED_WRITE_HOOK(NAME, SIZE) \
  void __tsan_unaligned_##NAME(void* address) { WriteRarely<SIZE>(address); }
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

void __tsan_read_range(void* address, size_t size) { ReadRange(address, size, JACQUARD_CALLER); }
void __tsan_write_range(void* address, size_t size) { WriteRange(address, size, JACQUARD_CALLER); }
void __tsan_vptr_read(void** address) { PlainRead<sizeof(void*)>(address); }
void __tsan_vptr_update(void** address, void* value) {
  // A destructor of a class without derived ones changes nothing.
  if (*address != value) WriteRange(address, sizeof(void*), JACQUARD_CALLER);
}

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  ReadRange(from, size, JACQUARD_CALLER);
  WriteRange(to, size, JACQUARD_CALLER);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  ReadRange(from, size, JACQUARD_CALLER);
  WriteRange(to, size, JACQUARD_CALLER);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, size_t size) {
  WriteRange(to, size, JACQUARD_CALLER);
  return std::memset(to, value, size);
}

}  // extern "C"
