// The pages that an mm has in memory, by their addresses. An address stands for a page.
//
// It has a lock of its own, which is held for moments: faults in different VMAs of an mm, and
// faults in the same, each of which holds only its VMA for reading, meet here. What lies in the
// range of a VMA belongs to the VMA's owner (page_owner.h). (The kernel's page tables, and
// page_table_lock.)
#ifndef JACQUARD_LOCK_PAGE_TABLE_H_
#define JACQUARD_LOCK_PAGE_TABLE_H_

#include <atomic>
#include <map>

#include "lock/check.h"
#include "lock/mutex.h"
#include "lock/page_owner.h"
#include "lock/vma.h"

namespace jacquard::lock {

// All functions may be called by any thread at any time; each costs a mutex, and the logarithm of
// the number of pages for each page that it deals with.
class PageTable {
 public:
  PageTable() = default;
  // There must be no pages (checked).
  ~PageTable() { JACQUARD_LOCK_CHECK(pages_.empty(), "pages outlive their mm"); }
  PageTable(const PageTable&) = delete;
  PageTable& operator=(const PageTable&) = delete;

  // Makes sure that `vma` has an owner, and a page at `address`. The caller holds the VMA for
  // reading at least, or the mm's lock. The kernel's anon_vma_prepare and do_anonymous_page.
  template <class Vma>
  void Add(Vma& vma, Address address) {
    const MutexGuard guard(mutex_);
    // Relaxed, as vma.h says: other faults set it under the mutex.
    PageOwner* owner = vma.owner.load(std::memory_order_relaxed);
    if (owner == nullptr) {
      owner = PageOwner::Create();
      vma.owner.store(owner, std::memory_order_relaxed);
    }
    const auto [page, is_new] = pages_.try_emplace(address, owner);
    JACQUARD_LOCK_CHECK(page->second == owner, "page has another owner than its VMA");
    if (is_new) owner->AddPage();
  }

  // For observers: whether there is one, at some moment.
  bool Has(Address address) const {
    const MutexGuard guard(mutex_);
    return pages_.contains(address);
  }

  // Gives `to` the pages of the range. No fault may be in the range meanwhile. The kernel's
  // copy_page_range.
  void Copy(Address start, Address end, PageTable& to) const {
    const MutexGuard guard(mutex_);
    const MutexGuard to_guard(to.mutex_);
    const auto last = pages_.lower_bound(end);
    for (auto page = pages_.lower_bound(start); page != last; ++page) {
      to.pages_.insert(*page);
      page->second->AddPage();
    }
  }

  // Frees the pages of the range. The kernel's zap_page_range.
  void Remove(Address start, Address end) {
    const MutexGuard guard(mutex_);
    const auto first = pages_.lower_bound(start);
    const auto last = pages_.lower_bound(end);
    for (auto page = first; page != last; ++page) page->second->RemovePage();
    pages_.erase(first, last);
  }

 private:
  mutable Mutex mutex_;
  std::map<Address, PageOwner*> pages_ JACQUARD_GUARDED_BY(mutex_);
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_PAGE_TABLE_H_
