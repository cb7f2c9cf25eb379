// The memory model: histories, that is modification orders. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_HISTORY_INL_H_
#define JACQUARD_SIM_MEMORY_HISTORY_INL_H_

#include <algorithm>
#include <cstring>

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

// ---- cells and histories

template <class Clock>
template <class T>
T Model<Clock>::ValueOf(const StoreType& store) {
  if constexpr (sizeof(T) <= 8) {
    return static_cast<T>(store.value);
  } else {
    return static_cast<T>(store.value_high) << 64 | store.value;
  }
}

template <class Clock>
template <class T>
void Model<Clock>::SetValue(StoreType& store, T value) {
  store.value = static_cast<uint64_t>(value);
  if constexpr (sizeof(T) > 8) store.value_high = static_cast<uint64_t>(value >> 64);
}

// The cell of an atomic object, with a history whose newest value is what stands in memory. If
// there is no memory, the fault is the program's own: no sanitizer in the runtime is to name it
// first.
template <class Clock>
template <class T>
[[clang::no_sanitize("nonnull-attribute")]] Cell<Clock>& Model<Clock>::CellFor(const T* address) {
  CellType& cell = cells_.Find(address, sizeof(T));
  T value;
  std::memcpy(&value, address, sizeof(T));
  if (cell.newest == 0 || ValueOf<T>(stores_[cell.newest]) != value) [[unlikely]]
    return CellWithNewHistory(cell, address);
  return cell;
}

template <class Clock>
template <class T>
Cell<Clock>& Model<Clock>::CellWithNewHistory(CellType& cell, const T* address) {
  if (IsFull()) [[unlikely]] {
    MakeRoom();
    return CellFor(address);  // there may be another cell now
  }
  StartHistory(cell, address);
  return cell;
}

template <class Clock>
Index Model<Clock>::MakeStore() {
  if (free_ == 0) {
    const Index store = stores_.Take();
    if (store != 0) [[likely]]
      return store;
    Compact();
    if (free_ == 0) Die("an operation that makes very many stores");  // EnsureRoom is for that
  }
  const Index store = free_;
  free_ = stores_[store].next;
  return store;
}

// Of a new history: every thread knows it.
template <class Clock>
Store<Clock>& Model<Clock>::InitialStore(CellType& cell) {
  DropHistory(cell);
  const Index index = MakeStore();
  if (seq_cst_.active()) seq_cst_.OnInitial(index);
  cell.newest = cell.oldest = index;
  cell.length = 1;
  cell.forgotten = cell.has_gaps = false;
  SetZero(stores_[index]);
  stores_[index].event = -1;
  return stores_[index];
}

// The object at `address` is what it is in memory. If it was another value before, somebody has
// changed it who does not tell: a library's own atomic operation, for all we know. Who reads it
// with acquire then learns all that anybody has done, lest a race is reported that is none.
template <class Clock>
template <class T>
[[clang::no_sanitize("nonnull-attribute")]] void Model<Clock>::StartHistory(CellType& cell,
                                                                            const T* address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  const bool changed_behind_our_back = cell.newest != 0;
  SpillRecords(cell.address(), cell.size());
  StoreType& store = InitialStore(cell);
  if (changed_behind_our_back) {
    for (int i = 0; i < thread_count_; ++i) store.released.Join(threads_[i].now);
  } else {
    store.released.Join(unseen_);
  }
  SetValue(store, value);
  cells_.ForEachOverlap(cell, [&](CellType& other) {
    if (other.newest == 0) return;
    if (seq_cst_.active()) seq_cst_.OnSharing(cell, other);
    cell.shares_atomic = other.shares_atomic = true;
    store.released.Join(stores_[other.newest].released);
  });
}

template <class Clock>
void Model<Clock>::DropHistory(CellType& cell) {
  for (Index store = cell.oldest; store != 0;) {
    const Index next = stores_[store].next;
    stores_[store].next = free_;
    free_ = store;
    store = next;
  }
  cell.newest = cell.oldest = 0;
  cell.length = 0;
}

template <class Clock>
void Model<Clock>::MakeRoom() {
  if (Compact() < stores_.capacity() / 8) ForgetAll();
}

// As if all threads had just told each other what they know: then nothing older matters.
template <class Clock>
void Model<Clock>::ForgetAll() {
  Clock all;
  for (int i = 0; i < thread_count_; ++i) all.Join(threads_[i].now);
  for (int i = 0; i < thread_count_; ++i) {
    threads_[i].now.Join(all);
    BeginEpoch(i);
  }
  StopChoosing();  // what allowed choices is gone
  cells_.BeginExecution();
  stores_.TakeBackAll();
  free_ = 0;
  lost_detail_ = true;
}

// Takes back all stores that are not the newest of their location: there are no more. Returns how
// many.
template <class Clock>
Index Model<Clock>::Compact() {
  Index count = 0;
  cells_.ForEach([&](CellType& cell) {
    while (cell.oldest != cell.newest) {
      const Index dropped = cell.oldest;
      cell.oldest = stores_[dropped].next;
      cell.forgotten = true;
      stores_[dropped].next = free_;
      free_ = dropped;
      ++count;
    }
    cell.length = cell.newest != 0 ? 1 : 0;
    if (cell.newest != 0) stores_[cell.newest].previous = 0;
  });
  return count;
}

// Into modification order, right before `next` or last.
template <class Clock>
void Model<Clock>::Insert(CellType& cell, Index store, Index next) {
  Index& behind = next != 0 ? stores_[next].previous : cell.newest;
  const Index previous = behind;
  stores_[store].previous = previous;
  stores_[store].next = next;
  stores_[previous].next = store;
  cell.has_gaps |= !stores_[previous].followed;
  behind = store;
  ++cell.length;
}

// The bound on a location's history.
template <class Clock>
void Model<Clock>::Trim(CellType& cell) {
  if (cell.length <= options_.max_history) [[likely]]
    return;
  const Index dropped = cell.oldest;
  cell.oldest = stores_[dropped].next;
  stores_[cell.oldest].previous = 0;
  --cell.length;
  cell.forgotten = true;
  stores_[dropped].next = free_;
  free_ = dropped;
}

// Objects that share bytes with the cell's, which `index` has just written, have a new value too.
template <class Clock>
void Model<Clock>::TellOverlaps(CellType& cell, Index index) {
  cells_.ForEachOverlap(cell, [&](CellType& other) {
    if (other.newest == 0 || other.size() == 0) return;
    const StoreType& from = stores_[index];
    const Index copy = MakeStore();
    StoreType& store = stores_[copy] = from;
    store.seq_cst = store.followed = false;
    const StoreType& before = stores_[other.newest];
    store.released.Join(before.released);
    // The old bytes, and over them those that both have.
    unsigned char bytes[16];
    unsigned char written[16];
    std::memcpy(bytes, &before.value, 8);
    std::memcpy(bytes + 8, &before.value_high, 8);
    std::memcpy(written, &from.value, 8);
    std::memcpy(written + 8, &from.value_high, 8);
    const uintptr_t begin = std::max(cell.address(), other.address());
    const uintptr_t end = std::min(cell.address() + cell.size(), other.address() + other.size());
    std::memcpy(bytes + (begin - other.address()), written + (begin - cell.address()), end - begin);
    std::memcpy(&store.value, bytes, 8);
    std::memcpy(&store.value_high, bytes + 8, 8);
    Insert(other, copy, 0);
    if (seq_cst_.active()) seq_cst_.OnCopy(copy, index);
    Trim(other);
  });
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_HISTORY_INL_H_
