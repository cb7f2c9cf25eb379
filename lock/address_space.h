// An address space, or mm: the VMAs of one program, and how they are looked up, changed and shared.
//
// Three ways to a VMA, the cheapest first:
//
//   LockVmaUnderRcu   finds it under RCU and read-locks it, without the mm's lock
//   LockVma           the same; if that does not succeed, under the mm's lock for reading
//   the mm's lock     for writing: everything stands still, changes are made
//
// and one without any lock: SpeculateTryBegin and SpeculateRetry of the mm's lock.
//
// Writers first write-lock each VMA that they change or free, before they look at what they decide
// on, and before readers can find what they have made (insertion after attaching after
// write-locking). So a reader that has a VMA locked sees it whole.
//
// The mm has two counts. Users share the address space: with the last one the VMAs go (PutUser).
// The structure stays for as long as somebody holds on to it (Grab and Drop of the mm's lock): the
// users together are one holder.
//
// The address space is the mmap lock, with the map of VMAs added: so the functions of VMA locks
// that want the mm are given the address space.
#ifndef JACQUARD_LOCK_ADDRESS_SPACE_H_
#define JACQUARD_LOCK_ADDRESS_SPACE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "lock/check.h"
#include "lock/mmap_lock.h"
#include "lock/page_table.h"
#include "lock/rcu.h"
#include "lock/refcount.h"
#include "lock/thread_annotations.h"
#include "lock/validator.h"
#include "lock/vma.h"
#include "lock/vma_lock.h"
#include "lock/vma_map.h"
#include "lock/widths.h"

namespace jacquard::lock {

template <LockValidator Validator = NoValidator>
class BasicAddressSpace : public BasicMmapLock<KernelWidths, Validator> {
 public:
  using Mmap = BasicMmapLock<KernelWidths, Validator>;
  using Vma = BasicVma<Validator>;
  using Pool = BasicVmaPool<Validator>;
  using Map = VmaMap<Vma>;
  using Cursor = typename Map::Cursor;
  using Entry = typename Map::Entry;

  // An empty address space with one user, whose VMAs come from `pool`.
  static BasicAddressSpace* Create(Pool& pool) { return new BasicAddressSpace(pool); }

  // --- Users ---

  // One user more; the caller must be one, or know one that stays. The kernel's mmget.
  void GetUser() {
    const bool got = TryGetUser();
    JACQUARD_LOCK_CHECK(got, "mm used after its end");
  }
  // The same for who only holds on to the structure: false if the last user has gone. The kernel's
  // mmget_not_zero.
  [[nodiscard]] bool TryGetUser() {
    return users_.IncrementUnlessZeroAcquire(Refcount<std::uint32_t>::kMax).incremented;
  }
  // One user less. With the last one all VMAs are freed, for which the mm's lock is taken; then the
  // users let go of the structure. The kernel's mmput, and exit_mmap.
  void PutUser();

  // --- Changing: each takes the mm's lock for writing ---

  // A new VMA. False if the range is empty, or any of it taken. The kernel's mmap.
  bool MapRange(Address start, Address end, VmaFlags flags);
  // Frees what is mapped in the range; VMAs that reach out of it are split. True if anything was.
  // The kernel's munmap.
  bool UnmapRange(Address start, Address end);
  // Makes two VMAs out of the one around `address`. False if none has it inside. The kernel's
  // split_vma.
  bool Split(Address address);
  // Makes one VMA out of the two that meet at `address`. False unless there are two, alike, and
  // their pages may belong together; and if a stop is requested while readers are waited for. The
  // kernel's vma_merge.
  bool Merge(Address address, const std::stop_token& stop = {});
  // Lets the VMA above `address` grow down to it. False if that one does not grow, or has the
  // address. The kernel's expand_stack.
  bool Grow(Address address);
  // Sets the flags of the VMA around `address`. The kernel's mprotect, of one whole VMA.
  bool Protect(Address address, VmaFlags flags);
  // A new address space with copies of all VMAs. The kernel's dup_mmap.
  BasicAddressSpace* Fork();

  // --- Looking up ---

  // The VMA that has `address`, read-locked (EndRead must follow); null if there is none, or if it
  // cannot be had like this: then the mm's lock decides. Never sleeps, takes no lock of the mm. Not
  // inside an RCU section. The kernel's lock_vma_under_rcu.
  [[nodiscard]] Vma* LockVmaUnderRcu(Address address);

  // The same; waits for the mm's lock if need be. Null if there is none, or if its word has no room
  // for one more reader. Not while the caller holds any VMA for reading: the mm's writer may wait
  // for that.
  [[nodiscard]] Vma* LockVma(Address address);

  enum class NextStatus {
    kFound,
    kNone,    // no more VMAs
    kKilled,  // a stop was requested while the mm's lock was waited for
    kFull,    // the VMA's word has no room for one more reader
  };
  struct NextResult {
    NextStatus status;
    Vma* vma = nullptr;
  };
  // The first VMA that ends behind `from`, read-locked. For a walk over all: inside an RCU section,
  // which is left and entered again if need be (then the cursor begins anew), with a cursor that
  // stands at `from`. Waits for the mm's lock if the VMA cannot be had otherwise, so not while the
  // caller holds any VMA for reading. No VMA that was there all the time is passed over. The
  // kernel's lock_next_vma.
  [[nodiscard]] NextResult LockNextVma(Cursor& cursor, Address from, const std::stop_token& stop);

  // The VMAs that have the two addresses, read-locked: one of them, once, if it has both. Both or
  // none: nothing if there is nothing mapped at one of them, or no room for one more reader. Waits
  // for the mm's lock, so not while the caller holds any VMA for reading. The kernel's
  // uffd_move_lock.
  struct Pair {
    Vma* first;
    Vma* second;
  };
  [[nodiscard]] std::optional<Pair> LockPair(Address first, Address second);
  static void UnlockPair(const Pair& pair);

  // Reads how many addresses are mapped, without any lock. Nothing if a writer came in between: try
  // again, or take the lock.
  std::optional<Address> SpeculateMappedSize() const;

  // --- Pages ---

  // Makes sure that there is a page at `address`. False if nothing is mapped there. Under the VMA's
  // read lock, or if that cannot be had, the mm's: so not while the caller holds any VMA for
  // reading. The kernel's handle_mm_fault.
  bool Fault(Address address);
  // For observers: whether there is one, at some moment.
  bool HasPage(Address address) const { return pages_.Has(address); }

  // For observers. Under the mm's lock.
  std::vector<Entry> Entries() const { return map_.Entries(); }

 private:
  explicit BasicAddressSpace(Pool& pool)
      : Mmap([](Mmap& mm) { delete static_cast<BasicAddressSpace*>(&mm); }), pool_(pool) {}
  ~BasicAddressSpace() = default;

  // --- Under the mm's lock for writing ---

  // A VMA of this mm, write-locked and detached.
  Vma* NewVma(Address start, Address end, VmaFlags flags) JACQUARD_REQUIRES(*this);
  // Frees a VMA that is write-locked and in the map no more. Its pages are another one's by now, or
  // gone.
  void FreeVma(Vma& vma) JACQUARD_REQUIRES(*this);
  // Frees all of them with their pages, and leaves the others in the map.
  void FreeVmas(const std::vector<Entry>& gone, std::vector<Entry> kept) JACQUARD_REQUIRES(*this);
  // The owner of the VMA's pages, held once more; null if it has none.
  static PageOwner* ShareOwner(const Vma& vma);
  bool SplitLocked(Address address) JACQUARD_REQUIRES(*this);
  void Publish(std::vector<Entry> entries) JACQUARD_REQUIRES(*this);
  // Which entry has the address inside; entries.size() if none.
  static std::size_t IndexOf(const std::vector<Entry>& entries, Address address);

  // Under the mm's lock, the VMA that has `address`; null if there is none.
  Vma* FindLocked(Address address) const JACQUARD_REQUIRES_SHARED(*this);
  // Under the mm's lock, read-locks the first VMA that ends behind `from`.
  NextResult LockNextLocked(Address from) JACQUARD_REQUIRES_SHARED(*this);

  Pool& pool_;
  Map map_;
  PageTable pages_;
  std::atomic<Address> mapped_size_{0};
  Refcount<std::uint32_t> users_{1};
};

using AddressSpace = BasicAddressSpace<NoValidator>;

}  // namespace jacquard::lock

#include "lock/address_space_inl.h"

#endif  // JACQUARD_LOCK_ADDRESS_SPACE_H_
