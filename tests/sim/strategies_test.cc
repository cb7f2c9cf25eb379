// Strategies by themselves, without executions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "sim/byte_string.h"
#include "sim/depth_first.h"
#include "sim/pct.h"
#include "sim/portfolio.h"
#include "sim/random_walk.h"
#include "sim/verdict.h"

namespace jacquard {
namespace {

Pick DataPick(int alternatives) {
  return {.kind = PickKind::kData, .alternatives = alternatives, .thread = 0};
}

// As the runtime asks.
int Ask(Strategy& strategy, const Pick& pick) {
  return strategy.TakeBenignPick() ? 0 : strategy.Choose(pick);
}

std::vector<int> Play(Strategy& strategy, const std::vector<int>& alternatives) {
  EXPECT_TRUE(strategy.BeginExecution());
  std::vector<int> choices;
  for (const int n : alternatives) choices.push_back(Ask(strategy, DataPick(n)));
  strategy.EndExecution({});
  return choices;
}

TEST(ThreadOfChoice, FirstIsZeroAndTheOthersFollowInOrder) {
  Pick pick = DataPick(4);
  pick.first = 5;
  pick.candidates = ThreadSet{1} << 0 | ThreadSet{1} << 5 | ThreadSet{1} << 7 | ThreadSet{1} << 63;
  EXPECT_EQ(ThreadOfChoice(pick, 0), 5);
  EXPECT_EQ(ThreadOfChoice(pick, 1), 0);
  EXPECT_EQ(ThreadOfChoice(pick, 2), 7);
  EXPECT_EQ(ThreadOfChoice(pick, 3), 63);
}

TEST(ThreadOfChoice, HasAnInverse) {
  Pick pick = DataPick(4);
  pick.candidates = SetOfThread(0) | SetOfThread(5) | SetOfThread(7) | SetOfThread(63);
  for (const int first : {0, 5, 63}) {
    pick.first = first;
    for (int choice = 0; choice < 4; ++choice) {
      EXPECT_EQ(ChoiceOfThread(pick, ThreadOfChoice(pick, choice)), choice);
    }
  }
  pick.candidates |= SetOfThread(200);
  EXPECT_EQ(ThreadOfChoice(pick, 4), 200);
  EXPECT_EQ(ChoiceOfThread(pick, 200), 4);
}

TEST(ByteString, EmptyIsBenignForEver) {
  ByteString strategy;
  EXPECT_EQ(Play(strategy, std::vector<int>(1000, 9)), std::vector<int>(1000, 0));
  EXPECT_GT(strategy.benign_picks(), std::numeric_limits<uint64_t>::max() / 2);
}

TEST(ByteString, ExceptionsStandAfterTheirGaps) {
  ByteString strategy;
  const std::vector<Exception> exceptions = {{2, 0}, {0, 1}, {1, 2}};
  strategy.Set(exceptions);
  const std::vector<int> expected = {0, 0, 1, 2, 0, 3, 0, 0, 0};
  EXPECT_EQ(Play(strategy, std::vector<int>(9, 4)), expected);
  EXPECT_EQ(Play(strategy, std::vector<int>(9, 4)), expected) << "again from the start";
}

TEST(ByteString, ChoicesWrapAroundTheOthers) {
  ByteString strategy;
  const std::vector<Exception> exceptions = {{0, 0}, {0, 1}, {0, 2}, {0, UINT32_MAX}, {0, 100}};
  strategy.Set(exceptions);
  EXPECT_EQ(Play(strategy, {2, 2, 3, 2, 4}), (std::vector<int>{1, 1, 1, 1, 2}));
}

TEST(ByteString, LargestGapIsKept) {
  ByteString strategy;
  const std::vector<Exception> exceptions = {{UINT32_MAX, 0}};
  strategy.Set(exceptions);
  strategy.BeginExecution();
  EXPECT_EQ(strategy.benign_picks(), UINT32_MAX);
}

TEST(ChoiceRecorder, WritesDownWhatIsReplayed) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    RandomWalk walk(seed);
    ChoiceRecorder recorder(walk);
    std::vector<int> alternatives;
    for (int i = 0; i < 50; ++i) alternatives.push_back(2 + static_cast<int>(seed + i) % 6);
    const std::vector<int> choices = Play(recorder, alternatives);
    ByteString replay;
    replay.Set(recorder.exceptions());
    ASSERT_EQ(Play(replay, alternatives), choices);
  }
}

TEST(RandomWalk, IsUniform) {
  for (const int alternatives : {2, 3, 5, 64}) {
    RandomWalk walk(1);
    walk.BeginExecution();
    constexpr int kPicks = 100'000;
    std::vector<int> counts(static_cast<size_t>(alternatives));
    for (int i = 0; i < kPicks; ++i)
      ++counts[static_cast<size_t>(Ask(walk, DataPick(alternatives)))];
    const double expected = 1.0 * kPicks / alternatives;
    double chi_squared = 0;
    for (const int count : counts)
      chi_squared += (count - expected) * (count - expected) / expected;
    // Mean: alternatives - 1, variance: twice that. Six standard deviations.
    const double mean = alternatives - 1;
    EXPECT_LT(chi_squared, mean + 6 * std::sqrt(2 * mean) + 6) << alternatives << " alternatives";
  }
}

uint64_t Stream(RandomWalk& walk) {
  walk.BeginExecution();
  uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits = bits << 1 | static_cast<uint64_t>(Ask(walk, DataPick(2)));
  return bits;
}

TEST(RandomWalk, EachExecutionHasItsOwnStream) {
  RandomWalk walk(1);
  std::set<uint64_t> streams;
  for (int i = 0; i < 100'000; ++i) streams.insert(Stream(walk));
  EXPECT_EQ(streams.size(), 100'000u);
}

TEST(RandomWalk, SeedsDoNotMeet) {
  std::vector<uint64_t> streams;
  for (uint64_t seed = 0; seed < 1'000'000; ++seed) {
    RandomWalk walk(seed);
    streams.push_back(Stream(walk));
  }
  std::sort(streams.begin(), streams.end());
  EXPECT_EQ(std::adjacent_find(streams.begin(), streams.end()), streams.end());
}

TEST(RandomWalk, FollowsFromSeedAndNumberOfTheExecution) {
  RandomWalk first(7), second(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Stream(first), Stream(second));
  // How many picks an execution makes does not show in the next one.
  RandomWalk third(7), fourth(7);
  third.BeginExecution();
  Ask(third, DataPick(2));
  Stream(fourth);
  EXPECT_EQ(Stream(third), Stream(fourth));
}

TEST(DepthFirst, GoesThroughAllSequencesInOrder) {
  DepthFirst search;
  std::vector<std::vector<int>> sequences;
  while (search.BeginExecution()) {
    // The second question depends on the first answer.
    const int first = Ask(search, DataPick(2));
    const int second = Ask(search, DataPick(first == 0 ? 2 : 3));
    sequences.push_back({first, second});
    search.EndExecution({});
  }
  EXPECT_EQ(sequences, (std::vector<std::vector<int>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}}));
  EXPECT_FALSE(search.BeginExecution());
}

TEST(DepthFirst, ExecutionWithoutPicksIsTheOnlyOne) {
  DepthFirst search;
  EXPECT_TRUE(search.BeginExecution());
  search.EndExecution({});
  EXPECT_FALSE(search.BeginExecution());
}

TEST(DepthFirst, BoundCountsOnlyPreemptions) {
  auto count = [](int bound, int running, PickKind kind) {
    DepthFirst search(bound);
    int executions = 0;
    for (; search.BeginExecution(); ++executions) {
      for (int i = 0; i < 4; ++i) {
        Pick pick = {.kind = kind, .alternatives = 2, .thread = running};
        pick.first = 0;
        Ask(search, pick);
      }
      search.EndExecution({});
    }
    return executions;
  };
  EXPECT_EQ(count(0, 0, PickKind::kSchedule), 1);
  EXPECT_EQ(count(1, 0, PickKind::kSchedule), 1 + 4);
  EXPECT_EQ(count(2, 0, PickKind::kSchedule), 1 + 4 + 6);
  EXPECT_EQ(count(DepthFirst::kUnbounded, 0, PickKind::kSchedule), 16);
  EXPECT_EQ(count(0, 1, PickKind::kSchedule), 16) << "the running thread cannot go on";
  EXPECT_EQ(count(0, 0, PickKind::kData), 16) << "no switch";
}

// A pick among threads 0 to 2, all of which can run.
Pick SchedulePick(int running) {
  return {.kind = PickKind::kSchedule,
          .alternatives = 3,
          .thread = running,
          .first = running,
          .candidates = 7};
}

// Who runs in an execution of `picks` picks in which nobody waits.
std::vector<int> PlaySchedule(Strategy& strategy, int picks) {
  std::vector<int> threads = {0};
  for (int i = 0; i < picks; ++i) {
    const Pick pick = SchedulePick(threads.back());
    threads.push_back(ThreadOfChoice(pick, strategy.Choose(pick)));
  }
  return threads;
}

TEST(Pct, ChangesAsOftenAsItsDepthSays) {
  for (const int depth : {1, 3}) {
    Pct pct(1, depth);
    std::set<int> most_changes;
    std::set<int> who_starts;
    for (int execution = 0; execution < 200; ++execution) {
      ASSERT_TRUE(pct.BeginExecution());
      const std::vector<int> threads = PlaySchedule(pct, 50);
      pct.EndExecution({});
      int changes = 0;
      for (size_t i = 2; i < threads.size(); ++i) changes += threads[i] != threads[i - 1];
      most_changes.insert(changes);
      who_starts.insert(threads[1]);
    }
    EXPECT_EQ(*most_changes.rbegin(), depth - 1);
    EXPECT_EQ(who_starts, (std::set<int>{0, 1, 2}));
  }
}

TEST(Pct, WhoYieldsComesLastSometimes) {
  Pct pct(1, /*depth=*/1);
  constexpr PendingOperation kYield = {StepKind::kYield, nullptr};
  const PendingOperation yields[] = {kYield, kYield, kYield};
  int stays = 0;
  constexpr int kExecutions = 300;
  for (int execution = 0; execution < kExecutions; ++execution) {
    ASSERT_TRUE(pct.BeginExecution());
    Pick pick = SchedulePick(0);
    pick.thread = ThreadOfChoice(pick, pct.Choose(pick));  // of the highest priority
    pick.first = (pick.thread + 1) % 3;
    pick.pending = yields;
    stays += ThreadOfChoice(pick, pct.Choose(pick)) == pick.thread;
    pct.EndExecution({});
  }
  EXPECT_GT(stays, kExecutions / 3);
  EXPECT_LT(stays, kExecutions * 2 / 3);
}

// The first pick of a scenario with several threads is nobody's.
TEST(Pct, TakesThePickThatBeginsAScenario) {
  Pct pct(1);
  std::set<int> who_starts;
  for (int execution = 0; execution < 100; ++execution) {
    ASSERT_TRUE(pct.BeginExecution());
    Pick pick = SchedulePick(0);
    pick.thread = -1;
    who_starts.insert(ThreadOfChoice(pick, pct.Choose(pick)));
    pct.EndExecution({});
  }
  EXPECT_EQ(who_starts, (std::set<int>{0, 1, 2}));
}

TEST(Pct, RepeatsAnExecution) {
  Pct pct(7);
  for (int execution = 0; execution < 20; ++execution) {
    ASSERT_TRUE(pct.BeginExecution());
    const std::vector<int> once = PlaySchedule(pct, 30);
    ASSERT_TRUE(pct.RepeatExecution());
    EXPECT_EQ(PlaySchedule(pct, 30), once);
    pct.EndExecution({});
  }
}

// As the runtime does where nothing ever happens.
std::vector<StrategyShare> SharesAfter(Portfolio& portfolio, int executions) {
  for (int execution = 0; execution < executions; ++execution) {
    EXPECT_TRUE(portfolio.BeginExecution());
    if (portfolio.listens()) portfolio.OnBegin({});
    portfolio.EndExecution({});
  }
  return portfolio.Shares();
}

TEST(Portfolio, GivesEachMemberItsTurn) {
  Portfolio portfolio(1);
  const std::vector<StrategyShare> first = SharesAfter(portfolio, 40);
  for (const StrategyShare& share : first) {
    // Depth-first search is done after the one execution that there is.
    EXPECT_GE(share.executions, share.name.starts_with("delays") ? 1u : 4u) << share.name;
  }
}

TEST(Portfolio, TurnsToTheRandomWalkWhereNothingIsNew) {
  Portfolio portfolio(1);
  uint64_t random_at_first = 0;
  for (const StrategyShare& share : SharesAfter(portfolio, 10'000)) {
    if (share.name == "random") random_at_first = share.executions;
  }
  for (const StrategyShare& share : SharesAfter(portfolio, 10'000)) {
    if (share.name == "random") {
      EXPECT_GT(share.executions - random_at_first, 5000u);
    }
    EXPECT_EQ(share.failures, 0u);
    EXPECT_GE(share.executions, share.name.starts_with("delays") ? 1u : 600u) << share.name;
  }
}

// Those that are not the random walk's: so many of the executions.
int ExecutionsOfOthers(bool something_is_new) {
  Portfolio portfolio(1);
  int word = 0;
  Site site = 1;
  int others = 0;
  for (int execution = 0; execution < 2000; ++execution) {
    EXPECT_TRUE(portfolio.BeginExecution());
    const bool is_other = portfolio.answers() == nullptr;
    others += is_other;
    if (portfolio.listens()) {
      portfolio.OnBegin({});
      if (is_other && something_is_new) ++site;
      portfolio.OnStep({.thread = 0, .kind = StepKind::kStore, .address = &word}, 1);
      portfolio.OnStep({.thread = 1, .kind = StepKind::kStore, .address = &word},
                       is_other ? site : 1);
    }
    portfolio.EndExecution({});
  }
  return others;
}

TEST(Portfolio, TurnsToThoseThatShowSomethingNew) {
  EXPECT_GT(ExecutionsOfOthers(true), ExecutionsOfOthers(false) + 200);
}

}  // namespace
}  // namespace jacquard
