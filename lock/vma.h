// A VMA: a range of addresses of one mm, with its lock. Its memory comes from a pool, and goes back
// to it at once when the VMA is freed (type_stable_pool.h).
//
// A VMA's life: allocated (detached, nobody else knows it), initialised as one of its mm, its
// fields set, write-locked, attached and inserted in the mm's map; in use; write-locked, taken out
// of the map, detached, freed; and then another VMA, perhaps another mm's.
//
// Its fields may be read by who holds the VMA for reading, or the mm's lock; and changed while it
// is write-locked, or detached. But an owner it may get from a reader (page_table.h). A reader that
// has found it in the map and has no reference yet may look at nothing but the lock.
#ifndef JACQUARD_LOCK_VMA_H_
#define JACQUARD_LOCK_VMA_H_

#include <atomic>
#include <cstdint>

#include "lock/page_owner.h"
#include "lock/type_stable_pool.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"

namespace jacquard::lock {

using Address = std::uint64_t;

// What all addresses of a VMA have in common. Neighbours merge only if they are equal.
struct VmaFlags {
  bool writable = false;
  bool grows_down = false;  // a stack
  bool operator==(const VmaFlags&) const = default;
};

template <LockValidator Validator = NoValidator>
struct BasicVma {
  using Lock = BasicVmaLock<KernelWidths, Validator>;

  bool Contains(Address address) const { return start <= address && address < end; }

  Lock lock;
  Address start = 0;
  Address end = 0;  // not included
  VmaFlags flags;
  // Of its pages; the VMA holds on to it. Relaxed everywhere, pairs with nothing: it is set by
  // faults under the page table's mutex, else while the VMA is write-locked, or nobody else's.
  std::atomic<PageOwner*> owner{nullptr};
};

template <LockValidator Validator = NoValidator>
using BasicVmaPool = TypeStablePool<BasicVma<Validator>>;

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_VMA_H_
