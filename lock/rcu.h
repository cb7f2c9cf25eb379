// Read-copy-update: readers who take no lock, and reclaimers who wait until those readers are gone.
//
// A reader opens a section, follows pointers, and closes it. Whoever takes an object out of reach
// (unlinks it) must not free it yet: a reader that came before may still look at it. It waits for a
// *grace period*: until every section that was open at the unlinking is closed. Sections opened
// later cannot reach the object any more, so nobody waits for them.
//
//     reader                                  reclaimer
//     record = the period's number            unlink the object
//     full fence A                            full fence B, then begin a new period
//     follow pointers                         each record: empty, or of the new period? if not:
//     wait record = empty                          free the object
//
// Whichever fence comes second, the access after it sees the store before the other: either the
// reader does not find the object, or the reclaimer finds the reader's record. A reader that has
// the new period's number has acquired the unlinking with it.
//
// Each thread has a record of its own, registered when it first reads and handed on to another
// thread when it ends; so the memory is that of the most threads that ever read at a time, and
// there is no limit on them. There is one RCU for the whole process, as an object may be looked at
// by anybody.
//
// Callbacks (Call, DeleteLater) run once, after a grace period, on whichever thread comes by: in
// Synchronize, Barrier, RunCallbacks, and in Call itself, which runs those that are due. There is
// no thread that does nothing else. So a callback must not take a lock that a caller of these may
// hold.
//
// (The scheme is that of user-level RCU: Desnoyers, McKenney, Stern, Dagenais and Walpole,
// "User-Level Implementations of Read-Copy Update", IEEE TPDS 2012; with a 64-bit number of the
// period, which does not come round, in place of their two phases.)
#ifndef JACQUARD_LOCK_RCU_H_
#define JACQUARD_LOCK_RCU_H_

#include <concepts>
#include <cstdint>

namespace jacquard::lock {

// What an object to be reclaimed later carries: its place in the queue of callbacks.
struct RcuHead {
  using Function = void (*)(RcuHead* head);

  RcuHead* next = nullptr;
  Function function = nullptr;
  std::uint64_t period = 0;
};

// All functions may be called by any thread.
class Rcu {
 public:
  // Opens a section; sections nest. Costs two loads, a store and a full fence if it is the
  // outermost, and nothing is waited for, except for memory by a thread's first one. The kernel's
  // rcu_read_lock.
  static void ReadLock();

  // Closes the innermost section (one must be open: checked). Costs a store and, if it was the
  // outermost, a full fence and a load; a system call if somebody waits for a grace period. The
  // kernel's rcu_read_unlock.
  static void ReadUnlock();

  // How many sections the calling thread has open. A thread that ends with one is an error
  // (checked).
  static int ReadDepth();

  // Sleeps until all sections that are open now are closed; then runs callbacks that are due. Not
  // inside a section (checked), nor under a lock that a reader may wait for inside one. The
  // kernel's synchronize_rcu.
  static void Synchronize();

  // Calls `function(&head)` once, after all sections that are open now are closed. Does not wait,
  // so it is right inside a section, too. The head must stay until then. The kernel's call_rcu.
  static void Call(RcuHead& head, RcuHead::Function function);

  // Deletes `object` after all sections that are open now are closed. The kernel's kfree_rcu.
  template <std::derived_from<RcuHead> T>
  static void DeleteLater(T* object) {
    Call(*object, [](RcuHead* head) { delete static_cast<T*>(head); });
  }

  // Runs the callbacks that are due, without waiting for a grace period, or for another thread that
  // runs some. True if it was not in vain.
  static bool RunCallbacks();

  // Sleeps until every callback whose Call came before has run. Not inside a section, nor in a
  // callback (both checked). The kernel's rcu_barrier.
  static void Barrier();
};

// Holds a section open while it lives.
class [[nodiscard]] RcuReadGuard {
 public:
  RcuReadGuard() { Rcu::ReadLock(); }
  ~RcuReadGuard() { Rcu::ReadUnlock(); }
  RcuReadGuard(const RcuReadGuard&) = delete;
  RcuReadGuard& operator=(const RcuReadGuard&) = delete;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_RCU_H_
