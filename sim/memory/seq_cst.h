// The order of seq_cst events: RC11's partial order psc, and what it forbids.
//
// RC11 asks that psc has no cycle. Its edges lead from one seq_cst event to another:
//
//   psc_base = ([SC] | [SCF]; hb?) ; scb ; ([SC] | hb?; [SCF])
//   psc_F    = [SCF] ; (hb | hb; eco; hb) ; [SCF]
//   scb      = po | po/=loc; hb; po/=loc | hb/loc | mo | rb
//
// (SC: seq_cst events; SCF: seq_cst fences; rb: from a read to the stores behind the one it read;
// eco: reads-from, mo and rb, any number of them; /loc, /=loc: on the same or another location.)
//
// A new event that reads the newest store, or is placed last, has no edge to an older event, and
// closes no cycle. One that reads an older store, or is placed earlier, comes before the stores
// behind it: then there may be edges to older events (*targets*), and if one of the new event's
// predecessors is a target, the choice is not allowed.
//
// Since po between seq_cst events is in psc, a set of predecessors that is closed under psc is a
// clock of ranks. For each thread and store, and for each cell, the model keeps those clocks,
// closed under psc, from which the predecessors of whatever comes next can be put together. They
// are listed at View, ThreadOrder, StoreOrder and CellOrder. When an edge to an older event is
// added, each clock that holds the target gains the predecessors of the new event: a pass over all
// clocks, which only choices other than the benign ones pay.
//
// Some edges are left out, since no cycle needs them: that from a seq_cst access x to a fence F
// with x hb F (what is psc-before x is psc-before F itself), unless they are of one thread; and
// some are added that close no new one: those from a fence to the seq_cst access that synchronises
// with it (what is psc-after the access is psc-after the fence).
//
// Until the first seq_cst event of an execution nothing of this is kept, and nothing needs to be:
// all clocks would be zero.
#ifndef JACQUARD_SIM_MEMORY_SEQ_CST_H_
#define JACQUARD_SIM_MEMORY_SEQ_CST_H_

#include <cstdint>

#include "sim/memory/clock.h"
#include "sim/memory/slab.h"
#include "sim/memory/state.h"

namespace jacquard::sim::memory {

// What is known of seq_cst events at some point of a thread; travels as happens-before does.
template <class Clock>
struct View {
  Clock fences;     // [SCF]; hb  to here
  Clock elsewhere;  // [SC]; po/=loc; hb  to here
  // [SC] | [SCF]; hb?  ;  mo | rb  ; hb?  to here, and  [SCF]; hb; eco; hb?  to here: what would be
  // psc-before a fence from here on.
  Clock before_fence;

  void Join(const View& other) {
    fences.Join(other.fences);
    before_fence.Join(other.before_fence);
    elsewhere.Join(other.elsewhere);
  }
};

template <class Clock>
struct alignas(64) ThreadOrder {
  // As the three clocks of Thread.
  View<Clock> now;
  View<Clock> pending;
  View<Clock> fenced;
  Clock last;  // the thread's last seq_cst event, with predecessors
  // The thread's last events that were all on one location are a *run*. Of what came before it:
  Clock elsewhere_before_run;      // now.elsewhere
  Clock last_before_run;           // last
  const void* run = nullptr;       // the location's cell; null: the last event had none
  typename Clock::Lane count = 0;  // seq_cst events so far
};

template <class Clock>
struct alignas(64) StoreOrder {
  View<Clock> released;           // what an acquire read of it learns
  Clock before;                   // [SC] | [SCF]; hb?  ;  mo | rb  to here
  Clock fences_before;            // [SCF]; hb?  ;  mo | rb  to here
  Clock author_fences;            // [SCF]; hb  to here
  typename Clock::Lane rank = 0;  // if it is seq_cst
  Index later_fences = 1;         // the seq_cst fences from here on came later
};

template <class Clock>
struct alignas(64) CellOrder {
  Clock accesses;  // of all accesses: themselves if seq_cst, and the fences before them
  Clock fences;    // of all accesses: the fences before them
  Index last_access[Clock::kLanes];  // by thread: list of AccessOrder, the last one first
};

// A thread's accesses to a cell in one epoch. Of those that a later one is behind, only such are
// kept as somebody may still come to know without the later one.
template <class Clock>
struct AccessOrder {
  Clock own;  // of all its accesses so far: themselves if seq_cst, and the fences before them
  typename Clock::Lane epoch;
  Index previous;
};

template <class Clock>
struct FenceOrder {
  Clock now;  // happens-before, at the fence
  typename Clock::Lane rank;
  uint8_t thread;
};

// The older events to which a choice would add edges: for each thread the rank of the first.
template <class Clock>
struct Targets {
  Clock of_all = Clock::All(Clock::kNever);     // from the event itself and from earlier fences
  Clock of_fences = Clock::All(Clock::kNever);  // from earlier fences only

  bool IsEmpty() const {
    const Clock none = Clock::All(Clock::kNever);
    return !none.Exceeds(of_all) && !none.Exceeds(of_fences);
  }
};

template <class Clock>
class SeqCst {
 public:
  using Lane = typename Clock::Lane;
  using StoreType = Store<Clock>;
  using CellType = Cell<Clock>;
  using ThreadType = Thread<Clock>;
  using TargetsType = Targets<Clock>;

  // `threads`, `stores` and `unseen`, what has been released out of sight, are the model's own;
  // so is `overflowing`, which is set when ranks come near to what a lane can hold.
  SeqCst(ThreadType* threads, Slab<StoreType>& stores, const Clock& unseen, bool& overflowing)
      : threads_(threads),
        stores_(stores),
        unseen_(unseen),
        overflowing_(overflowing),
        orders_(stores.capacity()) {}

  void BeginExecution() { active_ = lost_detail_ = false; }
  void AddThread(int thread) {
    if (thread >= thread_count_) thread_count_ = thread + 1;
    of_[thread] = {};
  }

  // Whether there has been a seq_cst event in this execution. If not, no other function may be
  // called but Activate, which is called right before the first one.
  bool active() const { return active_; }
  [[gnu::noinline]] void Activate(int thread_count);
  void Deactivate() { active_ = false; }
  // Some clock says more than is known: an allowed outcome may be missed.
  bool HasLostDetail() const { return lost_detail_; }

  // ---- whether a choice is allowed: before it takes effect, after Enter

  // Adds the edges that lead to `store` and beyond.
  [[gnu::noinline]] void AddTargets(TargetsType& targets, Index store) const;
  // Whether an access with these targets is allowed. Those predecessors of the access that are
  // accesses to the same location, or were learned by reading from it, need not be looked at: they
  // come before the targets already.
  [[gnu::noinline]] bool Allows(int thread, MemoryOrder order, const TargetsType& targets) const;

  // ---- what happens; happens-before and modification order already say so

  // The next event of `thread` is on `location`: a cell, or null for none.
  void Enter(int thread, const void* location);
  void OnInitial(Index store) { orders_[store] = {}; }
  void Forget(const CellType& cell) {
    if (cell.seq_cst != 0) ForgetOrder(cells_[cell.seq_cst]);
  }
  // `copy` is `store` again, at a location that shares bytes with its own.
  void OnCopy(Index copy, Index store) { orders_[copy] = orders_[store]; }
  [[gnu::noinline]] void OnRead(int thread, CellType& cell, Index store, MemoryOrder order);
  [[gnu::noinline]] void OnStore(int thread, CellType& cell, Index store, MemoryOrder order);
  // `read`: the store that the read-modify-write `store` has read.
  [[gnu::noinline]] void OnUpdate(int thread, CellType& cell, Index read, Index store,
                                  MemoryOrder order);
  void OnFence(int thread, MemoryOrder order);
  // Synchronisation through something that is no location: a thread's start or end, a lock.
  void OnRelease(int thread, View<Clock>& to);
  void OnAcquire(int thread, const View<Clock>& from);
  void OnCreate(int parent, int child) { OnRelease(parent, of_[child].now); }
  // The child takes the place of another one, which has ended.
  void OnCreateAgain(int parent, int child);
  void OnJoin(int parent, int child);
  // The two cells turn out to share bytes. Accesses of such cells see the newest values, so that
  // all of them happen in one order. Each is taken to come before all later ones by mo or rb, also
  // those of other such cells: a few edges more than there are, and none is missed.
  void OnSharing(const CellType& cell, const CellType& other);
  View<Clock>& ReleasedBy(Index store) { return orders_[store].released; }

  template <class OtherClock>
  friend class SeqCst;
  // Takes over the state of a narrower one; stores keep their places, cells are told apart by
  // `convert(old cell)`.
  template <class OtherClock>
  void CopyFrom(const SeqCst<OtherClock>& other, auto convert);

 private:
  static constexpr Index kRecords = 1 << 18;
  // So many epochs' accesses are kept before it is worth a look which of them need not be.
  static constexpr Index kFirstSweep = 1024;

  // What an event is psc-before on its left side: see the head of this file.
  struct Own {
    Clock all;
    Clock fences;
  };

  Clock Base(int thread) const;
  Clock KnownAccesses(const CellType& cell, int thread) const;
  View<Clock> ReleasedNow(int thread) const;
  void Become(int thread, Clock predecessors, Clock& own);
  void Place(int thread, CellType& cell, Index store, MemoryOrder order);
  void Record(int thread, CellType& cell, const Own& own, Index later);
  [[gnu::noinline]] void AddLateEdges(const Own& own, Index later);
  Index TakeAccess();
  void GiveBackAccess(Index access);
  [[gnu::noinline]] void ForgetOrder(CellOrder<Clock>& order);
  [[gnu::noinline]] void SweepAccesses();
  bool FindKnownEpochs(int thread);
  void SweepAccesses(Index last);
  CellOrder<Clock>& OrderOf(CellType& cell);
  void ForEachClock(auto visit);

  bool active_ = false;
  bool lost_detail_ = false;
  int thread_count_ = 0;
  ThreadType* threads_;
  Slab<StoreType>& stores_;
  const Clock& unseen_;
  bool& overflowing_;
  ThreadOrder<Clock> of_[Clock::kLanes];  // by thread
  // Of all accesses of cells that share bytes: themselves if seq_cst, and the fences before them.
  Clock shared_accesses_;
  Slab<StoreOrder<Clock>> orders_;  // by store
  Slab<CellOrder<Clock>> cells_{1 << 21};
  Slab<AccessOrder<Clock>> accesses_{kRecords};
  Index free_accesses_ = 0;  // list of those that are no longer kept, through `previous`
  Index kept_accesses_ = 0;
  Index next_sweep_ = kFirstSweep;
  Slab<Lane> known_epochs_{kRecords};  // while sweeping
  Slab<FenceOrder<Clock>> fences_{kRecords};
};

}  // namespace jacquard::sim::memory

#include "sim/memory/seq_cst_inl.h"

#endif  // JACQUARD_SIM_MEMORY_SEQ_CST_H_
