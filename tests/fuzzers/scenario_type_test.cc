// What is asked of a scenario class before its descriptor is made.
#include <gtest/gtest.h>

#include "fuzzers/scenario.h"
#include "tests/fuzzers/toy_scenario.h"

namespace jacquard {
namespace {

struct AllChecks {
  void OnStep(const Step& /*step*/) {}
  void CheckInvariant() const {}
  void CheckAfterOperation(int /*thread*/) const {}
  void CheckFinal() {}
};

struct NoChecks {};

struct StepResult : AllChecks {
  int OnStep(const Step& /*step*/) { return 0; }
};
struct InvariantResult : AllChecks {
  bool CheckInvariant() const { return false; }
};
struct OperationResult : AllChecks {
  bool CheckAfterOperation(int /*thread*/) const { return false; }
};
struct FinalResult : AllChecks {
  bool CheckFinal() { return false; }
};

template <typename S>
constexpr bool kAccepted = ScenarioFunctions<S>::kChecksReturnNothing;

TEST(ScenarioType, DropsNoResultOfACheck) {
  EXPECT_TRUE(kAccepted<NoChecks>);
  EXPECT_TRUE(kAccepted<AllChecks>);
  EXPECT_TRUE(kAccepted<ToyScenario>);
  EXPECT_FALSE(kAccepted<StepResult>);
  EXPECT_FALSE(kAccepted<InvariantResult>);
  EXPECT_FALSE(kAccepted<OperationResult>);
  EXPECT_FALSE(kAccepted<FinalResult>);
}

}  // namespace
}  // namespace jacquard
