// The order of seq_cst events: implementation. Included by seq_cst.h only.
#ifndef JACQUARD_SIM_MEMORY_SEQ_CST_INL_H_
#define JACQUARD_SIM_MEMORY_SEQ_CST_INL_H_

#include <algorithm>

#include "sim/memory/seq_cst.h"

namespace jacquard::sim::memory {

template <class Clock>
void SeqCst<Clock>::Activate(int thread_count) {
  active_ = true;
  lost_detail_ = false;
  thread_count_ = thread_count;
  for (int i = 0; i < thread_count; ++i) SetZero(of_[i]);
  shared_accesses_ = Clock();
  cells_.TakeBackAll();
  accesses_.TakeBackAll();
  free_accesses_ = kept_accesses_ = 0;
  next_sweep_ = kFirstSweep;
  fences_.TakeBackAll();
  for (Index i = 1; i < stores_.end(); ++i) orders_[i] = {};
}

// ---- predecessors of the next event

// Of a seq_cst access: by po; by [SCF]; hb; po; by po/=loc; hb; po/=loc.
template <class Clock>
Clock SeqCst<Clock>::Base(int thread) const {
  const ThreadOrder<Clock>& me = of_[thread];
  Clock result = me.last;
  result.Join(me.now.fences);
  result.Join(me.elsewhere_before_run);
  return result;
}

// Of a read of `cell`: [SC] | [SCF]; hb?  ;  hb/loc. (A thread's own accesses come before it by
// po.)
template <class Clock>
Clock SeqCst<Clock>::KnownAccesses(const CellType& cell, int thread) const {
  Clock result;
  if (cell.seq_cst == 0) return result;
  const CellOrder<Clock>& order = cells_[cell.seq_cst];
  for (int other = 0; other < thread_count_; ++other) {
    if (other == thread) continue;
    const Lane known = threads_[thread].now[other];
    Index access = order.last_access[other];
    while (access != 0 && accesses_[access].epoch > known) access = accesses_[access].previous;
    if (access != 0) result.Join(accesses_[access].own);
  }
  return result;
}

// ---- checks

template <class Clock>
void SeqCst<Clock>::AddTargets(TargetsType& targets, Index store) const {
  const StoreType& behind = stores_[store];
  if (behind.seq_cst) targets.of_all.SoonerIn(behind.author, orders_[store].rank);
  for (Index i = orders_[store].later_fences; i < fences_.end(); ++i) {
    const FenceOrder<Clock>& fence = fences_[i];
    if (fence.now[behind.author] >= behind.epoch) {
      targets.of_all.SoonerIn(fence.thread, fence.rank);
    }
    // A read of the store is known, perhaps not the store itself: eco ends with reads-from.
    if (fence.now.Reaches(behind.known)) targets.of_fences.SoonerIn(fence.thread, fence.rank);
  }
}

template <class Clock>
bool SeqCst<Clock>::Allows(int thread, MemoryOrder order, const TargetsType& targets) const {
  const Clock& fences = of_[thread].now.fences;
  if (fences.Reaches(targets.of_all) || fences.Reaches(targets.of_fences)) return false;
  return !IsSeqCst(order) || !Base(thread).Reaches(targets.of_all);
}

// ---- events

template <class Clock>
void SeqCst<Clock>::Enter(int thread, const void* location) {
  ThreadOrder<Clock>& me = of_[thread];
  if (me.run == location && location != nullptr) return;
  me.elsewhere_before_run = me.now.elsewhere;
  me.last_before_run = me.last;
  me.run = location;
}

// What a release on the location of the current run releases.
template <class Clock>
View<Clock> SeqCst<Clock>::ReleasedNow(int thread) const {
  const ThreadOrder<Clock>& me = of_[thread];
  View<Clock> view = me.now;
  view.elsewhere.Join(me.last_before_run);
  return view;
}

// The event is seq_cst, with these predecessors.
template <class Clock>
void SeqCst<Clock>::Become(int thread, Clock predecessors, Clock& own) {
  ThreadOrder<Clock>& me = of_[thread];
  predecessors.Set(thread, ++me.count);
  if (me.count >= Clock::kNever - 16) overflowing_ = true;
  me.last = predecessors;
  own.Join(predecessors);
}

template <class Clock>
void SeqCst<Clock>::OnRead(int thread, CellType& cell, Index store, MemoryOrder order) {
  ThreadOrder<Clock>& me = of_[thread];
  const StoreOrder<Clock>& read = orders_[store];
  (IsAcquire(order) ? me.now : me.pending).Join(read.released);
  me.now.before_fence.Join(read.fences_before);
  me.now.before_fence.Join(read.author_fences);
  if (cell.shares_atomic) me.now.before_fence.Join(shared_accesses_);
  Own own{me.now.fences, me.now.fences};
  if (IsSeqCst(order)) {
    Clock predecessors = Base(thread);
    predecessors.Join(KnownAccesses(cell, thread));
    if (cell.shares_atomic) predecessors.Join(shared_accesses_);
    Become(thread, predecessors, own.all);
  }
  Record(thread, cell, own, stores_[store].next);
}

template <class Clock>
void SeqCst<Clock>::OnStore(int thread, CellType& cell, Index store, MemoryOrder order) {
  orders_[store] = {};
  orders_[store].released = IsRelease(order) ? ReleasedNow(thread) : of_[thread].fenced;
  Place(thread, cell, store, order);
}

template <class Clock>
void SeqCst<Clock>::OnUpdate(int thread, CellType& cell, Index read, Index store,
                             MemoryOrder order) {
  ThreadOrder<Clock>& me = of_[thread];
  (IsAcquire(order) ? me.now : me.pending).Join(orders_[read].released);
  orders_[store] = {};
  orders_[store].released = IsRelease(order) ? ReleasedNow(thread) : me.fenced;
  orders_[store].released.Join(orders_[read].released);  // the release sequence goes on
  Place(thread, cell, store, order);
}

// The store has its place in modification order: it comes after all accesses that belong before it.
template <class Clock>
void SeqCst<Clock>::Place(int thread, CellType& cell, Index store, MemoryOrder order) {
  ThreadOrder<Clock>& me = of_[thread];
  StoreOrder<Clock>& mine = orders_[store];
  const Index next = stores_[store].next;
  if (next != 0) {
    mine.before = orders_[next].before;
    mine.fences_before = orders_[next].fences_before;
  } else if (cell.seq_cst != 0) {
    mine.before = cells_[cell.seq_cst].accesses;
    mine.fences_before = cells_[cell.seq_cst].fences;
  }
  if (cell.shares_atomic) mine.before.Join(shared_accesses_);
  mine.author_fences = me.now.fences;
  mine.later_fences = fences_.end();
  me.now.before_fence.Join(mine.before);
  // A release releases that, too.
  if (IsRelease(order)) mine.released.before_fence.Join(mine.before);
  Own own{me.now.fences, me.now.fences};
  if (IsSeqCst(order)) {
    Clock predecessors = Base(thread);
    predecessors.Join(mine.before);
    Become(thread, predecessors, own.all);
    mine.rank = me.count;
  }
  Record(thread, cell, own, next);
}

template <class Clock>
void SeqCst<Clock>::OnFence(int thread, MemoryOrder order) {
  ThreadOrder<Clock>& me = of_[thread];
  Enter(thread, nullptr);
  if (IsAcquire(order)) me.now.Join(me.pending);
  if (IsSeqCst(order)) {
    Clock predecessors = me.last;
    predecessors.Join(me.now.fences);
    predecessors.Join(me.now.before_fence);
    Become(thread, predecessors, me.now.fences);
    if (const Index fence = fences_.Take(); fence != 0) {
      fences_[fence] = {threads_[thread].now, me.count, static_cast<uint8_t>(thread)};
    }
  }
  if (IsRelease(order)) {
    me.fenced = me.now;
    // The fence itself has no location: everything so far was elsewhere.
    me.fenced.elsewhere.Join(me.last);
  }
}

template <class Clock>
void SeqCst<Clock>::OnRelease(int thread, View<Clock>& to) {
  Enter(thread, nullptr);
  View<Clock> view = of_[thread].now;
  view.elsewhere.Join(of_[thread].last);
  to.Join(view);
}

template <class Clock>
void SeqCst<Clock>::OnAcquire(int thread, const View<Clock>& from) {
  Enter(thread, nullptr);
  of_[thread].now.Join(from);
}

template <class Clock>
void SeqCst<Clock>::OnSharing(const CellType& cell, const CellType& other) {
  for (const CellType* each : {&cell, &other}) {
    if (each->seq_cst != 0) shared_accesses_.Join(cells_[each->seq_cst].accesses);
  }
}

template <class Clock>
void SeqCst<Clock>::OnCreateAgain(int parent, int child) {
  of_[child].pending = {};
  of_[child].fenced = {};
  of_[child].run = nullptr;
  OnCreate(parent, child);
}

template <class Clock>
void SeqCst<Clock>::OnJoin(int parent, int child) {
  View<Clock> view;
  OnRelease(child, view);
  OnAcquire(parent, view);
}

// ---- keeping what has happened

template <class Clock>
CellOrder<Clock>& SeqCst<Clock>::OrderOf(CellType& cell) {
  if (cell.seq_cst == 0) {
    cell.seq_cst = cells_.Take();  // as many as there can be cells
    cells_[cell.seq_cst] = {};
  }
  return cells_[cell.seq_cst];
}

// An access has happened; `later` is the store behind the one that it read or made.
template <class Clock>
void SeqCst<Clock>::Record(int thread, CellType& cell, const Own& own, Index later) {
  if (own.all.IsZero()) return;
  CellOrder<Clock>& order = OrderOf(cell);
  order.accesses.Join(own.all);
  if (cell.shares_atomic) shared_accesses_.Join(own.all);
  order.fences.Join(own.fences);
  const Lane epoch = threads_[thread].now[thread];
  Index& last = order.last_access[thread];
  if (last == 0 || accesses_[last].epoch != epoch) {
    const Index access = TakeAccess();
    if (access != 0) {
      accesses_[access] = {last == 0 ? Clock() : accesses_[last].own, epoch, last};
      last = access;
    } else {
      lost_detail_ = true;  // the entry before it says more than was then the case
    }
  }
  if (last != 0) accesses_[last].own.Join(own.all);
  if (later != 0) AddLateEdges(own, later);
}

// ---- which accesses are kept

template <class Clock>
Index SeqCst<Clock>::TakeAccess() {
  if (kept_accesses_ >= next_sweep_) [[unlikely]]
    SweepAccesses();
  Index access = free_accesses_;
  if (access != 0) {
    free_accesses_ = accesses_[access].previous;
  } else {
    access = accesses_.Take();
  }
  if (access != 0) ++kept_accesses_;
  return access;
}

template <class Clock>
void SeqCst<Clock>::GiveBackAccess(Index access) {
  accesses_[access].previous = free_accesses_;
  free_accesses_ = access;
  --kept_accesses_;
}

template <class Clock>
void SeqCst<Clock>::ForgetOrder(CellOrder<Clock>& order) {
  for (int thread = 0; thread < thread_count_; ++thread) {
    for (Index access = order.last_access[thread]; access != 0;) {
      const Index previous = accesses_[access].previous;
      GiveBackAccess(access);
      access = previous;
    }
  }
  order = {};
}

// KnownAccesses looks for the last of a thread's accesses in an epoch that somebody knows. What may
// be known of a thread some day is what one of these clocks says, or as much as that thread itself.
// Finds for each of its epochs the last one that is known, up to there. False: there are too many.
template <class Clock>
bool SeqCst<Clock>::FindKnownEpochs(int thread) {
  const Index now = threads_[thread].now[thread];
  if (now >= known_epochs_.capacity()) return false;
  std::fill_n(&known_epochs_[0], now + 1, Lane{0});
  const auto add = [&](Lane epoch) { known_epochs_[std::min<Index>(epoch, now)] = epoch; };
  for (int i = 0; i < thread_count_; ++i) {
    add(threads_[i].now[thread]);
    add(threads_[i].pending[thread]);
    add(threads_[i].fenced[thread]);
  }
  if (now > 0) add(now - 1);  // by Model::FenceAll
  add(unseen_[thread]);
  for (Index i = 1; i < stores_.end(); ++i) add(stores_[i].released[thread]);
  for (Index i = 1; i <= now; ++i)
    known_epochs_[i] = std::max(known_epochs_[i], known_epochs_[i - 1]);
  return true;
}

// Those that were, from the last one on, in a list.
template <class Clock>
void SeqCst<Clock>::SweepAccesses(Index last) {
  if (last == 0) return;
  for (Index access = accesses_[last].previous; access != 0;) {
    const Index previous = accesses_[access].previous;
    if (known_epochs_[accesses_[last].epoch - 1] >= accesses_[access].epoch) {
      accesses_[last].previous = access;
      last = access;
    } else {
      GiveBackAccess(access);
    }
    access = previous;
  }
  accesses_[last].previous = 0;
}

template <class Clock>
void SeqCst<Clock>::SweepAccesses() {
  Index most_epochs = 0;
  for (int thread = 0; thread < thread_count_; ++thread) {
    if (!FindKnownEpochs(thread)) continue;
    most_epochs = std::max<Index>(most_epochs, threads_[thread].now[thread]);
    for (Index i = 1; i < cells_.end(); ++i) SweepAccesses(cells_[i].last_access[thread]);
  }
  // So seldom that it costs little for each that is taken.
  next_sweep_ =
      std::max({kFirstSweep, 2 * kept_accesses_, cells_.end(), stores_.end(), most_epochs});
}

// ---- edges to what was before

// The new event comes before `later` and the stores behind it, by mo or rb.
template <class Clock>
void SeqCst<Clock>::AddLateEdges(const Own& own, Index later) {
  TargetsType targets;
  Clock written = Clock::All(Clock::kNever);  // by thread: the epoch of the first of those stores
  Clock known = written;                      // since when each thread knows one of them
  for (Index store = later; store != 0; store = stores_[store].next) {
    AddTargets(targets, store);
    written.SoonerIn(stores_[store].author, stores_[store].epoch);
    known.Sooner(stores_[store].known);
    orders_[store].before.Join(own.all);
    orders_[store].fences_before.Join(own.fences);
  }
  // Whoever knows one of the stores: a fence from there on comes after the new event.
  const auto tell = [&](const Clock& now, View<Clock>& view) {
    if (now.Reaches(written)) view.before_fence.Join(own.all);
    if (now.Reaches(known)) view.before_fence.Join(own.fences);
  };
  for (int thread = 0; thread < thread_count_; ++thread) {
    tell(threads_[thread].now, of_[thread].now);
    tell(threads_[thread].pending, of_[thread].pending);
    tell(threads_[thread].fenced, of_[thread].fenced);
  }
  for (Index i = 1; i < stores_.end(); ++i) tell(stores_[i].released, orders_[i].released);
  // Whatever comes after a target comes after the new event.
  if (targets.IsEmpty()) return;
  ForEachClock([&](Clock& clock) {
    const bool of_all = clock.Reaches(targets.of_all);
    const bool of_fences = clock.Reaches(targets.of_fences);
    if (of_all) clock.Join(own.all);
    if (of_fences) clock.Join(own.fences);
  });
}

// Every clock of ranks that lasts longer than one event.
template <class Clock>
void SeqCst<Clock>::ForEachClock(auto visit) {
  const auto visit_view = [&](View<Clock>& view) {
    visit(view.fences);
    visit(view.before_fence);
    visit(view.elsewhere);
  };
  for (int i = 0; i < thread_count_; ++i) {
    visit_view(of_[i].now);
    visit_view(of_[i].pending);
    visit_view(of_[i].fenced);
    visit(of_[i].last);
    visit(of_[i].elsewhere_before_run);
    visit(of_[i].last_before_run);
  }
  visit(shared_accesses_);
  for (Index i = 1; i < stores_.end(); ++i) {
    visit_view(orders_[i].released);
    visit(orders_[i].before);
    visit(orders_[i].fences_before);
    visit(orders_[i].author_fences);
  }
  for (Index i = 1; i < cells_.end(); ++i) {
    visit(cells_[i].accesses);
    visit(cells_[i].fences);
  }
  for (Index i = 1; i < accesses_.end(); ++i) visit(accesses_[i].own);
}

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_SEQ_CST_INL_H_
