// The memory model: threads, fences, synchronisation and races. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_MODEL_INL_H_
#define JACQUARD_SIM_MEMORY_MODEL_INL_H_

#include <algorithm>

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

// ---- threads

template <class Clock>
void Model<Clock>::BeginExecution(const ModelOptions& options) {
  // One by one: the caller has just put them together so, and a wider read would have to wait.
  options_.max_stale_reads = options.max_stale_reads;
  options_.check_races = options.check_races;
  options_.max_history = std::clamp<uint32_t>(options.max_history, 2, kMaxCandidates - 24);
  thread_count_ = 1;
  others_ = 0;
  lost_detail_ = overflowing_ = has_race_ = false;
  chooses_ = true;
  free_ = 0;
  cells_.BeginExecution();
  stores_.TakeBackAll();
  seq_cst_.BeginExecution();
  SetZero(unseen_);
  SetZero(threads_[0]);
  threads_[0].now.Set(0, 1);
}

template <class Clock>
void Model<Clock>::CreateThread(int parent, int child) {
  SetZero(threads_[child]);
  threads_[child].now = threads_[parent].now;
  threads_[child].now.Set(child, 1);
  thread_count_ = std::max(thread_count_, child + 1);
  ++others_;
  if (seq_cst_.active()) {
    seq_cst_.AddThread(child);
    seq_cst_.OnCreate(parent, child);
  }
  BeginEpoch(parent);
}

template <class Clock>
void Model<Clock>::CreateThreadAgain(int parent, int child) {
  Thread<Clock>& thread = threads_[child];
  thread.now.Join(threads_[parent].now);
  SetZero(thread.pending);
  SetZero(thread.fenced);
  if (thread.joined) ++others_;  // else it still counts
  thread.joined = false;
  BeginEpoch(child);
  if (seq_cst_.active()) seq_cst_.OnCreateAgain(parent, child);
  BeginEpoch(parent);
}

template <class Clock>
void Model<Clock>::JoinThread(int parent, int child) {
  threads_[parent].now.Join(threads_[child].now);
  threads_[child].joined = true;
  --others_;
  if (seq_cst_.active()) seq_cst_.OnJoin(parent, child);
}

// ---- fences and synchronisation

template <class Clock>
void Model<Clock>::Fence(int thread, MemoryOrder order) {
  if (order == MemoryOrder::kRelaxed) return;
  Thread<Clock>& me = threads_[thread];
  const bool keeps_order = KeepsOrder(order);
  if (IsAcquire(order)) me.now.Join(me.pending);
  if (keeps_order) seq_cst_.OnFence(thread, order);
  if (IsRelease(order)) {
    me.fenced = me.now;
    Tick(thread);
  }
}

template <class Clock>
void Model<Clock>::FenceAll(int thread) {
  Fence(thread, MemoryOrder::kSeqCst);
  // Fences alone may be in either order: these are tied to the caller's.
  const Clock begin = threads_[thread].now;
  Clock end;
  View<Clock> begin_view;
  View<Clock> end_view;
  if (seq_cst_.active()) seq_cst_.OnRelease(thread, begin_view);
  Tick(thread);
  for (int i = 0; i < thread_count_; ++i) {
    if (i == thread) continue;
    Thread<Clock>& other = threads_[i];
    const Lane epoch = EpochOf(i);
    other.now.Join(begin);
    other.now.Set(i, epoch - 1);
    if (seq_cst_.active()) seq_cst_.OnAcquire(i, begin_view);
    Fence(i, MemoryOrder::kSeqCst);
    end.Join(other.fenced);
    if (seq_cst_.active()) seq_cst_.OnRelease(i, end_view);
    other.now.Set(i, epoch);
  }
  threads_[thread].now.Join(end);
  if (seq_cst_.active()) seq_cst_.OnAcquire(thread, end_view);
  Fence(thread, MemoryOrder::kSeqCst);
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
void Model<Clock>::ReleaseUnseen(int thread) {
  unseen_.Join(threads_[thread].now);
  Tick(thread);
}

template <class Clock>
void Model<Clock>::AcquireAll(int thread) {
  for (int i = 0; i < thread_count_; ++i) threads_[thread].now.Join(threads_[i].now);
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

// Whether an access that races would still do so after an acquire fence.
template <class Clock>
bool Model<Clock>::RacesAfterAcquireFence(int thread, CellType& cell, AccessKind kind) {
  Clock now = threads_[thread].now;
  now.Join(threads_[thread].pending);
  Race ignored;
  bool races = RacesWith(cell, kind, now, ignored);
  cells_.ForEachOverlap(
      cell, [&](CellType& other) { races = races || RacesWith(other, kind, now, ignored); });
  return races;
}

template <class Clock>
void Model<Clock>::NoteRace(int thread, CellType& cell, AccessKind kind, const Race& found) {
  if (has_race_) return;
  has_race_ = true;
  race_ = found;
  race_.kind = kind;
  race_.thread = thread;
  race_.address = cell.address();
  race_.size = cell.size();
  race_.of_lock |= IsLock(cell);
  race_.read_without_acquire = !RacesAfterAcquireFence(thread, cell, kind);
  race_.before_construction = kind >= AccessKind::kAtomicRead &&
                              found.earlier_kind == AccessKind::kPlainWrite &&
                              cell.atomic_reads.IsZero() && cell.atomic_writes.IsZero();
}

template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::CheckClosely(int thread, CellType& cell) {
  const Clock& now = threads_[thread].now;
  Race found;
  bool races = RacesWith(cell, kKind, now, found);
  if (cell.overlaps != 0 && !races) {
    cells_.ForEachOverlap(
        cell, [&](CellType& other) { races = races || RacesWith(other, kKind, now, found); });
  }
  if (races) [[unlikely]]
    NoteRace(thread, cell, kKind, found);
  return races;
}

template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::Check(int thread, CellType& cell) {
  const Clock& now = threads_[thread].now;
  bool races = false;
  if (cell.overlaps != 0 || Conflicts(cell, kKind, now)) [[unlikely]]
    races = CheckClosely<kKind>(thread, cell);
  Remember(cell, kKind, thread, now);
  return races;
}

// Atomic accesses race with plain ones. While no other thread exists, nothing needs to be
// remembered: it happens before whatever comes.
template <class Clock>
template <AccessKind kKind>
void Model<Clock>::CheckAtomic(int thread, CellType& cell) {
  if (Alone() || !options_.check_races) return;
  Check<kKind>(thread, cell);
}

// As ThreadSanitizer has it: only plain writes to a lock race with its use.
template <class Clock>
bool Model<Clock>::UseLock(int thread, const void* lock, uint32_t size) {
  if (Alone() || !options_.check_races) return false;
  CellType& cell = cells_.Find(lock, size);
  if (!cell.is_lock) {
    cell.is_lock = true;
    SpillRecords(cell.address(), size);
  }
  return Check<AccessKind::kAtomicRead>(thread, cell);
}

// A piece of an access: within 8 bytes that begin at a multiple of 8.
template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::PlainPiece(int thread, uintptr_t begin, size_t size) {
  const auto* const address = reinterpret_cast<const void*>(begin);
  const auto length = static_cast<uint32_t>(size);
  if (IsToldByRecord<kKind>(thread, begin, size)) return false;
  if (cells_.IsCrowded() && !cells_.Has(address, length)) [[unlikely]] {
    lost_detail_ = true;
    return false;
  }
  CellType& cell = cells_.Find(address, length);
  if (seq_cst_.active()) [[unlikely]]
    seq_cst_.Enter(thread, &cell);
  constexpr bool kWrites = kKind == AccessKind::kPlainWrite;
  if (kWrites && (cell.newest != 0 || cell.overlaps != 0)) [[unlikely]]
    return EndHistory<kKind>(thread, cell);
  if (IsRepeated(cell, kKind, thread, threads_[thread].now)) return false;
  if (options_.check_races) [[likely]]
    return Check<kKind>(thread, cell);
  // It sees the newest value; so nothing older comes after that.
  if (cell.newest != 0) cell.stale_reads[thread] = kAlwaysNewest;
  return false;
}

// A plain write to what has been accessed atomically.
template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::EndHistory(int thread, CellType& cell) {
  const bool races = options_.check_races && Check<kKind>(thread, cell);
  if (cell.newest != 0) DropHistory(cell);
  cells_.ForEachOverlap(cell, [&](CellType& other) { DropHistory(other); });
  return races;
}

template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::PlainRange(int thread, uintptr_t begin, size_t size) {
  bool races = false;
  for (const uintptr_t end = begin + size; begin < end;) {
    const uintptr_t piece_end = std::min(end, (begin | 7) + 1);
    races |= PlainPiece<kKind>(thread, begin, piece_end - begin);
    begin = piece_end;
  }
  return races;
}

template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::PlainAccess(int thread, const void* address, size_t size) {
  if (Alone()) return false;  // nor can anybody read what is older
  const auto begin = reinterpret_cast<uintptr_t>(address);
  if (begin % 8 + size <= 8 && size != 0) [[likely]]
    return PlainPiece<kKind>(thread, begin, size);
  return PlainRange<kKind>(thread, begin, size);
}

template <class Clock>
template <AccessKind kKind>
bool Model<Clock>::PlainAtOnce(int thread, const void* address, uint32_t size) {
  if (IsToldByRecord<kKind>(thread, reinterpret_cast<uintptr_t>(address), size)) return true;
  if (seq_cst_.active() || !options_.check_races) [[unlikely]]
    return false;
  CellType* const cell = cells_.FindAtOnce(address, size);
  if (cell == nullptr || cell->overlaps != 0) [[unlikely]]
    return false;
  if (kKind == AccessKind::kPlainWrite && cell->newest != 0) [[unlikely]]
    return false;
  const Clock& now = threads_[thread].now;
  if (IsRepeated(*cell, kKind, thread, now)) return true;
  if (Conflicts(*cell, kKind, now)) [[unlikely]]
    return false;
  Remember(*cell, kKind, thread, now);
  return true;
}

template <class Clock>
bool Model<Clock>::PlainRead(int thread, const void* address, size_t size) {
  return PlainAccess<AccessKind::kPlainRead>(thread, address, size);
}

template <class Clock>
bool Model<Clock>::PlainWrite(int thread, const void* address, size_t size) {
  return PlainAccess<AccessKind::kPlainWrite>(thread, address, size);
}

template <class Clock>
bool Model<Clock>::Free(int thread, const void* address, size_t size) {
  if (Alone() || size == 0 || !options_.check_races) return false;
  if (FreeRecords(thread, reinterpret_cast<uintptr_t>(address), size)) return false;
  bool races = false;
  cells_.ForEachInRange(reinterpret_cast<uintptr_t>(address), size, [&](CellType& cell) {
    races |= Check<AccessKind::kPlainWrite>(thread, cell);
  });
  return races;
}

template <class Clock>
void Model<Clock>::Forget(const void* address, size_t size) {
  if (Alone() || size == 0) return;
  ForgetRecords(reinterpret_cast<uintptr_t>(address), size);
  cells_.ForEachInRange(reinterpret_cast<uintptr_t>(address), size, [&](CellType& cell) {
    DropHistory(cell);
    if (seq_cst_.active()) seq_cst_.Forget(cell);
    cell.is_lock = false;
    Remember(cell, AccessKind::kPlainWrite, 0, Clock());
  });
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_MODEL_INL_H_
