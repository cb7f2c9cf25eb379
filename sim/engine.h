// The engine: which thread runs, and what happens at each step.
//
// One execution at a time, on one real thread. Everything is static: a hook reaches it without a
// pointer. The hot path is hook -> DecisionPoint -> the access itself -> FinishStep; whatever is
// rare stands in engine.cc.
#ifndef JACQUARD_SIM_ENGINE_H_
#define JACQUARD_SIM_ENGINE_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/arena.h"
#include "sim/bookkeeper.h"
#include "sim/execute.h"
#include "sim/plain_loops.h"
#include "sim/random_answers.h"
#include "sim/recurrence.h"
#include "sim/repeated_accesses.h"
#include "sim/rollback.h"
#include "sim/snapshot.h"
#include "sim/stagnation.h"
#include "sim/step.h"
#include "sim/suspicions.h"
#include "sim/thread.h"
#include "sim/thread_table.h"
#include "sim/virtual_clock.h"

namespace jacquard::sim {

enum class Ending : uint8_t;
class Memory;
class Recorder;

// What a verdict is about, beyond the step that the running thread took last.
struct Blame {
  uintptr_t pc = 0;       // where the code under test did it; 0: at its last step
  int operation = -1;     // one more named operation that is involved; -1: none
  ThreadSet threads = 0;  // whose operations are involved; 0: the running thread's
  // What the verdict is about, if that has a name: where there are no operations, it takes their
  // place in the signature.
  std::string_view variable = {};
};

class Engine : public ThreadTable {
 public:
  // ---- state that hooks look at

  // True while code under test runs as a simulated thread: its accesses are steps.
  bool hooks_on = false;
  // True from Begin to End: what instrumented code writes is rolled back.
  bool executing = false;
  // Plain accesses are looked at one by one: a trace is recorded, or they are steps.
  bool plain_seen_closely = false;
  Arena arena;
  Rollback rollback;
  Snapshot snapshot;
  Recurrence recurrence;
  VirtualClock clock;
  Recorder* recorder = nullptr;            // null: no trace
  Strategy* listener = nullptr;            // the strategy, if it listens
  bool seen_closely = false;               // calls are kept, and the heap is told of
  const Bookkeeper* bookkeeper = nullptr;  // null: none
  Memory* memory = nullptr;                // the memory model; null: sequential consistency
  // What a shared library allocates now belongs to the program.
  bool library_serves_program = false;
  // The heap's size when the second thread was created: up to there, all executions are alike.
  uintptr_t heap_when_alone = 0;
  bool signal_masks_used = false;  // the execution's threads may block different signals

  // Whether the calling thread is the one that executes (and not a real thread of somebody else).
  bool OnExecutingThread() const { return executing && RunsCurrent(); }
  // Whether the caller is the code under test, or a library on its behalf: not the harness between
  // executions, nor the runtime for itself.
  bool InExecution() const { return arena_on && OnExecutingThread(); }
  // A global that the roll-back covers is about to be written, with the hooks on or off.
  void LogGlobal(const void* address, size_t size) {
    // The log is for the thread that executes: others do not even look.
    if (IsFarAway(address) && OnExecutingThread()) [[unlikely]]
      rollback.BeforeWrite(address, size);
  }
  // Whether the caller is a simulated thread whose calls are to be simulated. (The hooks are only
  // on while executing.)
  bool Simulates() const { return hooks_on && RunsCurrent(); }
  // The running thread is about to change what it blocks, and perhaps nobody has before.
  void UseSignalMasks();
  // The runtime, or a strategy, is about to call the C library for itself: for that long a thread
  // without storage runs under the process's, as it need not get its own for this. Whether it does.
  bool LendStorage() {
    if (!executing || fs_base_ != kNoStorage || !OnStackOfCurrent()) return false;
    UseFsBase(driver_.storage.fs_base);
    return true;
  }
  void TakeStorageBack() { UseFsBase(kNoStorage); }
  // Whether the caller is within Begin or End.
  bool OnStage() const { return current == &stage_ && OnExecutingThread(); }

  // ---- the hot path

  // The running thread is about to do `kind` at `address`, which `pc` calls: another thread may run
  // first.
  void DecisionPoint(StepKind kind, const void* address, uintptr_t pc) {
    SimThread* const me = current;
    pending_[me->id] = {kind, address};
    if (me->fresh) {
      me->fresh = false;
      return;
    }
    if (thread_count_ > 64) [[unlikely]]
      return DecideAmongMany(me, pc);
    if (((LowOf(enabled_) | LowOf(timed_)) & ~LowOf(me->bit)) != 0) Decide(me, pc);
  }

  // The same before an atomic operation, a try-lock or a plain access that is a step, which `pc`
  // calls and which may turn out to be one turn of a spin loop.
  void DecisionPointOfAtomic(StepKind kind, const void* address, uintptr_t pc) {
    if (current->spin.MayBeBackAgain(pc)) [[unlikely]]
      return DecisionPointOfTurn(kind, address, pc);
    DecisionPoint(kind, address, pc);
  }

  // The operation has taken effect. `newest`: it has read the newest value, or written one.
  [[gnu::always_inline]] void FinishStep(StepKind kind, MemoryOrder order, uint8_t size,
                                         const void* address, uint64_t old_value,
                                         uint64_t new_value, uintptr_t pc, bool newest = true) {
    ++step_;
    repeated_accesses.BeginStretch();
    if (observed_) [[likely]] {
      const Step step = {current->id, current->operation, kind,      order, size,
                         address,     old_value,          new_value, newest};
      if (told_closely_) [[unlikely]] {
        TellClosely(step, pc);
      } else {
        Observe(step);
      }
    }
    if (step_ >= next_limit_) [[unlikely]]
      ReachLimit();
  }

  // The running thread has read the newest value at `address`, or left it as it was.
  void HasRead(const void* address, uint8_t size, uint64_t value) {
    current->spin.OnRead(address, size, value);
  }

  // The running thread changes `size` bytes at `address`, atomically or not.
  void HasWritten(const void* address, size_t size) {
    current->spin.Reset();
    if (writes_awaited_) [[unlikely]]
      TellAwaited(address, size);
  }
  // Whether there is more to a write than that it resets the spin detector.
  bool WritesAreAwaited() const { return writes_awaited_; }
  // The same as HasWritten for its own stack, which its spin detector looks at anyway.
  void HasWrittenOwnStack(const void* address, size_t size) {
    if (writes_awaited_) [[unlikely]]
      WakeSpinning(address, size);
  }

  // At the next decision point the benign choice is somebody else.
  void PassTurn() { steps_in_a_row_ = kMaxStepsInARow; }
  // Whether the running thread's plain accesses are steps. They are none before there is a second
  // thread.
  bool PlainAccessesAreSteps() const { return !options_.races && thread_count_ > 1 && Simulates(); }

  // ---- blocking

  // The running thread cannot go on until MakeRunnable; another one runs. With a deadline (virtual
  // time) it may also time out: then current->timed_out is set. It does not wait at all if the
  // thread is to be cancelled there: LeaveIfCancelled (cancellation.h).
  // `pc` is where it was called, for the trace. A wait for a futex or a condition variable may also
  // end for no reason: then current->woken_spuriously is set.
  void Block(WaitReason reason, const void* address, uintptr_t pc, uint64_t deadline = kNoDeadline);
  void MakeRunnable(SimThread& thread);
  // Whether the running thread, which was picked for its next step and has been sent signals,
  // handles them behind that step: so a handler may come between a step and the plain accesses that
  // follow.
  bool LetSignalsWait(SimThread& thread);
  // The running thread lets others go first if there are any: the benign choice is the next one by
  // id.
  void Yield();

  // A deadline from then on, in 2116, never comes: the clocks do not jump to where chrono could not
  // count any more. A sleep ends then.
  static constexpr uint64_t kEndOfTime = kNoDeadline / 4;

  // ---- threads

  // Starts another thread; null when there are kMaxThreads already. When the numbers have been used
  // up it takes the place of one that has ended and been joined or detached. `pc` is the call that
  // asks.
  SimThread* CreateThread(void* (*start)(void*), void* argument, uintptr_t pc);
  // The running thread ends here, whatever is on its stack.
  [[noreturn]] void ExitThread();
  // A detached thread that is not the running one and has not taken a step is no more. Its number
  // is the next one's.
  void Dismiss(SimThread& thread);
  // Whether `address` lies on the stack of another thread, in a function that has not returned.
  // False also means "not known".
  bool IsInUseByOther(uintptr_t address) {
    const uintptr_t stack = (address - kStackArea) / kStackStride;
    if (stack >= kMaxThreads || !Has(alive_, static_cast<int>(stack))) return false;
    SimThread& owner = threads_[stack];
    return &owner != current && address >= EndOfProgramsStack(owner);
  }
  // How far the functions of the program reach on the stack of a thread that does not run: below
  // that are the runtime's.
  uintptr_t EndOfProgramsStack(SimThread& thread) {
    if (thread.end_context != thread.context || thread.end_schedule != schedule_)
      FindEndOfProgramsStack(thread);
    return thread.end_of_stack;
  }
  // If the thread spins it goes on with that: something has happened to it.
  void WakeIfSpinning(SimThread& thread);
  // Makes those runnable: they look again.
  void WakeAll(WaitReason reason, const void* object) {
    ForEachWaiter(reason, object, [this](SimThread& thread) { MakeRunnable(thread); });
  }
  // Wakes up to `most` of the given waiters, of which the first one has waited longest; returns how
  // many. Which ones is left to chance.
  int WakeSome(SimThread** waiters, int count, int most);
  // Something has happened that those who spin have not seen: they no longer go round their loops
  // to see that nothing does.
  void EndRecheck() {
    if (!rechecking_) return;
    rechecking_ = false;
    unasked_ = fair_;
    writes_awaited_ = spinning_ != 0;
  }

  // The running thread is going to wait for `lock` (or, null, for `thread` to end), without a
  // deadline. Ends the execution if somebody, in the end, waits for it in turn.
  void CheckCycle(WaitReason reason, const void* lock, int thread, uintptr_t pc);

  // ---- memory: nothing happens under sequential consistency (weak_atomics.cc)

  // Synchronisation through an object without a value: what a thread did before Release happens
  // before what another does after a later Acquire. By the running thread; not with the hooks off.
  void Acquire(const void* object);
  void Release(const void* object);
  // The same by a thread that waits.
  void AcquireFor(const SimThread& thread, const void* object);
  // What a library's code without hooks has just done may be a release: Model::ReleaseUnseen.
  void ReleaseUnseen();
  // What it does next may be an acquire of whatever others have done: Model::AcquireAll.
  void AcquireAll();
  void FenceMemory(MemoryOrder order);
  // What membarrier(2) is: a full fence of each thread, behind what the running one has done, and
  // before what it does next. Another thread's fence may be anywhere between its last step and its
  // next one: it is right behind the last one, where most is left that the caller must not rely on.
  void FenceAll();
  // A thread is to be cancelled anywhere: it looks behind each of its steps.
  void LookForAsynchronousCancel() {
    looks_for_cancel_ = true;
    SetLimit(limit_);
  }
  // There may be a FenceAll in this execution: the steps are told from the plain accesses behind
  // them.
  void BeginEpochsAtSteps();
  // The bytes are a new block's: what was there before has nothing to do with it.
  void ForgetMemory(const void* address, size_t size);
  // The running thread has joined `child`.
  void TellJoin(int child);
  // Asks the strategy on behalf of the memory model; `alternatives` >= 2.
  int ChooseForMemory(PickKind kind, int alternatives) {
    if (answers_ == nullptr || unasked_ || recorder != nullptr) [[unlikely]]
      return AskForMemory(kind, alternatives);
    ++counters_.picks;
    return answers_->AnswerMemory(alternatives);
  }

  // ---- thread-local storage (storage_on_demand.cc)

  // For the handler of faults: the running thread has its storage from now on. True if it had none,
  // and that is what lies at `address`: the access can be repeated.
  bool GiveStorage(uintptr_t address);
  // Every thread has its storage from now on: segmentation faults are somebody else's affair.
  void GiveStorageToAll();

  // ---- the rest

  // Asks the strategy; `alternatives` >= 2. For all but the memory model's picks.
  int Choose(PickKind kind, int alternatives);

  // Virtual time in nanoseconds. A thread that reads it again and again without ever waiting makes
  // it run faster and faster, so that a spin on the clock ends.
  uint64_t ReadClock();
  // Whether there are simulated threads, or at least storage for them.
  bool initialized() const { return initialized_; }
  // Whether the main of a program with one of its own has not begun yet.
  bool IsBeforeProgram() const { return !is_program_ && HasMainOfItsOwn(); }

  // What happens for no reason, up to ExecutionOptions::spurious_wake_ups.
  bool SpuriousIsAllowed() const { return spurious_events_ < options_.spurious_wake_ups; }
  void CountSpurious() { ++spurious_events_; }

  void CountFailingStatus() { ++counters_.failing_statuses; }
  void NoteLibraryBug() { ++counters_.library_bugs; }
  void CountAnnotation() { ++counters_.annotations; }

  uint64_t step() const { return step_; }
  uint64_t NextTicket() { return ++ticket_; }
  Program& program() { return *program_; }

  // Ends the execution with a verdict, at once; nothing on any stack is destroyed. The signature is
  // made from `kind`, `rule` and the operations that are going on.
  [[noreturn]] void Fail(VerdictKind kind, std::string_view rule, std::string_view message,
                         const Blame& blame = {});

  // The program calls `function`, which ends it: so does the execution. In order: what it has not
  // freed by then, and cannot reach, is a leak.
  // Returns if it is the process that is to end.
  void EndProgram(std::string_view function, int status, Ending ending, uintptr_t pc);
  // The program ends in order: what is registered for that is called, while other threads go on.
  void CallExitFunctions(int status);
  bool CallsExitFunctions() const {
    return options_.exit_functions && options_.exits != ExitMode::kIsMisplaced;
  }
  // Whether that would have been more if the execution had begun with the constructors, and might
  // have mattered to a thread.
  bool needs_constructors() const { return needs_constructors_; }
  // Whether that has begun.
  bool is_ending() const { return is_ending_; }

  // ExitMode::kIsRealIfAlone: whether that is as the execution is up to now. From any thread.
  bool IsAlone() const {
    return options_.exits == ExitMode::kIsRealIfAlone &&
           __atomic_load_n(&thread_count_, __ATOMIC_RELAXED) == 1 && !probing_;
  }

  const ExecutionOptions& options() const { return options_; }

  // A series of executions begins or ends (execute.h): in it, the process's own thread need not
  // have its storage from one to the next.
  void BeginSeries() { ++series_; }
  void EndSeries();

  // execute.h has them.
  void SetDeadline(double deadline) { deadline_ = deadline; }
  double deadline() const { return deadline_; }
  bool given_up() const { return given_up_; }
  void ForgetGivenUp() { given_up_ = false; }
  void BeginTests();
  void BeginProgram();
  // When it has changed who wants to see what.
  void SeeAsNeeded();

  Verdict Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                  Trace* trace, const Control& control = {});
  // Of the last execution, to be executed; or, if it was one itself, what it has shown.
  const Control& control() const { return control_; }

  // The pick of a thread that led to the next event; taken by the recorder.
  struct PickTaken {
    int alternatives = 0;
    int choice = 0;
  };
  PickTaken TakeLastPick() {
    const PickTaken pick = last_pick_;
    last_pick_ = {};
    return pick;
  }

  // What the executions so far add up to; to be restored after some that do not count.
  struct Totals {
    Counters counters;
    uint64_t schedule;
  };
  Totals totals() const { return {counters_, schedule_}; }
  void SetTotals(const Totals& totals) {
    counters_ = totals.counters;
    schedule_ = totals.schedule;
  }
  const Counters& counters() const { return counters_; }
  uint64_t schedule() const { return schedule_; }
  // For the watchdog, which looks from another thread: changes as long as there is progress.
  uint64_t Progress() const {
    return __atomic_load_n(&step_, __ATOMIC_RELAXED) +
           __atomic_load_n(&counters_.executions, __ATOMIC_RELAXED) - plain_loops.steps();
  }

 private:
  // A thread that runs so long although others could is interrupted even by the benign choice. A
  // prime number: a loop is interrupted at another place each time, not always where it holds a
  // lock.
  static constexpr uint32_t kMaxStepsInARow = 997;
  // So often, and for so many steps, must every spinning thread go round its loop before that is
  // called a deadlock: longer than loops with a counter that the runtime cannot see use to be.
  static constexpr int kRecheckRounds = 64;
  static constexpr uint64_t kRecheckSteps = 20'000;
  // So many times `unfair_steps` may there be where nobody else can run, and before there is
  // anybody else.
  static constexpr uint64_t kLongerAlone = 10;
  static constexpr uint64_t kLongerWithoutOthers = 100;
  // Who waits for a deadline that only comes when nobody can run need not wait for longer, once
  // every thread gets its turn. Others that put it off do so more often.
  static constexpr uint64_t kStepsOfPatience = 10'000;
  // To wait for a while, to look and to wait again takes about so many steps.
  static constexpr uint64_t kStepsOfPoll = 8;

  // As Backstage, within a step: there the hooks are known to be on. The thread's errno, which is
  // its own, is kept in memory, as there is one step at a time, and not in a register.
  class OffStage {
   public:
    explicit OffStage(Engine& engine) : engine_(engine) {
      engine_.saved_errno_ = *engine_.current->storage.error;
      engine_.hooks_on = arena_on = false;
    }
    ~OffStage() {
      engine_.hooks_on = arena_on = true;
      *engine_.current->storage.error = engine_.saved_errno_;
    }
    OffStage(const OffStage&) = delete;
    OffStage& operator=(const OffStage&) = delete;

   private:
    Engine& engine_;
  };

  static void ThreadEntry();
  static void StageEntry();
  void RunStage();
  void RunThread(SimThread& me);
  [[noreturn]] void EndThread(SimThread& me);

  void Initialize();
  bool RunsCurrent() const { return OnStackOfCurrent() || ReadFsBase() == fs_base_; }
  void EnsureStorage(int id);
  // The next thread's.
  void AddStorage(const ThreadStorage& storage);
  void BeginStorageOnDemand();
  // Nothing that the thread did to it is left.
  void ResetStorageOf(SimThread& thread) {
    if (thread.fs_base != kNoStorage) {
      ResetThreadStorage(thread.storage);
    } else {
      *thread.storage.error = 0;
    }
    if (thread.has_locale) [[unlikely]]
      ResetLocaleOf(thread);
  }
  void ResetLocaleOf(SimThread& thread);
  static bool HasMainOfItsOwn();
  // What the thread's FS base is to be at the beginning of an execution. To ask costs as much as
  // many switches: who asks again and again has its storage from the start for longer and longer.
  // Whoever records a trace allocates memory at each step: that takes longer than a switch.
  uint64_t FirstFsBase(SimThread& thread) {
    if (!storage_on_demand_ || recorder != nullptr) return thread.storage.fs_base;
    if (thread.storage_hold > 0) {
      --thread.storage_hold;
      return thread.storage.fs_base;
    }
    thread.next_storage_hold = std::max(1, thread.next_storage_hold / 2);
    return kNoStorage;
  }
  void UseFsBase(uint64_t fs_base) {
    if (fs_base == fs_base_) return;
    fs_base_ = fs_base;
    ++counters_.storage_switches;
    WriteFsBase(fs_base);
  }
  // A thread with this number; one that has ended before gives up its place.
  SimThread& AddThread(int id);
  // Of one that is about to be created; below 0 if there are too many.
  int NumberForThread() const;
  int FindEndedThread(bool known) const;

  // Others could run as well as `me`. `kMany`: there are more than 64 threads.
  template <bool kMany = false>
  void Decide(SimThread* me, uintptr_t pc) {
    if (++steps_in_a_row_ < kMaxStepsInARow && !unasked_) [[likely]] {
      if (answers_ != nullptr) return kMany ? WalkAmongMany(me) : WalkOn(me);
      if (strategy_->TakeBenignPick()) return CountPick();
    }
    DecideAmongOthers(me, pc);
  }
  // The same, with so many threads that a set of them is more than a word.
  [[gnu::noinline]] void DecideAmongMany(SimThread* me, uintptr_t pc);
  void CountPick() {
    ++counters_.picks;
    if (recorder != nullptr) [[unlikely]]
      NoteBenignPick();
  }
  [[gnu::noinline, gnu::cold]] void NoteBenignPick() {
    last_pick_ = {CountOf(enabled_ | timed_), 0};
  }
  // The same, by a random walk: any of those that can run, `me` among them.
  [[gnu::noinline]] void WalkOn(SimThread* me);
  [[gnu::noinline]] void WalkAmongMany(SimThread* me);
  [[gnu::noinline]] void TimeOutAndSwitchTo(SimThread& thread);
  [[gnu::noinline]] void DecideAmongOthers(SimThread* me, uintptr_t pc);
  [[gnu::noinline]] int AskForMemory(PickKind kind, int alternatives);
  void DecisionPointOfTurn(StepKind kind, const void* address, uintptr_t pc);
  void Spin();
  void SeeNewestNext();
  void BeginMemory();
  void EndMemory();
  void TellCreation(int parent, int child);
  void TellCreationAgain(int parent, int child);
  void SetNearTag();
  // Somebody waits for writes: whoever spins, or a recheck.
  [[gnu::noinline]] void TellAwaited(const void* address, size_t size);
  void WakeSpinning(const void* address, size_t size);
  // Tells the program of a step, which must be one of the running thread with the hooks on.
  void Observe(const Step& step) {
    const OffStage off_stage(*this);
    program_->OnStep(step);
  }
  void TellClosely(const Step& step, uintptr_t pc);
  // Of an operation of the running thread that `pc` calls; for who listens.
  Site SiteOf(uintptr_t pc) const;
  void TellBlocked(WaitReason reason, const void* address, uintptr_t pc);
  void ReachLimit();
  void SetLimit(uint64_t limit);
  // The limit was none of the execution, but where something begins or ends: every thread's getting
  // its turn, what is kept of a livelock, a watch.
  void PassLimit();
  // So many steps may still be left to the strategy. Those at which nobody else can run, as where a
  // main prepares something alone, are not counted up to a limit: it has nothing to say there. But
  // whoever polls may go on like that for ever: if time passes when nobody can run, that counts.
  uint64_t UnfairStepsLeft() const;
  void BeginWatch();
  void Watch(const Step& step, uintptr_t pc);
  void EndWatch();
  void StopRecording();
  void ForgetEndOfTrace();
  // Ends the execution, now or after a probe.
  void ReportLivelock(std::string_view what, uint64_t number, std::string_view rest);
  // Every now and then. Gives the execution up if its time is over.
  void LookAround();
  // The spinning threads go round their loops again.
  void LetSpinningLook();
  [[gnu::noinline]] void FindEndOfProgramsStack(SimThread& thread);

  // Picks among all that can run; `first` is the benign choice. Null: nobody can.
  SimThread* PickThread(int first);
  template <class Set>
  SimThread* PickAmong(Set candidates, int first);
  SimThread* PickFairly(ThreadSet candidates);
  // What the strategy says.
  [[gnu::noinline]] SimThread* AskWhoIsNext(ThreadSet candidates, int count, int first);
  // Makes `thread` the running one; returns when the caller is picked again.
  [[gnu::noinline]] void SwitchTo(SimThread& thread);
  // The running thread is out; another one runs, or the execution is over.
  void SwitchAway();
  [[gnu::noinline]] void SwitchAwayRarely();
  void FireTimeout(SimThread& thread);
  // Nobody could run until this thread's wait was over.
  void NoteTimeOut(const SimThread& thread);
  // Whether its wait is one for a file that others might write to, or for a signal.
  bool MayBeEndedFromOutside(const SimThread& thread) const;
  // Ends the execution, now or after a probe, if nothing happens any more but that.
  void LookForStagnation();
  bool WaitsInVain(const SimThread& thread, ThreadSet stuck) const;
  // Those who sleep among them may have lost a wake-up: they are woken when nobody can run.
  void Suspect(ThreadSet suspects);
  void WakeSuspects();
  // In a control.
  void BeginControl(ThreadSet suspects);
  [[noreturn]] void EndControl();
  // Nobody can run. Gives the spinning threads another round, or reports.
  void Stuck();
  // Writes the verdict down; leaves no memory of its own on the stack that is then given up.
  void SetVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                  const Blame& blame = {});
  [[noreturn]] void GiveUp();
  // Ends the execution, now or after a probe.
  void ReportDeadlock();
  void AbandonThreads();
  bool ChooseSpuriousWakeUp();
  bool MayWakeSpuriously(WaitReason reason, const void* address, uint64_t deadline) const;
  // `keys`: also the destructors of thread-specific data.
  void FinishThread(SimThread& me, bool keys);
  [[gnu::noinline]] void WakeJoining(const SimThread& ended);
  void BodyEnded();
  void CheckAllJoined();
  // Whether there are threads that nobody has joined.
  bool LeavesThreads() const;
  [[noreturn]] void ReportLeftThread(const SimThread& thread, std::string_view rule,
                                     std::string_view what);
  Verdict MakeVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                      const Blame& blame);
  // The verdict is made: it is `verdict`, of `rule`, unless all come to an end once those sleepers
  // are woken that are among `waiting`; that is to be seen (probes.cc). Then it is a lost
  // wake-up, with `message`. `asks_for_use`: only if one of them gets on behind its wait, as they
  // might come to an end without that. On the backstage.
  void BeginProbe(const char* rule, Verdict verdict, const std::string& message, ThreadSet waiting,
                  bool asks_for_use = false);
  Verdict MakeLostWakeUp(const std::string& message);
  // Who waits for another process or for a signal; null: nobody.
  const SimThread* FindWaitForOutside() const;
  Verdict MakeOutsideVerdict(const SimThread& thread, const std::string& waits);
  // In a probe, a thread waits again.
  void NoteWaitInProbe(const SimThread& me, WaitReason reason, const void* address);
  // Whether there was one.
  bool WakeNextSleeper();
  bool WakeAllSleepers();
  [[noreturn]] void EndProbe(bool completed);
  // The execution is over. Returns if nobody had to be woken for that.
  void EndProbeIfAny() {
    if (probing_) [[unlikely]]
      EndProbe(true);
    if (stagnation_.suspects()) [[unlikely]]
      EndSuspicion();
  }
  // The execution comes to its end right behind a suspicion.
  void EndSuspicion();
  // In the trace, by the thread that ran when the probe began.
  void NoteOf(const char* rule);

  uint32_t steps_in_a_row_ = 0;
  bool fair_ = false;        // every thread gets its turn, for the rest of the execution
  bool rechecking_ = false;  // the spinning threads go round their loops again, one after another
  bool unasked_ = false;     // either of them: the strategy is not asked
  // Whether somebody spins, or there is a recheck: perhaps also if not.
  bool writes_awaited_ = false;
  bool probing_ = false;     // the verdict is made; only what it is called is open
  bool body_ended_ = false;  // the threads that the program began with have ended
  bool program_observes_ = false;
  bool told_closely_ = false;  // steps are told: to the recorder, the strategy or `recurrence`
  bool observed_ = false;      // or, at least, to the program
  Strategy* strategy_ = nullptr;
  RandomAnswers* answers_ = nullptr;  // what answers instead of the strategy, if it has such
  uint64_t step_ = 0;
  uint64_t schedule_ = 0;            // a hash of the switches
  uint64_t fair_from_ = 0;           // this step on every thread gets its turn
  uint64_t picks_before_ = 0;        // the execution's first
  uint64_t waits_over_ = 0;          // when nobody could run, as long as it is not fair
  uint64_t next_watch_ = 0;          // the step when `recurrence` watches
  uint64_t limit_ = 0;               // of steps
  uint64_t next_limit_ = 0;          // that, or when there is something else to do before
  bool steps_begin_epochs_ = false;  // the memory model's: BeginEpochsAtSteps
  bool looks_for_cancel_ = false;    // LookForAsynchronousCancel
  double deadline_ = 0;              // in real seconds; 0: none
  bool given_up_ = false;            // it was over
  bool needs_constructors_ = false;
  bool is_ending_ = false;
  Stagnation stagnation_;
  ThreadSet suspects_ = 0;  // who are to be woken
  uint64_t suspicion_ = 0;  // the step when they were, last
  Control control_;
  uint64_t control_until_ = 0;  // its last step, once it has come to the suspicion; else 0
  int recheck_round_ = 0;
  size_t recheck_mark_ = 0;       // of the recorder: when that began
  size_t livelock_mark_ = 0;      // and when a livelock would have been shown for long enough
  uint32_t spurious_events_ = 0;  // so many there have been
  uint32_t time_outs_ = 0;        // and so many while others could run
  uint64_t stuck_step_ = 0;       // when rechecking began
  uint64_t spinning_looks_ = 0;   // if fair: when the spinning threads look again
  PickTaken last_pick_;
  int saved_errno_ = 0;

  Program* program_ = nullptr;
  ExecutionOptions options_;
  Verdict* verdict_ = nullptr;  // of the execution that is going on
  int bodies_left_ = 0;         // threads that the program began with and that have not ended
  int parked_ = 0;              // threads whose storage exists
  uint64_t fs_base_ = 0;        // the running one, of the thread that executes
  bool storage_on_demand_ = false;
  int series_ = 0;  // so many are going on, one within another
  uint64_t ticket_ = 0;
  uint64_t fair_state_ = 0;
  Counters counters_;
  bool initialized_ = false;
  bool stage_done_ = false;
};

// Hidden: reached without a look into a table.
[[gnu::visibility("hidden")]] extern Engine engine;

// While one of these lives, code of the harness runs: no steps, allocations from the real heap.
class Backstage {
 public:
  Backstage() : hooks_were_on_(engine.hooks_on) { engine.hooks_on = false; }
  ~Backstage() { engine.hooks_on = hooks_were_on_; }
  Backstage(const Backstage&) = delete;
  Backstage& operator=(const Backstage&) = delete;

 private:
  const bool hooks_were_on_;
  const RealHeap real_heap_;
};

// Calls `function`, which allocates for the program though it stands in a shared library.
auto ServingProgram(auto function) {
  const bool did = engine.library_serves_program;
  engine.library_serves_program = true;
  const auto result = function();
  engine.library_serves_program = did;
  return result;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ENGINE_H_
