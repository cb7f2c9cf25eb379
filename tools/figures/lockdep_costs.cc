// What the lock validator costs: an uncontended read lock and unlock with it, without it, and how
// many times as long that is. One line for each: "NAME RATIO PLAIN CHECKED", in nanoseconds.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "lock/lockdep/checked.h"
#include "lock/lockdep/validator.h"
#include "lock/mmap_lock.h"
#include "lock/rw_semaphore.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard {
namespace {

using lock::AcquireMode;
using lock::NoValidator;
using lock::lockdep::Checked;

constexpr int kRounds = 21;
constexpr int kLocks = 1'000'000;

// The locks, with the names that Checked wants.
class MmapRead {
 public:
  void lock_shared() { mm_.LockShared(); }
  void unlock_shared() { mm_.UnlockShared(); }
  bool try_lock_shared() { return mm_.TryLockShared(); }

 private:
  lock::MmapLock mm_;
};

class VmaRead {
 public:
  VmaRead() : vma_(mm_) {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkAttached(mm_);
    mm_.Unlock();
  }
  ~VmaRead() {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkDetached(mm_);
    mm_.Unlock();
  }
  bool try_lock_shared() { return vma_.StartRead(mm_) == lock::ReadResult::kLocked; }
  void unlock_shared() { vma_.EndRead(); }

 private:
  lock::MmapLock mm_;
  lock::VmaLock vma_;
};

double Now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Nanoseconds of one read lock and unlock.
template <bool kTry, class Lock>
[[gnu::noinline]] double Measure(Lock& lock) {
  const double begin = Now();
  for (int i = 0; i < kLocks; ++i) {
    if constexpr (kTry) {
      if (!lock.try_lock_shared()) return 0;
    } else {
      lock.lock_shared();
    }
    lock.unlock_shared();
  }
  return (Now() - begin) / kLocks;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

// Alternates, so that a busy machine slows down both.
template <bool kTry, class Lock>
void Compare(std::string_view name) {
  Checked<Lock, AcquireMode::kShared, NoValidator> plain("plain");
  Checked<Lock> checked("checked");
  std::vector<double> ratios, plain_costs, checked_costs;
  for (int round = 0; round < kRounds; ++round) {
    plain_costs.push_back(Measure<kTry>(plain));
    checked_costs.push_back(Measure<kTry>(checked));
    ratios.push_back(checked_costs.back() / plain_costs.back());
  }
  fmt::print("{} {} {} {}\n", name, Median(std::move(ratios)), Median(std::move(plain_costs)),
             Median(std::move(checked_costs)));
}

void Main() {
  Compare<false, MmapRead>("mmap_read");
  Compare<true, VmaRead>("vma_read");
  // While others are held: there is a chain to look at.
  lock::lockdep::Validator::Map one("one"), two("two");
  lock::lockdep::Validator::Acquire(one, {});
  lock::lockdep::Validator::Acquire(two, {});
  Compare<false, MmapRead>("mmap_read_within_two");
  lock::lockdep::Validator::Release(two);
  lock::lockdep::Validator::Release(one);
}

}  // namespace
}  // namespace jacquard

#pragma clang attribute pop

int main() {
  jacquard::Main();
  return jacquard::lock::lockdep::IsOn() ? 0 : 1;
}
