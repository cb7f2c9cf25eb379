// The functions of address_space.h, which includes this.
#ifndef JACQUARD_LOCK_ADDRESS_SPACE_INL_H_
#define JACQUARD_LOCK_ADDRESS_SPACE_INL_H_

#include <algorithm>
#include <cstddef>
#include <utility>

#include "lock/address_space.h"
#include "lock/guards.h"

namespace jacquard::lock {

// ---- users

template <LockValidator Validator>
void BasicAddressSpace<Validator>::PutUser() {
  const std::uint32_t users = users_.SubtractRelease(1);
  JACQUARD_LOCK_CHECK(!Refcount<std::uint32_t>::IsSaturated(users), "mm put too often");
  if (users != 0) return;
  {
    const WriteGuard<Mmap> guard(*this);
    FreeVmas(map_.Entries(), {});
  }
  this->Drop();
}

// ---- changing

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::MapRange(Address start, Address end, VmaFlags flags) {
  if (start >= end) return false;
  const WriteGuard<Mmap> guard(*this);
  std::vector<Entry> entries = map_.Entries();
  const auto after = std::upper_bound(entries.begin(), entries.end(), start,
                                      [](Address a, const Entry& e) { return a < e.end; });
  if (after != entries.end() && after->start < end) return false;
  // Write-locked before anybody can find it, and until the end of the section: whatever is done to
  // it after its insertion nobody sees half done.
  Vma* const vma = NewVma(start, end, flags);
  vma->lock.MarkAttached(*this);
  entries.insert(after, {start, end, vma});
  Publish(std::move(entries));
  return true;
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::UnmapRange(Address start, Address end) {
  if (start >= end) return false;
  const WriteGuard<Mmap> guard(*this);
  SplitLocked(start);
  SplitLocked(end);
  std::vector<Entry> kept;
  std::vector<Entry> gone;
  for (const Entry& entry : map_.Entries()) {
    const bool outside = entry.end <= start || entry.start >= end;
    (outside ? kept : gone).push_back(entry);
  }
  if (gone.empty()) return false;
  FreeVmas(gone, std::move(kept));
  return true;
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::Split(Address address) {
  const WriteGuard<Mmap> guard(*this);
  return SplitLocked(address);
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::SplitLocked(Address address) {
  std::vector<Entry> entries = map_.Entries();
  const std::size_t i = IndexOf(entries, address);
  if (i == entries.size() || entries[i].start == address) return false;
  Vma& low = *entries[i].vma;
  // Before its range and flags are looked at: readers may change what is theirs to change until
  // then.
  low.lock.StartWrite(*this);
  Vma* const high = NewVma(address, low.end, low.flags);
  high->owner.store(ShareOwner(low), std::memory_order_relaxed);
  low.end = address;
  high->lock.MarkAttached(*this);
  entries[i].end = address;
  entries.insert(entries.begin() + i + 1, {address, high->end, high});
  Publish(std::move(entries));
  return true;
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::Merge(Address address, const std::stop_token& stop) {
  const WriteGuard<Mmap> guard(*this);
  std::vector<Entry> entries = map_.Entries();
  const std::size_t i = IndexOf(entries, address);
  if (i == entries.size() || i == 0) return false;
  if (entries[i].start != address || entries[i - 1].end != address) return false;
  Vma& low = *entries[i - 1].vma;
  Vma& high = *entries[i].vma;
  if (!low.lock.StartWriteKillable(*this, stop)) return false;
  if (!high.lock.StartWriteKillable(*this, stop)) return false;
  // Only now: a reader inside could still give one of them an owner.
  PageOwner* const low_owner = low.owner.load(std::memory_order_relaxed);
  PageOwner* const high_owner = high.owner.load(std::memory_order_relaxed);
  const bool may_share = low_owner == nullptr || high_owner == nullptr || low_owner == high_owner;
  if (low.flags != high.flags || !may_share) return false;
  if (low_owner == nullptr) low.owner.store(ShareOwner(high), std::memory_order_relaxed);
  low.end = high.end;
  entries[i - 1].end = high.end;
  entries.erase(entries.begin() + i);
  Publish(std::move(entries));
  FreeVma(high);
  return true;
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::Grow(Address address) {
  const WriteGuard<Mmap> guard(*this);
  std::vector<Entry> entries = map_.Entries();
  const auto above = std::upper_bound(entries.begin(), entries.end(), address,
                                      [](Address a, const Entry& e) { return a < e.end; });
  if (above == entries.end() || above->start <= address) return false;
  Vma& vma = *above->vma;
  vma.lock.StartWrite(*this);
  if (!vma.flags.grows_down) return false;
  vma.start = address;
  above->start = address;
  Publish(std::move(entries));
  return true;
}

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::Protect(Address address, VmaFlags flags) {
  const WriteGuard<Mmap> guard(*this);
  const std::vector<Entry> entries = map_.Entries();
  const std::size_t i = IndexOf(entries, address);
  if (i == entries.size()) return false;
  entries[i].vma->lock.StartWrite(*this);
  entries[i].vma->flags = flags;
  return true;
}

template <LockValidator Validator>
BasicAddressSpace<Validator>* BasicAddressSpace<Validator>::Fork()
    JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  BasicAddressSpace* const child = Create(pool_);
  this->Lock();
  // Nobody else knows the child: it is locked for the sake of its VMAs, which want it.
  child->LockNested(1);
  std::vector<Entry> copies = map_.Entries();
  for (Entry& entry : copies) {
    Vma& parent = *entry.vma;
    // Before it is copied: a reader might still give it an owner, and pages.
    parent.lock.StartWrite(*this);
    entry.vma = child->NewVma(parent.start, parent.end, parent.flags);
    entry.vma->owner.store(ShareOwner(parent), std::memory_order_relaxed);
    pages_.Copy(parent.start, parent.end, child->pages_);
    entry.vma->lock.MarkAttached(*child);
  }
  child->Publish(std::move(copies));
  child->Unlock();
  this->Unlock();
  return child;
}

template <LockValidator Validator>
BasicVma<Validator>* BasicAddressSpace<Validator>::NewVma(Address start, Address end,
                                                          VmaFlags flags) {
  Vma* const vma = pool_.Allocate();
  vma->lock.Initialize(*this);
  vma->start = start;
  vma->end = end;
  vma->flags = flags;
  vma->lock.StartWrite(*this);
  return vma;
}

template <LockValidator Validator>
void BasicAddressSpace<Validator>::FreeVma(Vma& vma) {
  vma.lock.MarkDetached(*this);
  PageOwner* const owner = vma.owner.load(std::memory_order_relaxed);
  vma.owner.store(nullptr, std::memory_order_relaxed);
  pool_.Free(&vma);
  if (owner != nullptr) owner->Drop();
}

template <LockValidator Validator>
void BasicAddressSpace<Validator>::FreeVmas(const std::vector<Entry>& gone,
                                            std::vector<Entry> kept) {
  for (const Entry& entry : gone) entry.vma->lock.StartWrite(*this);
  // First out of the map, so that a reader who finds one detached and looks again finds it gone.
  Publish(std::move(kept));
  for (const Entry& entry : gone) {
    pages_.Remove(entry.start, entry.end);
    FreeVma(*entry.vma);
  }
}

template <LockValidator Validator>
PageOwner* BasicAddressSpace<Validator>::ShareOwner(const Vma& vma) {
  PageOwner* const owner = vma.owner.load(std::memory_order_relaxed);
  if (owner != nullptr) owner->Grab();
  return owner;
}

template <LockValidator Validator>
void BasicAddressSpace<Validator>::Publish(std::vector<Entry> entries) {
  Address size = 0;
  for (const Entry& entry : entries) size += entry.end - entry.start;
  map_.Replace(std::move(entries));
  // Relaxed: the sequence of the mm's lock orders what speculation reads.
  mapped_size_.store(size, std::memory_order_relaxed);
}

template <LockValidator Validator>
std::size_t BasicAddressSpace<Validator>::IndexOf(const std::vector<Entry>& entries,
                                                  Address address) {
  std::size_t i = 0;
  while (i != entries.size() && !(entries[i].start <= address && address < entries[i].end)) ++i;
  return i;
}

// ---- looking up

template <LockValidator Validator>
BasicVma<Validator>* BasicAddressSpace<Validator>::LockVmaUnderRcu(Address address) {
  Cursor cursor(address);
  for (;;) {
    Rcu::ReadLock();
    Vma* const vma = map_.Walk(cursor);
    const ReadResult result = vma != nullptr ? vma->lock.StartRead(*this) : ReadResult::kContended;
    // A reference keeps the VMA as well as the section did.
    Rcu::ReadUnlock();
    if (result == ReadResult::kDetached) {
      // It may have been replaced. What the cursor remembers may be gone since the section ended.
      cursor.Reset(address);
      continue;
    }
    if (result == ReadResult::kContended) return nullptr;
    // It may have shrunk since the table was made, or be another VMA of this mm by now.
    if (vma->Contains(address)) return vma;
    vma->lock.EndRead();
    return nullptr;
  }
}

template <LockValidator Validator>
BasicVma<Validator>* BasicAddressSpace<Validator>::LockVma(Address address) {
  if (Vma* const vma = LockVmaUnderRcu(address)) return vma;
  const ReadGuard<Mmap> guard(*this);
  Vma* const vma = FindLocked(address);
  if (vma == nullptr) return nullptr;
  const bool locked = vma->lock.StartReadLocked(*this);
  return locked ? vma : nullptr;
}

template <LockValidator Validator>
typename BasicAddressSpace<Validator>::NextResult BasicAddressSpace<Validator>::LockNextVma(
    Cursor& cursor, Address from, const std::stop_token& stop) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  for (;;) {
    // Before the map is looked at: a gap that was seen later than this was there in this section.
    const auto begin = this->SpeculateTryBegin();
    Vma* const vma = map_.Next(cursor);
    if (vma == nullptr) return {NextStatus::kNone};
    const ReadResult result = vma->lock.StartRead(*this);
    if (result == ReadResult::kDetached) {
      // Leaves the section, so that what is being replaced can be; the cursor must not outlive it.
      Rcu::ReadUnlock();
      Rcu::ReadLock();
      cursor.Reset(from);
      continue;
    }
    if (result == ReadResult::kContended) break;
    bool right = from < vma->end;
    if (right && from < vma->start && (!begin || this->SpeculateRetry(*begin))) {
      // Between `from` and the VMA there seems to be nothing; but a writer has been at work, and
      // the VMA may have moved away from another one that is there now.
      cursor.Reset(from);
      right = map_.Next(cursor) == vma;
    }
    if (right) {
      cursor.Advance(vma->end);
      return {NextStatus::kFound, vma};
    }
    vma->lock.EndRead();
    break;
  }
  Rcu::ReadUnlock();
  NextResult next = {NextStatus::kKilled};
  if (this->LockSharedKillable(stop)) {
    next = LockNextLocked(from);
    this->UnlockShared();
  }
  Rcu::ReadLock();
  cursor.Reset(next.vma != nullptr ? next.vma->end : from);
  return next;
}

template <LockValidator Validator>
BasicVma<Validator>* BasicAddressSpace<Validator>::FindLocked(Address address) const {
  Cursor cursor(address);
  return map_.Walk(cursor);
}

template <LockValidator Validator>
typename BasicAddressSpace<Validator>::NextResult BasicAddressSpace<Validator>::LockNextLocked(
    Address from) {
  Cursor cursor(from);
  Vma* const vma = map_.Next(cursor);
  if (vma == nullptr) return {NextStatus::kNone};
  if (!vma->lock.StartReadLocked(*this)) return {NextStatus::kFull};
  return {NextStatus::kFound, vma};
}

template <LockValidator Validator>
std::optional<typename BasicAddressSpace<Validator>::Pair> BasicAddressSpace<Validator>::LockPair(
    Address first, Address second) {
  const ReadGuard<Mmap> guard(*this);
  const Pair pair = {FindLocked(first), FindLocked(second)};
  if (pair.first == nullptr || pair.second == nullptr) return std::nullopt;
  if (!pair.first->lock.StartReadLocked(*this)) return std::nullopt;
  if (pair.second != pair.first && !pair.second->lock.StartReadLocked(*this)) {
    pair.first->lock.EndRead();
    return std::nullopt;
  }
  return pair;
}

template <LockValidator Validator>
void BasicAddressSpace<Validator>::UnlockPair(const Pair& pair) {
  if (pair.second != pair.first) pair.second->lock.EndRead();
  pair.first->lock.EndRead();
}

template <LockValidator Validator>
std::optional<Address> BasicAddressSpace<Validator>::SpeculateMappedSize() const {
  const auto begin = this->SpeculateTryBegin();
  if (!begin) return std::nullopt;
  // Relaxed: the sequence orders it, and says whether it is worth anything.
  const Address size = mapped_size_.load(std::memory_order_relaxed);
  if (this->SpeculateRetry(*begin)) return std::nullopt;
  return size;
}

// ---- pages

template <LockValidator Validator>
bool BasicAddressSpace<Validator>::Fault(Address address) {
  if (Vma* const vma = LockVmaUnderRcu(address)) {
    pages_.Add(*vma, address);
    vma->lock.EndRead();
    return true;
  }
  const ReadGuard<Mmap> guard(*this);
  Vma* const vma = FindLocked(address);
  if (vma == nullptr) return false;
  pages_.Add(*vma, address);
  return true;
}

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_ADDRESS_SPACE_INL_H_
