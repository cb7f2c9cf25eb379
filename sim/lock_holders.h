// Which thread holds which lock: for deadlocks, for locks that are destroyed while somebody holds
// them, and for the words of reports.
#ifndef JACQUARD_SIM_LOCK_HOLDERS_H_
#define JACQUARD_SIM_LOCK_HOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/held_locks.h"
#include "sim/thread.h"

namespace jacquard::sim {

class LockHolders {
 public:
  // An execution begins: nobody holds any.
  void BeginExecution() { count_ = 0; }

  // The running thread holds `lock` from now on. `waits`: it would have waited for as long as it
  // takes.
  void Take(const void* lock, HeldKind kind, uintptr_t pc, bool waits);
  // Or no longer. False: it did not hold it.
  bool Leave(const void* lock, HeldKind kind);

  // Whether anybody holds one.
  bool any() const { return count_ != 0; }
  // Ends the execution if a lock in `size` bytes at `address` is held: they are given up.
  void CheckNoneHeld(const void* address, size_t size, uintptr_t pc) {
    if (count_ != 0) [[unlikely]]
      ReportIfHeld(address, size, pc);
  }
  // The same for what lies below `pointer` on the running thread's stack.
  void CheckStack(const void* pointer, uintptr_t pc);

  // Those whom `waiter` waits for: who holds its lock, or the thread whose end it waits for.
  ThreadSet HoldersFor(const SimThread& waiter) const;
  // As what whoever holds `lock` has taken it; a mutex if nobody does.
  HeldKind KindOf(const void* lock) const;
  // Who holds `lock`, in words: ", held by thread 2 since step 5"; "" if nobody does.
  std::string Describe(const void* lock) const;

 private:
  void ReportIfHeld(const void* address, size_t size, uintptr_t pc);

  int count_ = 0;  // by all threads
};

// Hidden: reached without a look into a table.
[[gnu::visibility("hidden")]] extern constinit LockHolders lock_holders;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LOCK_HOLDERS_H_
