// The memory model: atomic accesses. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_ACCESS_INL_H_
#define JACQUARD_SIM_MEMORY_ACCESS_INL_H_

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

// ---- reading

// Whether the thread is to see the newest store, though coherence would permit an older one.
template <class Clock>
bool Model<Clock>::OnlyNewest(int thread, const CellType& cell) const {
  return cell.shares_atomic || !chooses_ || cell.stale_reads[thread] >= options_.max_stale_reads;
}

// Fills `candidates_`, the newest first, and returns how many there are.
template <class Clock>
template <typename Model<Clock>::Role role, class T>
uint32_t Model<Clock>::FindCandidates(int thread, CellType& cell, bool weak, MemoryOrder order,
                                      MemoryOrder failure, T expected) {
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
    if constexpr (role == Role::kLoad) {
      candidate.can_fail = can_read(order);
    } else if constexpr (role == Role::kUpdate) {
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
    index = PickCandidate(FindCandidates<Role::kLoad>(thread, cell, false, order, order, T()), pick)
                .store;
  }
  StoreType& store = stores_[index];
  See(thread, cell, store, order);
  if (seq_cst_.active()) [[unlikely]]
    seq_cst_.OnRead(thread, cell, index, order);
  CheckAtomic<AccessKind::kAtomicRead>(thread, cell);
  return {ValueOf<T>(store), store.event, store.next == 0};
}

template <class Clock>
template <class T>
void Model<Clock>::LearnNewest(int thread, const T* address) {
  CellType& cell = CellFor(address);
  Enter(thread, cell, MemoryOrder::kRelaxed);
  See(thread, cell, stores_[cell.newest], MemoryOrder::kRelaxed);
  if (seq_cst_.active()) seq_cst_.OnRead(thread, cell, cell.newest, MemoryOrder::kRelaxed);
}

// ---- writing

// The store that the new one goes right before; 0: it goes last.
template <class Clock>
template <class Pick>
Index Model<Clock>::PickPlace(int thread, const CellType& cell, MemoryOrder order, Pick&& pick) {
  if (cell.shares_atomic || !cell.has_gaps || !chooses_) return 0;
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

// The new store takes its place, right before `next` or last; a read-modify-write has read `read`.
// Whether it is the newest.
template <class Clock>
bool Model<Clock>::Settle(int thread, CellType& cell, Index index, Index next, Index read,
                          MemoryOrder order) {
  Insert(cell, index, next);
  if (seq_cst_.active()) [[unlikely]] {
    if (read != 0) {
      seq_cst_.OnUpdate(thread, cell, read, index, order);
    } else {
      seq_cst_.OnStore(thread, cell, index, order);
    }
  }
  CheckAtomic<AccessKind::kAtomicWrite>(thread, cell);
  // Only now: what the store releases includes the store itself.
  if (IsRelease(order)) Tick(thread);
  if (cell.shares_atomic) [[unlikely]]
    TellOverlaps(cell, index);
  Trim(cell);
  return next == 0;
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
  return Settle(thread, cell, index, next, 0, order);
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
  return Settle(thread, cell, index, next, read, order);
}

template <class Clock>
template <class T, class UpdateValue, class Pick>
UpdateResult<T> Model<Clock>::ReadModifyWrite(int thread, const T* address, UpdateValue&& update,
                                              MemoryOrder order, int32_t event, Pick&& pick) {
  EnsureRoom();
  CellType& cell = CellFor(address);
  Enter(thread, cell, order);
  Index read = cell.newest;
  if (cell.has_gaps && !Knows(thread, stores_[read])) {
    read =
        PickCandidate(FindCandidates<Role::kUpdate>(thread, cell, false, order, order, T()), pick)
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
      FindCandidates<Role::kCompareExchange>(thread, cell, weak, order, failure, expected), pick);
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
  if (seq_cst_.active()) [[unlikely]]
    seq_cst_.OnRead(thread, cell, chosen.store, failure);
  CheckAtomic<AccessKind::kAtomicRead>(thread, cell);
  return {old, old, read_event, read_newest, false, false};
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_ACCESS_INL_H_
