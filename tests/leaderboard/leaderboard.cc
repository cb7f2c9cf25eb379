// leaderboard PROGRAM broken|correct STRATEGY SEED EXECUTIONS [OPTION...]
//
// One line of JSON: whether the bug was found, after how many executions and seconds of CPU time,
// which share of all that the strategy can reach that is, and what was found. OPTIONs are those of
// JACQUARD_OPTIONS.
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
      R"({"found": %s, "executions": %llu, "seconds": %.6f, "exhausted": %s, "share": %g, "finding": "%s"})"
      "\n",
      found ? "true" : "false", static_cast<unsigned long long>(result.executions), seconds,
      result.exhausted ? "true" : "false", result.share_done, kind.c_str());
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
  // The strategies are compared, not what finds deadlocks without them; and until the bug is found,
  // not until it is understood.
  std::string text = "lock_order=ignore minimize=off strategy=" + std::string(argv[3]) +
                     " seed=" + argv[4] + " executions=" + argv[5];
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
