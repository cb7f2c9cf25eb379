// A memory model with one rule disabled judges a named program of the table wrongly.
//   memory_rule_test PROGRAM
// Without PROGRAM it names all programs that it judges wrongly; with --none there must be none.
#include <cstdio>
#include <string>
#include <vector>

#include "tests/litmus/comparison.h"
#include "tests/litmus/explore.h"
#include "tests/litmus/program.h"

int main(int argc, char** argv) {
  using jacquard::litmus::Comparison;
  const std::string argument = argc > 1 ? argv[1] : "";
  const bool none = argument == "--none";
  const std::string wanted = none ? "" : argument;
  int judged = 0;
  int wrong = 0;
  std::vector<jacquard::litmus::Program> programs;
  for (const char* table : {"tests/litmus/visible.json", "tests/litmus/more.json"}) {
    for (auto& program : jacquard::litmus::ReadTable(table)) programs.push_back(program);
  }
  for (const auto& program : programs) {
    if (!wanted.empty() && program.name != wanted) continue;
    ++judged;
    const Comparison comparison =
        jacquard::litmus::Compare(program, jacquard::litmus::ExploreOnMemory(program));
    if (comparison.agrees()) continue;
    ++wrong;
    std::printf("%s: %s\n", program.name.c_str(),
                jacquard::litmus::ComparisonText(comparison).c_str());
  }
  std::printf("%d of %d programs are judged wrongly\n", wrong, judged);
  // With the rule they all are judged rightly: //tests/litmus:table_test.
  if (none) return judged != 0 && wrong == 0 ? 0 : 1;
  return wrong != 0 ? 0 : 1;  // a name that is in no table fails, too
}
