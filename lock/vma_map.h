// The VMAs of an mm in the order of their addresses: changed under the mm's lock, read under it or
// under RCU.
//
// The map is one immutable table after another. A change makes a new table, publishes it, and has
// the old one deleted after a grace period; so a reader walks a table that stays as it is for as
// long as its RCU section lasts, and costs writers nothing. A change costs the number of VMAs.
//
// A cursor remembers the table on which it stands, so that the next step needs no search. That is
// also the danger in it: *who leaves the RCU section must reset the cursor before the next one*, as
// the table may be gone by then. (The kernel's maple tree, and its state, whose node is just such a
// memory.)
//
// The range of a VMA stands in the table, beside the pointer: a reader without a reference may not
// look at the VMA's own fields. It may be out of date in the table on which a reader stands.
#ifndef JACQUARD_LOCK_VMA_MAP_H_
#define JACQUARD_LOCK_VMA_MAP_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "lock/rcu.h"
#include "lock/vma.h"

namespace jacquard::lock {

template <class Vma>
class VmaMap {
 public:
  struct Entry {
    Address start;
    Address end;
    Vma* vma;
  };

 private:
  struct Table : RcuHead {
    std::vector<Entry> entries;  // constant once published; sorted, none overlaps another
  };

 public:
  VmaMap() = default;
  // The map must be unreachable for readers that come now.
  ~VmaMap() {
    // Relaxed: pairs with nothing; the owner has seen all changes.
    if (Table* const table = table_.load(std::memory_order_relaxed)) Rcu::DeleteLater(table);
  }
  VmaMap(const VmaMap&) = delete;
  VmaMap& operator=(const VmaMap&) = delete;

  // Where a reader is. For one thread, within one RCU section, or under the mm's lock.
  class Cursor {
   public:
    explicit Cursor(Address address) : address_(address) {}

    // From `address`, and from the newest table: what was remembered is forgotten.
    void Reset(Address address) {
      address_ = address;
      table_ = nullptr;
    }
    Address address() const { return address_; }
    // Goes on from `address`, which must not lie before the present one, in the same table.
    void Advance(Address address) { address_ = address; }

   private:
    friend class VmaMap;
    Address address_;
    const Table* table_ = nullptr;
  };

  // The VMA at the cursor's address; null if there is none. Searches the table.
  Vma* Walk(Cursor& cursor) const {
    const Entry* const entry = FirstAfter(cursor);
    return entry != nullptr && entry->start <= cursor.address_ ? entry->vma : nullptr;
  }

  // The first VMA that ends behind the cursor's address, which is set to its end; null, without
  // moving, if there is none.
  Vma* Next(Cursor& cursor) const {
    const Entry* const entry = FirstAfter(cursor);
    if (entry == nullptr) return nullptr;
    cursor.address_ = entry->end;
    return entry->vma;
  }

  // --- For the owner of the mm's lock for writing ---

  // The VMAs now.
  std::vector<Entry> Entries() const {
    // Relaxed: pairs with nothing; the mm's lock has brought us the table.
    const Table* const table = table_.load(std::memory_order_relaxed);
    return table != nullptr ? table->entries : std::vector<Entry>();
  }

  // Makes them these. Readers find either the old ones or the new.
  void Replace(std::vector<Entry> entries) {
    Table* const table = new Table;
    table->entries = std::move(entries);
    // Release: pairs with FirstAfter; who finds the table finds it complete, and the VMAs in it.
    // Relaxed for what is replaced: the mm's lock has brought it to us.
    Table* const old = table_.load(std::memory_order_relaxed);
    table_.store(table, std::memory_order_release);
    if (old != nullptr) Rcu::DeleteLater(old);
  }

 private:
  const Entry* FirstAfter(Cursor& cursor) const {
    if (cursor.table_ == nullptr) {
      // Acquire: pairs with Replace.
      cursor.table_ = table_.load(std::memory_order_acquire);
      if (cursor.table_ == nullptr) return nullptr;
    }
    const std::vector<Entry>& entries = cursor.table_->entries;
    const auto entry =
        std::upper_bound(entries.begin(), entries.end(), cursor.address_,
                         [](Address address, const Entry& e) { return address < e.end; });
    return entry != entries.end() ? &*entry : nullptr;
  }

  std::atomic<Table*> table_{nullptr};
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_VMA_MAP_H_
