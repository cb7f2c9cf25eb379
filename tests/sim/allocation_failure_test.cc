// Allocations that fail as a decision.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <string>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

ExploreResult SearchFailures(const std::function<void()>& body) {
  Closure program([&body] {
    TakeStep();
    body();
  });
  DepthFirst search;
  ExploreOptions options;
  options.execution.allocations_may_fail = true;
  options.stop_at_first_bug = false;
  return Explore(program, search, options);
}

TEST(AllocationFailure, IsADecisionOfEachAllocation) {
  const ExploreResult result = SearchFailures([] {
    void* const a = Hide(std::malloc(8));
    void* const b = Hide(new (std::nothrow) int);
    int* c = nullptr;
    try {
      c = Hide(new int(1));
    } catch (const std::bad_alloc&) {
    }
    {
      const Ghost ghost;  // not to be rolled back
      Note(std::to_string((a != nullptr) + 2 * (b != nullptr) + 4 * (c != nullptr)));
    }
    std::free(a);
    delete static_cast<int*>(b);
    delete c;
  });
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(result.executions, 8u);
  EXPECT_EQ(result.failures, 0u) << result.verdict.message;
}

TEST(AllocationFailure, ReachesTheCodeThatForgetsAboutIt) {
  const ExploreResult unchecked = SearchFailures([] {
    auto* const block = Make(8);
    Check(block != nullptr, "the code relies on memory");
    std::free(block);
  });
  EXPECT_EQ(unchecked.failures, 1u);
  EXPECT_EQ(unchecked.executions, 2u);
  EXPECT_EQ(unchecked.verdict.signature, "invariant|the code relies on memory");
  const ExploreResult leak = SearchFailures([] {
    int* const first = Hide(new int(1));
    int* const second = Hide(new int(2));  // throws, and nobody frees the first
    delete first;
    delete second;
  });
  EXPECT_EQ(leak.failures, 2u);
  EXPECT_EQ(leak.verdict.signature, "exception|uncaught exception std::bad_alloc")
      << leak.verdict.message;
}

TEST(AllocationFailure, OfEveryKindOfFunction) {
  const ExploreResult result = SearchFailures([] {
    void* block = nullptr;
    const bool made[] = {
        Hide(std::calloc(1, 8)) != nullptr,
        Hide(std::aligned_alloc(64, 64)) != nullptr,
        posix_memalign(&block, 64, 64) == 0,
        Hide(strdup("x")) != nullptr,
    };
    int failed = 0;
    for (const bool one : made) failed += !one;
    Check(failed != 4, "all of them can fail");
    Check(failed == 4, "abandoned: what was made is lost");
  });
  EXPECT_EQ(result.executions, 16u);
  EXPECT_EQ(result.failures, 16u);
}

TEST(AllocationFailure, ReallocKeepsTheOldBlock) {
  const ExploreResult result = SearchFailures([] {
    auto* block = static_cast<char*>(Hide(std::malloc(8)));
    if (block == nullptr) return;
    std::strcpy(block, "kept");
    auto* const larger = static_cast<char*>(std::realloc(block, 100));
    if (larger != nullptr) block = larger;
    Check(std::strcmp(block, "kept") == 0, "the contents are there");
    std::free(block);
  });
  EXPECT_EQ(result.executions, 3u);
  EXPECT_EQ(result.failures, 0u) << result.verdict.message;
}

TEST(AllocationFailure, CallsTheNewHandler) {
  const ExploreResult result = SearchFailures([] {
    static int calls;
    calls = 0;
    std::set_new_handler([] {
      if (++calls == 2) std::set_new_handler(nullptr);
    });
    bool thrown = false;
    try {
      delete Hide(new int);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    std::set_new_handler(nullptr);
    Check(!thrown || calls == 2, "the handler had its chances");
  });
  EXPECT_EQ(result.executions, 4u) << "it fails 0, 1, 2 or 3 times";
  EXPECT_EQ(result.failures, 0u) << result.verdict.message;
}

TEST(AllocationFailure, IsOffUnlessAskedFor) {
  Closure program([] {
    TakeStep();
    std::free(Make(8));
  });
  DepthFirst search;
  const ExploreResult result = Explore(program, search);
  EXPECT_EQ(result.executions, 1u);
}

}  // namespace
}  // namespace jacquard
