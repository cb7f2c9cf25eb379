// Explore: the loop around executions, and what becomes of a finding.
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "jacquard/deadline.h"
#include "jacquard/difference.h"
#include "jacquard/jacquard.h"
#include "jacquard/jobs.h"
#include "jacquard/lock_cycle.h"
#include "jacquard/lock_graph.h"
#include "jacquard/minimal_failure.h"
#include "jacquard/occasional_look.h"
#include "jacquard/progress.h"
#include "jacquard/repetition.h"
#include "jacquard/replay_command.h"
#include "jacquard/request.h"
#include "jacquard/result_files.h"
#include "jacquard/schedule_counter.h"
#include "jacquard/silence.h"
#include "jacquard/status_line.h"
#include "jacquard/test_framework.h"
#include "jacquard/token.h"
#include "jacquard/workers.h"
#include "sim/byte_string.h"
#include "sim/lock_nesting.h"
#include "sim/message.h"
#include "sim/minimizer.h"
#include "sim/report.h"
#include "sim/strategies.h"
#include "sim/variables.h"

namespace jacquard {
namespace {

using call::Course;
using call::Token;

const TestFramework* test_framework = nullptr;

// One passing execution among so many is repeated.
constexpr uint64_t kRepeatEvery = 1000;

// An execution that goes on for so many seconds after the time is over is given up.
constexpr double kGrace = 1;

class Body : public Closure {
 public:
  using Closure::Closure;
  std::string NameOf(const void* address) override { return NameOfVariable(address); }
};

// Keeps the test framework told, for as long as it lives.
class Expectations {
 public:
  Expectations() {
    if (test_framework != nullptr) test_framework->begin();
  }
  ~Expectations() {
    if (test_framework != nullptr) test_framework->end();
  }
  Expectations(const Expectations&) = delete;
  Expectations& operator=(const Expectations&) = delete;
};

// Tells what is explored apart, for tokens: by the type of the body, by the running test, and, of
// those that have both in common (in a loop, say), by their number. To be called once for each.
uint32_t IdentityOf(const std::function<void()>& body) {
  static auto& numbers = *new std::map<std::string, uint64_t>;  // in the running test
  static uint64_t running_test = 0;
  std::string identity = body.target_type().name();
  if (test_framework != nullptr) {
    const uint64_t tests_begun = test_framework->tests_begun();
    if (tests_begun != running_test) numbers.clear();
    running_test = tests_begun;
    if (const std::string test = test_framework->test_name(); !test.empty())
      identity += "\n" + test;
  }
  const uint64_t number = ++numbers[identity];
  if (number > 1) identity += "\n" + std::to_string(number);
  return call::Hash(identity);
}

bool IsFirstThread() { return syscall(SYS_gettid) == getpid(); }

class Exploration {
 public:
  Exploration(const std::function<void()>& body, const Options& options)
      : program_(body), body_(IdentityOf(body)), options_(options) {}

  Result Run() {
    if (!Prepare()) return std::move(result_);
    if (apart_) {
      ShareOut();
    } else {
      ExploreHere();
    }
    if (result_.needs_constructors && result_.findings.empty()) return std::move(result_);
    const bool none = result_.executions == 0 && result_.findings.empty() && !replays_;
    if (none && (result_.steps_given_up != 0 || options_.seconds > 0) && result_.problem.empty())
      result_.problem = "the time was over before one execution had come to its end";
    progress_->End();
    result_.strategy = replays_ ? "replay" : options_.strategy;
    const std::string problem = call::WriteFiles(options_, texts_, result_);
    if (result_.problem.empty()) result_.problem = problem;
    return std::move(result_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // ---- the request

  // False: there is nothing to be done, or `result_.problem` says why it cannot be.
  bool Prepare() {
    call::Request request = call::MakeRequest(options_, body_);
    options_ = std::move(request.options);
    tokens_ = std::move(request.tokens);
    result_.problem = std::move(request.problem);
    if (request.refused) return false;
    result_.problem = call::CheckFiles(options_);
    if (!result_.problem.empty()) return false;
    if (!tokens_.empty()) {
      PrepareReplay();
      return true;
    }
    progress_ = std::make_unique<call::Progress>(options_.progress && !options_.quiet);
    strategy_ = progress_->MakeWatched(options_.strategy, options_.seed);
    if (strategy_ == nullptr) {
      result_.problem = fmt::format("there is no strategy \"{}\"; there are:\n{}",
                                    options_.strategy, StrategyHelp());
      return false;
    }
    return options_.jobs <= 1 || PrepareJobs();
  }

  bool PrepareJobs() {
    if (RuntimeCounters().executions != 0) {
      result_.problem =
          "jobs: there were executions in this process before; they must have jobs, too, as in "
          "JACQUARD_OPTIONS";
      return false;
    }
    apart_ = true;
    if (strategy_->ShareDone() < 0) return true;
    sim::Warn("jobs: a search that has an end is done by one process");
    options_.jobs = 1;
    return true;
  }

  void PrepareReplay() {
    replays_ = true;
    progress_ = std::make_unique<call::Progress>(/*shown=*/false);
    auto replay = std::make_unique<ByteString>();
    replay_ = replay.get();
    strategy_ = std::move(replay);
  }

  // ---- one process or several

  void ExploreHere() {
    const auto start = Clock::now();
    progress_->Begin();
    const Counters before = RuntimeCounters();
    {
      const Expectations expectations;
      call::Silence silence(options_.quiet && !replays_);
      silence_ = &silence;
      Search(start);
      if (result_.findings.empty() || !options_.stop_at_first_bug) ReportLockCycles();
    }
    result_.cut_histories = RuntimeCounters().cut_histories - before.cut_histories;
    result_.failing_statuses = RuntimeCounters().failing_statuses - before.failing_statuses;
    result_.library_bugs = RuntimeCounters().library_bugs - before.library_bugs;
    result_.annotations = RuntimeCounters().annotations - before.annotations;
    result_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    result_.distinct_schedules = schedules_.Count();
    result_.schedules_estimated = schedules_.estimated();
    result_.share_done = result_.exhausted ? 1 : strategy_->ShareDone();
    CountByStrategy();
    if (result_.findings.empty()) texts_ = call::MakeFileTexts(options_, {}, Trace{}, {});
    if (result_.steps == 0 && result_.findings.empty() && result_.executions != 0)
      AddWithoutTrace(call::NoStepVerdict());
    if (progress_->is_watched() && result_.steps != 0)
      progress_->Report(Status(), result_, schedules_);
  }

  // Each process has a seed of its own and its part of the executions. Also if it is only one: this
  // process executes nothing, so that later explorations may have jobs.
  void ShareOut() {
    call::Jobs jobs;
    // None with no part of them, which would be one without an end.
    const auto most = static_cast<uint64_t>(options_.jobs);
    jobs.count =
        static_cast<int>(options_.executions == 0 ? most : std::min(most, options_.executions));
    jobs.stop_at_first_bug = options_.stop_at_first_bug;
    jobs.seconds = options_.seconds;
    jobs.explore = [this, count = jobs.count](
                       int worker, const std::function<void(const call::JobNews&)>& tell) {
      progress_ = std::make_unique<call::Progress>(/*shown=*/false, &tell);
      schedules_ = call::ScheduleCounter(0);
      options_.executions = call::Workers::Share(options_.executions, worker, count);
      strategy_ = progress_->MakeWatched(options_.strategy, call::SeedOf(options_.seed, worker));
      ExploreHere();
      return call::FinishedJob{std::move(result_), texts_};
    };
    jobs.on_status = [this](call::SearchStatus status) {
      status.strategy = options_.strategy;
      progress_->Show(status);
    };
    call::FinishedJob all = call::RunJobs(jobs);
    result_ = std::move(all.result);
    texts_ = std::move(all.texts);
  }

  call::SearchStatus Status() const {
    call::SearchStatus status;
    status.strategy = options_.strategy;
    status.executions = result_.executions;
    status.scenarios = 1;
    status.exhausted = result_.exhausted;
    status.share_done = result_.exhausted ? 1 : strategy_->ShareDone();
    return status;
  }

  // ---- the search

  void Search(Clock::time_point start) {
    const bool timed = options_.seconds > 0;
    const bool watched = progress_->is_watched();
    const auto limit = std::chrono::duration<double>(timed ? options_.seconds : 0);
    const uint64_t most = options_.executions != 0 ? options_.executions : UINT64_MAX;
    call::OccasionalLook look;
    uint64_t next_repeat = kRepeatEvery;
    const uint64_t picks_before = RuntimeCounters().picks;
    const call::Deadline deadline(timed && !replays_ ? options_.seconds + kGrace : 0);
    const ExecutionSeries series;
    while (result_.executions < most) {
      if ((timed || watched) && look.IsDue(result_.executions)) {
        const auto now = look.Now(result_.executions);
        if (timed && now - start >= limit) break;
        if (watched && progress_->IsTime(now)) progress_->Report(Status(), result_, schedules_);
      }
      if (replays_) {
        token_ = tokens_[result_.executions];
        options_.execution = token_.options;
        replay_->Set(token_.exceptions, token_.memory_exceptions);
      }
      if (!strategy_->BeginExecution()) {
        result_.exhausted = true;
        break;
      }
      const uint64_t steps_before = RuntimeCounters().steps;
      const uint64_t long_before = RuntimeCounters().long_executions;
      Verdict verdict = Execute(program_, *strategy_, options_.execution);
      if (LastWasGivenUp()) [[unlikely]] {
        result_.steps_given_up = RuntimeCounters().steps - steps_before;
        break;
      }
      if (LastNeedsConstructors() && result_.executions == 0 && !replays_ && verdict.passed() &&
          options_.constructors == Constructors::kAsNeeded) {
        result_.needs_constructors = true;
        break;
      }
      const uint64_t steps = RuntimeCounters().steps - steps_before;
      result_.steps += steps;
      result_.long_executions += RuntimeCounters().long_executions - long_before;
      schedules_.Add(LastSchedule());
      const bool nothing_happens = result_.steps == 0 && RuntimeCounters().picks == picks_before;
      if (++result_.executions >= next_repeat) [[unlikely]] {
        next_repeat += kRepeatEvery;
        if (verdict.passed()) CheckPass({LastSchedule(), steps, {}});
      }
      if (verdict.passed()) [[likely]] {
        NoteLockOrder();
      } else {
        ++failures_;
        if (result_.first_failure == 0) result_.first_failure = result_.executions;
        Add(verdict, {LastSchedule(), steps, verdict.signature});
      }
      strategy_->EndExecution(verdict);
      if (!result_.findings.empty() && options_.stop_at_first_bug) break;
      if (nothing_happens) [[unlikely]]
        break;  // nor in any other execution
    }
  }

  void CountByStrategy() {
    if (replays_) return;
    result_.strategies = strategy_->Shares();
    for (const StrategyShare& share : result_.strategies) result_.behaviours += share.behaviours;
    if (!result_.strategies.empty()) return;
    StrategyShare& share = result_.strategies.emplace_back();
    share.name = options_.strategy;
    share.executions = result_.executions;
    share.failures = failures_;
    share.first_failure = result_.first_failure;
  }

  // ---- repetitions

  void Add(const Verdict& verdict, const Course& course) {
    if (verdict.kind != VerdictKind::kLockOrder) return AddFailure(*strategy_, verdict, course);
    // Of a deadlock that could have been, the one that is. A copy: repeating it makes others.
    DeadlockChoices choices = LastDeadlockChoices();
    ByteString deadlock;
    deadlock.Set(choices.exceptions, choices.memory_exceptions);
    Course course_of_deadlock;
    const Verdict closed = Repeat(deadlock, nullptr, course_of_deadlock);
    AddFailure(deadlock, closed, course_of_deadlock);
  }

  Verdict Repeat(Strategy& strategy, Trace* trace, Course& course) {
    return call::Repeat(program_, strategy, options_.execution, trace, course);
  }

  void CheckPass(const Course& first) {
    Course second;
    Repeat(*strategy_, nullptr, second);
    if (second == first) return;
    // It may have been the first to come to a place where a library prepares something, once and
    // for all; and a strategy may go by addresses, which are not the same again in what a library
    // has allocated for itself. What differs with the same choices is not under control.
    ChoiceRecorder recorder(*strategy_);
    Trace one;
    Course third;
    Repeat(recorder, &one, third);
    Trace other;
    if (call::RepeatsWithChoices(program_, recorder, options_.execution, third, other)) return;
    AddWithoutTrace(call::NondeterministicVerdict("", call::DescribeDifference(one, other)));
  }

  // The last execution has failed. `strategy` repeats it.
  void AddFailure(Strategy& strategy, const Verdict& first, const Course& course) {
    if (Count(first)) return;
    const bool minimize = options_.minimize && !replays_;
    if (!minimize) silence_->Lift();  // this one is reported
    ChoiceRecorder recorder(strategy);
    Trace trace;
    trace.endless = first.endless;
    Course second;
    Verdict again = Repeat(recorder, &trace, second);
    bool same = second == course;
    Trace other;
    if (!same) {
      // As in CheckPass; but what cannot be repeated is not taken for what it looks like.
      silence_->Restore();
      same = call::RepeatsWithChoices(program_, recorder, options_.execution, second, other) &&
             second.signature == course.signature;
    }
    silence_->Restore();
    if (!same && first.kind == VerdictKind::kUnsupported) return AddWithoutTrace(first);
    if (!same) {
      const std::string difference = call::DescribeDifference(trace, other);
      AddWithoutTrace(call::NondeterministicVerdict(
          fmt::format("an execution failed ({}: {}), and {} when it was repeated",
                      VerdictKindName(first.kind), first.message,
                      again.passed()                         ? std::string("passed")
                      : second.signature == course.signature ? std::string("failed in another way")
                                                             : "failed with " + again.signature),
          difference));
      return;
    }
    Choices choices = {recorder.exceptions(), recorder.memory_exceptions()};
    const size_t given = choices.others.size() + choices.of_memory.size();
    const bool minimal =
        minimize && call::Minimize(program_, options_.execution, *silence_, choices, again, trace);
    const size_t kept = choices.others.size() + choices.of_memory.size();
    const Token token = replays_ ? token_
                                 : Token{call::BuildHash(), body_, options_.execution,
                                         std::move(choices.others), std::move(choices.of_memory)};
    Finding& finding = AddFinding(again, trace, call::FormatToken(token));
    finding.choices = given;
    finding.kept = kept;
    finding.minimal = minimal;
  }

  // Whether it is a finding already: then it is counted.
  bool Count(const Verdict& verdict) {
    for (Finding& finding : result_.findings) {
      if (finding.verdict.signature != verdict.signature) continue;
      ++finding.count;
      return true;
    }
    return false;
  }

  // Without a token it cannot be repeated.
  Finding& AddFinding(const Verdict& verdict, const Trace& trace, const std::string& token) {
    Finding& finding = result_.findings.emplace_back();
    finding.verdict = verdict;
    finding.count = 1;
    finding.first = result_.executions;
    finding.token = token;
    ReportOptions report;
    if (!token.empty()) {
      report.replay_command =
          call::ReplayCommand(token, test_framework != nullptr ? test_framework->test_name() : "",
                              test_framework == nullptr, arguments_);
    }
    finding.report = FormatReport(verdict, trace, report);
    if (result_.findings.size() == 1)
      texts_ = call::MakeFileTexts(options_, verdict, trace, report);
    return finding;
  }

  // ---- the order of locks

  // The last execution has passed.
  void NoteLockOrder() {
    if (!options_.lock_order_across_executions || !options_.execution.lock_order) return;
    if (!locks_.Add(LastLockNestings())) return;
    Token token = token_;
    if (!replays_) {
      ChoiceRecorder recorder(*strategy_);
      Course course;
      Repeat(recorder, nullptr, course);
      token = {call::BuildHash(), body_, options_.execution, recorder.exceptions(),
               recorder.memory_exceptions()};
    }
    inputs_.push_back(std::move(token));
  }

  // Of cycles that no execution has shown as a whole. If there are no other executions, there is
  // none that could.
  void ReportLockCycles() {
    if (result_.exhausted) return;
    for (const call::LockGraph::Cycle& cycle : locks_.FindCycles()) {
      const auto execute = [this](size_t input, Trace& trace) {
        ByteString replay;
        replay.Set(inputs_[input].exceptions, inputs_[input].memory_exceptions);
        Course course;
        Repeat(replay, &trace, course);
      };
      const auto described = call::DescribeCycle(cycle, execute);
      if (!described || Count(described->verdict)) continue;
      std::string token;
      for (const size_t input : described->inputs)
        token += (token.empty() ? "" : "+") + call::FormatToken(inputs_[input]);
      AddFinding(described->verdict, described->trace, token);
    }
  }

  void AddWithoutTrace(const Verdict& verdict) {
    if (!Count(verdict)) AddFinding(verdict, Trace{}, "");
  }

  Body program_;
  const uint32_t body_;
  const std::string arguments_ = test_framework == nullptr ? call::ReadArguments() : "";
  Options options_;
  std::unique_ptr<call::Progress> progress_;
  bool replays_ = false;
  bool apart_ = false;  // in processes of their own
  uint64_t failures_ = 0;
  std::vector<Token> tokens_;  // what is replayed, one after another
  Token token_;                // that which is going on
  ByteString* replay_ = nullptr;
  std::unique_ptr<Strategy> strategy_;
  call::ScheduleCounter schedules_;
  call::LockGraph locks_;
  std::vector<Token> inputs_;  // those of `locks_`
  call::Silence* silence_ = nullptr;
  call::FileTexts texts_;
  Result result_;
};

}  // namespace

void SetTestFramework(const TestFramework* framework) { test_framework = framework; }

Result Explore(const std::function<void()>& body, const Options& options) {
  if (CurrentThread() >= 0) {
    FailExecution(VerdictKind::kMisuse, "jacquard::Explore",
                  "called by a body that is being explored (ExpectNoBug calls it, too): an "
                  "exploration cannot be part of another");
  }
  if (!IsFirstThread()) {
    Result refused;
    refused.problem =
        "Explore was called from a thread that is not the process's first, in whose place the "
        "simulated ones run: call it from the thread that main runs on (a test program has to run "
        "its tests there)";
    return refused;
  }
  return Exploration(body, options).Run();
}

// Without GoogleTest; googletest.cc has the other one.
[[gnu::weak]] bool ExpectNoBug(const std::function<void()>& body, const Options& options,
                               const char* file, int line) {
  const Result result = Explore(body, options);
  if (result.ok()) return true;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, result.report().c_str());
  std::abort();
}

}  // namespace jacquard
