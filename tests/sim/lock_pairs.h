// Pairs of locks, and what must not be said of their order.
#ifndef JACQUARD_TESTS_SIM_LOCK_PAIRS_H_
#define JACQUARD_TESTS_SIM_LOCK_PAIRS_H_

#include <gtest/gtest.h>

#include <functional>
#include <mutex>

#include "tests/sim/searches.h"

namespace jacquard {

// Neither in the benign execution, nor in any of many others, is there a deadlock, or one that
// could have been.
inline void ExpectNone(const std::function<void()>& body) {
  const Verdict verdict = RunBenign(body);
  EXPECT_TRUE(verdict.passed()) << verdict.message;
  const ExploreResult result = Walk(body);
  ExpectPass(result);
}

template <class First, class Second>
void LockBoth(First& first, Second& second) {
  const std::lock_guard outer(first);
  const std::lock_guard inner(second);
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_LOCK_PAIRS_H_
