// A scenario that misbehaves in every way that a harness must survive, each on request.
#include <atomic>
#include <cstdlib>

#include "fuzzers/scenario.h"

std::atomic<int> count_of_all = 0;

class MisbehavingScenario {
 public:
  static constexpr int kMaxThreads = 2;

  ~MisbehavingScenario() {
    if (aborts_.load() != 0) std::abort();
  }

  static auto Operations() {
    return jacquard::Operations<MisbehavingScenario>{
        {"behave", &MisbehavingScenario::Behave},
        {"fail_check", &MisbehavingScenario::FailCheck},
        {"wait_for_ever", &MisbehavingScenario::WaitForEver},
        {"abort", &MisbehavingScenario::Abort},
        {"abort_in_the_destructor", &MisbehavingScenario::AbortInTheDestructor},
        {"fail_at_the_end", &MisbehavingScenario::FailAtTheEnd},
        {"fail_after_operation", &MisbehavingScenario::FailAfterOperation},
        {"compute_for_ever", &MisbehavingScenario::ComputeForEver},
    };
  }

  void Behave() { word_.fetch_add(1); }
  void FailCheck() {
    ++count_of_all;
    jacquard::Check(word_.load() < 0, "the word is negative");
  }
  void WaitForEver() { never_.wait(0); }
  void Abort() { std::abort(); }
  void AbortInTheDestructor() { aborts_.store(1); }
  void FailAtTheEnd() { final_.store(1); }
  void FailAfterOperation() { after_.store(1); }
  void ComputeForEver() {
    word_.load();
    for (volatile int x = 0;; x = x + 1) {
    }
  }

  void CheckAfterOperation(int) const {
    jacquard::Check(after_.load() == 0, "nothing fails after an operation");
  }
  void CheckFinal() const { jacquard::Check(final_.load() == 0, "nothing fails at the end"); }

 private:
  std::atomic<int> word_ = 0;
  std::atomic<int> never_ = 0;
  std::atomic<int> aborts_ = 0;
  std::atomic<int> after_ = 0;
  std::atomic<int> final_ = 0;
};

JACQUARD_FUZZ_TARGET(MisbehavingScenario)
