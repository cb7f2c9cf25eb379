// Data races: two accesses that conflict, one of them plain, not ordered by happens-before.
//
// Kept per cell as FastTrack does (Flanagan and Freund, PLDI 2009): the last plain write as one
// epoch, since all before it are ordered before it or have raced already; reads and atomic
// accesses as clocks. Cells that share bytes look at each other; so two accesses race only if they
// have a byte in common.
#ifndef JACQUARD_SIM_MEMORY_RACE_H_
#define JACQUARD_SIM_MEMORY_RACE_H_

#include <cstdint>

#include "sim/memory/state.h"

namespace jacquard::sim::memory {

enum class AccessKind : uint8_t { kPlainRead, kPlainWrite, kAtomicRead, kAtomicWrite };

// "plain read" and so on. Never null.
const char* AccessKindName(AccessKind kind);

// What was found: the access that came later in the execution, and the earlier one.
struct Race {
  AccessKind kind = AccessKind::kPlainRead;
  AccessKind earlier_kind = AccessKind::kPlainWrite;
  int thread = -1;
  int earlier_thread = -1;
  uintptr_t address = 0;  // of the later access
  uint32_t size = 0;
  uintptr_t earlier_address = 0;  // the earlier one may have another size
  uint32_t earlier_size = 0;
  bool of_lock = false;  // an atomic read is a use of a lock, say, that lies there
  // The earlier one is a plain write, the later one the first atomic access: an atomic object is
  // used before its construction happened before.
  bool before_construction = false;
  // The later thread has read what the earlier one released after its access, or later, but has not
  // acquired it: an acquire fence would order the two.
  bool read_without_acquire = false;
};

// Whether there is a lock in the cell, and not an atomic object behind it in the same place.
template <class Clock>
bool IsLock(const Cell<Clock>& cell) {
  return cell.is_lock && cell.newest == 0;
}

// The first lane in which `accesses` exceeds `now`, or -1.
template <class Clock>
int FirstUnordered(const Clock& accesses, const Clock& now) {
  if (!accesses.Exceeds(now)) return -1;
  for (int lane = 0; lane < Clock::kLanes; ++lane) {
    if (accesses[lane] > now[lane]) return lane;
  }
  return -1;
}

// Whether an access of this kind, by a thread that knows `now`, races with one that `cell`
// remembers; if so, `race` says which.
template <class Clock>
bool RacesWith(const Cell<Clock>& cell, AccessKind kind, const Clock& now, Race& race) {
  const auto conflict = [&](AccessKind earlier, int thread) {
    race.earlier_kind = earlier;
    race.earlier_thread = thread;
    race.earlier_address = cell.address();
    race.earlier_size = cell.size();
    race.of_lock = IsLock(cell);
    return true;
  };
  if (cell.write_epoch > now[cell.writer]) [[unlikely]]
    return conflict(AccessKind::kPlainWrite, cell.writer);
  const bool is_plain = kind == AccessKind::kPlainRead || kind == AccessKind::kPlainWrite;
  const bool is_write = kind == AccessKind::kPlainWrite || kind == AccessKind::kAtomicWrite;
  const auto conflicts_with = [&](const Clock& accesses, AccessKind earlier) {
    const int thread = FirstUnordered(accesses, now);
    return thread >= 0 && conflict(earlier, thread);
  };
  return (is_write && conflicts_with(cell.plain_reads, AccessKind::kPlainRead)) ||
         (is_plain && conflicts_with(cell.atomic_writes, AccessKind::kAtomicWrite)) ||
         (kind == AccessKind::kPlainWrite &&
          conflicts_with(cell.atomic_reads, AccessKind::kAtomicRead));
}

// The same without saying which: all that most accesses need.
template <class Clock>
[[gnu::always_inline]] inline bool Conflicts(const Cell<Clock>& cell, AccessKind kind,
                                             const Clock& now) {
  const bool is_plain = kind == AccessKind::kPlainRead || kind == AccessKind::kPlainWrite;
  const bool is_write = kind == AccessKind::kPlainWrite || kind == AccessKind::kAtomicWrite;
  return cell.write_epoch > now[cell.writer] || (is_write && cell.plain_reads.Exceeds(now)) ||
         (is_plain && cell.atomic_writes.Exceeds(now)) ||
         (kind == AccessKind::kPlainWrite && cell.atomic_reads.Exceeds(now));
}

// Whether an access of this kind by the thread shows nothing new: it has made such a one, or a
// write, in the same epoch. What races with this access has raced with that one.
template <class Clock>
bool IsRepeated(const Cell<Clock>& cell, AccessKind kind, int thread, const Clock& now) {
  const auto epoch = now[thread];
  if (cell.writer == thread && cell.write_epoch == epoch) return true;
  return kind == AccessKind::kPlainRead && cell.plain_reads[thread] == epoch;
}

// Remembers an access of a thread that knows `now`.
template <class Clock>
[[gnu::always_inline]] inline void Remember(Cell<Clock>& cell, AccessKind kind, int thread,
                                            const Clock& now) {
  switch (kind) {
    case AccessKind::kPlainRead:
      cell.plain_reads.Join(now.Only(thread, 0));
      break;
    case AccessKind::kPlainWrite:
      cell.write_epoch = now[thread];
      cell.writer = static_cast<uint8_t>(thread);
      cell.plain_reads = {};
      cell.atomic_reads = {};
      cell.atomic_writes = {};
      break;
    case AccessKind::kAtomicRead:
      cell.atomic_reads.Join(now.Only(thread, 0));
      break;
    case AccessKind::kAtomicWrite:
      cell.atomic_writes.Join(now.Only(thread, 0));
      break;
  }
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_RACE_H_
