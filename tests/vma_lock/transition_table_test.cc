// The table in docs/vma_lock.md is what the lock does: no transition is missing, and none is there
// that does not happen.
#include "tests/vma_lock/transition_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace jacquard::fuzzers {
namespace {

constexpr const char* kRenew = "\nTo renew it: bazel run //tests/vma_lock:write_transition_table\n";

TEST(TransitionTable, IsWhatTheLockDoes) {
  std::ifstream file("docs/vma_lock.md");
  std::ostringstream page;
  page << file.rdbuf();
  const auto rows = RowsOf(page.str());
  ASSERT_TRUE(rows.has_value()) << "docs/vma_lock.md has no table";
  const std::set<std::string> written(rows->begin(), rows->end());

  std::string error;
  const std::vector<std::string> explored = ExploreTransitions(&error);
  const std::set<std::string> seen(explored.begin(), explored.end());
  ASSERT_EQ(error, "");
  for (const std::string& row : seen) {
    EXPECT_TRUE(written.contains(row)) << "seen, but not in the table: " << row << kRenew;
  }
  for (const std::string& row : written) {
    EXPECT_TRUE(seen.contains(row)) << "in the table, but never seen: " << row << kRenew;
  }
}

TEST(TransitionTable, IsReplacedBetweenItsMarks) {
  const std::string page =
      std::string("before\n") + kTableBegin + "\nold\n" + kTableEnd + "\nafter\n";
  const auto replaced = ReplaceTable(page, {"| a | + 1 | `b` | c |"});
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(RowsOf(*replaced), (std::vector<std::string>{"| a | + 1 | `b` | c |"}));
  EXPECT_EQ(replaced->find("before\n"), 0u);
  EXPECT_NE(replaced->find("\nafter\n"), std::string::npos);
  EXPECT_EQ(replaced->find("old"), std::string::npos);
  EXPECT_FALSE(ReplaceTable("no marks", {}).has_value());
}

}  // namespace
}  // namespace jacquard::fuzzers
