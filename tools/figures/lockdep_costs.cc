// What the lock validator costs: an uncontended read lock and unlock with it, without it, and how
// many times as long that is. One line for each: "NAME RATIO PLAIN CHECKED", in nanoseconds.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "lock/lockdep/validator.h"
#include "lock/mmap_lock.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard {
namespace {

using lock::lockdep::Validator;

constexpr int kRounds = 21;
constexpr int kLocks = 1'000'000;

// The locks, by the names that a benchmark has for both.
template <class Validator>
class MmapRead {
 public:
  bool Lock() {
    mm_.LockShared();
    return true;
  }
  void Unlock() { mm_.UnlockShared(); }

 private:
  lock::BasicMmapLock<lock::KernelWidths, Validator> mm_;
};

template <class Validator>
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
  bool Lock() { return vma_.StartRead(mm_) == lock::ReadResult::kLocked; }
  void Unlock() { vma_.EndRead(); }

 private:
  lock::BasicMmapLock<lock::KernelWidths, Validator> mm_;
  lock::BasicVmaLock<lock::KernelWidths, Validator> vma_;
};

double Now() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Nanoseconds of one read lock and unlock.
template <class Lock>
[[gnu::noinline]] double Measure(Lock& lock) {
  const double begin = Now();
  for (int i = 0; i < kLocks; ++i) {
    if (!lock.Lock()) std::abort();
    lock.Unlock();
  }
  return (Now() - begin) / kLocks;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

// Alternates, so that a busy machine slows down both.
template <template <class> class Lock>
void Compare(std::string_view name) {
  Lock<lock::NoValidator> plain;
  Lock<Validator> checked;
  std::vector<double> ratios, plain_costs, checked_costs;
  for (int round = 0; round < kRounds; ++round) {
    plain_costs.push_back(Measure(plain));
    checked_costs.push_back(Measure(checked));
    ratios.push_back(checked_costs.back() / plain_costs.back());
  }
  fmt::print("{} {} {} {}\n", name, Median(std::move(ratios)), Median(std::move(plain_costs)),
             Median(std::move(checked_costs)));
}

void Main() {
  Compare<MmapRead>("mmap_read");
  Compare<VmaRead>("vma_read");
  // While others are held: there is a chain to look at.
  Validator::Map one("one"), two("two");
  Validator::Acquire(one, {});
  Validator::Acquire(two, {});
  Compare<MmapRead>("mmap_read_within_two");
  Validator::Release(two);
  Validator::Release(one);
}

}  // namespace
}  // namespace jacquard

#pragma clang attribute pop

int main() {
  jacquard::Main();
  return jacquard::lock::lockdep::IsOn() ? 0 : 1;
}
