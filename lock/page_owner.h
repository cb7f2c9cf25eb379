// Whose pages are: what the pages of a VMA belong to, for as long as any of them is there.
//
// A VMA gets an owner with its first page. VMAs that were one have the same, and so have the copies
// that forks make of a VMA. Each of them holds on to it; *a page does not*, there are too many. So
// a page may lie only in a VMA that has its owner: a page whose VMA has another one, or none, will
// lead to memory that is gone. Forks, splits, merges and faults have to keep that true against each
// other, and only the VMA's lock makes it so. (The kernel's anon_vma, and page->mapping.)
#ifndef JACQUARD_LOCK_PAGE_OWNER_H_
#define JACQUARD_LOCK_PAGE_OWNER_H_

#include <atomic>
#include <cstddef>

#include "lock/check.h"
#include "lock/struct_count.h"

namespace jacquard::lock {

// All functions may be called by any thread at any time. Each costs one read-modify-write.
class PageOwner {
 public:
  // With one hold, the caller's.
  static PageOwner* Create() { return new PageOwner; }
  PageOwner(const PageOwner&) = delete;
  PageOwner& operator=(const PageOwner&) = delete;

  // One VMA more; the caller must know one that stays.
  void Grab() { vmas_.Grab(); }
  // One VMA less. The last one destroys it; there must be no pages any more (checked).
  void Drop() {
    if (vmas_.Drop()) delete this;
  }

  // A page of it comes, and goes.
  void AddPage() {
    // Relaxed, both: Drop orders what the destructor reads.
    pages_.fetch_add(1, std::memory_order_relaxed);
  }
  void RemovePage() { pages_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  PageOwner() = default;
  ~PageOwner() {
    // Relaxed: the last Drop has acquired what all others did.
    JACQUARD_LOCK_CHECK(pages_.load(std::memory_order_relaxed) == 0, "page outlives its owner");
  }

  StructCount vmas_;
  std::atomic<std::size_t> pages_{0};
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_PAGE_OWNER_H_
