// What an exploration and a test framework tell each other. GoogleTest's side is googletest.cc,
// which is linked with GoogleTest and not with the runtime.
#ifndef JACQUARD_JACQUARD_TEST_FRAMEWORK_H_
#define JACQUARD_JACQUARD_TEST_FRAMEWORK_H_

#include <cstdint>
#include <string>

namespace jacquard {

struct TestFramework {
  // From `begin` to `end` an expectation that fails within an execution is that execution's verdict
  // (FailExecution), and none of the test itself.
  void (*begin)();
  void (*end)();
  // The test that is running, in the form that filters have; "" if there is none.
  std::string (*test_name)();
  // How many tests have begun so far: one that is repeated begins anew.
  uint64_t (*tests_begun)();
};

// `framework` must stay. There is one at most; to be called before main.
void SetTestFramework(const TestFramework* framework);

}  // namespace jacquard

#endif  // JACQUARD_JACQUARD_TEST_FRAMEWORK_H_
