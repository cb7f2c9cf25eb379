// The validator that keeps books: which lock each thread holds, and in which order locks are taken.
//
//   using Lock = SomeLock<lock::lockdep::Validator>;   // a lock with the hook of lock/validator.h
//   lockdep::Checked<std::mutex> mutex;                // any other one: checked.h
//
// It finds a deadlock without having to meet it: a lock that is taken in two orders is reported as
// soon as both have been seen, by whatever threads at whatever times. What is judged, and how:
// checker.h, graph.h, docs/lockdep.md. It works on real threads and in the simulation, where a
// report is the verdict of the execution.
//
// Thread-safe. An acquisition and its release cost some tens of nanoseconds and touch no memory
// that threads share, unless the chain of locks is new to the thread: then microseconds, under a
// mutex.
#ifndef JACQUARD_LOCK_LOCKDEP_VALIDATOR_H_
#define JACQUARD_LOCK_LOCKDEP_VALIDATOR_H_

#include <cstddef>

#include "lock/lockdep/map.h"
#include "lock/lockdep/report.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

// Out of line, uninstrumented: the caller's address is the place that reports name.
namespace calls {
void Acquire(const Map& map, AcquireMode mode, bool try_lock, int subclass, const void* nest_lock);
void Downgrade(const Map& map);
void Release(const Map& map);
Held IsHeld(const Map& map);
Held IsHeld(const Map& map, AcquireMode mode);
void RequireRcu(bool otherwise, const char* what);
void WaitForRcuReaders();
}  // namespace calls

struct Validator {
  using Map = lockdep::Map;

  // ---- as lock/validator.h says

  [[gnu::always_inline]] static void Acquire(Map& map, const Acquisition& acquisition) {
    calls::Acquire(map, acquisition.mode, acquisition.try_lock, acquisition.subclass,
                   acquisition.nest_lock);
  }
  [[gnu::always_inline]] static void Downgrade(Map& map) { calls::Downgrade(map); }
  [[gnu::always_inline]] static void Release(Map& map) { calls::Release(map); }
  // kUnknown after the first report.
  [[gnu::always_inline]] static Held IsHeld(const Map& map) { return calls::IsHeld(map); }
  // As a reader of either kind, or exclusively.
  [[gnu::always_inline]] static Held IsHeld(const Map& map, AcquireMode mode) {
    return calls::IsHeld(map, mode);
  }

  // ---- RCU, for the one of the process; one that is an object has a Map of its own, of which
  // readers are kSharedRecursive by a try-lock, and who waits for them takes and drops it.

  // Sections nest.
  static void RcuReadLock();
  static void RcuReadUnlock();
  // How deep the calling thread is in them; 0 where that is unknown.
  static int RcuReadDepth();
  // "suspicious RCU usage" unless the caller is in one, or `otherwise` something else protects what
  // it does. `what`: "a VMA is looked up".
  [[gnu::always_inline]] static void RequireRcu(const char* what, bool otherwise = false) {
    calls::RequireRcu(otherwise, what);
  }
  // Before waiting for all sections that have begun: see Checker::WaitForReaders.
  [[gnu::always_inline]] static void WaitForRcuReaders() { calls::WaitForRcuReaders(); }
};

static_assert(LockValidator<Validator>);

// ---- for the process as a whole

// Who is told of the report. Default: PrintReport; in the simulation, the execution's verdict.
// Returns who it was.
ReportHandler SetReportHandler(ReportHandler handler);

// False after a report.
bool IsOn();

// Forgets everything and switches on. No lock may be held, and nobody may be in a call: for tests.
void Reset();

// The memory ceases to be what it was: no lock in it may be held. For memory that is used again
// without a destructor; a Map's destructor does the same.
void CheckFreed(const void* begin, std::size_t size);

// The calling thread has done a piece of work after which it must hold nothing. Called by itself
// when a thread ends.
void CheckNothingHeld();

struct Statistics {
  std::size_t classes;  // seen in the process
  std::size_t edges;    // of the dependency graph, by kind
  std::size_t chains;   // that were validated
};
Statistics GetStatistics();

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_VALIDATOR_H_
