// A suspicion about the order of locks is tried: can the threads of a cycle be brought into it?
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/byte_string.h"
#include "sim/engine.h"
#include "sim/lock_order.h"
#include "sim/wait_text.h"

namespace jacquard {
namespace {

DeadlockChoices deadlock_choices;

}  // namespace

const DeadlockChoices& LastDeadlockChoices() { return deadlock_choices; }

}  // namespace jacquard

namespace jacquard::sim {
namespace {

// One thread's part in a cycle, and what it was answered in the execution that has shown it.
struct Part {
  LockNesting nesting;
  bool released = false;  // is not held back any more
};

struct Answers {
  std::vector<int> data;
  std::vector<int> allocations;
  size_t next_data = 0;
  size_t next_allocation = 0;
};

// Runs the threads of a cycle up to their inner locks, and holds them there until all of them have
// come, or nobody else can run. All else is benign, but for values that the harness asks for and
// allocations, which are as they were.
//
// Whoever comes first may be in the way of another on its way: so there are several plans.
class Steering : public Strategy {
 public:
  // Plan 0 lets nobody take its outer lock before all are about to. Plan i lets the i-th thread of
  // the cycle go first, and the others of the cycle last.
  Steering(std::vector<Part> parts, std::vector<Answers> answers, int plan)
      : parts_(std::move(parts)), answers_(std::move(answers)), plan_(plan) {
    if (plan_ == 0) {
      all_at_outer_ = false;
    } else {
      first_ = parts_[plan_ - 1].nesting.thread;
    }
  }

  bool BeginExecution() override { return true; }

  int Choose(const Pick& pick) override {
    if (pick.kind == PickKind::kSchedule) return ChooseThread(pick);
    if (pick.thread < 0 || static_cast<size_t>(pick.thread) >= answers_.size()) return 0;
    Answers& mine = answers_[pick.thread];
    if (pick.kind == PickKind::kData) return Next(mine.data, mine.next_data, pick);
    if (pick.kind == PickKind::kAllocationFailure)
      return Next(mine.allocations, mine.next_allocation, pick);
    return 0;
  }

 private:
  static int Next(const std::vector<int>& choices, size_t& next, const Pick& pick) {
    return next < choices.size() ? std::min(choices[next++], pick.alternatives - 1) : 0;
  }

  // Whether the thread is about to take its lock of that number.
  static bool IsAt(const LockNesting& nesting, const LockNesting::Lock& lock, uint32_t number,
                   const Pick& pick) {
    const PendingOperation& pending = pick.pending[nesting.thread];
    const bool locks =
        pending.kind == StepKind::kMutexLock || pending.kind == StepKind::kSharedLock;
    return locks && pending.address == lock.lock && engine.thread_count() > nesting.thread &&
           engine.thread(nesting.thread).locks_taken + 1 == number;
  }
  static bool IsAtOuter(const LockNesting& nesting, const Pick& pick) {
    return IsAt(nesting, nesting.outer, nesting.outer_number, pick);
  }
  static bool IsAtInner(const LockNesting& nesting, const Pick& pick) {
    return IsAt(nesting, nesting.inner, nesting.inner_number, pick);
  }
  static bool HasOuter(const LockNesting& nesting) {
    return engine.thread_count() > nesting.thread &&
           engine.thread(nesting.thread).locks_taken >= nesting.outer_number;
  }

  bool IsHeld(int thread, const Pick& pick) const {
    for (const Part& part : parts_) {
      if (part.nesting.thread != thread || part.released) continue;
      return IsAtInner(part.nesting, pick) || (!all_at_outer_ && IsAtOuter(part.nesting, pick));
    }
    return false;
  }
  bool IsInCycle(int thread) const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [thread](const Part& part) { return part.nesting.thread == thread; });
  }

  int ChooseThread(const Pick& pick) {
    if (!all_at_outer_) {
      all_at_outer_ = std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
        return HasOuter(part.nesting) || IsAtOuter(part.nesting, pick);
      });
    }
    const bool all_at_inner = std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
      return IsAtInner(part.nesting, pick);
    });
    if (all_at_inner) {
      for (Part& part : parts_) part.released = true;
    }
    for (;;) {
      const int thread = Best(pick);
      if (thread >= 0) return ChoiceOfThread(pick, thread);
      Release(pick);
    }
  }

  // Who goes on; -1: all that can are held back.
  int Best(const Pick& pick) const {
    int best = -1;
    int best_rank = 0;
    for (const int thread : MembersOf(pick.candidates)) {
      if (IsHeld(thread, pick)) continue;
      const int rank = RankOf(thread, pick);
      if (best >= 0 && rank <= best_rank) continue;
      best = thread;
      best_rank = rank;
    }
    return best;
  }

  int RankOf(int thread, const Pick& pick) const {
    if (engine.IsBlocked(engine.thread(thread))) return 1;  // by a time-out only
    if (thread == first_) return 5;
    if (plan_ != 0 && IsInCycle(thread)) return 2;
    return thread == pick.first ? 4 : 3;
  }

  // One that is held back goes on after all.
  void Release(const Pick& pick) {
    if (!all_at_outer_) {
      all_at_outer_ = true;
      return;
    }
    for (Part& part : parts_) {
      if (part.released || !Has(pick.candidates, part.nesting.thread)) continue;
      part.released = true;
      return;
    }
  }

  std::vector<Part> parts_;
  std::vector<Answers> answers_;
  const int plan_;
  int first_ = -1;
  bool all_at_outer_ = true;
};

// Whether the execution has ended with each of the threads waiting for its inner lock.
bool IsDeadlockOf(const std::vector<Part>& parts, const Verdict& verdict) {
  if (verdict.kind != VerdictKind::kDeadlock) return false;
  ThreadSet threads = 0;
  for (const Part& part : parts) {
    Insert(threads, part.nesting.thread);
    if (engine.thread_count() <= part.nesting.thread ||
        engine.thread(part.nesting.thread).wait_address != part.nesting.inner.lock)
      return false;
  }
  return lock_order.deadlocked() == threads;
}

Verdict Describe(Program& program, const std::vector<Part>& parts) {
  Verdict verdict;
  verdict.kind = VerdictKind::kLockOrder;
  std::vector<std::string> operations;
  std::string message;
  const LockNesting* last = nullptr;
  for (const Part& part : parts) {
    const LockNesting& nesting = part.nesting;
    message += "thread " + std::to_string(nesting.thread) + " took " + NameOf(nesting.inner.lock) +
               " in step " + std::to_string(nesting.inner_step) + " while it held " +
               NameOf(nesting.outer.lock) + " since step " + std::to_string(nesting.outer_step) +
               "; ";
    operations.push_back(program.OperationName(nesting.operation));
    if (last == nullptr || nesting.inner_step > last->inner_step) last = &nesting;
  }
  verdict.message = "threads could wait for each other: " + message +
                    "each of them stopped in between, the program ends in a deadlock";
  verdict.signature =
      std::string(VerdictKindName(verdict.kind)) + "|threads could wait for each other";
  std::sort(operations.begin(), operations.end());
  operations.erase(std::unique(operations.begin(), operations.end()), operations.end());
  for (const std::string& operation : operations) {
    if (!operation.empty()) verdict.signature += "|" + operation;
  }
  verdict.thread = last->thread;
  verdict.step = last->inner_step;
  return verdict;
}

// Where each part took its two locks; then, once for each lock, where its memory comes from.
void AddPlaces(const LockCycle& cycle, Trace& trace) {
  std::vector<TracePlace> allocated;
  for (int i = 0; i < cycle.size; ++i) {
    const std::span<const TracePlace> places = LastLockNestings().Places(cycle.nestings[i]);
    if (places.empty()) continue;
    trace.places.insert(trace.places.end(), places.begin(), places.begin() + 2);
    // The inner lock is the next one's outer lock.
    if (!places[2].what.empty()) allocated.push_back(places[2]);
  }
  trace.places.insert(trace.places.end(), allocated.begin(), allocated.end());
}

}  // namespace

std::optional<Verdict> TryLockOrder(Program& program, const ExecutionOptions& options,
                                    Trace* trace) {
  // Trials do not count, and what is known of the execution stays.
  const Engine::Totals totals = engine.totals();
  lock_order.Rest(true);
  std::vector<Answers> answers;
  for (int thread = 0; thread < engine.thread_count(); ++thread) {
    answers.push_back({lock_order.AnswersOf(PickKind::kData, thread),
                       lock_order.AnswersOf(PickKind::kAllocationFailure, thread)});
  }
  ExecutionOptions trial = options;
  trial.lock_order = false;
  std::optional<Verdict> verdict;
  for (const LockCycle& cycle : lock_order.cycles()) {
    std::vector<Part> parts;
    for (int i = 0; i < cycle.size; ++i)
      parts.push_back({lock_order.nestings()[cycle.nestings[i]]});
    for (int plan = 0; plan <= cycle.size && !verdict; ++plan) {
      Steering steering(parts, answers, plan);
      ChoiceRecorder choices(steering);
      choices.BeginExecution();
      if (!IsDeadlockOf(parts, engine.Execute(program, choices, trial, nullptr))) continue;
      deadlock_choices = {choices.exceptions(), choices.memory_exceptions()};
      verdict = Describe(program, parts);
    }
    if (!verdict) continue;
    if (trace != nullptr) AddPlaces(cycle, *trace);
    break;
  }
  engine.SetTotals(totals);
  lock_order.Rest(false);
  if (!verdict) lock_order.AcquitAll();
  return verdict;
}

}  // namespace jacquard::sim
