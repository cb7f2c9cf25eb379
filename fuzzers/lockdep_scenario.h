// The scenario of the lock validator: threads that take and drop five locks of four classes, and
// sections of RCU, or say they do, and after each call the validator is compared with a naive
// oracle.
//
// Nobody waits: what is told to the validator need not be so. The calls are made one at a time, in
// whatever order the schedule has. Misuse is among the operations, as the validator has to see it;
// the first report switches it off, and from then on it must say nothing and know nothing.
#ifndef JACQUARD_FUZZERS_LOCKDEP_SCENARIO_H_
#define JACQUARD_FUZZERS_LOCKDEP_SCENARIO_H_

#include <mutex>
#include <optional>
#include <string>

#include "fuzzers/lockdep_oracle.h"
#include "fuzzers/scenario.h"
#include "lock/lockdep/validator.h"
#include "lock/validator.h"
#include "sim/runtime.h"

namespace jacquard {

class LockdepScenario {
 public:
  using Mode = lock::AcquireMode;
  using Rule = lock::lockdep::Rule;
  using Validator = lock::lockdep::Validator;

  static constexpr int kMinThreads = 2;
  static constexpr int kMaxThreads = 4;
  static constexpr int kLocks = 5;  // 0 and 1 are of one class

  static auto Operations() {
    using S = LockdepScenario;
    return jacquard::Operations<S>{
        {"lock", &S::Lock, {"lock", kLocks}},
        {"lock_shared", &S::LockShared, {"lock", kLocks}},
        {"lock_recursive", &S::LockRecursive, {"lock", kLocks}},
        {"try_lock", &S::TryLock, {"lock", kLocks}},
        {"try_lock_shared", &S::TryLockShared, {"lock", kLocks}},
        {"lock_nested", &S::LockNested, {"lock", kLocks}},
        {"lock_within", &S::LockWithin, {"lock", kLocks}, {"outer", kLocks}},
        {"unlock", &S::Unlock, {"lock", kLocks}},  // skipped where it is not held
        {"unlock_newest", &S::UnlockNewest},
        {"downgrade", &S::Downgrade, {"lock", kLocks}},
        {"unlock_anyway", &S::UnlockAnyway, {"lock", kLocks}},
        {"free", &S::Free, {"lock", kLocks}},
        {"finish", &S::Finish},
        {"rcu_enter", &S::RcuEnter},
        {"rcu_leave", &S::RcuLeave},  // skipped outside of a section
        {"rcu_require", &S::RcuRequire},
        {"rcu_or_lock", &S::RcuOrLock, {"lock", kLocks}},  // either is good enough
        {"rcu_wait", &S::RcuWait},
    };
  }

  LockdepScenario() {
    lock::lockdep::Reset();
    said = {};
    lock::lockdep::SetReportHandler(
        [](const lock::lockdep::Report& report) { said = report.rule; });
  }

  const char* Lock(int lock) { return Take(lock, {}); }
  const char* LockShared(int lock) { return Take(lock, {.mode = Mode::kShared}); }
  const char* LockRecursive(int lock) { return Take(lock, {.mode = Mode::kSharedRecursive}); }
  const char* TryLock(int lock) { return Take(lock, {.try_lock = true}); }
  const char* TryLockShared(int lock) {
    return Take(lock, {.mode = Mode::kShared, .try_lock = true});
  }
  const char* LockNested(int lock) { return Take(lock, {.subclass = 1}); }
  const char* LockWithin(int lock, int outer) {
    return Take(lock, {.nest_lock = &maps_[outer]}, outer);
  }

  const char* Unlock(int lock) {
    const std::lock_guard one_at_a_time(mutex_);
    if (oracle_.IsHeld(CurrentThread(), lock) != lock::Held::kYes) return "skipped";
    return Drop(lock);
  }
  const char* UnlockNewest() {
    const std::lock_guard one_at_a_time(mutex_);
    const auto& held = oracle_.HeldBy(CurrentThread());
    if (held.empty() || oracle_.off()) return "skipped";
    return Drop(held.back().instance);
  }
  const char* UnlockAnyway(int lock) {
    const std::lock_guard one_at_a_time(mutex_);
    return Drop(lock);
  }
  const char* Downgrade(int lock) {
    const std::lock_guard one_at_a_time(mutex_);
    Validator::Downgrade(maps_[lock]);
    return Compare(oracle_.Downgrade(CurrentThread(), lock));
  }
  const char* Free(int lock) {
    const std::lock_guard one_at_a_time(mutex_);
    lock::lockdep::CheckFreed(&maps_[lock], sizeof(maps_[lock]));
    return Compare(oracle_.Free(lock));
  }
  const char* Finish() {
    const std::lock_guard one_at_a_time(mutex_);
    lock::lockdep::CheckNothingHeld();
    return Compare(oracle_.Finish(CurrentThread()));
  }

  const char* RcuEnter() {
    const std::lock_guard one_at_a_time(mutex_);
    Validator::RcuReadLock();
    return Compare(oracle_.Acquire(CurrentThread(), {.instance = kRcu,
                                                     .class_number = kRcuClass,
                                                     .mode = Mode::kSharedRecursive,
                                                     .try_lock = true}));
  }
  const char* RcuLeave() {
    const std::lock_guard one_at_a_time(mutex_);
    if (oracle_.IsHeld(CurrentThread(), kRcu) != lock::Held::kYes) return "skipped";
    return Drop(kRcu);
  }
  const char* RcuRequire() {
    const std::lock_guard one_at_a_time(mutex_);
    Validator::RequireRcu("something is looked up");
    return Compare(oracle_.RequireRcu(CurrentThread(), kRcu));
  }
  const char* RcuOrLock(int lock) {
    const std::lock_guard one_at_a_time(mutex_);
    const bool held = Validator::IsHeld(maps_[lock]) == lock::Held::kYes;
    Validator::RequireRcu("something is looked up", held);
    return Compare(held ? std::nullopt : oracle_.RequireRcu(CurrentThread(), kRcu));
  }
  const char* RcuWait() {
    const std::lock_guard one_at_a_time(mutex_);
    Validator::WaitForRcuReaders();
    return Compare(oracle_.WaitForReaders(CurrentThread(), kRcu, kRcuClass));
  }

  void EndThread() {
    const std::lock_guard one_at_a_time(mutex_);
    while (!oracle_.off() && !oracle_.HeldBy(CurrentThread()).empty())
      Drop(oracle_.HeldBy(CurrentThread()).back().instance);
  }

 private:
  static constexpr int kClassOf[kLocks] = {0, 0, 1, 2, 3};
  static constexpr int kRcu = kLocks;  // as an instance
  static constexpr int kRcuClass = 100;

  // `outer`: the number of the nest lock, if there is one.
  const char* Take(int lock, const lock::Acquisition& acquisition, std::optional<int> outer = {}) {
    const std::lock_guard one_at_a_time(mutex_);
    Validator::Acquire(maps_[lock], acquisition);
    return Compare(oracle_.Acquire(CurrentThread(),
                                   {.instance = lock,
                                    .class_number = kClassOf[lock] + 10 * acquisition.subclass,
                                    .mode = acquisition.mode,
                                    .try_lock = acquisition.try_lock,
                                    .nest_lock = outer}));
  }

  const char* Drop(int lock) {
    if (lock == kRcu) {
      Validator::RcuReadUnlock();
    } else {
      Validator::Release(maps_[lock]);
    }
    return Compare(oracle_.Release(CurrentThread(), lock));
  }

  // What the validator has just said, and what it knows.
  const char* Compare(std::optional<Rule> expected) {
    if (expected && !said) Fail("missed", lock::lockdep::HeadlineOf(*expected));
    if (!expected && said) Fail("false alarm", lock::lockdep::HeadlineOf(*said));
    if (expected && *expected != *said) {
      Fail("wrong rule", std::string(lock::lockdep::HeadlineOf(*said)) + " instead of " +
                             lock::lockdep::HeadlineOf(*expected));
    }
    said = {};
    Check(lock::lockdep::IsOn() == !oracle_.off(), "switches off with the first report");
    const lock::lockdep::Statistics statistics = lock::lockdep::GetStatistics();
    Check(oracle_.off() || statistics.edges == oracle_.dependencies(),
          "keeps each dependency once");
    const int thread = CurrentThread();
    for (int lock = 0; lock < kLocks; ++lock) {
      Check(Validator::IsHeld(maps_[lock]) == oracle_.IsHeld(thread, lock), "knows what is held");
      Check(
          Validator::IsHeld(maps_[lock], Mode::kExclusive) == oracle_.IsHeld(thread, lock, true) &&
              Validator::IsHeld(maps_[lock], Mode::kShared) == oracle_.IsHeld(thread, lock, false),
          "knows how it is held");
    }
    Check(Validator::RcuReadDepth() == oracle_.CountHeld(thread, kRcu), "knows how deep in RCU");
    return expected ? lock::lockdep::HeadlineOf(*expected) : nullptr;
  }

  static inline std::optional<Rule> said;  // by the call that is going on

  std::mutex mutex_;
  LockdepOracle oracle_{kMaxThreads};
  Validator::Map maps_[kLocks] = {Validator::Map("a"), Validator::Map("a"), Validator::Map("b"),
                                  Validator::Map("c"), Validator::Map("d")};
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_LOCKDEP_SCENARIO_H_
