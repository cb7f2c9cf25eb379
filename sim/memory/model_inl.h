// The memory model: implementation. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_MODEL_INL_H_
#define JACQUARD_SIM_MEMORY_MODEL_INL_H_

#include <algorithm>
#include <cstring>

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

// ---- threads

template <class Clock>
void Model<Clock>::BeginExecution(const ModelOptions& options) {
  options_ = options;
  options_.max_history = std::clamp<uint32_t>(options.max_history, 2, kMaxCandidates - 24);
  thread_count_ = 1;
  others_ = 0;
  lost_detail_ = overflowing_ = has_race_ = false;
  free_ = 0;
  cells_.BeginExecution();
  stores_.TakeBackAll();
  seq_cst_.BeginExecution();
  threads_[0] = {};
  threads_[0].now.Set(0, 1);
}

template <class Clock>
void Model<Clock>::CreateThread(int parent, int child) {
  threads_[child] = {};
  threads_[child].now = threads_[parent].now;
  threads_[child].now.Set(child, 1);
  thread_count_ = std::max(thread_count_, child + 1);
  ++others_;
  if (seq_cst_.active()) {
    seq_cst_.AddThread(child);
    seq_cst_.OnCreate(parent, child);
  }
  Tick(parent);
}

template <class Clock>
void Model<Clock>::JoinThread(int parent, int child) {
  threads_[parent].now.Join(threads_[child].now);
  --others_;
  if (seq_cst_.active()) seq_cst_.OnJoin(parent, child);
}

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

// The cell of an atomic object, with a history whose newest value is what stands in memory.
template <class Clock>
template <class T>
Cell<Clock>& Model<Clock>::CellFor(const T* address) {
  CellType& cell = cells_.Find(address, sizeof(T));
  T value;
  std::memcpy(&value, address, sizeof(T));
  if (cell.newest == 0 || ValueOf<T>(stores_[cell.newest]) != value) [[unlikely]] {
    StartHistory(cell, address);
  }
  return cell;
}

template <class Clock>
Index Model<Clock>::MakeStore() {
  if (free_ == 0) [[likely]] {
    const Index store = stores_.Take();
    if (store != 0) [[likely]]
      return store;
    Compact();
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
  cell.forgotten = false;
  return stores_[index] = {};
}

// The object at `address` is what it is in memory.
template <class Clock>
template <class T>
void Model<Clock>::StartHistory(CellType& cell, const T* address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  StoreType& store = InitialStore(cell);
  SetValue(store, value);
  cells_.ForEachOverlap(cell, [&](CellType& other) {
    if (other.newest == 0) return;
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

// Takes back all stores that are not the newest of their location: there are no more.
template <class Clock>
void Model<Clock>::Compact() {
  cells_.ForEach([&](CellType& cell) {
    while (cell.oldest != cell.newest) {
      const Index dropped = cell.oldest;
      cell.oldest = stores_[dropped].next;
      cell.forgotten = true;
      stores_[dropped].next = free_;
      free_ = dropped;
    }
    cell.length = cell.newest != 0 ? 1 : 0;
    if (cell.newest != 0) stores_[cell.newest].previous = 0;
  });
}

// ---- reading

// Whether the thread must see the newest store, though coherence would permit an older one.
template <class Clock>
bool Model<Clock>::OnlyNewest(int thread, const CellType& cell) const {
  return cell.shares_atomic || cell.stale_reads[thread] >= options_.max_stale_reads;
}

// Fills `candidates_`, the newest first, and returns how many there are.
template <class Clock>
template <class T>
uint32_t Model<Clock>::FindCandidates(int thread, CellType& cell, Role role, bool weak,
                                      MemoryOrder order, MemoryOrder failure, T expected) {
  const bool seq_cst = seq_cst_.active();
  const bool only_newest = OnlyNewest(thread, cell);
  Targets<Clock> targets;  // what would come after the access, if it read this store
  uint32_t count = 0;
  for (Index index = cell.newest;;) {
    const StoreType& store = stores_[index];
    const bool newest = index == cell.newest;
    const auto can_read = [&](MemoryOrder as) {
      return newest || !seq_cst || seq_cst_.Allows(thread, as, targets);
    };
    // Atomicity: no other read-modify-write stands behind it.
    const auto can_update = [&] {
      return newest || (!store.followed && (!seq_cst || seq_cst_.Allows(thread, order, targets)));
    };
    Candidate candidate{index, false, false};
    if (role == Role::kLoad) {
      candidate.can_fail = can_read(order);
    } else if (role == Role::kUpdate) {
      candidate.can_update = can_update();
    } else if (ValueOf<T>(store) != expected) {
      candidate.can_fail = can_read(failure);
    } else {
      candidate.can_update = can_update();
      candidate.can_fail = weak && can_read(failure);
    }
    if (candidate.can_fail || candidate.can_update) candidates_[count++] = candidate;
    // Coherence: nothing older than a store that lies in the thread's past.
    if (only_newest || Knows(thread, store)) break;
    if (store.previous == 0) {
      lost_detail_ |= cell.forgotten;
      break;
    }
    if (seq_cst) seq_cst_.AddTargets(targets, index);
    index = store.previous;
  }
  return count;
}

template <class Clock>
template <class Pick>
typename Model<Clock>::Candidate Model<Clock>::PickCandidate(uint32_t count, Pick&& pick) {
  return candidates_[count == 1 ? 0 : pick(PickKind::kReadsFrom, static_cast<int>(count))];
}

// The thread reads the store: it knows of it, and learns what it releases.
template <class Clock>
void Model<Clock>::See(int thread, CellType& cell, StoreType& store, MemoryOrder order) {
  Thread<Clock>& me = threads_[thread];
  // Progress: counts how often it has seen a stale store again.
  if (store.next == 0) [[likely]] {
    cell.stale_reads[thread] = 0;
  } else if (store.known[thread] == Clock::kNever) {
    cell.stale_reads[thread] = 0;
  } else {
    ++cell.stale_reads[thread];
  }
  store.known.Sooner(me.now.Only(thread, Clock::kNever));
  (IsAcquire(order) ? me.now : me.pending).Join(store.released);
}

template <class Clock>
template <class T, class Pick>
ReadResult<T> Model<Clock>::Load(int thread, const T* address, MemoryOrder order, Pick&& pick) {
  CellType& cell = CellFor(address);
  Enter(thread, cell, order);
  Index index = cell.newest;
  if (!Knows(thread, stores_[index])) {
    index =
        PickCandidate(FindCandidates<T>(thread, cell, Role::kLoad, false, order, order, T()), pick)
            .store;
  }
  StoreType& store = stores_[index];
  See(thread, cell, store, order);
  if (seq_cst_.active()) seq_cst_.OnRead(thread, cell, index, order);
  CheckAtomic(thread, cell, AccessKind::kAtomicRead);
  return {ValueOf<T>(store), store.event, store.next == 0};
}

// ---- writing

// The store that the new one goes right before; 0: it goes last.
template <class Clock>
template <class Pick>
Index Model<Clock>::PickPlace(int thread, const CellType& cell, MemoryOrder order, Pick&& pick) {
  if (cell.shares_atomic) return 0;
  const bool seq_cst = seq_cst_.active();
  Targets<Clock> targets;
  uint32_t count = 0;
  candidates_[count++].store = 0;
  for (Index index = cell.newest; !Knows(thread, stores_[index]);) {
    const Index previous = stores_[index].previous;
    if (previous == 0) {
      lost_detail_ |= cell.forgotten;
      break;
    }
    if (seq_cst) seq_cst_.AddTargets(targets, index);
    // Atomicity: not between a read-modify-write and what it has read.
    if (!stores_[previous].followed && (!seq_cst || seq_cst_.Allows(thread, order, targets))) {
      candidates_[count++].store = index;
    }
    index = previous;
  }
  return candidates_[count == 1 ? 0 : pick(PickKind::kPlacement, static_cast<int>(count))].store;
}

// Into modification order, right before `next` or last.
template <class Clock>
void Model<Clock>::Insert(CellType& cell, Index store, Index next) {
  Index& behind = next != 0 ? stores_[next].previous : cell.newest;
  const Index previous = behind;
  stores_[store].previous = previous;
  stores_[store].next = next;
  stores_[previous].next = store;
  behind = store;
  ++cell.length;
}

// The store is by the thread, now; a plain value and no place yet.
template <class Clock>
Store<Clock>& Model<Clock>::Author(int thread, Index index, MemoryOrder order, int32_t event) {
  const Thread<Clock>& me = threads_[thread];
  StoreType& store = stores_[index];
  store.released = IsRelease(order) ? me.now : me.fenced;
  store.known = me.now.Only(thread, Clock::kNever);
  store.event = event;
  store.epoch = me.now[thread];
  store.author = static_cast<uint8_t>(thread);
  store.followed = false;
  store.seq_cst = IsSeqCst(order);
  return store;
}

template <class Clock>
template <class T, class Pick>
bool Model<Clock>::StoreValue(int thread, const T* address, T value, MemoryOrder order,
                              int32_t event, Pick&& pick) {
  EnsureRoom();
  CellType& cell = CellFor(address);
  Enter(thread, cell, order);
  const Index next = Knows(thread, stores_[cell.newest]) ? 0 : PickPlace(thread, cell, order, pick);
  const Index index = MakeStore();
  SetValue(Author(thread, index, order, event), value);
  Insert(cell, index, next);
  if (seq_cst_.active()) seq_cst_.OnStore(thread, cell, index, order);
  if (IsRelease(order)) Tick(thread);
  CheckAtomic(thread, cell, AccessKind::kAtomicWrite);
  if (cell.shares_atomic) [[unlikely]]
    TellOverlaps(cell, index);
  Trim(cell);
  return next == 0;
}

// A read-modify-write that reads `read` stores `value` right behind it. Whether it is the newest.
template <class Clock>
template <class T>
bool Model<Clock>::Update(int thread, CellType& cell, Index read, T value, MemoryOrder order,
                          int32_t event) {
  See(thread, cell, stores_[read], order);
  const Index next = stores_[read].next;
  const Index index = MakeStore();
  StoreType& store = Author(thread, index, order, event);
  SetValue(store, value);
  store.released.Join(stores_[read].released);  // the release sequence goes on
  stores_[read].followed = true;
  Insert(cell, index, next);
  if (seq_cst_.active()) seq_cst_.OnUpdate(thread, cell, read, index, order);
  if (IsRelease(order)) Tick(thread);
  CheckAtomic(thread, cell, AccessKind::kAtomicWrite);
  if (cell.shares_atomic) [[unlikely]]
    TellOverlaps(cell, index);
  Trim(cell);
  return next == 0;
}

template <class Clock>
template <class T, class UpdateValue, class Pick>
UpdateResult<T> Model<Clock>::ReadModifyWrite(int thread, const T* address, UpdateValue&& update,
                                              MemoryOrder order, int32_t event, Pick&& pick) {
  EnsureRoom();
  CellType& cell = CellFor(address);
  Enter(thread, cell, order);
  Index read = cell.newest;
  if (!Knows(thread, stores_[read])) {
    read = PickCandidate(FindCandidates<T>(thread, cell, Role::kUpdate, false, order, order, T()),
                         pick)
               .store;
  }
  const T old = ValueOf<T>(stores_[read]);
  const T value = update(old);
  const int32_t read_event = stores_[read].event;
  const bool newest = Update(thread, cell, read, value, order, event);
  return {old, value, read_event, newest, true, newest};
}

template <class Clock>
template <class T, class Pick>
UpdateResult<T> Model<Clock>::CompareExchange(int thread, const T* address, T expected, T desired,
                                              bool weak, MemoryOrder order, MemoryOrder failure,
                                              int32_t event, Pick&& pick) {
  EnsureRoom();
  CellType& cell = CellFor(address);
  Enter(thread, cell, IsSeqCst(failure) ? failure : order);
  const Candidate chosen = PickCandidate(
      FindCandidates(thread, cell, Role::kCompareExchange, weak, order, failure, expected), pick);
  StoreType& store = stores_[chosen.store];
  const T old = ValueOf<T>(store);
  const int32_t read_event = store.event;
  const bool read_newest = store.next == 0;
  const bool fails =
      !chosen.can_update || (chosen.can_fail && pick(PickKind::kWeakCompareExchange, 2) != 0);
  if (!fails) {
    Update(thread, cell, chosen.store, desired, order, event);
    return {old, desired, read_event, read_newest, true, read_newest};
  }
  See(thread, cell, store, failure);
  if (seq_cst_.active()) seq_cst_.OnRead(thread, cell, chosen.store, failure);
  CheckAtomic(thread, cell, AccessKind::kAtomicRead);
  return {old, old, read_event, read_newest, false, false};
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

// ---- fences and synchronisation

template <class Clock>
void Model<Clock>::Fence(int thread, MemoryOrder order) {
  if (order == MemoryOrder::kRelaxed) return;
  Thread<Clock>& me = threads_[thread];
  if (IsSeqCst(order) && !seq_cst_.active()) seq_cst_.Activate(thread_count_);
  if (IsAcquire(order)) me.now.Join(me.pending);
  if (seq_cst_.active()) seq_cst_.OnFence(thread, order);
  if (IsRelease(order)) {
    me.fenced = me.now;
    Tick(thread);
  }
}

template <class Clock>
void Model<Clock>::Release(int thread, const void* object) {
  EnsureRoom();
  CellType& cell = cells_.Find(object, 0);
  if (cell.newest == 0) InitialStore(cell);
  stores_[cell.newest].released.Join(threads_[thread].now);
  if (seq_cst_.active()) seq_cst_.OnRelease(thread, seq_cst_.ReleasedBy(cell.newest));
  Tick(thread);
}

template <class Clock>
void Model<Clock>::Acquire(int thread, const void* object) {
  const CellType& cell = cells_.Find(object, 0);
  if (cell.newest == 0) return;
  threads_[thread].now.Join(stores_[cell.newest].released);
  if (seq_cst_.active()) seq_cst_.OnAcquire(thread, seq_cst_.ReleasedBy(cell.newest));
}

template <class Clock>
template <class T>
void Model<Clock>::ForEachStore(const T* address, auto visit) {
  const CellType& cell = CellFor(address);
  for (Index store = cell.oldest; store != 0; store = stores_[store].next) {
    visit(stores_[store].event, ValueOf<T>(stores_[store]));
  }
}

// ---- races

template <class Clock>
bool Model<Clock>::Check(int thread, CellType& cell, AccessKind kind) {
  const Clock& now = threads_[thread].now;
  Race found;
  bool races = RacesWith(cell, kind, now, found);
  if (cell.overlaps != 0 && !races) {
    cells_.ForEachOverlap(
        cell, [&](CellType& other) { races = races || RacesWith(other, kind, now, found); });
  }
  if (races && !has_race_) {
    has_race_ = true;
    race_ = found;
    race_.kind = kind;
    race_.thread = thread;
    race_.address = cell.address();
    race_.size = cell.size();
    race_.before_construction = kind >= AccessKind::kAtomicRead &&
                                found.earlier_kind == AccessKind::kPlainWrite &&
                                cell.atomic_reads.IsZero() && cell.atomic_writes.IsZero();
  }
  Remember(cell, kind, thread, now);
  return races;
}

// Atomic accesses race with plain ones. While no other thread exists, nothing needs to be
// remembered: it happens before whatever comes.
template <class Clock>
void Model<Clock>::CheckAtomic(int thread, CellType& cell, AccessKind kind) {
  if (Alone() || !options_.check_races) return;
  Check(thread, cell, kind);
}

template <class Clock>
bool Model<Clock>::PlainRange(int thread, const void* address, size_t size, AccessKind kind) {
  if (Alone()) return false;  // nor can anybody read what is older
  bool races = false;
  const uintptr_t end = reinterpret_cast<uintptr_t>(address) + size;
  for (uintptr_t begin = reinterpret_cast<uintptr_t>(address); begin < end;) {
    // In pieces of at most 8 bytes, none across a multiple of 8.
    const uintptr_t piece_end = std::min(end, (begin | 7) + 1);
    if (cells_.IsCrowded()) {
      lost_detail_ = true;
      return races;
    }
    CellType& cell =
        cells_.Find(reinterpret_cast<const void*>(begin), static_cast<uint32_t>(piece_end - begin));
    if (seq_cst_.active()) seq_cst_.Enter(thread, &cell);
    if (options_.check_races) races |= Check(thread, cell, kind);
    if (kind == AccessKind::kPlainWrite) {
      if (cell.newest != 0) DropHistory(cell);
      if (cell.overlaps != 0) {
        cells_.ForEachOverlap(cell, [&](CellType& other) { DropHistory(other); });
      }
    }
    begin = piece_end;
  }
  return races;
}

template <class Clock>
bool Model<Clock>::PlainRead(int thread, const void* address, size_t size) {
  return PlainRange(thread, address, size, AccessKind::kPlainRead);
}

template <class Clock>
bool Model<Clock>::PlainWrite(int thread, const void* address, size_t size) {
  return PlainRange(thread, address, size, AccessKind::kPlainWrite);
}

template <class Clock>
void Model<Clock>::Forget(const void* address, size_t size) {
  if (Alone() || size == 0) return;
  cells_.ForEachInRange(reinterpret_cast<uintptr_t>(address), size, [&](CellType& cell) {
    DropHistory(cell);
    if (seq_cst_.active()) seq_cst_.Forget(cell);
    Remember(cell, AccessKind::kPlainWrite, 0, Clock());
  });
}

// ---- a wider form

template <class Clock>
template <class OtherClock>
void Model<Clock>::CopyFrom(Model<OtherClock>& other) {
  BeginExecution(other.options_);
  thread_count_ = other.thread_count_;
  others_ = other.others_;
  lost_detail_ = other.lost_detail_;
  has_race_ = other.has_race_;
  race_ = other.race_;
  free_ = other.free_;
  for (int i = 0; i < thread_count_; ++i) {
    threads_[i] = {Clock::From(other.threads_[i].now), Clock::From(other.threads_[i].pending),
                   Clock::From(other.threads_[i].fenced)};
  }
  stores_.set_end(other.stores_.end());
  for (Index i = 1; i < stores_.end(); ++i) {
    const auto& from = other.stores_[i];
    StoreType& store = stores_[i] = {};
    store.released = Clock::From(from.released);
    store.known = Clock::From(from.known, from.epoch == 0 ? 0 : Clock::kNever);
    store.value = from.value;
    store.value_high = from.value_high;
    store.previous = from.previous;
    store.next = from.next;
    store.event = from.event;
    store.epoch = from.epoch;
    store.author = from.author;
    store.followed = from.followed;
    store.seq_cst = from.seq_cst;
  }
  other.cells_.ForEach([&](Cell<OtherClock>& from) {
    CellType& cell = cells_.Find(reinterpret_cast<const void*>(from.address()), from.size());
    cell.newest = from.newest;
    cell.oldest = from.oldest;
    cell.length = from.length;
    cell.seq_cst = from.seq_cst;
    cell.write_epoch = from.write_epoch;
    cell.writer = from.writer;
    cell.forgotten = from.forgotten;
    cell.shares_atomic = from.shares_atomic;
    cell.plain_reads = Clock::From(from.plain_reads);
    cell.atomic_reads = Clock::From(from.atomic_reads);
    cell.atomic_writes = Clock::From(from.atomic_writes);
    std::copy(std::begin(from.stale_reads), std::end(from.stale_reads), cell.stale_reads);
  });
  seq_cst_.CopyFrom(other.seq_cst_, [&](const void* cell) -> const void* {
    if (cell == nullptr) return nullptr;
    const auto& from = *static_cast<const Cell<OtherClock>*>(cell);
    return &cells_.Find(reinterpret_cast<const void*>(from.address()), from.size());
  });
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_MODEL_INL_H_
