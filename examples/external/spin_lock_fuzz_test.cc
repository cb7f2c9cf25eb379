// Threads that add to a number under the lock, in all orders and as often as an input says.
#include "fuzzers/scenario.h"
#include "spin_lock.h"

class SpinLockScenario {
 public:
  static constexpr int kMaxThreads = 3;

  static auto Operations() {
    return jacquard::Operations<SpinLockScenario>{{"add", &SpinLockScenario::Add, {"number", 3}}};
  }

  void Add(int number) {
    lock_.lock();
    counter_ += number;
    lock_.unlock();
    sum_.fetch_add(number, std::memory_order_relaxed);
  }

  void CheckFinal() const { jacquard::Check(counter_ == sum_, "nothing added is lost"); }

 private:
  SpinLock lock_;
  int counter_ = 0;
  std::atomic<int> sum_{0};
};
JACQUARD_FUZZ_TARGET(SpinLockScenario)
