// The order in which locks are taken: cycles in it, also where no deadlock has happened.
//
// In an execution the runtime writes down which lock each thread took while it held which others
// (LockNesting). Nestings of different threads that wait for each other in a circle, which nothing
// but the schedule keeps apart, could become a deadlock (Havelund, "Using Runtime Analysis to Guide
// Model Checking of Java Programs", 2000, with its gate locks; Bensalem and Havelund, 2005, for
// what creation and join order). Much else may keep them apart: a flag, a barrier, a queue. So a
// cycle is a suspicion, which is tried: the program is executed again with each thread of the cycle
// held back before its inner lock, as long as others can run (Joshi, Park, Sen and Naik, "A
// Randomized Dynamic Program Analysis Technique for Detecting Real Deadlocks", PLDI 2009). Only if
// that ends in the deadlock is there a verdict.
//
// Costs nothing where no thread takes a second lock.
#ifndef JACQUARD_SIM_LOCK_ORDER_H_
#define JACQUARD_SIM_LOCK_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sim/execute.h"
#include "sim/lock_nesting.h"
#include "sim/strategy.h"
#include "sim/thread.h"
#include "sim/thread_set.h"

namespace jacquard::sim {

// Nestings that wait for each other in a circle: each for the next one, the last for the first.
struct LockCycle {
  static constexpr int kMost = 4;
  int size = 0;
  uint16_t nestings[kMost] = {};
};

class LockOrder {
 public:
  // ---- while an execution is going on

  void Begin(bool wanted);
  // While it rests, what it knows of the last execution stays, whatever else is executed.
  void Rest(bool rests) { rests_ = rests; }
  // The running thread has taken the last one of its locks, which are several, and would have
  // waited for it.
  void Nest(const SimThread& thread);
  void Created(int parent, const SimThread& child) { Fork(parent, child, false); }
  void Joined(int joiner, const SimThread& child) { Fork(joiner, child, true); }
  // A thread gets `choice` for something other than the schedule.
  void NoteAnswer(PickKind kind, int thread, int choice) {
    if (wanted_ && !rests_ && answer_count_ < kMostAnswers)
      answers_[answer_count_++] = {kind, static_cast<int16_t>(thread), choice};
  }
  // A deadlock has been found: these wait for each other.
  void NoteDeadlock(ThreadSet threads) { deadlocked_ = threads; }

  // ---- afterwards

  // Whether there is a cycle that has not been tried in vain too often.
  bool HasSuspects() { return count_ > 1 && FindCycles(); }
  const std::vector<LockCycle>& cycles() const { return cycles_; }
  std::span<const LockNesting> nestings() const { return {nestings_, static_cast<size_t>(count_)}; }
  uint64_t key() const { return key_; }
  ThreadSet deadlocked() const { return deadlocked_; }
  const std::vector<TracePlace>& places() const { return places_; }
  std::vector<uint64_t> EndedBefore(const LockNesting& nesting) const;
  std::vector<uint64_t> CreatedAfter(const LockNesting& nesting) const;
  // What `thread` was answered, one after another.
  std::vector<int> AnswersOf(PickKind kind, int thread) const;
  // All of the cycles were tried in vain.
  void AcquitAll();

 private:
  static constexpr int kMostNestings = 256;
  static constexpr int kMostForks = 1024;
  static constexpr int kMostAnswers = 1024;
  static constexpr int kRecent = 64;
  static constexpr int kKnown = 1024;

  struct ForkEvent {
    uint64_t lineage;  // of the child
    int16_t who;
    int16_t whom;
    bool joins;
  };
  struct GivenAnswer {
    PickKind kind;
    int16_t thread;
    int choice;
  };

  void Fork(int who, const SimThread& child, bool joins) {
    if (!wanted_ || rests_) return;
    if (fork_count_ < kMostForks) {
      forks_[fork_count_] = {child.lineage, static_cast<int16_t>(who),
                             static_cast<int16_t>(child.id), joins};
    }
    ++fork_count_;
  }
  // What `From` did before the event is before what `To` does after it.
  static int From(const ForkEvent& event) { return event.joins ? event.whom : event.who; }
  static int To(const ForkEvent& event) { return event.joins ? event.who : event.whom; }
  void Add(const SimThread& thread, const HeldLock& outer, const HeldLock& inner, uint64_t key);
  bool FindCycles();
  void Extend(LockCycle& path, int& budget);
  uint64_t CycleKey(const LockCycle& cycle) const;
  // Whether creations and joins put `one` before `other`.
  bool IsBefore(const LockNesting& one, const LockNesting& other) const;
  uint64_t ForksKey() const;

  bool wanted_ = false;
  bool rests_ = false;
  int count_ = 0;
  int answer_count_ = 0;
  uint32_t fork_count_ = 0;
  uint64_t key_ = 0;
  ThreadSet deadlocked_ = 0;
  // In pages of its own: a pointer in the executable's data hides a leak.
  LockNesting* nestings_ = nullptr;
  uint64_t recent_[kRecent] = {};  // keys of nestings that are there already
  uint64_t known_[kKnown] = {};    // keys of executions without a cycle
  ForkEvent forks_[kMostForks] = {};
  GivenAnswer answers_[kMostAnswers] = {};
  std::vector<TracePlace> places_;
  std::vector<LockCycle> cycles_;
  std::vector<std::pair<uint64_t, int>> tried_;  // cycles, and how often in vain
};

extern LockOrder lock_order;

// The execution has passed, and there are suspects. Tries them; the verdict, if one of them becomes
// a deadlock. A recorded execution's trace gets the places.
std::optional<Verdict> TryLockOrder(Program& program, const ExecutionOptions& options,
                                    Trace* trace);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LOCK_ORDER_H_
