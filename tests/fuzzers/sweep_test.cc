// Every schedule near a seed comes once, and the seed's own exceptions stay where they were.
#include "fuzzers/sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
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

using Place = std::pair<uint64_t, uint32_t>;  // after so many picks, this choice
std::vector<Place> Places(const Input& input) {
  std::vector<Place> places;
  uint64_t at = 0;
  for (const Exception& exception : input.exceptions()) {
    at += exception.gap;
    places.emplace_back(at++, exception.choice);
  }
  return places;
}

std::vector<std::vector<Place>> All(Sweep& sweep) {
  std::vector<std::vector<Place>> all;
  for (Input input; sweep.Next(input);) all.push_back(Places(input));
  return all;
}

TEST(Sweep, WithoutSeedsThereIsNothing) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(1), 10);  // one thread has one schedule
  Input input;
  EXPECT_FALSE(sweep.Next(input));
}

TEST(Sweep, HasEverySingleExceptionAndThenEveryPair) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(3), 5);
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
  sweep.AddSeed(SeedWith(2, {{2, 0}, {1, 0}}), 6);  // after 2 picks, and after 4
  for (const auto& places : All(sweep)) {
    EXPECT_TRUE(std::ranges::count(places, Place(2, 0)) == 1);
    EXPECT_TRUE(std::ranges::count(places, Place(4, 0)) == 1);
  }
}

TEST(Sweep, SeedsTakeTurns) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(2), 3);
  sweep.AddSeed(SeedWith(3), 100);
  Input input;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(sweep.Next(input));
    EXPECT_EQ(input.threads(), i % 2 == 0 ? 2 : 3);
  }
}

TEST(Sweep, IsBounded) {
  Sweep sweep;
  sweep.AddSeed(SeedWith(4), 5000);
  Input input;
  uint64_t count = 0;
  while (sweep.Next(input)) ++count;
  EXPECT_EQ(count, Sweep::kMost);
}

}  // namespace
}  // namespace jacquard::fuzzers
