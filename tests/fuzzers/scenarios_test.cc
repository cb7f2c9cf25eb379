// Where explorations get their scenarios from.
#include "fuzzers/scenarios.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "fuzzers/text.h"
#include "tests/fuzzers/toy_scenario.h"

namespace jacquard::fuzzers {
namespace {

const Codec& ToyCodec() {
  static const Codec codec(ScenarioTypeOf<ToyScenario>("ToyScenario"));
  return codec;
}

TEST(RandomScenarios, FollowFromTheirSeedAndNumber) {
  const ScenarioSize size = {.threads = 3, .operations = 4};
  const auto one = RandomScenarios(ToyCodec(), 1, size);
  const auto same = RandomScenarios(ToyCodec(), 1, size);
  const auto other = RandomScenarios(ToyCodec(), 2, size);
  std::set<std::string> texts;
  std::set<int> threads;
  std::set<size_t> operations;
  int different = 0;
  for (uint64_t n = 0; n < 300; ++n) {
    Input a;
    Input b;
    Input c;
    ASSERT_TRUE(one->Get(n, a));
    if (n % 3 == 0) {  // whatever was asked for before
      ASSERT_TRUE(same->Get(n, b));
      EXPECT_EQ(a, b);
    }
    ASSERT_TRUE(other->Get(n, c));
    different += a == c ? 0 : 1;
    texts.insert(FormatText(ToyCodec(), a));
    threads.insert(a.threads());
    operations.insert(a.calls(0).size());
  }
  EXPECT_GT(different, 250);
  EXPECT_GT(texts.size(), 250u);
  EXPECT_EQ(threads, (std::set<int>{2, 3}));
  EXPECT_EQ(operations, (std::set<size_t>{1, 2, 3, 4}));
  EXPECT_EQ(one->Count(), 0);
}

// Each thread's operations as text, sorted: scenarios that differ in the order of threads are
// equal.
std::string WithoutOrder(const Input& input) {
  std::vector<std::string> threads;
  for (int t = 0; t < input.threads(); ++t) {
    std::string text;
    char buffer[256];
    for (const Call& call : input.calls(t))
      text += std::string(FormatCall(ToyCodec().type(), call, buffer)) + ";";
    threads.push_back(text);
  }
  std::ranges::sort(threads);
  std::string text;
  for (const std::string& thread : threads) text += thread + "\n";
  return text;
}

TEST(AllScenarios, AreEachThereOnce) {
  const auto all = AllScenarios(ToyCodec(), {.threads = 3, .operations = 1});
  std::set<std::string> seen;
  uint64_t n = 0;
  for (Input input; all->Get(n, input); ++n) {
    EXPECT_TRUE(seen.insert(WithoutOrder(input)).second) << WithoutOrder(input);
  }
  EXPECT_EQ(static_cast<double>(n), all->Count());
  // Multisets of 2 and of 3 calls.
  const auto calls = static_cast<uint64_t>(ToyCodec().call_count());
  EXPECT_EQ(n, calls * (calls + 1) / 2 + calls * (calls + 1) * (calls + 2) / 6);
}

TEST(AllScenarios, BeginWithTheSmallest) {
  const auto all = AllScenarios(ToyCodec(), {.threads = 2, .operations = 2});
  Input input;
  size_t last = 0;
  uint64_t n = 0;
  for (; all->Get(n, input); ++n) {
    const size_t operations = input.calls(0).size() + input.calls(1).size();
    EXPECT_GE(operations, last);
    last = operations;
  }
  EXPECT_EQ(last, 4u);
  EXPECT_EQ(static_cast<double>(n), all->Count());
  // Also when only some are asked for, as by one of several processes.
  const auto some = AllScenarios(ToyCodec(), {.threads = 2, .operations = 2});
  const auto again = AllScenarios(ToyCodec(), {.threads = 2, .operations = 2});
  for (uint64_t i = 0; i < 50; ++i) {
    Input one;
    ASSERT_TRUE(again->Get(i, one));
    if (i % 2 == 0) continue;
    ASSERT_TRUE(some->Get(i, input));
    EXPECT_EQ(input, one);
  }
}

TEST(GivenScenarios, HaveNoExceptions) {
  Input input;
  input.Clear(1);
  input.AddCall(0, ToyCodec().CallAt(1));
  input.AddException({3, 1});
  input.AddMemoryException({1, 0});
  const auto given = GivenScenarios({input});
  Input got;
  ASSERT_TRUE(given->Get(0, got));
  EXPECT_EQ(got.calls(0).size(), 1u);
  EXPECT_TRUE(got.exceptions().empty());
  EXPECT_TRUE(got.memory_exceptions().empty());
  EXPECT_FALSE(given->Get(1, got));
  EXPECT_EQ(given->Count(), 1);
}

}  // namespace
}  // namespace jacquard::fuzzers
