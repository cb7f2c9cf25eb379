// Every way to take two and three locks in a circle, against the naive oracle.
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "fuzzers/lockdep_oracle.h"
#include "gtest/gtest.h"
#include "tests/lock/lockdep/books.h"

namespace jacquard::lock::lockdep {
namespace {

constexpr AcquireMode kModes[] = {AcquireMode::kExclusive, AcquireMode::kShared,
                                  AcquireMode::kSharedRecursive};

const char* Letter(AcquireMode mode) {
  return mode == AcquireMode::kExclusive ? "E" : mode == AcquireMode::kShared ? "S" : "R";
}

// Thread i holds lock i in mode modes[2 * i] and takes the next one in mode modes[2 * i + 1].
struct Outcome {
  std::optional<Rule> said;
  std::optional<Rule> expected;
};

Outcome GoRound(const std::vector<AcquireMode>& modes, std::deque<Map>& maps) {
  const int locks = static_cast<int>(modes.size()) / 2;
  Books books;
  LockdepOracle oracle(locks);
  Outcome outcome;
  for (int thread = 0; thread < locks && !outcome.expected; ++thread) {
    const int inner = (thread + 1) % locks;
    for (const auto& [lock, mode] :
         {std::pair(thread, modes[2 * thread]), std::pair(inner, modes[2 * thread + 1])}) {
      books.Acquire(thread, maps[lock], {.mode = mode});
      outcome.expected =
          oracle.Acquire(thread, {.instance = lock, .class_number = lock, .mode = mode});
    }
    outcome.said = Books::Said();
    if (outcome.said != outcome.expected) break;
    for (const int lock : {inner, thread}) {
      if (outcome.expected) break;
      books.Release(thread, maps[lock]);
      oracle.Release(thread, lock);
    }
  }
  return outcome;
}

// Returns how many of the ways are deadlocks.
int TryAll(int locks) {
  std::deque<Map> maps;
  for (int i = 0; i < locks; ++i) maps.emplace_back("lock", i + 1);
  int ways = 1;
  for (int i = 0; i < 2 * locks; ++i) ways *= 3;
  int deadlocks = 0;
  for (int way = 0; way < ways; ++way) {
    std::vector<AcquireMode> modes;
    std::string text;
    for (int i = 0, rest = way; i < 2 * locks; ++i, rest /= 3) {
      modes.push_back(kModes[rest % 3]);
      text += Letter(modes.back());
    }
    const Outcome outcome = GoRound(modes, maps);
    EXPECT_EQ(outcome.said, outcome.expected) << text;
    // Said by hand as well: nowhere does a recursive reader meet a reader.
    bool strong = true;
    for (int thread = 0; thread < locks; ++thread) {
      const AcquireMode taken = modes[2 * thread + 1];
      const AcquireMode held = modes[2 * ((thread + 1) % locks)];
      strong =
          strong && !(taken == AcquireMode::kSharedRecursive && held != AcquireMode::kExclusive);
    }
    EXPECT_EQ(outcome.said.has_value(), strong) << text;
    deadlocks += strong;
  }
  return deadlocks;
}

// At each lock 7 of the 9 pairs of a taker and a holder wait.
TEST(StrongCycles, OfTwoLocks) { EXPECT_EQ(TryAll(2), 7 * 7); }
TEST(StrongCycles, OfThreeLocks) { EXPECT_EQ(TryAll(3), 7 * 7 * 7); }

}  // namespace
}  // namespace jacquard::lock::lockdep
