// leaderboard PROGRAM broken|correct STRATEGY SEED EXECUTIONS [OPTION...]
//
// One line of JSON: how many executions it took to find the bug (null: not found), of how many, in
// how many seconds of CPU time, and what was found. OPTIONs are those of JACQUARD_OPTIONS.
// Without arguments: the names of the programs, with what each needs, a JSON line each.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "jacquard/jacquard.h"
#include "tests/leaderboard/programs.h"

namespace jacquard::leaderboard {
namespace {

double CpuSeconds() {
  constexpr double kNanosecond = 1e-9;
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + kNanosecond * static_cast<double>(now.tv_nsec);
}

int List() {
  for (const BuggyProgram& program : BuggyPrograms()) {
    std::printf(R"({"name": "%s", "bug": "%s", "finding": "%s", "preemptions": %d})"
                "\n",
                program.name, program.bug, program.finding, program.preemptions);
  }
  return 0;
}

int Run(const BuggyProgram& program, bool broken, const Options& options) {
  const double begin = CpuSeconds();
  const Result result = Explore(broken ? program.broken : program.correct, options);
  const double seconds = CpuSeconds() - begin;
  if (!result.problem.empty()) {
    std::fprintf(stderr, "leaderboard: %s\n", result.problem.c_str());
    return 2;
  }
  const bool found = !result.findings.empty();
  const std::string kind = found ? VerdictKindName(result.findings[0].verdict.kind) : "";
  std::printf(
      R"({"found": %s, "executions": %llu, "seconds": %.6f, "exhausted": %s, "finding": "%s"})"
      "\n",
      found ? "true" : "false", static_cast<unsigned long long>(result.executions), seconds,
      result.exhausted ? "true" : "false", kind.c_str());
  if (found && (!broken || kind != program.finding)) {
    std::fprintf(stderr, "%s\n", result.report().c_str());
    return 1;
  }
  return 0;
}

int Main(int argc, char** argv) {
  constexpr int kArguments = 6;
  if (argc == 1) return List();
  const BuggyProgram* const program = argc >= kArguments ? FindProgram(argv[1]) : nullptr;
  if (program == nullptr) {
    std::fprintf(stderr,
                 "leaderboard PROGRAM broken|correct STRATEGY SEED EXECUTIONS [OPTION...]; without "
                 "arguments: the programs\n");
    return 2;
  }
  Options options;
  std::string text =
      "strategy=" + std::string(argv[3]) + " seed=" + argv[4] + " executions=" + argv[5];
  for (int i = kArguments; i < argc; ++i) text += std::string(" ") + argv[i];
  if (const std::string problem = ParseOptions(text, options); !problem.empty()) {
    std::fprintf(stderr, "leaderboard: %s\n", problem.c_str());
    return 2;
  }
  return Run(*program, std::strcmp(argv[2], "broken") == 0, options);
}

}  // namespace
}  // namespace jacquard::leaderboard

int main(int argc, char** argv) { return jacquard::leaderboard::Main(argc, argv); }
