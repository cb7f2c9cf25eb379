// The simulated memory shows exactly the outcomes that the tables allow, and the races.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/litmus/comparison.h"
#include "tests/litmus/explore.h"
#include "tests/litmus/program.h"
#include "tests/litmus/reference.h"

namespace jacquard::litmus {
namespace {

std::vector<Program> AllPrograms() {
  std::vector<Program> all;
  for (const char* table : {"visible.json", "more.json", "differs.json"}) {
    const std::vector<Program> programs = ReadTable(std::string("tests/litmus/") + table);
    all.insert(all.end(), programs.begin(), programs.end());
  }
  return all;
}

class Table : public testing::TestWithParam<Program> {};

TEST_P(Table, ReferenceAgrees) {
  const ReferenceResult result = SolveByAxioms(GetParam());
  EXPECT_EQ(result.racy, GetParam().racy);
  // The first set is RC11's.
  if (!GetParam().racy) {
    EXPECT_EQ(result.outcomes, GetParam().allowed[0]);
  }
}

TEST_P(Table, MemoryAgrees) {
  const ExploreResult result = ExploreOnMemory(GetParam());
  EXPECT_TRUE(result.complete);
  EXPECT_FALSE(result.pruned) << "not every sequence of picks was carried out";
  EXPECT_FALSE(result.lost_detail);
  const Comparison comparison = Compare(GetParam(), result);
  EXPECT_TRUE(comparison.agrees()) << ProgramText(GetParam()) << "\n" << ComparisonText(comparison);
}

TEST_P(Table, WideMemoryAgrees) {
  ExploreOptions options;
  options.wide = true;
  options.max_unpruned = 0;
  const ExploreResult result = ExploreOnMemory(GetParam(), options);
  EXPECT_TRUE(result.complete);
  const Comparison comparison = Compare(GetParam(), result);
  EXPECT_TRUE(comparison.agrees()) << ProgramText(GetParam()) << "\n" << ComparisonText(comparison);
}

TEST_P(Table, RandomPicksStayInTheTable) {
  const ExploreResult result = WalkOnMemory(GetParam(), 200, 1);
  EXPECT_LE(result.racy, GetParam().racy);
  for (const Outcome& extra : Compare(GetParam(), result).extra) {
    ADD_FAILURE() << ProgramText(GetParam()) << "\n" << OutcomeText(extra);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Table, testing::ValuesIn(AllPrograms()),
                         [](const testing::TestParamInfo<Program>& info) {
                           std::string name = info.param.name;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name + "_" + std::to_string(info.index);
                         });

TEST(ComparisonTest, SaysWhatDiffers) {
  Program program;
  program.allowed = {{{0, 0}, {0, 1}}};
  ExploreResult result;
  result.outcomes = {{0, 1}, {1, 1}};
  const Comparison comparison = Compare(program, result);
  EXPECT_FALSE(comparison.agrees());
  EXPECT_EQ(ComparisonText(comparison), "missing: [0,0]; not allowed: [1,1]");
}

TEST(ComparisonTest, AcceptsEitherOfTwoSets) {
  Program program;
  program.allowed = {{{0}, {1}}, {{1}}};
  ExploreResult result;
  result.outcomes = {{1}};
  EXPECT_TRUE(Compare(program, result).agrees());
  result.outcomes = {{0}, {1}};
  EXPECT_TRUE(Compare(program, result).agrees());
  result.outcomes = {{0}};
  EXPECT_FALSE(Compare(program, result).agrees());
}

TEST(ComparisonTest, RaceVerdictsCount) {
  Program program;
  program.allowed = {{}};
  ExploreResult result;
  result.racy = true;
  EXPECT_FALSE(Compare(program, result).agrees());
  program.racy = true;
  EXPECT_TRUE(Compare(program, result).agrees());
}

}  // namespace
}  // namespace jacquard::litmus
