// Every execution near a seed comes once, and the seed's own exceptions stay where they were.
#include "fuzzers/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace jacquard::fuzzers {
namespace {

Input SeedWith(int threads, const std::vector<Exception>& exceptions = {}) {
  Input seed;
  seed.Clear(threads);
  for (const Exception& exception : exceptions) seed.AddException(exception);
  return seed;
}

// Of an execution with so many steps, in which there is a pick before each, and no other.
ExecutionLength Steps(uint64_t steps) { return {.steps = steps, .picks = steps}; }

using Place = std::pair<uint64_t, uint32_t>;  // after so many picks, this choice
std::vector<Place> Places(std::span<const Exception> exceptions) {
  std::vector<Place> places;
  uint64_t at = 0;
  for (const Exception& exception : exceptions) {
    at += exception.gap;
    places.emplace_back(at++, exception.choice);
  }
  return places;
}

std::vector<std::vector<Place>> All(Sweep& sweep) {
  std::vector<std::vector<Place>> all;
  for (Input input; sweep.Next(input);) all.push_back(Places(input.exceptions()));
  return all;
}

TEST(Sweep, WithoutSeedsThereIsNothing) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(1), Steps(10));  // one thread has one schedule
  Input input;
  EXPECT_FALSE(sweep.Next(input));
}

TEST(Sweep, HasEverySingleExceptionAndThenEveryPair) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(3), Steps(5));
  const auto all = All(sweep);
  ASSERT_EQ(all.size(), 5u * 2 + 5 * 4 / 2 * 4);
  EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].size(), i < 10 ? 1u : 2u);
    for (const auto& [at, choice] : all[i]) {
      EXPECT_LT(at, 5u);
      EXPECT_LT(choice, 2u);
    }
  }
}

TEST(Sweep, LeavesTheSeedsOwnExceptionsInPlace) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(2, {{2, 0}, {1, 0}}), Steps(6));  // after 2 picks, and after 4
  for (const auto& places : All(sweep)) {
    EXPECT_TRUE(std::ranges::count(places, Place(2, 0)) == 1);
    EXPECT_TRUE(std::ranges::count(places, Place(4, 0)) == 1);
  }
}

TEST(Sweep, ReadsOlderValuesToo) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(2), {.steps = 4, .picks = 4, .memory_picks = 3});
  std::set<std::pair<std::vector<Place>, std::vector<Place>>> all;
  uint64_t count = 0;
  for (Input input; sweep.Next(input); ++count)
    all.emplace(Places(input.exceptions()), Places(input.memory_exceptions()));
  EXPECT_EQ(all.size(), count);
  EXPECT_EQ(count, 4u + 3 + 4 * 3 / 2 + 4 * 3 + 3 * 2 / 2);
  EXPECT_TRUE(all.contains({{}, {{2, 0}}}));
  EXPECT_TRUE(all.contains({{{3, 0}}, {{0, 0}}}));
  EXPECT_TRUE(all.contains({{}, {{0, 0}, {2, 0}}}));
}

// Where the first exception lets threads meet that did not, there are picks that the seed has not.
TEST(Sweep, ReachesPicksBehindTheSeedsOwn) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(2), {.steps = 6, .picks = 2});
  const auto all = All(sweep);
  EXPECT_EQ(all.size(), 2u + 5 + 4);
  EXPECT_EQ(std::ranges::count(all, std::vector<Place>{{1, 0}, {5, 0}}), 1);
}

TEST(Sweep, SeedsTakeTurns) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(2), Steps(3));
  sweep.AddSeed(SeedWith(3), Steps(100));
  Input input;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(sweep.Next(input));
    EXPECT_EQ(input.threads(), i % 2 == 0 ? 2 : 3);
  }
}

TEST(Sweep, IsBounded) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(4), Steps(5000));
  Input input;
  uint64_t count = 0;
  while (sweep.Next(input)) ++count;
  EXPECT_EQ(count, Sweep::kMost);
}

}  // namespace
}  // namespace jacquard::fuzzers
