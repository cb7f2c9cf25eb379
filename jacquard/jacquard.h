// Jacquard in one header: what a unit test or a program includes to run its threads under every
// schedule that matters.
//
//   #include "jacquard/jacquard.h"
//
//   TEST(SpinLock, Excludes) {
//     jacquard::ExpectNoBug([] {
//       SpinLock lock;
//       int counter = 0;
//       std::thread a([&] { lock.lock(); ++counter; lock.unlock(); });
//       std::thread b([&] { lock.lock(); ++counter; lock.unlock(); });
//       a.join();
//       b.join();
//       EXPECT_EQ(counter, 2);
//     });
//   }
//
// The body runs again and again, each time from the same state: globals, function-local statics and
// the heap are as they were before. What it captures by reference is not taken back.
// docs/test_your_code.md is the way in.
#ifndef JACQUARD_JACQUARD_H_
#define JACQUARD_JACQUARD_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/execute.h"
#include "sim/runtime.h"
#include "sim/verdict.h"

namespace jacquard {

// Whether constructors and destructors of globals are part of each execution: of a program with a
// main of its own.
enum class Constructors : uint8_t {
  kAsNeeded,  // if they start threads, or may have to do with threads that are left at the end
  kOnce,
  kEach,
};

// How to explore. The environment has the last word: JACQUARD_OPTIONS, as ParseOptions reads it,
// and JACQUARD_REPLAY, a token. Numbers that ParseOptions would refuse Explore refuses, too; but 0
// executions or seconds are no bound.
struct Options {
  // By name: "portfolio" stands for the best that exists; StrategyHelp() lists them all.
  std::string strategy = "portfolio";
  uint64_t seed = 1;
  // The budget: so many executions, or so long; 0: no bound of this kind. Without any, 100,000
  // executions or 10 seconds, whichever comes first. A clock only stops a run, it never steers it.
  uint64_t executions = 0;
  double seconds = 0;
  // So many processes share the executions and what they find. Each has a seed of its own, the
  // first one `seed`. What the body captures is that of its own process, so nothing comes back but
  // the Result. A search that has an end (dfs, delays, sleep) is done by one of its own. Before
  // them there must have been no execution in this process but those of other jobs.
  int jobs = 1;
  // What one execution is like: the memory, races, bounds and oracles.
  ExecutionOptions execution = {};
  Constructors constructors = Constructors::kAsNeeded;
  // Otherwise the search goes on, and counts what else it finds, by signature.
  bool stop_at_first_bug = true;
  // Whether a cycle in the order of locks whose parts were seen in different executions, and never
  // in one, is a finding at the end of the search (ExecutionOptions::lock_order is for those within
  // one). Its token replays all of these executions.
  bool lock_order_across_executions = true;
  // Whether a failing execution is reported with as few choices that are not benign as still lead
  // to the same signature. Costs some more executions for each finding, 10 seconds at most.
  bool minimize = true;
  // Just the one execution that this token (Result::token) stands for.
  std::string replay = {};
  // Files that are written: the first finding as JSON (docs/trace_json.md), and its report with
  // every event (a page for a browser if the name ends in ".html").
  std::string json = {};
  std::string timeline = {};
  // The result, for programs: ResultToJson.
  std::string result = {};
  // A line on standard error while it runs: how far it has come. To look for new behaviour costs a
  // little time.
  bool progress = false;
  // What the body writes to standard output and standard error is thrown away, except in the
  // execution that is reported, and in a replay. No `progress` either.
  bool quiet = false;
};

// One bug, by its signature.
struct Finding {
  Verdict verdict;       // of the execution that is reported: the first one that had it, minimised
  uint64_t count = 0;    // how many executions had it
  uint64_t first = 0;    // the first one of them, counted from 1
  std::string token;     // replays the one that is reported; empty if it could not be repeated
  std::string report;    // of that one, for a person
  uint64_t choices = 0;  // of the first one that were not benign
  uint64_t kept = 0;     // of these, or of fewer that do as well: those of the one that is reported
  bool minimal = false;  // each of those is known to be needed
};

struct Result {
  std::string strategy;     // as it was asked for; "replay" of a token
  uint64_t executions = 0;  // without repetitions
  uint64_t steps = 0;       // of these
  // Schedules that differ in who ran when: exact up to some millions, an estimate within about 1 %
  // beyond.
  uint64_t distinct_schedules = 0;
  bool schedules_estimated = false;
  // New behaviour that there was (sim/portfolio.h), where anybody looked: with the portfolio, or
  // `progress`.
  uint64_t behaviours = 0;
  double seconds = 0;
  bool exhausted = false;  // everything that the strategy can reach was executed
  // Which share of that was, from 0 to 1: an estimate, as if all branches were equally large. Below
  // 0: it has no end.
  double share_done = -1;
  // Executions in which a bound on what the memory model keeps was reached (Counters).
  uint64_t cut_histories = 0;
  // Executions that went on beyond ExecutionOptions::unfair_steps (Counters).
  uint64_t long_executions = 0;
  // The last execution, which does not count, was given up after so many steps: the time was over.
  uint64_t steps_given_up = 0;
  // A program's first execution has left threads that destructors of globals may have to do with:
  // it should be executed again with constructors and destructors in each execution. Nothing else
  // has been executed.
  bool needs_constructors = false;
  // Executions in which the program ended with another status than 0 (ExitMode).
  uint64_t failing_statuses = 0;
  // How often a known fault of the C++ library was passed over (ExecutionOptions::library_bugs).
  uint64_t library_bugs = 0;
  // How often an annotation for ThreadSanitizer was believed (ExecutionOptions::annotations).
  uint64_t annotations = 0;
  std::vector<Finding> findings;  // in the order in which they were found
  uint64_t first_failure = 0;     // the execution that found the first one, counted from 1; 0: none
  // What each strategy has done; several of them if they shared the executions.
  std::vector<StrategyShare> strategies;
  // Why nothing was executed, if so: an unknown strategy, a malformed token or option.
  std::string problem;

  // No bug, and the request could be carried out.
  bool ok() const { return findings.empty() && problem.empty(); }
  // Of the first finding; empty if there is none.
  std::string token() const { return ok() || findings.empty() ? "" : findings.front().token; }
  std::string report() const { return findings.empty() ? problem : findings.front().report; }
};

// Executes `body`, as simulated thread 0, again and again. Must be called from the process's first
// thread, and is refused in others; in an execution, the call is that one's verdict. Costs what the
// executions cost, and one function call for each.
//
// Whatever goes wrong in an execution is a finding: what the oracles say, a failed EXPECT_ or
// ASSERT_ of GoogleTest, assert, abort, an uncaught exception, std::terminate, exit, a segmentation
// fault. One passing execution in 1,000 and every first failing one of its kind is repeated; if it
// then goes another way, that is a finding, too. So is a body without any instrumented step.
Result Explore(const std::function<void()>& body, const Options& options = {});

// The same in a test: a finding, or a request that cannot be carried out, is a failure of the
// current GoogleTest, at the line of the call, with the report and the token. True if there is
// none. In a program without GoogleTest: prints the report and aborts.
bool ExpectNoBug(const std::function<void()>& body, const Options& options = {},
                 const char* file = __builtin_FILE(), int line = __builtin_LINE());

// Reads options as JACQUARD_OPTIONS has them, "strategy=dfs executions=1000 memory=sc", into
// `options`. Returns what is wrong with `text`, for a person; "" if nothing is.
std::string ParseOptions(std::string_view text, Options& options);

// One line for each strategy, and for each option of ParseOptions.
std::string StrategyHelp();
std::string OptionsHelp();

// For programs with a main of their own: whether the options, or the token that is to be replayed,
// are for executions that begin with the constructors of globals.
bool WantsConstructors(const Options& options);

// What was explored, as for a log: one line, and one for each finding. If several strategies shared
// the executions and found something, Table as well.
std::string Summary(const Result& result);

// A table: the strategy, and a row for each one that has shared its executions.
std::string Table(const Result& result);

// All of it but the reports, for programs (docs/test_your_code.md); `options`: what was asked for.
std::string ResultToJson(const Result& result, const Options& options);

}  // namespace jacquard

#endif  // JACQUARD_JACQUARD_H_
