// Two mutexes that are taken in two orders, by one thread after the other: no deadlock, but what
// could become one.
#include <mutex>

#include "fuzzers/scenario.h"
#include "lock/lockdep/checked.h"
#include "lock/lockdep/validator.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

using lock::lockdep::Checked;
using lock::lockdep::Report;

class TwoOrdersScenario {
 public:
  static constexpr int kMaxThreads = 1;

  static auto Operations() {
    using S = TwoOrdersScenario;
    return jacquard::Operations<S>{
        {"one_then_other", &S::OneThenOther},
        {"other_then_one", &S::OtherThenOne},
    };
  }

  static void UseValidator(bool on) {
    lock::lockdep::SetReportHandler(
        on ? [](const Report&
                    report) { Fail("lock validator", lock::lockdep::HeadlineOf(report.rule)); }
           : [](const Report& /*report*/) {});
  }

  void OneThenOther() {
    const std::lock_guard first(one_);
    const std::lock_guard second(other_);
  }
  void OtherThenOne() {
    const std::lock_guard first(other_);
    const std::lock_guard second(one_);
  }

 private:
  Checked<std::mutex> one_{"one"};
  Checked<std::mutex> other_{"other"};
};

}  // namespace
}  // namespace jacquard

JACQUARD_FUZZ_TARGET(jacquard::TwoOrdersScenario)
