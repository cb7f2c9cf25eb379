// Plain accesses and function calls of the code under test.
//
// Nobody can see the order of plain accesses that do not race, so they are no decision points. A
// write is logged for the roll-back, and ends what the spin detector may think of the thread.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/engine.h"
#include "sim/recorder.h"

namespace jacquard::sim {
namespace {

// What the spin detector compares anyway.
bool OnOwnStack(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - StackBottom(engine.current->id) < kStackSize;
}

[[gnu::noinline]] void CountPlainAccess() {
  if (engine.Simulates()) engine.recorder->CountPlainAccess();
}

void PlainRead() {
  if (engine.recorder != nullptr) [[unlikely]]
    CountPlainAccess();
}

[[gnu::noinline]] void WriteStackWatched(const void* address, size_t size) {
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) engine.recorder->CountPlainAccess();
  engine.HasWrittenOwnStack(address, size);
}

[[gnu::noinline]] void WriteElsewhere(const void* address, size_t size) {
  if (engine.rollback.Covers(address)) [[unlikely]]
    engine.LogGlobal(address, size);
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) [[unlikely]]
    engine.recorder->CountPlainAccess();
  engine.HasWritten(address, size);
}

// Most writes go to the thread's own stack, and matter to nobody.
void PlainWrite(const void* address, size_t size) {
  if (!OnOwnStack(address)) {
    WriteElsewhere(address, size);
  } else if (engine.StackIsWatched()) [[unlikely]] {
    WriteStackWatched(address, size);
  }
}

[[gnu::noinline]] void PushCall(void* call_site) {
  if (!engine.Simulates()) return;
  SimThread& me = *engine.current;
  if (me.call_depth < SimThread::kMaxCallStack) {
    me.call_stack[me.call_depth] = reinterpret_cast<uintptr_t>(call_site);
  }
  ++me.call_depth;
}

[[gnu::noinline]] void PopCall() {
  if (!engine.Simulates()) return;
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

using jacquard::sim::PlainRead;
using jacquard::sim::PlainWrite;

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void* call_site) { jacquard::sim::EnterFunction(call_site); }
void __tsan_func_exit() { jacquard::sim::LeaveFunction(); }

#define JACQUARD_PLAIN_HOOKS(SIZE)                                                         \
  void __tsan_read##SIZE(void*) { PlainRead(); }                                           \
  void __tsan_unaligned_read##SIZE(void*) { PlainRead(); }                                 \
  void __tsan_volatile_read##SIZE(void*) { PlainRead(); }                                  \
  void __tsan_unaligned_volatile_read##SIZE(void*) { PlainRead(); }                        \
  void __tsan_write##SIZE(void* address) { PlainWrite(address, SIZE); }                    \
  void __tsan_unaligned_write##SIZE(void* address) { PlainWrite(address, SIZE); }          \
  void __tsan_volatile_write##SIZE(void* address) { PlainWrite(address, SIZE); }           \
  void __tsan_unaligned_volatile_write##SIZE(void* address) { PlainWrite(address, SIZE); } \
  void __tsan_read_write##SIZE(void* address) { PlainWrite(address, SIZE); }               \
  void __tsan_unaligned_read_write##SIZE(void* address) { PlainWrite(address, SIZE); }

JACQUARD_PLAIN_HOOKS(1)
JACQUARD_PLAIN_HOOKS(2)
JACQUARD_PLAIN_HOOKS(4)
JACQUARD_PLAIN_HOOKS(8)
JACQUARD_PLAIN_HOOKS(16)

void __tsan_read_range(void*, size_t) { PlainRead(); }
void __tsan_write_range(void* address, size_t size) { PlainWrite(address, size); }
void __tsan_vptr_read(void**) { PlainRead(); }
void __tsan_vptr_update(void** address, void*) { PlainWrite(address, sizeof(void*)); }

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  PlainWrite(to, size);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  PlainWrite(to, size);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, size_t size) {
  PlainWrite(to, size);
  return std::memset(to, value, size);
}

}  // extern "C"
