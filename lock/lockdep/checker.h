// The rules: what a thread may do with its locks, judged by what all threads have done so far.
//
// On acquiring a lock that may have to be waited for:
//   * A lock of the same class must not be held already, unless both are readers and the new one is
//     a recursive reader, or the acquisition names a nest lock that was taken before the first of
//     them.
//   * Waiting while holding others must not close a strong cycle (graph.h).
// On a try-lock neither is asked: who does not wait is no part of a deadlock by it. But what is
// taken after it is ordered behind it.
// On releasing one, it must be held by this thread. When a lock is destroyed, nobody may hold it.
// When a thread ends, it may hold none.
//
// A chain, that is the locks that a thread holds with the one that it is about to take, is looked
// at once; after that the thread knows it by its hash (64 bits: two chains of 2^32 might be taken
// for one another, and a bug be missed). So a lock that is taken in an order seen before costs
// neither a shared lock nor a shared write.
//
// The first report switches everything off: the books are not kept any more, and IsHeld answers
// kUnknown. There are no limits but memory.
#ifndef JACQUARD_LOCK_LOCKDEP_CHECKER_H_
#define JACQUARD_LOCK_LOCKDEP_CHECKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "lock/lockdep/classes.h"
#include "lock/lockdep/graph.h"
#include "lock/lockdep/map.h"
#include "lock/lockdep/places.h"
#include "lock/lockdep/report.h"
#include "lock/lockdep/task.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

// Thread-safe; each Task is one thread's. `place` is the return address of the call, for reports.
class Checker {
 public:
  // Fills in the calls that led to `place`, from there outwards.
  using StackCapture = void (*)(std::uintptr_t place, Stack& stack);

  Checker(StackCapture capture, ReportHandler handler) : capture_(capture), handler_(handler) {}
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // Returns the one before.
  ReportHandler SetHandler(ReportHandler handler) {
    // Relaxed: a function's address, which stands for nothing else.
    return handler_.exchange(handler, std::memory_order_relaxed);
  }

  // False after the first report.
  bool IsOn() const { return Generation() != 0; }
  // Begins anew, with nothing known, and switches on. No lock may be held.
  void Reset();

  // A thread that exists; it must be removed before it vanishes.
  void AddTask(Task& task);
  void RemoveTask(Task& task);

  void Acquire(Task& task, const Map& map, const Acquisition& acquisition, std::uintptr_t place);
  void Downgrade(Task& task, const Map& map, std::uintptr_t place);
  void Release(Task& task, const Map& map, std::uintptr_t place);
  Held IsHeld(Task& task, const Map& map);
  // kShared and kSharedRecursive ask the same.
  Held IsHeld(Task& task, const Map& map, AcquireMode mode);
  // How often the thread holds it; 0 where that is unknown.
  int CountHeld(Task& task, const Map& map);

  // The memory ceases to be what it was.
  void CheckFreed(Task& task, const void* begin, std::size_t size, std::uintptr_t place);
  // The thread ends, or has done a piece of work that must leave nothing locked.
  void CheckNothingHeld(Task& task, std::uintptr_t place);
  // `what` needs an RCU read-side section. `otherwise`: something else protects as well.
  void CheckRcu(Task& task, const Map& rcu, bool otherwise, const char* what, std::uintptr_t place);
  // The caller is going to wait until all read-side sections that have begun are over: it must be
  // in none itself, nor hold what somebody in one may wait for.
  void WaitForReaders(Task& task, const Map& rcu, std::uintptr_t place);

  struct Statistics {
    std::size_t classes;
    std::size_t edges;
    std::size_t chains;
  };
  Statistics statistics();

 private:
  enum class SameClass { kNone, kNested, kRecursion };

  std::uint32_t Generation() const {
    // Relaxed: pairs with nothing; whoever sees late that checking is off does no harm.
    return generation_.load(std::memory_order_relaxed);
  }
  // False: off. Else the task's books are those of now.
  bool Begin(Task& task) {
    const std::uint32_t generation = Generation();
    if (generation == 0) [[unlikely]]
      return false;
    if (task.generation() != generation) [[unlikely]]
      task.Restart(generation);
    return true;
  }
  ClassId ClassOf(Task& task, const Map& map, int subclass) {
    const ClassId* const known = task.FindClass(map.name(), map.line(), subclass);
    return known != nullptr ? *known : FindClass(task, map, subclass);
  }
  ClassId FindClass(Task& task, const Map& map, int subclass);
  static SameClass FindSameClass(const Task& task, ClassId class_id, const Acquisition& acquisition,
                                 int* held);
  // Looks at a chain that the thread does not know. False: reported.
  bool Validate(Task& task, ClassId class_id, AcquireMode mode, std::uintptr_t place,
                std::uint64_t chain);
  Taking Describe(const Task& task, AcquireMode mode, std::uintptr_t place) const;
  // Says it, unless somebody was faster. `lock` is released.
  void Publish(std::unique_lock<std::mutex> lock, Report report);

  const StackCapture capture_;
  std::atomic<ReportHandler> handler_;
  std::atomic<std::uint32_t> generation_ = 1;  // 0: off

  std::mutex mutex_;  // of everything below
  std::uint32_t generations_ = 1;
  ClassTable classes_;
  DependencyGraph graph_;
  std::unordered_set<std::uint64_t> chains_;
  std::vector<Task*> tasks_;
  Report report_;  // kept here: the stack of who is told may be given up
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_CHECKER_H_
