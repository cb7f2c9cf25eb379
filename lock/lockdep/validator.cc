#include "lock/lockdep/validator.h"

#include "lock/lockdep/this_thread.h"

namespace jacquard::lock::lockdep {
namespace {

// The RCU of the process.
constinit Map rcu("rcu_read_lock");

}  // namespace

#define JACQUARD_LOCKDEP_PLACE reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))

Map::~Map() { CheckFreed(this, sizeof(*this)); }

namespace calls {

void Acquire(const Map& map, AcquireMode mode, bool try_lock, int subclass, const void* nest_lock) {
  Task* const task = CurrentTask();
  if (task == nullptr) return;
  TheChecker().Acquire(
      *task, map,
      {.mode = mode, .try_lock = try_lock, .subclass = subclass, .nest_lock = nest_lock},
      JACQUARD_LOCKDEP_PLACE);
}

void Downgrade(const Map& map) {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().Downgrade(*task, map, JACQUARD_LOCKDEP_PLACE);
}

void Release(const Map& map) {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().Release(*task, map, JACQUARD_LOCKDEP_PLACE);
}

Held IsHeld(const Map& map) {
  Task* const task = CurrentTask();
  return task == nullptr ? Held::kUnknown : TheChecker().IsHeld(*task, map);
}

Held IsHeld(const Map& map, AcquireMode mode) {
  Task* const task = CurrentTask();
  return task == nullptr ? Held::kUnknown : TheChecker().IsHeld(*task, map, mode);
}

void RequireRcu(bool otherwise, const char* what) {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().CheckRcu(*task, rcu, otherwise, what, JACQUARD_LOCKDEP_PLACE);
}

void WaitForRcuReaders() {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().WaitForReaders(*task, rcu, JACQUARD_LOCKDEP_PLACE);
}

}  // namespace calls

// Whoever enters a section never waits.
void Validator::RcuReadLock() {
  Task* const task = CurrentTask();
  if (task == nullptr) return;
  TheChecker().Acquire(*task, rcu, {.mode = AcquireMode::kSharedRecursive, .try_lock = true},
                       JACQUARD_LOCKDEP_PLACE);
}

void Validator::RcuReadUnlock() {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().Release(*task, rcu, JACQUARD_LOCKDEP_PLACE);
}

int Validator::RcuReadDepth() {
  Task* const task = CurrentTask();
  return task == nullptr ? 0 : TheChecker().CountHeld(*task, rcu);
}

ReportHandler SetReportHandler(ReportHandler handler) { return TheChecker().SetHandler(handler); }

bool IsOn() { return TheChecker().IsOn(); }

void Reset() { TheChecker().Reset(); }

void CheckFreed(const void* begin, std::size_t size) {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().CheckFreed(*task, begin, size, JACQUARD_LOCKDEP_PLACE);
}

void CheckNothingHeld() {
  Task* const task = CurrentTask();
  if (task != nullptr) TheChecker().CheckNothingHeld(*task, JACQUARD_LOCKDEP_PLACE);
}

Statistics GetStatistics() {
  const Checker::Statistics statistics = TheChecker().statistics();
  return {statistics.classes, statistics.edges, statistics.chains};
}

}  // namespace jacquard::lock::lockdep
