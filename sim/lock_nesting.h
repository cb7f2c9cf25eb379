// Which locks were taken while which others were held: what an execution tells of the order of
// locks, for those who compare executions (jacquard/lock_graph.h).
#ifndef JACQUARD_SIM_LOCK_NESTING_H_
#define JACQUARD_SIM_LOCK_NESTING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/byte_string.h"
#include "sim/trace.h"

namespace jacquard {

// One thread took one lock, and would have waited for it, while it held another one.
struct LockNesting {
  // A lock that the thread held at that time. Locked shared, it keeps out writers only.
  struct Lock {
    const void* lock = nullptr;
    bool shared = false;
  };
  static constexpr int kMostHeld = 16;

  int thread = -1;
  // The same in all executions for a thread that has the same creator, and is the creator's child
  // of the same number.
  uint64_t lineage = 0;
  Lock outer;
  Lock inner;
  uintptr_t outer_pc = 0;  // the calls that took them
  uintptr_t inner_pc = 0;
  // In which steps, and which of the locks that the thread took they were, from 1.
  uint64_t outer_step = 0;
  uint64_t inner_step = 0;
  uint32_t outer_number = 0;
  uint32_t inner_number = 0;
  uint32_t forks = 0;  // so many creations and joins there had been
  int operation = -1;
  int held_count = 0;  // all that it held, `outer` among them
  Lock held[kMostHeld];
  uint64_t key = 0;  // a hash of all but steps, numbers and calls
};

// Whether two threads that do this cannot be in it at the same time, as both hold a lock that lets
// only one in.
bool HaveCommonGate(const LockNesting& one, const LockNesting& other);

// Whether a thread in `waiter`, which holds its outer lock and wants its inner one, waits for a
// thread in `holder`.
inline bool WaitsFor(const LockNesting& waiter, const LockNesting& holder) {
  return waiter.inner.lock == holder.outer.lock && !(waiter.inner.shared && holder.outer.shared);
}

// What the last execution has shown; until the next one begins.
struct LockNestings {
  std::span<const LockNesting> all;
  uint64_t key = 0;  // a hash of all of them, whatever their order; 0 if there are none
  // By lineage: the threads that had ended, as their joins tell, before the i-th nesting, and those
  // that were created after it.
  std::vector<uint64_t> EndedBefore(size_t i) const;
  std::vector<uint64_t> CreatedAfter(size_t i) const;
  // What stands for the lock in all executions, if that is known: for a global variable, one in a
  // frame of the first thread, and one on the heap since before there was a second thread. Else 0.
  static uint64_t FixedIdentity(const void* lock);
  // If the execution was recorded, the places of the i-th: where the outer lock was taken, the
  // inner one, and where their memory was allocated (nowhere, without `what`, if not on the heap).
  static constexpr size_t kPlaces = 4;
  std::span<const TracePlace> Places(size_t i) const;
};
LockNestings LastLockNestings();

// After a verdict kLockOrder: the choices with which the same program ends in the deadlock.
struct DeadlockChoices {
  std::vector<Exception> exceptions;
  std::vector<Exception> memory_exceptions;
};
const DeadlockChoices& LastDeadlockChoices();

}  // namespace jacquard

#endif  // JACQUARD_SIM_LOCK_NESTING_H_
