// The memory model: RC11, one event at a time.
//
// Whoever runs the threads calls one function per access, in the order in which the accesses are
// executed. A read may then return any store that is there, and a store may go anywhere in
// modification order, as long as the execution so far stays consistent; which one is left to a
// pick, whose alternative 0 (the newest store, the last place) is always allowed. So every
// consistent execution whose program order and reads-from have no cycle can be reached, and no
// other. docs/memory_model.md lists the rules.
//
// Memory itself always holds the newest value of every object: the caller writes it there whenever
// a function says so. Memory that changes in any other way starts a new history.
#ifndef JACQUARD_SIM_MEMORY_MODEL_H_
#define JACQUARD_SIM_MEMORY_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "sim/memory/cells.h"
#include "sim/memory/race.h"
#include "sim/memory/seq_cst.h"
#include "sim/memory/state.h"
#include "sim/plain_records.h"
#include "sim/step.h"
#include "sim/strategy.h"

namespace jacquard::sim::memory {

struct ModelOptions {
  // So many stores of a location are kept, at least 2 and at most 1,000: a thread that has not
  // heard of newer ones can read no older one.
  uint32_t max_history = 64;
  // So often in a row can a thread read again the same store that is not the newest: then it sees
  // the newest.
  uint8_t max_stale_reads = 16;
  bool check_races = true;
};

// A load, or a compare-exchange that failed.
template <class T>
struct ReadResult {
  T value;
  int32_t event;  // what the caller called the store that was read; -1: an initial value
  bool newest;    // the last store in modification order was read
};

// A read-modify-write, or any compare-exchange.
template <class T>
struct UpdateResult {
  T old_value;
  T value;           // what has been stored, if anything
  int32_t event;     // as above
  bool read_newest;  // as above
  bool stored;       // false: a compare-exchange failed
  bool write;        // the caller now writes `value` to memory
};

template <class Clock>
class Model {
 public:
  using Lane = typename Clock::Lane;
  static constexpr int kMaxThreads = Clock::kLanes;

  explicit Model(Index stores)
      : stores_(stores), seq_cst_(threads_, stores_, unseen_, overflowing_) {}

  // Forgets everything. There is one thread, with id 0.
  void BeginExecution(const ModelOptions& options);

  // `child` (an id not used before) starts; all that `parent` has done happens before it.
  void CreateThread(int parent, int child);
  // A thread starts in the place of one with the same id that has ended. For the model, that one
  // goes on: what it has done happens before what the new one does, so that a race between them
  // goes unseen.
  void CreateThreadAgain(int parent, int child);
  // Whether all that the thread `ended` has done happens before what `thread` does next.
  bool Knows(int thread, int ended) const {
    return !threads_[ended].now.Exceeds(threads_[thread].now);
  }
  // All that `child` has done happens before what `parent` does next.
  void JoinThread(int parent, int child);

  // `pick(kind, n)` returns one of n >= 2 alternatives. `event` is what the caller calls the store.
  // Objects of 1, 2, 4, 8 or 16 bytes. Constant cost, plus one step per alternative.
  template <class T, class Pick>
  ReadResult<T> Load(int thread, const T* address, MemoryOrder order, Pick&& pick);
  // Returns whether the caller now writes `value` to memory.
  template <class T, class Pick>
  bool StoreValue(int thread, const T* address, T value, MemoryOrder order, int32_t event,
                  Pick&& pick);
  // `update` maps the old value to the new one.
  template <class T, class Update, class Pick>
  UpdateResult<T> ReadModifyWrite(int thread, const T* address, Update&& update, MemoryOrder order,
                                  int32_t event, Pick&& pick);
  // A failure is a load with order `failure`: it may see an old value. If `weak`, it may fail
  // although it sees `expected`.
  template <class T, class Pick>
  UpdateResult<T> CompareExchange(int thread, const T* address, T expected, T desired, bool weak,
                                  MemoryOrder order, MemoryOrder failure, int32_t event,
                                  Pick&& pick);
  void Fence(int thread, MemoryOrder order);
  // From now on each pick is answered with 0: what has been kept for others to be right is dropped.
  void StopChoosing() {
    chooses_ = false;
    seq_cst_.Deactivate();
  }
  // A full fence of every thread. Those of the others come behind what `thread` has done and before
  // what it does next, and each right before the epoch in which its thread is.
  void FenceAll(int thread);
  // What the thread does from now on is told from what it has done.
  void BeginEpoch(int thread) {
    threads_[thread].now.Increment(thread);
    if (EpochOf(thread) >= kMaxEpoch) [[unlikely]]
      overflowing_ = true;
  }

  // Synchronisation through an object that has no value of its own: a mutex, a library's guard.
  // What a thread did before Release happens before what another does after a later Acquire.
  void Release(int thread, const void* object);
  void Acquire(int thread, const void* object);
  // The thread comes from a library's code without hooks, which may have changed atomic objects
  // that no code with hooks has accessed yet. Whoever reads such a one first learns, with acquire,
  // what the thread did until now.
  void ReleaseUnseen(int thread);
  // The other way round: that code may read what anybody has released.
  void AcquireAll(int thread);

  // A plain access, before it takes place; a plain write starts a new history. True: it races, and
  // race() says with what.
  [[gnu::always_inline]] bool PlainRead(int thread, const void* address, size_t size);
  [[gnu::always_inline]] bool PlainWrite(int thread, const void* address, size_t size);
  // The short way for most of them, while there are several threads: within 8 bytes that begin at a
  // multiple of 8. False: nothing has been done, and there may be a race.
  template <AccessKind kKind>
  [[gnu::always_inline]] bool PlainAtOnce(int thread, const void* address, uint32_t size);
  // A mutex or its like, which has no value of its own, is about to be used: an atomic read of its
  // first bytes. True: it races.
  bool UseLock(int thread, const void* lock, uint32_t size);
  // The bytes are given back: a plain write to every object in them that has been accessed.
  bool Free(int thread, const void* address, size_t size);
  // The bytes are no objects any more (memory that is reused, a frame that is left).
  void Forget(const void* address, size_t size);
  // The kernel reads the newest store for the thread: that is no access of the program's, and races
  // with nothing.
  template <class T>
  void LearnNewest(int thread, const T* address);
  // The next read of the object by the thread sees the newest store.
  void SeeNewestNext(int thread, const void* address, size_t size) {
    cells_.Find(address, static_cast<uint32_t>(size)).stale_reads[thread] = kAlwaysNewest;
  }
  // Whether there is only one thread: then no access can race.
  bool IsAlone() const { return Alone(); }

  // Whether an atomic access of this execution raced; it says so here. For the first race.
  bool has_race() const { return has_race_; }
  void ForgetRace() { has_race_ = false; }
  const Race& race() const { return race_; }

  // A history was cut where a thread could have read further back.
  bool HasLostDetail() const { return lost_detail_ || seq_cst_.HasLostDetail(); }
  // Some count comes near to what a lane can hold: go on with a wider form.
  void RequestWider() { overflowing_ = true; }
  bool IsOverflowing() const { return overflowing_; }
  // Whether it is neither overflowing nor has a race.
  bool IsQuiet() const { return !overflowing_ && !has_race_; }

  // Calls `visit(event, value)` for each store that is kept, in modification order.
  template <class T>
  void ForEachStore(const T* address, auto visit);

  // Takes over the state of a narrower one.
  template <class OtherClock>
  void CopyFrom(Model<OtherClock>& other);
  template <class OtherClock>
  friend class Model;

 private:
  using CellType = Cell<Clock>;
  using StoreType = Store<Clock>;
  static constexpr uint32_t kMaxCandidates = 1024;
  static constexpr Index kReserve = 64;  // stores that one operation may make
  static constexpr Lane kMaxEpoch = Clock::kNever - 16;
  static constexpr uint8_t kAlwaysNewest = 255;  // more than any max_stale_reads

  // A store that a read may return.
  struct Candidate {
    Index store;
    bool can_fail;    // of a compare-exchange: as a load
    bool can_update;  // of a read-modify-write
  };
  enum class Role : uint8_t { kLoad, kUpdate, kCompareExchange };

  bool Knows(int thread, const StoreType& store) const {
    return threads_[thread].now.Reaches(store.known);
  }
  Lane EpochOf(int thread) const { return threads_[thread].now[thread]; }
  bool Alone() const { return others_ == 0; }

  // Whether the order of seq_cst events is to be kept from now on. What the only thread does
  // happens before all that others will do: no cycle leads through it.
  bool KeepsOrder(MemoryOrder order) {
    if (seq_cst_.active()) return true;
    if (!IsSeqCst(order) || Alone() || !chooses_) [[likely]]
      return false;
    seq_cst_.Activate(thread_count_);
    return true;
  }
  void Enter(int thread, const CellType& cell, MemoryOrder order) {
    if (KeepsOrder(order)) seq_cst_.Enter(thread, &cell);
  }
  // Nobody hears of the only thread's epochs, but of the last one when another thread starts.
  void Tick(int thread) {
    if (!Alone()) BeginEpoch(thread);
  }

  template <class T>
  static T ValueOf(const StoreType& store);
  template <class T>
  static void SetValue(StoreType& store, T value);

  template <class T>
  [[gnu::always_inline]] CellType& CellFor(const T* address);
  template <class T>
  [[gnu::noinline]] CellType& CellWithNewHistory(CellType& cell, const T* address);
  Index MakeStore();
  // Before an operation that makes stores: enough of them for it are left.
  void EnsureRoom() {
    if (IsFull()) [[unlikely]]
      MakeRoom();
  }
  bool IsFull() const { return stores_.end() + kReserve > stores_.capacity() && free_ == 0; }
  [[gnu::noinline, gnu::cold]] void MakeRoom();
  void ForgetAll();
  StoreType& InitialStore(CellType& cell);
  template <class T>
  [[gnu::noinline]] void StartHistory(CellType& cell, const T* address);
  [[gnu::noinline]] void DropHistory(CellType& cell);
  Index Compact();
  void Insert(CellType& cell, Index store, Index next);
  void Trim(CellType& cell);
  [[gnu::noinline]] void TellOverlaps(CellType& cell, Index store);

  // ---- reading
  template <Role role, class T>
  uint32_t FindCandidates(int thread, CellType& cell, bool weak, MemoryOrder order,
                          MemoryOrder failure, T expected);
  template <class Pick>
  Candidate PickCandidate(uint32_t count, Pick&& pick);
  bool OnlyNewest(int thread, const CellType& cell) const;
  [[gnu::always_inline]] void See(int thread, CellType& cell, StoreType& store, MemoryOrder order);

  // ---- writing
  template <class Pick>
  Index PickPlace(int thread, const CellType& cell, MemoryOrder order, Pick&& pick);
  [[gnu::always_inline]] StoreType& Author(int thread, Index store, MemoryOrder order,
                                           int32_t event);
  [[gnu::always_inline]] bool Settle(int thread, CellType& cell, Index index, Index next,
                                     Index read, MemoryOrder order);
  template <class T>
  [[gnu::always_inline]] bool Update(int thread, CellType& cell, Index read, T value,
                                     MemoryOrder order, int32_t event);

  template <AccessKind kKind>
  [[gnu::always_inline]] void CheckAtomic(int thread, CellType& cell);
  template <AccessKind kKind>
  [[gnu::always_inline]] bool PlainAccess(int thread, const void* address, size_t size);
  template <AccessKind kKind>
  [[gnu::noinline]] bool PlainRange(int thread, uintptr_t begin, size_t size);
  template <AccessKind kKind>
  [[gnu::always_inline]] bool PlainPiece(int thread, uintptr_t begin, size_t size);
  template <AccessKind kKind>
  [[gnu::always_inline]] bool IsToldByRecord(int thread, uintptr_t begin, size_t size);
  template <AccessKind kKind>
  [[gnu::always_inline]] bool TellRecord(PlainRecord& record, int thread, uintptr_t begin,
                                         size_t size);
  template <bool kWrites>
  [[gnu::always_inline]] static bool TakesOver(PlainRecord& record, const Clock& now,
                                               uint8_t bytes);
  [[gnu::noinline]] void Spill(PlainRecord& record, uintptr_t begin, size_t size);
  void SpillInto(uintptr_t granule, unsigned bytes, AccessKind kind, int thread, Lane epoch);
  void SpillRecords(uintptr_t begin, size_t size);
  bool FreeRecords(int thread, uintptr_t begin, size_t size);
  void ForgetRecords(uintptr_t begin, size_t size);
  template <AccessKind kKind>
  [[gnu::noinline]] bool EndHistory(int thread, CellType& cell);
  template <AccessKind kKind>
  [[gnu::always_inline]] bool Check(int thread, CellType& cell);
  template <AccessKind kKind>
  [[gnu::noinline]] bool CheckClosely(int thread, CellType& cell);
  [[gnu::noinline, gnu::cold]] void NoteRace(int thread, CellType& cell, AccessKind kind,
                                             const Race& found);
  bool RacesAfterAcquireFence(int thread, CellType& cell, AccessKind kind);

  ModelOptions options_;
  int thread_count_ = 0;
  int others_ = 0;  // threads that have been created and not joined
  bool lost_detail_ = false;
  bool overflowing_ = false;
  bool has_race_ = false;
  bool chooses_ = true;
  Index free_ = 0;  // list of stores that are no longer kept, through `next`
  Race race_;
  Clock unseen_;  // what ReleaseUnseen has released
  Thread<Clock> threads_[kMaxThreads];
  CellTable<Clock> cells_;
  Slab<StoreType> stores_;
  SeqCst<Clock> seq_cst_;
  Candidate candidates_[kMaxCandidates];
};

}  // namespace jacquard::sim::memory

#include "sim/memory/access_inl.h"
#include "sim/memory/history_inl.h"
#include "sim/memory/model_inl.h"
#include "sim/memory/records_inl.h"
#include "sim/memory/widen_inl.h"

#endif  // JACQUARD_SIM_MEMORY_MODEL_H_
