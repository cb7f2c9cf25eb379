// Plain accesses and function calls of the code under test.
//
// Nobody can see the order of plain accesses that do not race, so they are no decision points. A
// write is logged for the roll-back, and ends what the spin detector may think of the thread. With
// a memory model, races are found here (races.h).
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/races.h"
#include "sim/recorder.h"

namespace jacquard::sim {
namespace {

// What the spin detector compares anyway.
bool OnOwnStack(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - engine.current->stack_bottom < kStackSize;
}

// Apart from the heap's check, a read matters to the memory model and to the trace.
[[gnu::noinline]] void NoteRead(const void* address, size_t size, uintptr_t pc) {
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) engine.recorder->CountPlainAccess();
  if (engine.memory != nullptr) CheckPlainRead(address, size, pc);
}

[[gnu::always_inline]] inline void PlainRead(const void* address, size_t size, uintptr_t pc) {
  CheckAccess(address, size, AccessKind::kRead, pc);
  if (engine.memory != nullptr || engine.recorder != nullptr) NoteRead(address, size, pc);
}

[[gnu::noinline]] void NoteWrite(const void* address, size_t size, uintptr_t pc) {
  if (engine.rollback.Covers(address)) [[unlikely]]
    engine.LogGlobal(address, size);
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) [[unlikely]]
    engine.recorder->CountPlainAccess();
  if (engine.memory != nullptr) CheckPlainWrite(address, size, pc);
  if (OnOwnStack(address)) {
    engine.HasWrittenOwnStack(address, size);
  } else {
    engine.HasWritten(address, size);
  }
}

// Without a memory model, most writes go to the thread's own stack, and matter to nobody.
[[gnu::always_inline]] inline void PlainWrite(const void* address, size_t size, uintptr_t pc) {
  CheckAccess(address, size, AccessKind::kWrite, pc);
  if (engine.memory == nullptr) {
    const bool matters = OnOwnStack(address) ? engine.StackIsWatched()
                                             : engine.hooks_on || engine.rollback.Covers(address);
    if (!matters) return;
  }
  NoteWrite(address, size, pc);
}

// The harness's functions before and after the threads count, too: they allocate and free.
bool KeepsCallStack() {
  return engine.OnExecutingThread() && (engine.hooks_on || engine.current->id < 0);
}

[[gnu::noinline]] void PushCall(void* call_site) {
  if (!KeepsCallStack()) return;
  SimThread& me = *engine.current;
  if (me.call_depth < SimThread::kMaxCallStack) {
    me.call_stack[me.call_depth] = reinterpret_cast<uintptr_t>(call_site);
  }
  ++me.call_depth;
}

[[gnu::noinline]] void PopCall() {
  if (!KeepsCallStack()) return;
  SimThread& me = *engine.current;
  if (me.call_depth > 0) --me.call_depth;
}

void EnterFunction(void* call_site) {
  if (engine.recorder != nullptr) [[unlikely]]
    PushCall(call_site);
}

void LeaveFunction() {
  if (engine.recorder != nullptr) [[unlikely]]
    PopCall();
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AccessKind;
using jacquard::sim::CheckAccess;
using jacquard::sim::PlainRead;
using jacquard::sim::PlainWrite;

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void* call_site) { jacquard::sim::EnterFunction(call_site); }
void __tsan_func_exit() { jacquard::sim::LeaveFunction(); }

#define JACQUARD_CALLER reinterpret_cast<uintptr_t>(__builtin_return_address(0))

#define JACQUARD_READ_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainRead(address, SIZE, JACQUARD_CALLER); }
#define JACQUARD_WRITE_HOOK(NAME, SIZE) \
  void __tsan_##NAME(void* address) { PlainWrite(address, SIZE, JACQUARD_CALLER); }

// Volatile is not synchronisation.
#define JACQUARD_PLAIN_HOOKS(SIZE)                          \
  JACQUARD_READ_HOOK(read##SIZE, SIZE)                      \
  JACQUARD_READ_HOOK(unaligned_read##SIZE, SIZE)            \
  JACQUARD_READ_HOOK(volatile_read##SIZE, SIZE)             \
  JACQUARD_READ_HOOK(unaligned_volatile_read##SIZE, SIZE)   \
  JACQUARD_WRITE_HOOK(write##SIZE, SIZE)                    \
  JACQUARD_WRITE_HOOK(unaligned_write##SIZE, SIZE)          \
  JACQUARD_WRITE_HOOK(volatile_write##SIZE, SIZE)           \
  JACQUARD_WRITE_HOOK(unaligned_volatile_write##SIZE, SIZE) \
  JACQUARD_WRITE_HOOK(read_write##SIZE, SIZE)               \
  JACQUARD_WRITE_HOOK(unaligned_read_write##SIZE, SIZE)

JACQUARD_PLAIN_HOOKS(1)
JACQUARD_PLAIN_HOOKS(2)
JACQUARD_PLAIN_HOOKS(4)
JACQUARD_PLAIN_HOOKS(8)
JACQUARD_PLAIN_HOOKS(16)

void __tsan_read_range(void* address, size_t size) { PlainRead(address, size, JACQUARD_CALLER); }
void __tsan_write_range(void* address, size_t size) { PlainWrite(address, size, JACQUARD_CALLER); }
void __tsan_vptr_read(void** address) { PlainRead(address, sizeof(void*), JACQUARD_CALLER); }
void __tsan_vptr_update(void** address, void* value) {
  // A destructor of a class without derived ones changes nothing.
  if (*address != value) PlainWrite(address, sizeof(void*), JACQUARD_CALLER);
}

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  PlainRead(from, size, JACQUARD_CALLER);
  PlainWrite(to, size, JACQUARD_CALLER);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  PlainRead(from, size, JACQUARD_CALLER);
  PlainWrite(to, size, JACQUARD_CALLER);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, size_t size) {
  PlainWrite(to, size, JACQUARD_CALLER);
  return std::memset(to, value, size);
}

}  // extern "C"
