// The memory model: how a wider form takes over. Included by model.h only.
#ifndef JACQUARD_SIM_MEMORY_WIDEN_INL_H_
#define JACQUARD_SIM_MEMORY_WIDEN_INL_H_

#include <algorithm>
#include <iterator>

#include "sim/memory/model.h"

namespace jacquard::sim::memory {

template <class Clock>
template <class OtherClock>
void Model<Clock>::CopyFrom(Model<OtherClock>& other) {
  BeginExecution(other.options_);
  thread_count_ = other.thread_count_;
  others_ = other.others_;
  lost_detail_ = other.lost_detail_;
  has_race_ = other.has_race_;
  chooses_ = other.chooses_;
  race_ = other.race_;
  unseen_ = Clock::From(other.unseen_);
  free_ = other.free_;
  for (int i = 0; i < thread_count_; ++i) {
    threads_[i] = {Clock::From(other.threads_[i].now), Clock::From(other.threads_[i].pending),
                   Clock::From(other.threads_[i].fenced), other.threads_[i].joined};
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
    cell.has_gaps = from.has_gaps;
    cell.is_lock = from.is_lock;
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

template <class Clock>
template <class OtherClock>
void SeqCst<Clock>::CopyFrom(const SeqCst<OtherClock>& other, auto convert) {
  active_ = other.active_;
  lost_detail_ = other.lost_detail_;
  thread_count_ = other.thread_count_;
  if (!active_) return;
  const auto view = [](const View<OtherClock>& from) {
    return View<Clock>{Clock::From(from.fences), Clock::From(from.elsewhere),
                       Clock::From(from.before_fence)};
  };
  for (int i = 0; i < thread_count_; ++i) {
    const ThreadOrder<OtherClock>& from = other.of_[i];
    of_[i] = {view(from.now),
              view(from.pending),
              view(from.fenced),
              Clock::From(from.last),
              Clock::From(from.elsewhere_before_run),
              Clock::From(from.last_before_run),
              convert(from.run),
              from.count};
  }
  shared_accesses_ = Clock::From(other.shared_accesses_);
  for (Index i = 1; i < stores_.end(); ++i) {
    const StoreOrder<OtherClock>& from = other.orders_[i];
    orders_[i] = {view(from.released),
                  Clock::From(from.before),
                  Clock::From(from.fences_before),
                  Clock::From(from.author_fences),
                  from.rank,
                  from.later_fences};
  }
  cells_.set_end(other.cells_.end());
  for (Index i = 1; i < cells_.end(); ++i) {
    const CellOrder<OtherClock>& from = other.cells_[i];
    cells_[i] = {Clock::From(from.accesses), Clock::From(from.fences), {}};
    std::copy(std::begin(from.last_access), std::end(from.last_access), cells_[i].last_access);
  }
  free_accesses_ = other.free_accesses_;
  kept_accesses_ = other.kept_accesses_;
  next_sweep_ = other.next_sweep_;
  accesses_.set_end(other.accesses_.end());
  for (Index i = 1; i < accesses_.end(); ++i) {
    const AccessOrder<OtherClock>& from = other.accesses_[i];
    accesses_[i] = {Clock::From(from.own), from.epoch, from.previous};
  }
  fences_.set_end(other.fences_.end());
  for (Index i = 1; i < fences_.end(); ++i) {
    const FenceOrder<OtherClock>& from = other.fences_[i];
    fences_[i] = {Clock::From(from.now), from.rank, from.thread};
  }
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_WIDEN_INL_H_
