// The engine's threads: how each begins and ends, and which of them are left at the end.
#include <cstring>
#include <string>

#include "sim/engine.h"
#include "sim/exit_functions.h"
#include "sim/lock_holders.h"
#include "sim/lock_order.h"
#include "sim/memory/memory.h"
#include "sim/mutexes.h"
#include "sim/recorder.h"
#include "sim/signals.h"
#include "sim/thread_keys.h"
#include "sim/timers.h"
#include "sim/wait_text.h"

namespace jacquard::sim {

void Engine::EnsureStorage(int id) {
  const RealHeap real_heap;
  WriteFsBase(driver_.storage.fs_base);
  while (parked_ <= id) AddStorage(ParkThread(parked_));
  WriteFsBase(fs_base_);
}

void Engine::AddStorage(const ThreadStorage& storage) {
  SimThread& thread = threads_[parked_];
  thread.id = parked_;
  thread.bit = SetOfThread(parked_);
  thread.stack_bottom = StackBottom(parked_);
  thread.storage = storage;
  ++parked_;
}

SimThread& Engine::AddThread(int id) {
  if (id >= thread_count_) {
    thread_count_ = id + 1;
    if (id >= parked_) [[unlikely]]
      EnsureStorage(id);
  } else {
    ResetStorageOf(threads_[id]);
    DropKeyValues(id);
    Remove(dismissed_, id);
  }
  SimThread& thread = threads_[id];
  static constexpr ThreadState kFirstState;  // copied: faster than put together on the stack
  static_cast<ThreadState&>(thread) = kFirstState;
  thread.lineage = static_cast<uint64_t>(id) + 1;
  thread.fs_base = FirstFsBase(thread);
  if (signal_masks_used) [[unlikely]]
    InheritSignals(thread);
  // The handler of a signal may come between its first accesses and its first operation.
  if (HandlesSignalOfThreads()) [[unlikely]]
    thread.fresh = false;
  thread.held.Clear();
  thread.spin.Reset();
  thread.context = FreshContext(id, ThreadEntry);
  pending_[id] = {};
  sites_[id] = 0;
  Insert(alive_, id);
  Insert(enabled_, id);
  return thread;
}

SimThread* Engine::CreateThread(void* (*start)(void*), void* argument, uintptr_t pc) {
  const int id = NumberForThread();
  if (id < 0) return nullptr;
  const bool reused = id < thread_count_;
  SimThread& thread = AddThread(id);
  if (id == 1) {
    heap_when_alone = arena.near_end() - kArenaBase;
    if (fair_) ++counters_.long_executions;  // now that there would be something to explore
  }
  thread.lineage = (current->lineage ^ uint64_t{++current->children} << 32) * 0x9E37'79B9'7F4A'7C15;
  lock_order.Created(current->id, thread);
  thread.start = start;
  thread.argument = argument;
  thread.created_at = pc;
  thread.creator = current->id;
  thread.processors = current->processors;
  std::memcpy(thread.name, current->name, sizeof(thread.name));
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

// More numbers make the memory model slower: the fewer the better, once there are some.
int Engine::NumberForThread() const {
  constexpr int kFirstNumbers = memory::NarrowClock::kLanes;
  if (dismissed_ != 0) return FirstOf(dismissed_);  // it has done nothing
  int id = -1;
  if (thread_count_ >= kFirstNumbers) id = FindEndedThread(/*known=*/true);
  if (id < 0 && thread_count_ < kMaxThreads) id = thread_count_;
  return id < 0 ? FindEndedThread(/*known=*/false) : id;
}

// One that nobody will ask for any more. `known`: the running thread knows all that it has done,
// and so, from its beginning on, does the one that gets the number.
int Engine::FindEndedThread(bool known) const {
  for (int i = 1; i < thread_count_; ++i) {
    const SimThread& thread = threads_[i];
    if ((!thread.detached && !thread.joined) || !HasEnded(thread) || &thread == current) continue;
    if (!known) return i;
    const bool holds_locks = thread.held.begin() != thread.held.end();
    if (!holds_locks && (memory == nullptr || memory->Knows(current->id, i))) return i;
  }
  return -1;
}

void Engine::ThreadEntry() {
  SimThread& me = *engine.current;
  if (engine.signal_masks_used) EnterSignals(me);
  engine.RunThread(me);
  engine.EndThread(me);
}

void Engine::RunThread(SimThread& me) {
  asm("mov %%rsp, %0" : "=r"(me.exit_frame));
  // Nothing catches an exception here: without a handler it ends in std::terminate where it is
  // thrown, before anything is destroyed.
  if (me.start != nullptr) {
    me.result = me.start(me.argument);
  } else {
    program_->RunThread(me.id);
  }
  // What a return from main() ends is the process: the C library calls no destructor then.
  FinishThread(me, /*keys=*/me.start != nullptr);
}

void Engine::FinishThread(SimThread& me, bool keys) {
  me.leaves = true;
  RunThreadDestructors();
  if (keys) RunKeyDestructors();
  if (lock_holders.any()) {
    lock_holders.CheckStack(reinterpret_cast<void*>(me.exit_frame), 0);
    AbandonRobustMutexes(me);
  }
  if (bookkeeper != nullptr) bookkeeper->end_thread();
}

void Engine::ExitThread() {
  FinishThread(*current, /*keys=*/true);
  EndThread(*current);
}

void Engine::Dismiss(SimThread& thread) {
  EndRecheck();
  for (ThreadSet* const set : {&alive_, &enabled_, &timed_, &patient_}) Remove(*set, thread.id);
  thread.wait = WaitReason::kNone;
  Insert(dismissed_, thread.id);
}

void Engine::EndThread(SimThread& me) {
  // With its last thread a program ends, also if that is not the one that was in main.
  if (is_program_ && alive_ == me.bit) [[unlikely]] {
    for (int i = 0; i < thread_count_; ++i) {
      if (i != me.id) TellJoin(i);  // POSIX: "after the last thread has been terminated"
    }
    CallExitFunctions(0);
  }
  EndRecheck();
  Remove(alive_, me.id);
  Remove(enabled_, me.id);
  if (recorder != nullptr) [[unlikely]]
    recorder->RecordEnd();
  if (me.start == nullptr && --bodies_left_ == 0) BodyEnded();
  if (joining_ != 0) WakeJoining(me);
  SwitchAway();
  __builtin_unreachable();
}

// Goes on with whoever waits for the thread to end, if there is one.
void Engine::WakeJoining(const SimThread& ended) {
  for (const int id : MembersOf(joining_)) {
    SimThread& other = threads_[id];
    if (other.wait_thread != ended.id) continue;
    // What it does up to its next operation nobody can see: no pick before that.
    MakeRunnable(other);
    SwitchTo(other);
  }
}

// The last thread of the program's own has ended.
void Engine::BodyEnded() {
  body_ended_ = true;
  LetTimersExpireOnce();
  if (alive_ != 0 && !options_.detached_threads_may_outlive) SetLimit(0);  // at the next step
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

}  // namespace jacquard::sim
