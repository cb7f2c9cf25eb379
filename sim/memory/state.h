// What the memory model keeps: threads, stores, and cells (what is known of a range of bytes).
//
// A location's modification order is a doubly linked list of stores. A store holds what a reader
// that synchronises with it learns (`released`), and since when each thread has known of it
// (`known`): a thread must not read anything older than a store that lies in its past, whether it
// was written, read or heard of there. Coherence is that one comparison.
#ifndef JACQUARD_SIM_MEMORY_STATE_H_
#define JACQUARD_SIM_MEMORY_STATE_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "sim/memory/clock.h"
#include "sim/memory/slab.h"
#include "sim/step.h"

namespace jacquard::sim::memory {

// The same as `object = {}` for what is all zeros then, and done in whole registers.
template <class T>
void SetZero(T& object) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memset(static_cast<void*>(&object), 0, sizeof(object));
}

// Consume is treated as acquire.
constexpr bool IsAcquire(MemoryOrder order) {
  return order != MemoryOrder::kRelaxed && order != MemoryOrder::kRelease;
}
constexpr bool IsRelease(MemoryOrder order) { return order >= MemoryOrder::kRelease; }
constexpr bool IsSeqCst(MemoryOrder order) { return order == MemoryOrder::kSeqCst; }

// One store in modification order. In the narrow form it fills one cache line.
template <class Clock>
struct alignas(64) Store {
  Clock released;           // what an acquire read of it learns
  Clock known;              // by thread: the epoch in which it first wrote or read it
  uint64_t value = 0;       // the low 8 bytes
  uint64_t value_high = 0;  // of 16-byte objects only
  Index previous = 0;       // in modification order
  Index next = 0;
  int32_t event = -1;              // what the caller calls it; -1: an initial value
  typename Clock::Lane epoch = 0;  // of its author; 0: an initial value, known to all
  uint8_t author = 0;
  bool followed : 1 = false;  // a read-modify-write has read it, and stands right behind it
  bool seq_cst : 1 = false;
};
static_assert(sizeof(Store<NarrowClock>) == 64);

template <class Clock>
struct alignas(64) Thread {
  Clock now;      // happens-before
  Clock pending;  // what the next acquire fence learns: from relaxed reads
  Clock fenced;   // what relaxed stores release: as of the last release fence
  bool joined = false;
};

// A range of bytes that is accessed as one object, atomically or not. Accesses of another size or
// offset have cells of their own; cells that share bytes are linked.
template <class Clock>
struct alignas(64) Cell {
  uint64_t key = 0;
  uint32_t stamp = 0;   // the execution that it belongs to
  Index newest = 0;     // the last store in modification order; 0: none yet
  Index oldest = 0;     // the first one that is still kept
  uint32_t length = 0;  // how many are kept
  Index overlaps = 0;   // list of the cells that share bytes with it
  Index seq_cst = 0;    // its part in the order of seq_cst events (seq_cst.h)

  // Accesses for the race check, by thread the last epoch. A plain write forgets all others.
  typename Clock::Lane write_epoch = 0;
  uint8_t writer = 0;
  bool forgotten : 1 = false;      // stores that a thread might have read are no longer kept
  bool shares_atomic : 1 = false;  // accessed atomically, and so is a cell that overlaps it
  bool has_gaps : 1 = false;       // no read-modify-write follows some store but the newest
  bool is_lock : 1 = false;        // what it knows of atomic reads are uses of a lock
  Clock plain_reads;
  Clock atomic_reads;
  Clock atomic_writes;
  // By thread: how often in a row it has read again a store that was not the newest.
  uint8_t stale_reads[Clock::kLanes] = {};

  uintptr_t address() const { return key >> 8; }
  uint32_t size() const { return key & 0xFF; }
};

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_STATE_H_
