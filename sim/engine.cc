#include "sim/engine.h"

#include <cxxabi.h>
#include <errno.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>
#include <string>

#include "sim/faults.h"
#include "sim/heap_check.h"
#include "sim/leaks.h"
#include "sim/memory/memory.h"
#include "sim/message.h"
#include "sim/recorder.h"

namespace jacquard::sim {

constinit Engine engine;

namespace {

// What __cxa_get_globals() points to, per thread (Itanium C++ ABI, exception handling, 2.2.2).
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

constexpr int kStage = kMaxThreads;  // its stack and its storage, behind those of the threads

}  // namespace

// ---- scheduling

int Engine::NextById(ThreadSet set, int id) {
  if (IsLow(set) && id < 64) [[likely]] {
    const uint64_t low = LowOf(set);
    const uint64_t low_above = id < 0 ? low : low & ~((uint64_t{2} << id) - 1);
    return std::countr_zero(low_above != 0 ? low_above : low);
  }
  const ThreadSet above = id < 0 ? set : set & ~(SetOfThread(id) * 2 - 1);
  return FirstOf(above != 0 ? above : set);
}

SimThread* Engine::PickFairly(ThreadSet candidates) {
  // Knuth's linear congruential generator: deterministic, and fair in the long run.
  fair_state_ = fair_state_ * 6364136223846793005u + 1442695040888963407u;
  const int number = static_cast<int>((fair_state_ >> 33) % CountOf(candidates));
  return &threads_[NthOf(candidates, number)];
}

bool Engine::OneOfManyCanRun(const SimThread& me) const {
  return ((enabled_ | timed_) & ~me.bit) != 0;
}

void Engine::WalkOn(SimThread* me) {
  const bool few = thread_count_ <= 64;
  const uint64_t candidates = LowOf(enabled_) | LowOf(timed_);
  const int alternatives = few ? std::popcount(candidates) : CountOf(enabled_ | timed_);
  ++counters_.picks;
  const int choice = answers_->Answer(alternatives);
  if (recorder != nullptr) [[unlikely]]
    last_pick_ = {alternatives, choice};
  if (choice == 0) return;
  int picked;
  if (few) [[likely]] {
    picked = NthOf(candidates & ~LowOf(me->bit), choice - 1);
  } else {
    picked = NthOf((enabled_ | timed_) & ~me->bit, choice - 1);
  }
  SimThread& thread = threads_[picked];
  if ((timed_ & thread.bit) != 0) [[unlikely]]
    FireTimeout(thread);
  SwitchTo(thread);
}

SimThread* Engine::PickThread(int first) {
  if (thread_count_ > 64) [[unlikely]]
    return PickAmong<ThreadSet>(enabled_ | timed_, first);
  return PickAmong<uint64_t>(LowOf(enabled_) | LowOf(timed_), first);
}

template <class Set>
SimThread* Engine::PickAmong(Set candidates, int first) {
  const int count = CountOf(candidates);
  if (count == 0) return nullptr;
  SimThread* picked = &threads_[first];
  if (count == 1) {
    picked = &threads_[FirstOf(candidates)];
  } else if (unasked_) {
    if (fair_) picked = PickFairly(candidates);
  } else {
    ++counters_.picks;
    last_pick_ = {count, 0};
    if (answers_ != nullptr) {
      const int choice = answers_->Answer(count);
      last_pick_.choice = choice;
      if (choice != 0) {
        const auto others = static_cast<Set>(candidates & ~static_cast<Set>(picked->bit));
        picked = &threads_[NthOf(others, choice - 1)];
      }
    } else if (!strategy_->TakeBenignPick()) {
      const Pick pick = {PickKind::kSchedule, count, current->id, first, candidates, pending_};
      const Backstage backstage;
      last_pick_.choice = strategy_->Choose(pick);
      picked = &threads_[ThreadOfChoice(pick, last_pick_.choice)];
    }
  }
  if ((static_cast<Set>(timed_) & static_cast<Set>(picked->bit)) != 0) FireTimeout(*picked);
  return picked;
}

// The operation may be one turn of a spin loop.
void Engine::DecisionPointOfTurn(StepKind kind, const void* address, uintptr_t pc) {
  if (current->spin.BackAgain(pc, address, FirstFrame(current->id))) Spin();
  DecisionPoint(kind, address);
}

void Engine::DecideAmongOthers(SimThread* me) {
  int first = me->id;
  if (steps_in_a_row_ >= kMaxStepsInARow) {
    const ThreadSet others = enabled_ & ~me->bit;
    first = NextById(others != 0 ? others : timed_, me->id);
  }
  SwitchTo(*PickThread(first));
}

void Engine::SwitchTo(SimThread& thread) {
  if (&thread == current) return;
  SimThread* const from = current;
  steps_in_a_row_ = 0;
  schedule_ = (std::rotl(schedule_, 23) ^ (step_ * 256 + static_cast<uint64_t>(thread.id))) *
              0x9E37'79B9'7F4A'7C15;
  current = &thread;
  WriteFsBase(thread.storage.fs_base);
  SwitchContext(&from->context, thread.context);
}

void Engine::SwitchAway() {
  for (;;) {
    int first = -1;
    if (enabled_ != 0) {
      first = NextById(enabled_, current->id);
    } else if (timed_ != 0) {
      first = FirstOf(timed_);
      for (int i = 0; i < thread_count_; ++i) {
        if ((timed_ & threads_[i].bit) != 0 && threads_[i].deadline < threads_[first].deadline)
          first = i;
      }
    } else if (patient_ != 0) {
      ThreadSet earliest = 0;
      uint64_t deadline = kNoDeadline;
      for (ThreadSet left = patient_; left != 0; left &= left - 1) {
        const SimThread& thread = threads_[FirstOf(left)];
        if (earliest != 0 && thread.deadline >= deadline) continue;
        earliest = thread.bit;
        deadline = thread.deadline;
      }
      timed_ = earliest;
      patient_ &= ~earliest;
      continue;
    } else if (alive_ == 0) {
      SwitchTo(stage_);
      return;
    } else {
      Stuck();
      continue;
    }
    SwitchTo(*PickThread(first));
    return;
  }
}

void Engine::Block(WaitReason reason, const void* address, uintptr_t pc, uint64_t deadline) {
  SimThread& me = *current;
  me.wait = reason;
  me.wait_address = address;
  me.wait_ticket = NextTicket();
  me.timed_out = me.woken_spuriously = false;
  me.wakes_spuriously = MayWakeSpuriously(reason, address) && ChooseSpuriousWakeUp();
  me.deadline = deadline;
  me.clock_readings = 0;
  me.spin.Reset();
  if (rechecking_) EndRecheck();
  enabled_ &= ~me.bit;
  if (reason == WaitReason::kJoin) joining_ |= me.bit;
  if (me.wakes_spuriously || (deadline != kNoDeadline && time_outs_ < options_.time_outs)) {
    timed_ |= me.bit;
  } else if (deadline != kNoDeadline) {
    patient_ |= me.bit;
  }
  if (recorder != nullptr) {
    const StepKind kind =
        reason == WaitReason::kJoin ? StepKind::kThreadJoin : pending_[me.id].kind;
    recorder->RecordBlocked(kind, address, DescribeWait(me), pc);
  }
  SwitchAway();
  joining_ &= ~me.bit;
  me.wait = WaitReason::kNone;
  if (!me.woken_spuriously) {
    me.spurious_wake_ups = 0;
    if (me.spurious_wait == address) me.spurious_wait = nullptr;
  }
}

bool Engine::MayWakeSpuriously(WaitReason reason, const void* address) const {
  constexpr int kMostInARow = 4;
  if (reason != WaitReason::kFutex && reason != WaitReason::kCondition) return false;
  return spurious_wake_ups_ < options_.spurious_wake_ups && current->spurious_wait != address &&
         current->spurious_wake_ups < kMostInARow;
}

bool Engine::ChooseSpuriousWakeUp() {
  if (fair_) return false;
  if (rechecking_) EndRecheck();
  ++counters_.picks;
  int choice = 0;
  if (!strategy_->TakeBenignMemoryPick()) {
    const Backstage backstage;
    choice = strategy_->Choose(
        {.kind = PickKind::kSpuriousWakeUp, .alternatives = 2, .thread = current->id});
  }
  if (recorder != nullptr) recorder->RecordPick(PickKind::kSpuriousWakeUp, 2, choice);
  return choice != 0;
}

void Engine::MakeRunnable(SimThread& thread) {
  timed_ &= ~thread.bit;
  patient_ &= ~thread.bit;
  enabled_ |= thread.bit;
}

void Engine::FireTimeout(SimThread& thread) {
  if (thread.wakes_spuriously) {
    thread.woken_spuriously = true;
    thread.spurious_wait = thread.wait_address;
    ++thread.spurious_wake_ups;
    ++spurious_wake_ups_;
  } else {
    thread.timed_out = true;
    now_ = std::max(now_, thread.deadline);
    if ((enabled_ & ~thread.bit) != 0 && ++time_outs_ >= options_.time_outs) {
      // No more of it: the others are patient.
      for (ThreadSet left = timed_; left != 0; left &= left - 1) {
        const SimThread& other = threads_[FirstOf(left)];
        if (!other.wakes_spuriously) patient_ |= other.bit;
      }
      timed_ &= ~patient_;
    }
  }
  MakeRunnable(thread);
}

int Engine::WakeSome(SimThread** waiters, int count, int most) {
  int woken = 0;
  for (; count > 0 && woken < most; ++woken) {
    const bool all = count <= most - woken;
    const bool asks = !all && count > 1 && options_.wake_order;
    const int chosen = asks ? Choose(PickKind::kWakeOrder, count) : 0;
    MakeRunnable(*waiters[chosen]);
    for (int i = chosen + 1; i < count; ++i) waiters[i - 1] = waiters[i];
    --count;
  }
  return woken;
}

void Engine::Yield() {
  SimThread* const me = current;
  pending_[me->id] = {StepKind::kYield, nullptr};
  me->fresh = false;
  const ThreadSet others = (enabled_ | timed_) & ~me->bit;
  if (others == 0) return;
  const ThreadSet runnable = enabled_ & ~me->bit;
  SwitchTo(*PickThread(NextById(runnable != 0 ? runnable : others, me->id)));
}

void Engine::Spin() {
  SimThread& me = *current;
  if (me.spin.stale_read_count() != 0) return SeeNewestNext();
  me.wait = WaitReason::kSpin;
  me.wait_address = me.spin.read(0).address;
  enabled_ &= ~me.bit;
  spinning_ |= me.bit;
  if (recorder != nullptr) {
    const auto pc = *reinterpret_cast<const uintptr_t*>(jacquard_entry_registers.rsp);
    recorder->RecordBlocked(StepKind::kLoad, me.wait_address, DescribeWait(me), pc);
  }
  SwitchAway();
  me.wait = WaitReason::kNone;
  me.spin.Reset();
  me.fresh = true;
}

void Engine::WakeSpinning(const void* address, size_t size) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  for (ThreadSet left = spinning_; left != 0; left &= left - 1) {
    SimThread& thread = threads_[FirstOf(left)];
    for (int i = 0; i < thread.spin.read_count(); ++i) {
      const SpinDetector::Read read = thread.spin.read(i);
      const auto other = reinterpret_cast<uintptr_t>(read.address);
      if (begin >= other + read.size || other >= begin + size) continue;
      spinning_ &= ~thread.bit;
      enabled_ |= thread.bit;
      break;
    }
  }
}

int Engine::Choose(PickKind kind, int alternatives) {
  if (fair_) return 0;
  if (rechecking_) EndRecheck();
  ++counters_.picks;
  current->spin.Reset();
  int choice = 0;
  if (answers_ != nullptr) {
    choice = answers_->Answer(alternatives);
  } else if (!strategy_->TakeBenignPick()) {
    const Backstage backstage;
    choice = strategy_->Choose({.kind = kind, .alternatives = alternatives, .thread = current->id});
  }
  if (recorder != nullptr) recorder->RecordPick(kind, alternatives, choice);
  return choice;
}

int Engine::ChooseForMemory(PickKind kind, int alternatives) {
  // In a recheck, stores of other values than those that the spinning threads know would have ended
  // it; those of the same values make no difference.
  if (fair_ || (rechecking_ && kind == PickKind::kReadsFrom)) return 0;
  if (rechecking_) EndRecheck();
  ++counters_.picks;
  int choice = 0;
  if (answers_ != nullptr) {
    choice = answers_->AnswerMemory(alternatives);
  } else if (!strategy_->TakeBenignMemoryPick()) {
    const Backstage backstage;
    choice = strategy_->Choose({.kind = kind, .alternatives = alternatives, .thread = current->id});
  }
  if (recorder != nullptr) recorder->NoteMemoryPick(kind, alternatives, choice);
  return choice;
}

uint64_t Engine::ReadClock() {
  constexpr uint64_t kFirstTick = 1'000;
  constexpr uint64_t kLongestTick = 3'600'000'000'000;
  constexpr int kAtFirstTick = 16;
  constexpr int kMaxDoublings = 32;
  const int doublings = std::clamp(++current->clock_readings - kAtFirstTick, 0, kMaxDoublings);
  return now_ += std::min(kFirstTick << doublings, kLongestTick);
}

// ---- what is rare

void Engine::Record(const Step& step, uintptr_t pc) {
  {
    const Backstage backstage;
    const int error = errno;
    recorder->RecordStep(step, pc);
    errno = error;
  }
  if (program_observes_) Observe(step);
}

void Engine::ReachLimit() {
  if (probing_ && step_ >= next_limit_) EndProbe(false);
  if (body_ended_ && !options_.detached_threads_may_outlive) {
    ReportLeftThread(*current, "thread outlives the body",
                     "goes on although the threads that the execution began with have ended");
  }
  if (step_ < options_.max_steps) {
    fair_ = unasked_ = true;
    next_limit_ = options_.max_steps;
    return;
  }
  if (rechecking_ && recheck_round_ >= kRecheckRounds) ReportDeadlock();
  Fail(VerdictKind::kLivelock, "step limit",
       "did not end within " + std::to_string(options_.max_steps) +
           " steps, although in the second half every thread got its turn");
}

void Engine::Stuck() {
  if (probing_) {
    if (!WakeNextSleeper()) EndProbe(false);
    return;
  }
  if (spinning_ == 0) return ReportDeadlock();
  if (!rechecking_) {
    rechecking_ = unasked_ = true;
    recheck_round_ = 0;
    stuck_step_ = step_;
    if (recorder != nullptr) recorder->Mark();
  } else if (++recheck_round_ >= kRecheckRounds && step_ - stuck_step_ >= kRecheckSteps) {
    return ReportDeadlock();
  }
  for (ThreadSet left = spinning_; left != 0; left &= left - 1) {
    threads_[FirstOf(left)].spin.Reset();
  }
  enabled_ |= spinning_;
  spinning_ = 0;
}

void Engine::Fail(VerdictKind kind, std::string_view rule, std::string_view message,
                  const Blame& blame) {
  if (probing_) EndProbe(false);
  SetVerdict(kind, rule, message, blame);
  GiveUp();
}

void Engine::GiveUp() {
  hooks_on = arena_on = false;
  SwitchTo(driver_);
  __builtin_unreachable();
}

void Engine::SetVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                        const Blame& blame) {
  const Backstage backstage;
  *verdict_ = MakeVerdict(kind, rule, message, blame);
  if (recorder != nullptr) recorder->Text(TraceEvent::Type::kNote, rule, blame.pc);
}

Verdict Engine::MakeVerdict(VerdictKind kind, std::string_view rule, std::string_view message,
                            const Blame& blame) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.message = std::string(rule) + ": " + std::string(message);
  verdict.thread = current->id;
  verdict.step = step_;
  // The operations involved: of a deadlock everybody's, else that of the thread whose step it was.
  std::set<std::string> operations = {program_->OperationName(blame.operation)};
  const ThreadSet involved = blame.threads != 0 ? blame.threads : current->bit;
  for (ThreadSet left = involved; left != 0; left &= left - 1) {
    operations.insert(program_->OperationName(threads_[FirstOf(left)].operation));
  }
  verdict.signature = VerdictKindName(kind);
  verdict.signature += "|" + std::string(rule);
  for (const std::string& operation : operations) {
    if (!operation.empty()) verdict.signature += "|" + operation;
  }
  return verdict;
}

// ---- threads

void Engine::EnsureStorage(int id) {
  if (id < parked_) return;
  const RealHeap real_heap;
  WriteFsBase(driver_.storage.fs_base);
  for (; parked_ <= id; ++parked_) threads_[parked_].storage = ParkThread(parked_);
  WriteFsBase(current->storage.fs_base);
}

SimThread& Engine::AddThread(int id) {
  if (id >= thread_count_) {
    thread_count_ = id + 1;
    EnsureStorage(id);
  } else {
    ResetThreadStorage(threads_[id].storage);
    DropKeyValues(id);
  }
  SimThread& thread = threads_[id];
  thread.id = id;
  thread.bit = SetOfThread(id);
  thread.stack_bottom = StackBottom(id);
  thread.operation = -1;
  thread.fresh = true;
  thread.detached = thread.joined = false;
  thread.created_at = 0;
  thread.creator = -1;
  thread.spurious_wait = nullptr;
  thread.spurious_wake_ups = 0;
  thread.held.Clear();
  pending_[id] = {};
  thread.wait = WaitReason::kNone;
  thread.start = nullptr;
  thread.result = nullptr;
  thread.clock_readings = 0;
  thread.spurious_failures = 0;
  thread.spurious_pc = 0;
  thread.ignores_races = 0;
  thread.call_depth = 0;
  thread.spin.Reset();
  thread.context = FreshContext(id, ThreadEntry);
  alive_ |= thread.bit;
  enabled_ |= thread.bit;
  return thread;
}

SimThread* Engine::CreateThread(void* (*start)(void*), void* argument, uintptr_t pc) {
  int id = thread_count_;
  if (id == kMaxThreads) {
    id = FindEndedThread();
    if (id < 0) return nullptr;
  }
  const bool reused = id < thread_count_;
  SimThread& thread = AddThread(id);
  thread.start = start;
  thread.argument = argument;
  thread.created_at = pc;
  thread.creator = current->id;
  if (recorder != nullptr) recorder->NoteCreation(thread.id, pc);
  thread.created_step = step_;
  if (reused) {
    TellCreationAgain(current->id, id);
  } else {
    TellCreation(current->id, id);
  }
  current->spin.Reset();
  current->fresh = false;  // since it was picked, there is one more to pick
  return &thread;
}

// One that nobody will ask for any more.
int Engine::FindEndedThread() const {
  for (int i = 1; i < thread_count_; ++i) {
    if ((threads_[i].detached || threads_[i].joined) && HasEnded(threads_[i]) &&
        &threads_[i] != current)
      return i;
  }
  return -1;
}

SimThread* Engine::FindThread(pthread_t pthread) {
  for (int i = 0; i < thread_count_; ++i) {
    if (threads_[i].storage.pthread == pthread) return &threads_[i];
  }
  return nullptr;
}

void Engine::ThreadEntry() {
  SimThread& me = *engine.current;
  engine.RunThread(me);
  engine.EndThread(me);
}

void Engine::RunThread(SimThread& me) {
  asm("mov %%rsp, %0" : "=r"(me.exit_frame));
  try {
    if (me.start != nullptr) {
      me.result = me.start(me.argument);
    } else {
      program_->RunThread(me.id);
    }
    FinishThread(me);
  } catch (const std::exception& exception) {
    Fail(VerdictKind::kException, "uncaught exception", exception.what());
  } catch (...) {
    Fail(VerdictKind::kException, "uncaught exception", "not derived from std::exception");
  }
}

void Engine::FinishThread(SimThread& me) {
  RunThreadDestructors();
  if (keys_used) RunKeyDestructors();
  if (locks_held_ != 0) {
    CheckStackOfLocks(reinterpret_cast<void*>(me.exit_frame), 0);
    AbandonRobustMutexes(me);
  }
}

void Engine::ExitThread() {
  FinishThread(*current);
  EndThread(*current);
}

void Engine::EndThread(SimThread& me) {
  if (rechecking_) EndRecheck();
  alive_ &= ~me.bit;
  enabled_ &= ~me.bit;
  if (recorder != nullptr) recorder->RecordEnd();
  if (me.start == nullptr) BodyEnded();
  for (ThreadSet left = joining_; left != 0; left &= left - 1) {
    SimThread& other = threads_[FirstOf(left)];
    if (other.wait_thread != me.id) continue;
    // What it does up to its next operation nobody can see: no pick before that.
    MakeRunnable(other);
    SwitchTo(other);
  }
  SwitchAway();
  __builtin_unreachable();
}

// A thread of the program's own has ended; perhaps the last one.
void Engine::BodyEnded() {
  for (ThreadSet left = alive_; left != 0; left &= left - 1) {
    if (threads_[FirstOf(left)].start == nullptr) return;
  }
  body_ended_ = true;
  if (alive_ != 0 && !options_.detached_threads_may_outlive) next_limit_ = 0;  // at the next step
}

void Engine::ReportLeftThread(const SimThread& thread, std::string_view rule,
                              std::string_view what) {
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    message = "thread " + std::to_string(thread.id) + ", which thread " +
              std::to_string(thread.creator) + " created in step " +
              std::to_string(thread.created_step) + ", " + std::string(what);
    if (!HasEnded(thread)) message += "; it " + DescribeWait(thread);
    if (recorder != nullptr) recorder->AddPlaceOfCreation(thread.id);
  }
  Fail(VerdictKind::kThreadLeft, rule, message, {.threads = thread.bit});
}

// ---- executions

void Engine::StageEntry() {
  engine.RunStage();
  engine.SwitchTo(engine.driver_);
  __builtin_unreachable();
}

void Engine::RunStage() {
  arena_on = true;
  program_->Begin();
  const int count = program_->ThreadCount();
  for (int i = 0; i < count; ++i) {
    AddThread(i);
    TellCreation(0, i);
  }
  if (count != 0) {
    hooks_on = true;
    SwitchAway();  // comes back when the last thread has ended
    hooks_on = false;
    if (probing_) EndProbe(true);
    CheckAllJoined();
  }
  program_->End();
  RunThreadDestructors();
  if (keys_used) RunKeyDestructors();
  if (options_.check_leaks && arena.live_blocks() != 0) CheckLeaks();
  arena_on = false;
}

// While there is only one thread, the memory model need not hear of plain accesses.
void Engine::SetNearTag() {
  plain_seen_closely = recorder != nullptr || !options_.races;
  const bool all_are_told = plain_seen_closely || (memory != nullptr && !memory->IsAlone());
  near_tag = all_are_told ? kNoTag : kNearTag;
}

void Engine::CheckAllJoined() {
  for (int i = 0; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    if (thread.start == nullptr || thread.detached || thread.joined) continue;
    ReportLeftThread(thread, "thread never joined", "has been neither joined nor detached");
  }
}

void Engine::AbandonThreads() {
  for (ThreadSet left = alive_; left != 0; left &= left - 1) {
    WriteFsBase(threads_[FirstOf(left)].storage.fs_base);
    *reinterpret_cast<ExceptionGlobals*>(__cxxabiv1::__cxa_get_globals()) = {};
  }
  WriteFsBase(stage_.storage.fs_base);
  *reinterpret_cast<ExceptionGlobals*>(__cxxabiv1::__cxa_get_globals()) = {};
  WriteFsBase(driver_.storage.fs_base);
}

void Engine::Initialize() {
  initialized_ = true;
  InitThreadStorage();
  ReserveStacks(kMaxThreads + 1);
  ReserveSignalStack();
  arena.Init();
  rollback.Init();
  driver_.storage = {ReadFsBase(), pthread_self(), &errno};
  stage_.storage = ParkThread(kStage);
  stage_.stack_bottom = StackBottom(kStage);
  driver_.id = driver_.operation = stage_.id = stage_.operation = -1;
  current = &driver_;
  StartWatchdog();
  CatchFaults();
}

void Engine::CoverHeap() {
  if (!initialized_) Initialize();
  rollback.CoverHeap();
}

Verdict Engine::Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                        Trace* trace) {
  if (!initialized_) Initialize();
  if (executing) Die("Execute() called from within an execution");
  program_ = &program;
  strategy_ = &strategy;
  options_ = options;
  Verdict verdict;
  verdict_ = &verdict;
  thread_count_ = 0;
  answers_ = strategy.answers();
  enabled_ = timed_ = patient_ = spinning_ = alive_ = joining_ = 0;
  probing_ = body_ended_ = false;
  spurious_wake_ups_ = time_outs_ = 0;
  locks_held_ = 0;
  steps_in_a_row_ = 0;
  fair_ = rechecking_ = unasked_ = false;
  fair_state_ = 0;
  step_ = 0;
  schedule_ = 0;
  next_limit_ = std::max<uint64_t>(1, options.max_steps / 2);
  last_pick_ = {};
  ticket_ = 0;
  now_ = kClockEpoch;
  random_seeded = false;
  program_observes_ = program.Observes();
  locations.BeginExecution();
  arena.SetQuarantine(options.quarantine);
  foreign_words.Clear();
  library_blocks.Clear();
  stage_.call_depth = 0;
  BeginMemory();
  std::optional<Recorder> trace_recorder;
  recorder = trace != nullptr ? &trace_recorder.emplace(trace) : nullptr;
  observed_ = program_observes_ || recorder != nullptr;
  SetNearTag();

  stage_.context = FreshContext(kStage, StageEntry);
  executing = true;
  SwitchTo(stage_);
  executing = false;

  recorder = nullptr;
  EndMemory();
  near_tag = kNearTag;
  if (trace != nullptr) trace->threads = thread_count_;
  if (!verdict.passed() || alive_ != 0) AbandonThreads();
  DropThreadDestructors();
  if (keys_used || keys_made) DropKeys();
  rollback.Undo();
  for (int i = 0; i < thread_count_; ++i) ResetThreadStorage(threads_[i].storage);
  ResetThreadStorage(stage_.storage);
  arena.Reset();
  counters_.steps += step_;
  ++counters_.executions;
  return verdict;
}

}  // namespace jacquard::sim

namespace jacquard {

Verdict Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                Trace* trace) {
  return sim::engine.Execute(program, strategy, options, trace);
}

const Counters& RuntimeCounters() { return sim::engine.counters(); }

void FailExecution(VerdictKind kind, std::string_view rule, std::string_view message) {
  if (!sim::engine.OnExecutingThread()) sim::Die("FailExecution() called outside of an execution");
  sim::engine.Fail(kind, rule, message);
}

void RollBackHeap() { sim::engine.CoverHeap(); }

uint64_t LastSchedule() { return sim::engine.schedule(); }

}  // namespace jacquard
