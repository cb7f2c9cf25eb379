// The engine's executions: what happens from the first step to the last, and before and after.
#include <cxxabi.h>
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>

#include "sim/c_library.h"
#include "sim/c_locale.h"
#include "sim/caller.h"
#include "sim/constructors.h"
#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/exit_functions.h"
#include "sim/faults.h"
#include "sim/files.h"
#include "sim/floating_point.h"
#include "sim/heap_check.h"
#include "sim/hooked_library.h"
#include "sim/leaks.h"
#include "sim/lent_functions.h"
#include "sim/loaded_libraries.h"
#include "sim/lock_holders.h"
#include "sim/lock_order.h"
#include "sim/mappings.h"
#include "sim/memory/memory.h"
#include "sim/message.h"
#include "sim/named_semaphores.h"
#include "sim/open_files.h"
#include "sim/opened_libraries.h"
#include "sim/plain_loops.h"
#include "sim/plain_records.h"
#include "sim/processors.h"
#include "sim/random.h"
#include "sim/real.h"
#include "sim/real_blocks.h"
#include "sim/recorder.h"
#include "sim/repeated_accesses.h"
#include "sim/resource_limits.h"
#include "sim/shared_state.h"
#include "sim/signals.h"
#include "sim/streams.h"
#include "sim/suspicions.h"
#include "sim/system_calls.h"
#include "sim/thread_keys.h"
#include "sim/timers.h"
#include "sim/watchdog.h"
#include "sim/worker_pools.h"

// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" [[gnu::weak]] int __wrap_main(int, char**, char**);

namespace jacquard::sim {
namespace {

// What __cxa_get_globals() points to, per thread (Itanium C++ ABI, exception handling, 2.2.2).
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

constexpr int kStage = kMaxThreads;  // its stack and its storage, behind those of the threads
static_assert((kStage + 1) * kStackStride <= size_t{1} << kStackAreaBits);
static_assert(kStackArea == uintptr_t{0x400} << kStackAreaBits, "as hooks.S has it");

}  // namespace

void Engine::StageEntry() {
  engine.RunStage();
  engine.SwitchTo(engine.driver_);
  __builtin_unreachable();
}

void Engine::RunStage() {
  arena_on = true;
  program_->Begin();
  const int count = program_->ThreadCount();
  bodies_left_ = count;
  for (int i = 0; i < count; ++i) {
    SimThread& thread = AddThread(i);
    std::memcpy(thread.name, driver_.name, sizeof(thread.name));
    TellCreation(0, i);
  }
  if (count != 0) {
    hooks_on = true;
    SwitchAway();  // comes back when the last thread has ended
    hooks_on = false;
    EndProbeIfAny();
    CheckAllJoined();
  }
  program_->End();
  RunThreadDestructors();
  RunKeyDestructors();
  if (options_.check_leaks && arena.live_blocks() != 0) CheckLeaks();
  arena_on = false;
}

// While there is only one thread, the memory model need not hear of plain accesses.
void Engine::SetNearTag() {
  plain_seen_closely = recorder != nullptr || !options_.races || recurrence.watches();
  const bool told = memory != nullptr && !memory->IsAlone();
  near_tag = plain_seen_closely ? kSeenTag : told ? kToldTag : kNearTag;
}

bool Engine::LeavesThreads() const {
  for (int i = 0; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    if (thread.start != nullptr && !thread.joined) return true;
  }
  return false;
}

void Engine::CheckAllJoined() {
  // What is not called at the end of a program might have joined them.
  if (is_program_ && (!options_.exit_functions || HasEarlierExitFunctions())) return;
  for (int i = 0; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    if (thread.start == nullptr || thread.detached || thread.joined) continue;
    ReportLeftThread(thread, "thread never joined", "has been neither joined nor detached");
  }
}

void Engine::AbandonThreads() {
  for (const int thread : MembersOf(alive_)) {
    WriteFsBase(threads_[thread].storage.fs_base);
    *reinterpret_cast<ExceptionGlobals*>(__cxxabiv1::__cxa_get_globals()) = {};
  }
  WriteFsBase(stage_.storage.fs_base);
  *reinterpret_cast<ExceptionGlobals*>(__cxxabiv1::__cxa_get_globals()) = {};
  WriteFsBase(fs_base_);
}

void Engine::Initialize() {
  LearnOpenFiles();
  initialized_ = true;
  InitThreadStorage();
  ReserveStacks(kMaxThreads + 1);
  ReserveSignalStack();
  arena.Init();
  repeated_accesses.Init();
  plain_records.Init();
  rollback.Init();
  rollback.CoverLibraries(VariablesOfCLibrary());
  fibers_have_floating_point_environments = UsesFloatingPointEnvironment();
  driver_.storage = {ReadFsBase(), pthread_self(), &errno};
  driver_.fs_base = fs_base_ = driver_.storage.fs_base;
  stage_.storage = ParkThread(kStage);
  stage_.stack_bottom = StackBottom(kStage);
  driver_.id = stage_.id = -1;
  prctl(PR_GET_NAME, driver_.name);
  current = &driver_;
  LetLargeBlocksBeApart();
  StartWatchdog();
  CatchFaults();
  BeginStorageOnDemand();
  loaded_libraries.Begin();
  FindWorkerPools();
  MakeOpenedLibrariesPartOfProgram(
      [](const void* caller) { return opened_libraries.Contains(caller); });
  if (!HasMainOfItsOwn()) lent_functions.Find();
}

// Whose main is the body is linked with --wrap=main and what stands for it (jacquard/main.cc).
bool Engine::HasMainOfItsOwn() { return &__wrap_main != nullptr; }

void Engine::BeginTests() {
  rollback.Init();
  rollback.CoverHeap();
}

void Engine::BeginProgram() {
  if (!initialized_) Initialize();
  is_program_ = true;
  LimitWorkerPools();
  PrepareConstructors();
  rollback.CoverHeap();
  std::vector<DataRange> data = DataOfHookedLibraries();
  // The first thread's own variables lie among the data of other libraries.
  for (const DataRange& range : VariablesIn(driver_.storage)) data.push_back(range);
  for (const DataRange& range : MappedBeforeMain()) data.push_back(range);
  rollback.CoverLibraries(data);
  MakeLibrariesPartOfProgram();
  cxx_library.BecomePartOfProgram();
  lent_functions.Find();
  snapshot.AddProgram();
  for (const DataRange& block : early_blocks.ranges(cxx_library.is_part()))
    snapshot.AddBlock(block.begin, block.end);
  AddStorage(driver_.storage);
  KeepThreadStorage(driver_.storage);
  KeepExitFunctions();
  KeepKeyValues();
  first_tid_ = static_cast<int>(RawSyscall(SYS_gettid));
}

Verdict Engine::Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                        Trace* trace, const Control& control) {
  if (!initialized_) Initialize();
  if (executing) Die("Execute() called from within an execution");
  opened_libraries.CloseAll();
  program_ = &program;
  strategy_ = &strategy;
  options_ = options;
  Verdict verdict;
  verdict_ = &verdict;
  thread_count_ = 0;
  answers_ = strategy.answers();
  enabled_ = timed_ = patient_ = spinning_ = alive_ = joining_ = dismissed_ = 0;
  probing_ = body_ended_ = writes_awaited_ = needs_constructors_ = is_ending_ = false;
  spurious_events_ = time_outs_ = 0;
  lock_holders.BeginExecution();
  steps_in_a_row_ = 0;
  fair_ = rechecking_ = unasked_ = false;
  fair_state_ = 0;
  step_ = 0;
  schedule_ = 0;
  steps_begin_epochs_ = looks_for_cancel_ = false;
  fair_from_ = std::clamp<uint64_t>(options.max_steps / 2, 1, options.unfair_steps);
  picks_before_ = counters_.picks;
  waits_over_ = 0;
  next_watch_ = options.watch_from;
  livelock_mark_ = 0;
  SetLimit(fair_from_);
  last_pick_ = {};
  ticket_ = 0;
  clock.BeginExecution();
  stagnation_.BeginExecution();
  suspects_ = 0;
  suspicion_ = 0;
  control_ = control;
  control_until_ = 0;
  random_numbers.is_seeded = false;
  program_observes_ = program.Observes();
  arena.SetQuarantine(options.quarantine);
  foreign_words.Clear();
  library_blocks.Clear();
  kept_blocks.BeginExecution();
  stage_.call_depth = 0;
  BeginMemory();
  BeginMembarriers();
  lock_order.Begin(options.lock_order);
  if (bookkeeper != nullptr) bookkeeper->begin_execution();
  std::optional<Recorder> trace_recorder;
  recorder = trace != nullptr ? &trace_recorder.emplace(trace) : nullptr;
  listener = strategy.listens() ? &strategy : nullptr;
  stage_.fs_base = FirstFsBase(stage_);
  driver_.fs_base = series_ > 0 ? FirstFsBase(driver_) : driver_.storage.fs_base;
  if (listener != nullptr) {
    listener->OnBegin({.invariants = program_observes_,
                       .reuses_memory = options.quarantine < ExecutionOptions{}.quarantine});
  }
  plain_loops.Begin();
  SeeAsNeeded();

  BeginEnvironment();
  stage_.context = FreshContext(kStage, StageEntry);
  *driver_.storage.error = 0;  // as main finds it
  executing = true;
  SwitchTo(stage_);
  executing = false;

  if (trace_recorder.has_value()) trace_recorder->Finish();
  recorder = nullptr;
  listener = nullptr;
  seen_closely = false;
  if (recurrence.watches()) recurrence.End();
  EndMemory();
  near_tag = kNearTag;
  if (trace != nullptr) trace->threads = thread_count_;
  if (!verdict.passed() || alive_ != 0) AbandonThreads();
  StopTimers();
  ForgetCreatedTimers();
  if (affinities_set) ForgetAffinities();
  ForgetLockedStreams();
  ForgetNamedSemaphores();
  cxx_library.FlushStreams();
  RestoreLimits();  // else there may be too few descriptors
  RestoreFiles();   // streams may have buffers in what is about to go
  DropExitFunctions();
  DropKeys();
  UnprotectPages();
  rollback.Undo();
  snapshot.PutBack();
  cxx_library.PutBack();
  RestoreEnvironment();
  for (int i = 0; i < thread_count_; ++i) ResetStorageOf(threads_[i]);
  ResetStorageOf(stage_);
  if (locales_changed) RestoreLocales();
  arena.Reset();
  UnmapProgramsMemory();
  RestoreSignals();
  if (!is_program_) kept_blocks.Sweep();
  counters_.steps += step_;
  ++counters_.executions;
  return verdict;
}

}  // namespace jacquard::sim

namespace jacquard {

ExecutionSeries::ExecutionSeries() { sim::engine.BeginSeries(); }
ExecutionSeries::~ExecutionSeries() { sim::engine.EndSeries(); }

Verdict Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                Trace* trace) {
  sim::engine.ForgetGivenUp();
  Verdict verdict = sim::engine.Execute(program, strategy, options, trace);
  if (verdict.passed() && sim::engine.control().step != 0) [[unlikely]]
    verdict = sim::ExecuteControl(program, strategy, options, trace);
  if (verdict.passed() && sim::lock_order.HasSuspects()) [[unlikely]] {
    if (std::optional<Verdict> closed = sim::TryLockOrder(program, options, trace))
      verdict = std::move(*closed);
  }
  return verdict;
}

const Counters& RuntimeCounters() { return sim::engine.counters(); }

void FailExecution(VerdictKind kind, std::string_view rule, std::string_view message) {
  if (!sim::engine.OnExecutingThread()) sim::Die("FailExecution() called outside of an execution");
  sim::Blame blame;
  // An expectation says by itself where it is.
  if (kind != VerdictKind::kExpectation) blame.pc = sim::CallOfProgram();
  sim::engine.Fail(kind, rule, message, blame);
}

void BeginTests() { sim::engine.BeginTests(); }

void BeginProgram() { sim::engine.BeginProgram(); }

void SetDeadline(double deadline) { sim::engine.SetDeadline(deadline); }
double CurrentDeadline() { return sim::engine.deadline(); }
bool LastNeedsConstructors() { return sim::engine.needs_constructors(); }
bool LastWasGivenUp() { return sim::engine.given_up(); }

bool ProgramIsAlone() { return sim::engine.IsAlone(); }

uint64_t LastSchedule() { return sim::engine.schedule(); }

ThreadLocal FindThreadLocal(const void* address) { return sim::engine.FindThreadLocal(address); }

}  // namespace jacquard
