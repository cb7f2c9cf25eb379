// Explore: the loop around executions, and what becomes of a finding.
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "jacquard/difference.h"
#include "jacquard/jacquard.h"
#include "jacquard/lock_cycle.h"
#include "jacquard/lock_graph.h"
#include "jacquard/schedule_counter.h"
#include "jacquard/silence.h"
#include "jacquard/test_framework.h"
#include "jacquard/token.h"
#include "sim/byte_string.h"
#include "sim/lock_nesting.h"
#include "sim/message.h"
#include "sim/minimizer.h"
#include "sim/report.h"
#include "sim/strategies.h"

namespace jacquard {
namespace {

using call::Token;

const TestFramework* test_framework = nullptr;

constexpr uint64_t kDefaultExecutions = 100'000;
constexpr double kDefaultSeconds = 10;

// One passing execution among so many is repeated.
constexpr uint64_t kRepeatEvery = 1000;

// What a finding may cost until it is reported. The clock is for bodies that compute for long.
constexpr MinimizeBudget kMinimizeBudget = {
    .executions = 10'000, .steps = 10'000'000, .seconds = 10};

class Body : public Program {
 public:
  explicit Body(const std::function<void()>& body) : body_(body) {}
  int ThreadCount() const override { return 1; }
  void RunThread(int /*thread*/) override { body_(); }
  bool Observes() override { return false; }

 private:
  const std::function<void()>& body_;
};

// What two executions with the same choices must have in common.
struct Course {
  uint64_t schedule = 0;
  uint64_t steps = 0;
  std::string signature;
  bool operator==(const Course&) const = default;
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

// As a shell reads it.
std::string Quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The arguments of this process, each with a space before it. To be called before the body, which
// may write to them.
std::string ReadArguments() {
  std::ifstream file("/proc/self/cmdline");
  std::string text;
  std::string word;
  std::getline(file, word, '\0');
  while (std::getline(file, word, '\0')) text += " " + Quoted(word);
  return text;
}

// The command that replays `token`; `arguments` are those of a program that is no test.
std::string ReplayCommand(const std::string& token, const std::string& arguments) {
  const std::string test = test_framework != nullptr ? test_framework->test_name() : "";
  if (const char* const target = std::getenv("TEST_TARGET")) {
    const std::string filter = test.empty() ? "" : " --test_filter=" + test;
    return fmt::format("bazel test {}{} --test_output=all --test_env=JACQUARD_REPLAY={}", target,
                       filter, token);
  }
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string program =
      length > 0 ? Quoted(std::string(path, static_cast<size_t>(length))) : "PROGRAM";
  std::string command = "JACQUARD_REPLAY=" + token + " ";
  if (test_framework != nullptr)
    return command + program + (test.empty() ? "" : " --gtest_filter=" + test);
  // With it, all arguments are the program's.
  if (const char* const given = std::getenv("JACQUARD_OPTIONS"))
    command += "JACQUARD_OPTIONS=" + Quoted(given) + " ";
  return command + program + arguments;
}

class Exploration {
 public:
  Exploration(const std::function<void()>& body, const Options& options)
      : program_(body), body_(call::Hash(body.target_type().name())), options_(options) {}

  Result Run() {
    if (!Prepare()) return std::move(result_);
    const auto start = Clock::now();
    const Counters before = RuntimeCounters();
    {
      const Expectations expectations;
      call::Silence silence(options_.quiet && !replays_);
      silence_ = &silence;
      Search(start);
      if (result_.findings.empty() || !options_.stop_at_first_bug) ReportLockCycles();
    }
    result_.cut_histories = RuntimeCounters().cut_histories - before.cut_histories;
    result_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    result_.distinct_schedules = schedules_.Count();
    result_.schedules_estimated = schedules_.estimated();
    result_.share_done = result_.exhausted ? 1 : strategy_->ShareDone();
    CountByStrategy();
    if (result_.steps == 0 && result_.findings.empty() && result_.executions != 0) ReportNoStep();
    WriteFiles();
    return std::move(result_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // ---- the request

  // False: there is nothing to be done, or `result_.problem` says why it cannot be.
  bool Prepare() {
    if (const char* const text = std::getenv("JACQUARD_OPTIONS")) {
      result_.problem = ParseOptions(text, options_);
      if (!result_.problem.empty()) {
        result_.problem = "JACQUARD_OPTIONS: " + result_.problem;
        return false;
      }
    }
    std::string token = options_.replay;
    bool for_any_body = !token.empty();  // said in so many words: it is meant for this one
    if (const char* const given = std::getenv("JACQUARD_REPLAY")) {
      token = given;
      for_any_body = false;
    }
    if (!token.empty()) return PrepareReplay(token, for_any_body);
    strategy_ = MakeStrategy(options_.strategy, options_.seed);
    if (strategy_ == nullptr) {
      result_.problem = fmt::format("there is no strategy \"{}\"; there are:\n{}",
                                    options_.strategy, StrategyHelp());
      return false;
    }
    if (options_.executions == 0 && options_.seconds == 0) {
      options_.executions = kDefaultExecutions;
      options_.seconds = kDefaultSeconds;
    }
    return true;
  }

  bool PrepareReplay(const std::string& text, bool for_any_body) {
    if (const std::string problem = call::ParseTokens(text, tokens_); !problem.empty()) {
      result_.problem = fmt::format("the replay token cannot be read: {}", problem);
      return false;
    }
    token_ = tokens_.front();
    if (!for_any_body && token_.body != body_) {
      sim::Warn("nothing is executed here: the replay token is of another body");
      return false;
    }
    if (token_.build != call::BuildHash()) {
      sim::Warn(
          "the replay token is of another build of this program, or of another program: what it "
          "says may have another meaning here");
    }
    replays_ = true;
    options_.execution = token_.options;
    auto replay = std::make_unique<ByteString>();
    replay_ = replay.get();
    strategy_ = std::move(replay);
    options_.executions = tokens_.size();
    options_.seconds = 0;
    return true;
  }

  // ---- the search

  void Search(Clock::time_point start) {
    const bool timed = options_.seconds > 0;
    const auto limit = std::chrono::duration<double>(timed ? options_.seconds : 0);
    const uint64_t most = options_.executions != 0 ? options_.executions : UINT64_MAX;
    // Looks at the clock about once a millisecond.
    uint64_t next_look = 1;
    uint64_t between_looks = 1;
    auto last_look = start;
    uint64_t next_repeat = kRepeatEvery;
    const uint64_t picks_before = RuntimeCounters().picks;
    while (result_.executions < most) {
      if (timed && result_.executions >= next_look) {
        const auto now = Clock::now();
        if (now - start >= limit) break;
        if (now - last_look < std::chrono::milliseconds(1)) {
          between_looks *= 2;
        } else if (now - last_look > std::chrono::milliseconds(10)) {
          between_looks = std::max<uint64_t>(1, between_looks / 4);
        }
        last_look = now;
        next_look = result_.executions + between_looks;
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
      Verdict verdict = Execute(program_, *strategy_, options_.execution);
      const uint64_t steps = RuntimeCounters().steps - steps_before;
      result_.steps += steps;
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
    // Of a deadlock that could have been, the one that is.
    const DeadlockChoices choices = LastDeadlockChoices();
    ByteString deadlock;
    deadlock.Set(choices.exceptions, choices.memory_exceptions);
    Course course_of_deadlock;
    const Verdict closed = Repeat(deadlock, nullptr, course_of_deadlock);
    AddFailure(deadlock, closed, course_of_deadlock);
  }

  // Executes once more what was executed last, with the same choices.
  Verdict Repeat(Strategy& strategy, Trace* trace, Course& course) {
    strategy.RepeatExecution();
    const uint64_t steps_before = RuntimeCounters().steps;
    Verdict verdict = Execute(program_, strategy, options_.execution, trace);
    course = {LastSchedule(), RuntimeCounters().steps - steps_before, verdict.signature};
    return verdict;
  }

  void CheckPass(const Course& first) {
    Course second;
    Repeat(*strategy_, nullptr, second);
    if (second == first) return;
    // It may have been the first to come to a place where a library prepares something, once and
    // for all; what goes on differing is not under control.
    ChoiceRecorder recorder(*strategy_);
    Trace one;
    Trace other;
    Course third;
    Course fourth;
    Repeat(recorder, &one, third);
    Repeat(recorder, &other, fourth);
    if (second == third && third == fourth) return;
    ReportNondeterministic("", third == fourth ? "" : call::DescribeDifference(one, other));
  }

  // The last execution has failed. `strategy` repeats it.
  void AddFailure(Strategy& strategy, const Verdict& first, const Course& course) {
    if (Count(first)) return;
    const bool minimize = options_.minimize && !replays_;
    if (!minimize) silence_->Lift();  // this one is reported
    ChoiceRecorder recorder(strategy);
    Trace trace;
    Course second;
    Verdict again = Repeat(recorder, &trace, second);
    bool same = second == course;
    Trace other;
    if (!same) {
      // As in CheckPass; but what cannot be repeated is not taken for what it looks like.
      silence_->Restore();
      Course third;
      Repeat(recorder, &other, third);
      same = second == third && second.signature == course.signature;
    }
    silence_->Restore();
    if (!same) {
      const std::string difference = call::DescribeDifference(trace, other);
      ReportNondeterministic(
          fmt::format("an execution failed ({}: {}), and {} when it was repeated",
                      VerdictKindName(first.kind), first.message,
                      again.passed()                         ? std::string("passed")
                      : second.signature == course.signature ? std::string("failed in another way")
                                                             : "failed with " + again.signature),
          difference);
      return;
    }
    Choices choices = {recorder.exceptions(), recorder.memory_exceptions()};
    const size_t given = choices.others.size() + choices.of_memory.size();
    const bool minimal = minimize && Minimize(choices, again, trace);
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
    finding.token = token;
    ReportOptions report;
    if (!token.empty()) report.replay_command = ReplayCommand(token, arguments_);
    finding.report = FormatReport(verdict, trace, report);
    if (result_.findings.size() == 1) KeepForFiles(verdict, trace, report);
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

  // Replaces `choices`, which lead to `verdict`, by as few as still lead to its signature, and
  // `verdict` and `trace` by those of that execution. Whether no choice is left that is not needed.
  bool Minimize(Choices& choices, Verdict& verdict, Trace& trace) {
    ExecutionOptions options = options_.execution;
    options.lock_order = false;  // of what passes nothing is wanted
    ScheduleMinimizer minimizer(
        [this, &options](Strategy& strategy) { return Execute(program_, strategy, options); },
        verdict.signature, kMinimizeBudget);
    Choices fewer = choices;
    if (minimizer.Fails(fewer)) minimizer.Minimize(fewer);
    for (const Choices& tried : {fewer, choices}) {
      Trace trace_of_tried;
      ByteString replay;
      replay.Set(tried.others, tried.of_memory);
      replay.BeginExecution();
      silence_->Lift();
      Verdict again = Execute(program_, replay, options_.execution, &trace_of_tried);
      silence_->Restore();
      if (again.signature != verdict.signature) continue;
      const bool minimal = !minimizer.spent() && tried == fewer;
      choices = tried;
      verdict = std::move(again);
      trace = std::move(trace_of_tried);
      return minimal;
    }
    return false;
  }

  void ReportNondeterministic(const std::string& what, const std::string& difference) {
    Verdict verdict;
    verdict.kind = VerdictKind::kNondeterministic;
    verdict.signature = "nondeterministic";
    verdict.message = what.empty() ? "repeated with the same choices, an execution that passes "
                                     "goes another way"
                                   : what;
    if (!difference.empty()) verdict.message += "; " + difference;
    AddWithoutTrace(verdict);
  }

  void ReportNoStep() {
    Verdict verdict;
    verdict.kind = VerdictKind::kUnsupported;
    verdict.signature = "unsupported|no instrumented step";
    verdict.message =
        "no instrumented step ever happened: the code under test was built without the hooks "
        "(build it with jacquard_cc_test, jacquard_cc_binary or cc_fuzz_test), or it has no atomic "
        "operation and no call into the thread library";
    AddWithoutTrace(verdict);
  }

  void AddWithoutTrace(const Verdict& verdict) {
    if (!Count(verdict)) AddFinding(verdict, Trace{}, "");
  }

  // ---- files

  void KeepForFiles(const Verdict& verdict, const Trace& trace, ReportOptions report) {
    if (!options_.json.empty()) json_ = FormatJson(verdict, trace, report);
    report.timeline.all = true;
    if (!options_.timeline.empty()) timeline_ = FormatReport(verdict, trace, report);
  }

  void WriteFiles() {
    if (result_.findings.empty()) KeepForFiles({}, Trace{}, {});
    WriteFile(options_.json, json_);
    WriteFile(options_.timeline, timeline_);
  }

  void WriteFile(const std::string& path, const std::string& text) {
    if (path.empty()) return;
    std::FILE* const file = std::fopen(path.c_str(), "w");
    bool good = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file != nullptr) good = std::fclose(file) == 0 && good;
    if (!good && result_.problem.empty()) result_.problem = "cannot write to " + path;
  }

  Body program_;
  const uint32_t body_;
  const std::string arguments_ = test_framework == nullptr ? ReadArguments() : "";
  Options options_;
  bool replays_ = false;
  uint64_t failures_ = 0;
  std::vector<Token> tokens_;  // what is replayed, one after another
  Token token_;                // that which is going on
  ByteString* replay_ = nullptr;
  std::unique_ptr<Strategy> strategy_;
  call::ScheduleCounter schedules_;
  call::LockGraph locks_;
  std::vector<Token> inputs_;  // those of `locks_`
  call::Silence* silence_ = nullptr;
  std::string json_;
  std::string timeline_;
  Result result_;
};

}  // namespace

void SetTestFramework(const TestFramework* framework) { test_framework = framework; }

Result Explore(const std::function<void()>& body, const Options& options) {
  return Exploration(body, options).Run();
}

std::string Summary(const Result& result) {
  std::string text =
      fmt::format("{} executions, {} steps, {}{} distinct schedules in {:.1f} s", result.executions,
                  result.steps, result.schedules_estimated ? "about " : "",
                  result.distinct_schedules, result.seconds);
  if (result.exhausted) text += "; that is all there are";
  if (result.cut_histories != 0) {
    text += fmt::format(
        "; in {} something was forgotten that a read might have returned "
        "(max_history keeps more)",
        result.cut_histories);
  }
  for (const Finding& finding : result.findings) {
    text += fmt::format("\n{} x {}", finding.count, finding.verdict.signature);
    if (finding.kept == finding.choices) continue;
    text += fmt::format(" (reported with {} of {} choices that were not benign{})", finding.kept,
                        finding.choices, finding.minimal ? "" : "; fewer may do");
  }
  if (result.strategies.size() < 2 || result.findings.empty()) return text;
  text += fmt::format("\n{:<16} {:>10} {:>10} {:>12} {:>12}", "strategy", "executions", "bugs",
                      "to first bug", "behaviours");
  for (const StrategyShare& share : result.strategies) {
    const std::string first =
        share.first_failure == 0 ? std::string("-") : fmt::to_string(share.first_failure);
    text += fmt::format("\n{:<16} {:>10} {:>10} {:>12} {:>12}", share.name, share.executions,
                        share.failures, first, share.behaviours);
  }
  return text;
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
