// A scenario for the tests of the codec and the text form: operations with 0 to 3 arguments, and
// nothing behind them.
#ifndef JACQUARD_TESTS_FUZZERS_TOY_SCENARIO_H_
#define JACQUARD_TESTS_FUZZERS_TOY_SCENARIO_H_

#include "fuzzers/scenario.h"

class ToyScenario {
 public:
  static constexpr int kMaxThreads = 3;

  static auto Operations() {
    return jacquard::Operations<ToyScenario>{
        {"none", &ToyScenario::None},
        {"one", &ToyScenario::One, {"a", 3}},
        {"two", &ToyScenario::Two, {"a", 2}, {"b", 4}},
        {"three", &ToyScenario::Three, {"a", 2}, {"b", 3}, {"c", 2}},
        {"lambda", [](ToyScenario& s) { return s.sum == 0; }},
    };
  }

  void None() { sum += 1; }
  bool One(int a) {
    sum += 10 * a;
    return a == 2;
  }
  const char* Two(int a, int b) {
    sum += 100 * a + 1000 * b;
    return "two";
  }
  void Three(int a, int b, int c) { sum += a + 2 * b + 4 * c; }

  int sum = 0;
};

#endif  // JACQUARD_TESTS_FUZZERS_TOY_SCENARIO_H_
