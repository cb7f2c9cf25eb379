// A pool of objects whose memory stays of their type: what was freed may be looked at still.
//
// A pointer that was read under RCU leads to an object of type T for as long as the section lasts,
// even if that object has been freed since, and handed out again as another one. So whoever follows
// the pointer may read what is atomic in it, take a reference if the object lets him, and only then
// look whether it is the object that was wanted. Its *memory* is safe; its *identity* is not.
//
// What was freed last is handed out first, at once: it is still in the cache. Memory goes back to
// the heap by pages of several objects, after a grace period, and only if asked (ReleaseUnused) or
// when the pool is destroyed.
//
// The objects are made when their page is, and destroyed with it: they live through being free.
// Whoever gets one from Allocate finds it as its last owner left it, and gives it its new values.
//
// (The kernel's SLAB_TYPESAFE_BY_RCU.)
#ifndef JACQUARD_LOCK_TYPE_STABLE_POOL_H_
#define JACQUARD_LOCK_TYPE_STABLE_POOL_H_

#include <concepts>
#include <cstddef>

#include "lock/check.h"
#include "lock/mutex.h"
#include "lock/rcu.h"

namespace jacquard::lock {

// Allocate and Free may be called by any thread at any time; what was done to an object before Free
// happens before what is done to it after Allocate. Each costs a mutex.
template <std::default_initializable T, int objects_per_page = 16>
class TypeStablePool {
 public:
  static_assert(objects_per_page >= 1);

  TypeStablePool() = default;
  TypeStablePool(const TypeStablePool&) = delete;
  TypeStablePool& operator=(const TypeStablePool&) = delete;

  // All objects must have been freed (checked). Waits for a grace period if there are pages: so not
  // inside an RCU section.
  ~TypeStablePool() {
    ReleaseUnused();
    JACQUARD_LOCK_CHECK(capacity() == 0, "pool destroyed with objects in use");
  }

  // The object that was freed last, or a new one. Allocates memory for a page if none is free.
  [[nodiscard]] T* Allocate() {
    const MutexGuard guard(mutex_);
    if (free_ == nullptr) AddPage();
    Slot* const slot = free_;
    free_ = slot->next_free;
    slot->next_free = nullptr;
    slot->in_use = true;
    --slot->page->free;
    return &slot->object;
  }

  // Gives it back. Others may still be looking at it, and may find it in the hands of its next
  // owner. Freeing twice is an error (checked).
  void Free(T* object) {
    Slot* const slot = SlotOf(object);
    const MutexGuard guard(mutex_);
    JACQUARD_LOCK_CHECK(slot->in_use, "object freed twice");
    slot->in_use = false;
    slot->next_free = free_;
    free_ = slot;
    ++slot->page->free;
  }

  // Gives the memory of pages without an object in use back to the heap, after a grace period. Not
  // inside an RCU section. The kernel's kmem_cache_shrink.
  void ReleaseUnused() {
    Page* const unused = TakeUnused();
    if (unused == nullptr) return;
    Rcu::Synchronize();
    for (Page* page = unused; page != nullptr;) {
      Page* const next = page->next;
      delete page;
      page = next;
    }
  }

  // How many objects it has memory for.
  std::size_t capacity() const {
    const MutexGuard guard(mutex_);
    std::size_t pages = 0;
    for (const Page* page = pages_; page != nullptr; page = page->next) ++pages;
    return pages * objects_per_page;
  }

 private:
  struct Page;

  struct Slot {
    T object;  // first, so that its address is the slot's
    Slot* next_free = nullptr;
    Page* page = nullptr;
    bool in_use = false;
  };

  struct Page {
    Slot slots[objects_per_page];
    Page* next = nullptr;
    int free = 0;
  };

  static Slot* SlotOf(T* object) { return reinterpret_cast<Slot*>(object); }

  // The first slot of the page is handed out first.
  void AddPage() JACQUARD_REQUIRES(mutex_) {
    Page* const page = new Page;
    page->next = pages_;
    pages_ = page;
    page->free = objects_per_page;
    for (int i = objects_per_page - 1; i >= 0; --i) {
      page->slots[i].page = page;
      page->slots[i].next_free = free_;
      free_ = &page->slots[i];
    }
  }

  // Takes the pages that have no object in use out of the pool, and their slots off the free list.
  Page* TakeUnused() {
    const MutexGuard guard(mutex_);
    for (Slot** slot = &free_; *slot != nullptr;) {
      if ((*slot)->page->free == objects_per_page) {
        *slot = (*slot)->next_free;
      } else {
        slot = &(*slot)->next_free;
      }
    }
    Page* unused = nullptr;
    for (Page** place = &pages_; *place != nullptr;) {
      Page* const page = *place;
      if (page->free != objects_per_page) {
        place = &page->next;
        continue;
      }
      *place = page->next;
      page->next = unused;
      unused = page;
    }
    return unused;
  }

  mutable Mutex mutex_;
  Slot* free_ JACQUARD_GUARDED_BY(mutex_) = nullptr;  // freed last, first
  Page* pages_ JACQUARD_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_TYPE_STABLE_POOL_H_
