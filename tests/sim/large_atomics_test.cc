// Atomic objects of sizes that no instruction has.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using enum std::memory_order;

struct Three {
  int first = 0;
  int second = 0;
  int third = 0;
  bool operator==(const Three&) const = default;
};
static_assert(sizeof(Three) == 12);
using AtomicThree = std::atomic<Three>;

void ExpectPass(const std::function<void()>& body) {
  const ExploreResult result = SearchAll(body);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_TRUE(result.exhausted);
  EXPECT_GT(result.steps, 0u);
}

TEST(LargeAtomic, IsReadAndWrittenAsAWhole) {
  ExpectPass([] {
    AtomicThree object;
    std::thread writer([&] { object.store({1, 2, 3}); });
    const Three seen = object.load();
    if (seen != Three{} && seen != Three{1, 2, 3}) std::abort();
    writer.join();
    if (object.load() != Three{1, 2, 3}) std::abort();
  });
}

TEST(LargeAtomic, Publishes) {
  ExpectPass([] {
    AtomicThree flag;
    int data = 0;
    std::thread writer([&] {
      data = 1;
      flag.store({0, 0, 1}, release);
    });
    if (flag.load(acquire).third == 1 && data != 1) std::abort();
    writer.join();
  });
}

TEST(LargeAtomic, ALostUpdateIsFound) {
  const ExploreResult result = SearchAll([] {
    AtomicThree object;
    const auto increment = [&] {
      Three value = object.load();
      ++value.third;
      object.store(value);
    };
    std::thread other(increment);
    increment();
    other.join();
    if (object.load().third != 2) std::abort();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kAbort) << result.verdict.message;
}

TEST(LargeAtomic, CompareExchangeAndExchangeLoseNothing) {
  ExpectPass([] {
    AtomicThree object;
    const auto increment = [&] {
      Three value = object.load();
      for (;;) {
        Three next = value;
        ++next.second;
        if (object.compare_exchange_strong(value, next)) return;
      }
    };
    std::thread other(increment);
    increment();
    other.join();
    if (object.exchange({7, 8, 9}).second != 2) std::abort();
    if (object.load() != Three{7, 8, 9}) std::abort();
  });
}

// Both orders are seq_cst: one of the two sees the other.
TEST(LargeAtomic, SeqCstIsAFence) {
  ExpectPass([] {
    std::array<AtomicThree, 2> objects;
    bool saw[2] = {};
    const auto run = [&](int me) {
      objects[me].store({1, 1, 1});
      saw[me] = objects[1 - me].load().first == 1;
    };
    std::thread other(run, 1);
    run(0);
    other.join();
    if (!saw[0] && !saw[1]) std::abort();
  });
}

AtomicThree global;

TEST(LargeAtomic, AGlobalBeginsAnew) {
  ExpectPass([] {
    if (global.load() != Three{}) std::abort();
    std::thread other([] { global.store({1, 2, 3}, relaxed); });
    other.join();
  });
}

TEST(LargeAtomic, OutsideOfExecutions) {
  AtomicThree object;
  object.store({1, 2, 3});
  Three expected = {};
  EXPECT_FALSE(object.compare_exchange_strong(expected, {}));
  EXPECT_EQ(expected, (Three{1, 2, 3}));
  EXPECT_EQ(object.exchange({4, 5, 6}), (Three{1, 2, 3}));
  EXPECT_EQ(object.load(), (Three{4, 5, 6}));
}

}  // namespace
}  // namespace jacquard
