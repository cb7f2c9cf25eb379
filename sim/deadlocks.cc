// Deadlocks: who waits for what, held by whom; cycles, as they close; and lost wake-ups.
//
// A cycle is one when each of its threads waits, without a deadline, for what only the next one can
// give: a lock that it holds, or its end. It is reported when the wait begins that closes it,
// whatever other threads still do.
//
// When nobody can run at all, the verdict is a deadlock. What it is called is found out by going
// on: those who sleep on a futex or a condition variable are woken one after another, as they might
// have been for no reason at any time. If the execution then comes to its end, all that was missing
// was a wake-up: it was lost. What happens in that probe nobody sees.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/library_bugs.h"
#include "sim/lock_order.h"
#include "sim/recorder.h"
#include "sim/signals.h"
#include "sim/timers.h"

namespace jacquard::sim {
namespace {

// So many steps may a probe take.
constexpr uint64_t kProbeSteps = 20'000;

// Who waited for what when the last timer expired.
std::string& StuckWaits() {
  static std::string waits;
  return waits;
}

}  // namespace

const char* HeldKindName(HeldKind kind) {
  switch (kind) {
    case HeldKind::kMutex:
      return "mutex";
    case HeldKind::kShared:
    case HeldKind::kExclusive:
      return "reader/writer lock";
    case HeldKind::kSpinLock:
      return "spin lock";
    case HeldKind::kOnce:
      return "initialisation";
    case HeldKind::kStream:
      return "stream";
  }
  return "lock";
}

std::string NameOf(const void* object) {
  std::string name = engine.program().NameOf(object);
  if (!name.empty()) return name;
  char hexadecimal[32];
  std::snprintf(hexadecimal, sizeof(hexadecimal), "%p", object);
  return hexadecimal;
}

// ---- locks that are held

void Engine::TakesLock(const void* lock, HeldKind kind, uintptr_t pc, bool waits) {
  if (locks_held_ != 0) CheckStackOfLocks(__builtin_frame_address(0), pc);
  ++locks_held_;
  SimThread& me = *current;
  me.held.Add({lock, kind, ++me.locks_taken, step_ + 1, pc});
  if (waits && me.held.AreMany()) lock_order.Nest(me);
  if (recorder != nullptr) [[unlikely]]
    recorder->NoteHeld(lock, HeldKindName(kind), pc);
}

bool Engine::LeavesLock(const void* lock, HeldKind kind) {
  if (!current->held.Remove(lock, kind)) return false;
  if (--locks_held_ != 0) CheckStackOfLocks(__builtin_frame_address(0), 0);
  return true;
}

void Engine::CheckStackOfLocks(const void* pointer, uintptr_t pc) {
  const uintptr_t bottom = current->stack_bottom;
  const auto end = reinterpret_cast<uintptr_t>(pointer);
  if (end - bottom < kStackSize) CheckNoneHeld(reinterpret_cast<void*>(bottom), end - bottom, pc);
}

void Engine::ReportIfHeld(const void* address, size_t size, uintptr_t pc) {
  for (int i = 0; i < thread_count_; ++i) {
    for (const HeldLock& held : threads_[i].held) {
      const auto lock = reinterpret_cast<uintptr_t>(held.lock);
      if (lock - reinterpret_cast<uintptr_t>(address) >= size) continue;
      const bool on_stack = lock - kStackArea < (kMaxThreads + 1) * kStackStride;
      static std::string message;  // kept, since this stack is given up
      {
        const Backstage backstage;
        message = std::string("the ") + HeldKindName(held.kind) + " " + NameOf(held.lock) +
                  (on_stack ? " was a variable of a function that has returned"
                            : " lies in memory that is freed") +
                  ", and thread " + std::to_string(i) + " has held it since step " +
                  std::to_string(held.step);
        if (recorder != nullptr) recorder->AddPlaceOfHeld(i, held.lock);
      }
      Fail(VerdictKind::kMisuse, "lock destroyed while it is held", message,
           {.pc = pc, .threads = current->bit | threads_[i].bit});
    }
  }
}

// ---- who waits for whom

ThreadSet Engine::HoldersOf(const SimThread& waiter) const {
  ThreadSet holders = 0;
  const bool shared = waiter.wait == WaitReason::kShared;
  switch (waiter.wait) {
    case WaitReason::kMutex:
    case WaitReason::kShared:
    case WaitReason::kExclusive:
    case WaitReason::kOnce:
      for (int i = 0; i < thread_count_; ++i) {
        const HeldLock* const held = threads_[i].held.Find(waiter.wait_address);
        if (held != nullptr && !(shared && held->kind == HeldKind::kShared))
          holders |= threads_[i].bit;
      }
      if (!shared || holders != 0) break;
      // The lock prefers writers, and one waits.
      for (int i = 0; i < thread_count_; ++i) {
        const SimThread& other = threads_[i];
        if (other.wait == WaitReason::kExclusive && other.wait_address == waiter.wait_address)
          holders |= other.bit;
      }
      break;
    case WaitReason::kJoin:
      return threads_[waiter.wait_thread].bit;
    default:
      break;
  }
  return holders;
}

bool Engine::LeadsTo(const SimThread& from, ThreadSet& path) const {
  for (const int id : MembersOf(HoldersOf(from))) {
    const SimThread& holder = threads_[id];
    if (&holder == current) return true;
    const bool stuck = (alive_ & holder.bit) != 0 && IsBlocked(holder) &&
                       holder.deadline == kNoDeadline && (path & holder.bit) == 0;
    if (!stuck) continue;
    path |= holder.bit;
    if (LeadsTo(holder, path)) return true;
    path &= ~holder.bit;
  }
  return false;
}

void Engine::CheckCycle(WaitReason reason, const void* lock, int thread, uintptr_t pc) {
  if (probing_) return;
  if (reason == WaitReason::kJoin && !IsBlocked(threads_[thread])) return;
  SimThread& me = *current;
  me.wait = reason;
  me.wait_address = lock;
  me.wait_thread = thread;
  ThreadSet path = me.bit;
  if (!LeadsTo(me, path)) {
    me.wait = WaitReason::kNone;
    return;
  }
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    if (recorder != nullptr) {
      const StepKind kind =
          reason == WaitReason::kJoin ? StepKind::kThreadJoin : pending_[me.id].kind;
      recorder->RecordBlocked(kind, lock, DescribeWait(me), pc);
    }
    message = DescribeWaits(path);
  }
  lock_order.NoteDeadlock(path);
  Fail(VerdictKind::kDeadlock, "threads wait for each other", message, {.pc = pc, .threads = path});
}

// ---- words

std::string Engine::DescribeHolders(const void* lock) {
  std::string text;
  for (int i = 0; i < thread_count_; ++i) {
    const HeldLock* const held = threads_[i].held.Find(lock);
    if (held == nullptr) continue;
    text += (text.empty() ? ", held by thread " : " and thread ") + std::to_string(i) +
            " since step " + std::to_string(held->step);
    if (HasEnded(threads_[i])) text += ", which has ended";
  }
  return text;
}

// As who holds it has taken it; a mutex if nobody does.
HeldKind Engine::KindOf(const void* lock) const {
  for (int i = 0; i < thread_count_; ++i) {
    if (const HeldLock* const held = threads_[i].held.Find(lock)) return held->kind;
  }
  return HeldKind::kMutex;
}

std::string Engine::DescribeWait(const SimThread& thread) {
  const Backstage backstage;
  const std::string name = NameOf(thread.wait_address);
  switch (thread.wait) {
    case WaitReason::kFutex:
      return "sleeps on " + name;
    case WaitReason::kMutex: {
      const std::string holders = DescribeHolders(thread.wait_address);
      return std::string("waits for the ") + HeldKindName(KindOf(thread.wait_address)) + " " +
             name + (holders.empty() ? ", which no thread of the execution holds" : holders);
    }
    case WaitReason::kShared:
      return "waits to share the lock " + name + DescribeHolders(thread.wait_address);
    case WaitReason::kExclusive:
      return "waits for the lock " + name + DescribeHolders(thread.wait_address);
    case WaitReason::kOnce:
      return "waits for the initialisation " + name + DescribeHolders(thread.wait_address);
    case WaitReason::kCondition:
      return "waits for the condition variable " + name;
    case WaitReason::kSemaphore:
      return "waits for the semaphore " + name;
    case WaitReason::kBarrier:
      return "waits at the barrier " + name;
    case WaitReason::kDescriptor:
      return "is in " + DescribeDescriptorWait(thread);
    case WaitReason::kJoin:
      return "waits for thread " + std::to_string(thread.wait_thread) + " to end";
    case WaitReason::kSleep:
      return "sleeps";
    case WaitReason::kSignal:
      return "waits for a signal";
    case WaitReason::kSpin:
      return "spins on " + name;
    case WaitReason::kNone:
      break;
  }
  return "can run";
}

std::string Engine::DescribeWaits(ThreadSet threads) {
  const Backstage backstage;
  std::string message;
  for (const int id : MembersOf(threads)) {
    const SimThread& thread = threads_[id];
    message += (message.empty() ? "thread " : "; thread ") + std::to_string(id);
    const std::string operation = program_->OperationName(thread.operation);
    if (!operation.empty()) message += " (" + operation + ")";
    message += " " + DescribeWait(thread);
    if (recorder == nullptr) continue;
    for (int i = 0; i < thread_count_; ++i) {
      if (threads_[i].held.Find(thread.wait_address) != nullptr)
        recorder->AddPlaceOfHeld(i, thread.wait_address);
    }
  }
  return message;
}

// ---- nobody can run

bool Engine::WakeOverlooked() {
  if (options_.library_bugs) return false;
  bool any = false;
  for (const int id : MembersOf(alive_)) {
    SimThread& thread = threads_[id];
    if (!IsOverlooked(thread)) continue;
    MakeRunnable(thread);
    NoteLibraryBug();
    any = true;
  }
  return any;
}

namespace {

constexpr const char* kDeadlock = "no thread can run";
constexpr const char* kLostWakeUp = "lost wake-up";

// What a probe has put aside.
struct Probe {
  Verdict deadlock;
  Verdict lost_wake_up;
  SimThread* current;
  Recorder* recorder;
  uint64_t step;
  ThreadSet woken;  // each once
};
Probe probe;

bool Sleeps(const SimThread& thread) {
  return thread.wait == WaitReason::kFutex || thread.wait == WaitReason::kCondition;
}

}  // namespace

void Engine::FailIfWaitsForOthers(const SimThread& thread) {
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    if (!WaitsForOthers(thread)) return;
    message = "cannot be simulated: nobody can run, and thread " + std::to_string(thread.id) +
              " waits for what another process could do, in " + DescribeDescriptorWait(thread);
  }
  Fail(VerdictKind::kUnsupported, DescriptorWaitOf(thread), message,
       {.pc = thread.wait_pc, .threads = alive_});
}

void Engine::ReportDeadlock() {
  if (rechecking_) {
    // Nothing has happened since.
    step_ = stuck_step_;
    if (recorder != nullptr) recorder->ForgetSince(recheck_mark_);
  }
  if (InterruptBySent() || LetTimerExpire()) return;
  for (const int id : MembersOf(alive_)) {
    const SimThread& thread = threads_[id];
    if (signal_masks_used && (thread.pending_signals & ~BlockedBy(thread)) != 0) {
      Fail(
          VerdictKind::kUnsupported, "handler during a wait",
          "nobody can run, and a thread that waits has been sent a signal, whose handler would run "
          "in the middle of the wait",
          {.threads = alive_});
    }
    if (thread.wait == WaitReason::kDescriptor) FailIfWaitsForOthers(thread);
    if (thread.wait != WaitReason::kSignal || thread.detached) continue;
    Fail(VerdictKind::kUnsupported, "sigwait",
         "nobody can run, and a thread waits for a signal that none of them sends",
         {.pc = thread.wait_pc, .threads = alive_});
  }
  if (body_ended_) {
    const SimThread& thread = threads_[FirstOf(alive_)];
    ReportLeftThread(thread, "thread outlives the body", "never ends");
  }
  BeginProbe();
}

// In the middle of some waits there may be a handler: whoever waits looks again afterwards.
bool Engine::Interrupt(SimThread& thread, int signal) {
  constexpr WaitReason kInterruptible[] = {
      WaitReason::kMutex,     WaitReason::kShared, WaitReason::kExclusive, WaitReason::kSemaphore,
      WaitReason::kCondition, WaitReason::kFutex,  WaitReason::kJoin,      WaitReason::kDescriptor};
  if ((BlockedBy(thread) & SetOf(signal)) != 0 ||
      std::find(std::begin(kInterruptible), std::end(kInterruptible), thread.wait) ==
          std::end(kInterruptible))
    return false;
  thread.interrupted_by = signal;
  thread.woken_spuriously = true;
  MakeRunnable(thread);
  return true;
}

bool Engine::InterruptSpinning(SimThread& thread, int signal) {
  if (!Has(spinning_, thread.id) || (BlockedBy(thread) & SetOf(signal)) != 0) return false;
  thread.pending_signals |= SetOf(signal);
  WakeIfSpinning(thread);
  return true;
}

bool Engine::InterruptBySent() {
  if (!signal_masks_used) return false;
  for (const int id : MembersOf(alive_)) {
    SimThread& thread = threads_[id];
    const uint64_t comes = thread.pending_signals & ~BlockedBy(thread);
    if (comes == 0) continue;
    const int signal = std::countr_zero(comes) + 1;
    if (!Interrupt(thread, signal)) continue;
    thread.pending_signals &= ~SetOf(signal);
    AcquireSent(thread);
    if (rechecking_) EndRecheck();
    return true;
  }
  return false;
}

bool Engine::LetTimerExpire() {
  constexpr int kMost = 1000;
  if (!TimerMayBeMissing() || timers_expired_ >= kMost) return false;
  {
    const Backstage backstage;
    StuckWaits() = DescribeWaits(alive_);
  }
  ++timers_expired_;
  if (rechecking_) EndRecheck();
  const int signal = ExpireTimer();
  if (GiveToWaiter(signal)) return true;
  for (const int id : MembersOf(alive_)) {
    SimThread& thread = threads_[id];
    if (!Interrupt(thread, signal) && !InterruptSpinning(thread, signal)) continue;
    thread.in_timers_handler = true;
    return true;
  }
  Fail(VerdictKind::kUnsupported, "signal of a timer",
       "nobody can run, and nobody can get the signal of alarm() or setitimer()",
       {.threads = alive_});
}

// Where it was switched to, it has handled that already.
void Engine::HandleTimer(SimThread& me) {
  if (me.pending_signals != 0) HandlePending(me);
  me.in_timers_handler = false;
}

// On the thread's own stack, within the wait that it goes on with.
void Engine::HandleInterruption(SimThread& me) {
  const int signal = std::exchange(me.interrupted_by, 0);
  me.restarts_calls = RestartsCalls(signal);
  if (recorder != nullptr) {
    const Backstage backstage;
    recorder->Text(TraceEvent::Type::kNote, "handles a signal");
  }
  {
    const KeptWait wait(me);
    Deliver(signal);
  }
  me.in_timers_handler = false;
  me.timed_out = false;
  me.woken_spuriously = true;
}

void Engine::FailInTimersHandler() {
  // It may have left the handler by siglongjmp.
  if (!current->in_timers_handler || !IsInHandler()) return;
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    message = StuckWaits() + "; then the handler of a timer ends the program";
  }
  Fail(VerdictKind::kDeadlock, kDeadlock, message, {.threads = alive_});
}

void Engine::BeginProbe() {
  {
    const Backstage backstage;
    const std::string message = DescribeWaits(alive_);
    const Blame blame = {.threads = alive_};
    probe = {MakeVerdict(VerdictKind::kDeadlock, kDeadlock, message, blame),
             MakeVerdict(VerdictKind::kDeadlock, kLostWakeUp,
                         message + "; if whoever sleeps were woken now, all would come to an end",
                         blame),
             current,
             recorder,
             step_,
             0};
  }
  recorder = nullptr;
  probing_ = true;
  rechecking_ = false;
  fair_ = unasked_ = true;
  observed_ = program_observes_ = false;
  SetLimit(step_ + kProbeSteps);
  if (!WakeNextSleeper()) EndProbe(false);
}

bool Engine::WakeNextSleeper() {
  for (const int id : MembersOf(alive_ & ~probe.woken)) {
    SimThread& thread = threads_[id];
    if (!Sleeps(thread)) continue;
    probe.woken |= thread.bit;
    thread.woken_spuriously = true;
    MakeRunnable(thread);
    return true;
  }
  return false;
}

void Engine::EndProbe(bool completed) {
  {
    const Backstage backstage;
    step_ = probe.step;
    recorder = probe.recorder;
    SimThread* const last = current;
    current = probe.current;
    if (recorder != nullptr)
      recorder->Text(TraceEvent::Type::kNote, completed ? kLostWakeUp : kDeadlock);
    current = last;
    *verdict_ = completed ? probe.lost_wake_up : probe.deadlock;
  }
  GiveUp();
}

}  // namespace jacquard::sim
