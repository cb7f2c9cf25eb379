// The call that users make: what it finds, what it counts, what it refuses.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "jacquard/jacquard.h"

namespace jacquard {
namespace {

class SpinLock {
 public:
  void lock() {
    while (locked_.exchange(true, std::memory_order_acquire)) {
    }
  }
  void unlock() { locked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> locked_{false};
};

void Counts() {
  SpinLock lock;
  int counter = 0;
  std::thread a([&] {
    lock.lock();
    ++counter;
    lock.unlock();
  });
  std::thread b([&] {
    lock.lock();
    ++counter;
    lock.unlock();
  });
  a.join();
  b.join();
  EXPECT_EQ(counter, 2);
}

// Loses an update in some executions.
void LosesUpdates() {
  std::atomic<int> counter{0};
  const auto work = [&] { counter.store(counter.load() + 1); };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  EXPECT_EQ(counter.load(), 2) << "an update is lost";
}

TEST(ExpectNoBug, PassesWhereThereIsNone) { EXPECT_TRUE(ExpectNoBug(Counts)); }

TEST(ExpectNoBug, FailsTheTestOnce) {
  testing::TestPartResultArray failures;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &failures);
    EXPECT_FALSE(ExpectNoBug(LosesUpdates));
  }
  ASSERT_EQ(failures.size(), 1);
  const testing::TestPartResult& failure = failures.GetTestPartResult(0);
  EXPECT_NE(std::string(failure.file_name()).find("call_test.cc"), std::string::npos);
  const std::string text = failure.message();
  for (const char* part : {"expectation: ", "Timeline: ", "an update is lost",
                           "Replay: ", "JACQUARD_REPLAY=J1", "ExpectNoBug.FailsTheTestOnce"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }
}

TEST(Explore, CountsWhatItHasDone) {
  const Result result = Explore(Counts, {.executions = 2000});
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_EQ(result.executions, 2000u);
  EXPECT_GT(result.steps, 4 * 2000u);
  EXPECT_GT(result.distinct_schedules, 10u);
  EXPECT_LT(result.distinct_schedules, 2000u);
  EXPECT_FALSE(result.schedules_estimated);
  EXPECT_FALSE(result.exhausted);
}

// Two threads with two steps each interleave in 6 ways; whoever is first to start is one more
// choice, and threads end and are joined without one.
TEST(Explore, CountsSchedulesExactly) {
  const auto body = [] {
    std::atomic<int> word{0};
    std::thread a([&] { word.fetch_add(1); });
    std::thread b([&] { word.fetch_add(1); });
    a.join();
    b.join();
  };
  const Result all = Explore(body, {.strategy = "dfs"});
  EXPECT_TRUE(all.ok()) << all.report();
  EXPECT_TRUE(all.exhausted);
  EXPECT_EQ(all.distinct_schedules, all.executions);
  const Result random = Explore(body, {.executions = 5000});
  EXPECT_EQ(random.distinct_schedules, all.distinct_schedules);
}

TEST(Explore, StopsAtTheFirstBug) {
  const Result result = Explore(LosesUpdates);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].count, 1u);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kExpectation);
  EXPECT_EQ(result.findings[0].verdict.signature,
            "expectation|Expected equality of these values: counter.load(), 2, an update is lost");
}

TEST(Explore, GoesOnAndCountsBySignature) {
  const auto body = [] {
    std::atomic<int> word{0};
    std::thread thread([&] { word.store(1); });
    if (word.load() == 1) Fail("first", "seen");
    if (word.load() == 1) Fail("second", "seen");
    thread.join();
  };
  const Result result = Explore(body, {.executions = 1000, .stop_at_first_bug = false});
  EXPECT_EQ(result.executions, 1000u);
  ASSERT_EQ(result.findings.size(), 2u);
  const uint64_t failures = result.findings[0].count + result.findings[1].count;
  EXPECT_GT(failures, 100u);
  EXPECT_LT(failures, 1000u);
  EXPECT_NE(result.findings[0].verdict.signature, result.findings[1].verdict.signature);
}

int global_pair[2];
thread_local int own_pair[2];

// The message says whose they are, and which bytes of them; the signature only which they are.
TEST(Explore, NamesVariables) {
  const auto race_for = [](int* (*variable)()) {
    const Result result = Explore([variable] {
      std::atomic<int*> shared{nullptr};
      std::thread owner([&] {
        int* const mine = variable();
        shared.store(mine, std::memory_order_relaxed);
        *mine = 1;
        while (shared.load(std::memory_order_relaxed) != nullptr) std::this_thread::yield();
      });
      while (shared.load(std::memory_order_relaxed) == nullptr) std::this_thread::yield();
      *shared.load(std::memory_order_relaxed) = 2;
      shared.store(nullptr, std::memory_order_relaxed);
      owner.join();
    });
    return result.findings.empty() ? Verdict() : result.findings[0].verdict;
  };
  const Verdict global = race_for([] { return &global_pair[1]; });
  EXPECT_NE(global.message.find(" writes 4 bytes of jacquard::global_pair+4, "), std::string::npos)
      << global.message;
  EXPECT_TRUE(global.signature.ends_with("|jacquard::global_pair")) << global.signature;
  const Verdict own = race_for([] { return &own_pair[1]; });
  EXPECT_NE(own.message.find(" writes 4 bytes of thread 1's jacquard::own_pair+4, "),
            std::string::npos)
      << own.message;
  EXPECT_TRUE(own.signature.ends_with("|jacquard::own_pair")) << own.signature;
}

int other_global;

// One finding for each variable, whichever part of it and whichever thread's it is.
TEST(Explore, TellsRacesOfVariablesApart) {
  const Result result = Explore(
      [] {
        std::atomic<int> turn{0};
        std::thread a([&turn] {
          turn = 1;
          turn = 2;
        });
        std::thread b([&turn] {
          const int seen = turn.load(std::memory_order_relaxed);
          ++(seen == 0 ? other_global : global_pair[seen - 1]);
        });
        ++other_global;
        ++global_pair[0];
        ++global_pair[1];
        a.join();
        b.join();
      },
      {.executions = 2000, .stop_at_first_bug = false});
  std::set<std::string> variables;
  for (const Finding& finding : result.findings) {
    const std::string& signature = finding.verdict.signature;
    variables.insert(signature.substr(signature.rfind('|')));
  }
  EXPECT_EQ(variables,
            (std::set<std::string>{"|jacquard::global_pair", "|jacquard::other_global"}));
}

TEST(Explore, TellsWhatEachStrategyHasDone) {
  Options options;
  options.executions = 1000;
  options.stop_at_first_bug = false;
  const Result result = Explore(LosesUpdates, options);
  ASSERT_EQ(result.findings.size(), 1u);
  ASSERT_GT(result.strategies.size(), 3u);
  uint64_t executions = 0;
  uint64_t failures = 0;
  for (const StrategyShare& share : result.strategies) {
    executions += share.executions;
    failures += share.failures;
    EXPECT_EQ(share.first_failure != 0, share.failures != 0) << share.name;
    EXPECT_NE(Summary(result).find("\n  " + share.name + " "), std::string::npos);
  }
  EXPECT_EQ(executions, 1000u);
  EXPECT_EQ(failures, result.findings[0].count);
  EXPECT_GT(result.first_failure, 0u);

  options.strategy = "pos";
  const Result single = Explore(LosesUpdates, options);
  ASSERT_EQ(single.strategies.size(), 1u);
  EXPECT_EQ(single.strategies[0].name, "pos");
  EXPECT_EQ(single.strategies[0].executions, 1000u);
  EXPECT_EQ(single.strategies[0].failures, single.findings[0].count);
  EXPECT_EQ(single.strategies[0].first_failure, single.first_failure);
}

TEST(Explore, CountsTheExecutionThatEndsTheSearch) {
  const Result result = Explore(LosesUpdates, {.executions = 1000});
  uint64_t executions = 0;
  for (const StrategyShare& share : result.strategies) executions += share.executions;
  EXPECT_EQ(executions, result.executions);
  EXPECT_EQ(result.first_failure, result.executions);
}

TEST(Explore, ReplaysAToken) {
  const Result found = Explore(LosesUpdates);
  ASSERT_FALSE(found.ok());
  ASSERT_FALSE(found.token().empty());
  const Result again = Explore(LosesUpdates, {.replay = found.token()});
  EXPECT_EQ(again.executions, 1u);
  ASSERT_EQ(again.findings.size(), 1u);
  EXPECT_EQ(again.findings[0].verdict.signature, found.findings[0].verdict.signature);
  EXPECT_EQ(again.token(), found.token());
  EXPECT_EQ(again.report(), found.report());
}

// Long enough that a random walk makes dozens of choices.
void LosesOneOfManyUpdates() {
  std::atomic<int> counter{0};
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) counter.store(counter.load() + 1);
  };
  std::thread a(work);
  std::thread b(work);
  a.join();
  b.join();
  EXPECT_EQ(counter.load(), 40) << "an update is lost";
}

// Which says, too, the how manyth exploration of the test it was.
std::string WithoutToken(const std::string& report) {
  return report.substr(0, report.find("JACQUARD_REPLAY="));
}

TEST(Explore, ReportsFewChoices) {
  Options options = {.strategy = "random", .minimize = false};
  const Result found = Explore(LosesOneOfManyUpdates, options);
  ASSERT_EQ(found.findings.size(), 1u);
  EXPECT_GT(found.findings[0].choices, 20u);
  EXPECT_EQ(found.findings[0].kept, found.findings[0].choices);
  options.minimize = true;
  const Result fewer = Explore(LosesOneOfManyUpdates, options);
  ASSERT_EQ(fewer.findings.size(), 1u);
  const Finding& finding = fewer.findings[0];
  EXPECT_EQ(finding.choices, found.findings[0].choices);
  EXPECT_LE(finding.kept, 2u);
  EXPECT_TRUE(finding.minimal);
  EXPECT_EQ(finding.verdict.signature, found.findings[0].verdict.signature);
  EXPECT_LT(finding.token.size(), 45u);
  EXPECT_GT(found.token().size(), 90u);
  EXPECT_NE(finding.report.find("Decisions that matter"), std::string::npos);
  EXPECT_NE(Summary(fewer).find(" choices that were not benign)"), std::string::npos)
      << Summary(fewer);
  // The same every time, and in a replay.
  EXPECT_EQ(WithoutToken(Explore(LosesOneOfManyUpdates, options).report()),
            WithoutToken(finding.report));
  const Result again = Explore(LosesOneOfManyUpdates, {.replay = finding.token});
  EXPECT_EQ(again.report(), finding.report);
}

// replay_test.sh has those that execute them.
TEST(Explore, TellsTokensOfOtherExplorations) {
  const Result found = Explore(LosesUpdates);
  setenv("JACQUARD_REPLAY", found.token().c_str(), 1);
  const Result of_same_type = Explore(Counts);
  const Result of_other_type = Explore([] { Counts(); });
  unsetenv("JACQUARD_REPLAY");
  for (const Result& other : {of_same_type, of_other_type}) {
    EXPECT_TRUE(other.ok()) << other.report();
    EXPECT_EQ(other.executions, 0u);
  }
}

TEST(Explore, RefusesWhatItCannotDo) {
  const Result strategy = Explore(Counts, {.strategy = "guess"});
  EXPECT_FALSE(strategy.ok());
  EXPECT_EQ(strategy.executions, 0u);
  EXPECT_NE(strategy.problem.find("\"guess\""), std::string::npos) << strategy.problem;
  const Result token = Explore(Counts, {.replay = "J1abc"});
  EXPECT_FALSE(token.ok());
  EXPECT_NE(token.problem.find("token"), std::string::npos) << token.problem;
  setenv("JACQUARD_OPTIONS", "executions=many", 1);
  const Result environment = Explore(Counts);
  unsetenv("JACQUARD_OPTIONS");
  EXPECT_FALSE(environment.ok());
  EXPECT_NE(environment.problem.find("many"), std::string::npos) << environment.problem;
}

TEST(Explore, RefusesOtherThreads) {
  Result result;
  std::thread([&result] { result = Explore(Counts); }).join();
  EXPECT_EQ(result.executions, 0u);
  EXPECT_NE(result.problem.find("not the process's first"), std::string::npos) << result.problem;
  EXPECT_NE(result.problem.find("thread that main runs on"), std::string::npos) << result.problem;
  EXPECT_TRUE(Explore(Counts, {.executions = 10}).ok());
}

// In the words in which it refuses them from the environment.
TEST(Explore, RefusesNumbersThatCannotBe) {
  const auto problem_with = [](const std::function<void(Options & options)>& change) {
    Options options = {.executions = 1};
    change(options);
    const Result result = Explore(Counts, options);
    EXPECT_EQ(result.executions, 0u);
    return result.problem;
  };
  for (const double seconds : {-1.0, std::nan(""), 1e10}) {
    EXPECT_NE(problem_with([=](Options& options) {
                options.seconds = seconds;
              }).find("is not a number above 0"),
              std::string::npos)
        << seconds;
  }
  for (const int jobs : {-3, 0, 257}) {
    EXPECT_EQ(problem_with([=](Options& options) { options.jobs = jobs; }),
              "option jobs: \"" + std::to_string(jobs) + "\" is not a whole number from 1 to 256");
  }
  for (const uint32_t history : {0u, 1u, 1001u}) {
    EXPECT_EQ(problem_with([=](Options& options) { options.execution.max_history = history; }),
              "option max_history: \"" + std::to_string(history) +
                  "\" is not a whole number from 2 to 1000");
  }
  EXPECT_EQ(problem_with([](Options& options) { options.execution.max_steps = 0; }),
            "option max_steps: \"0\" is not a whole number, at least 1");
  EXPECT_EQ(problem_with([](Options& options) { options.execution.unfair_steps = 0; }),
            "option unfair_steps: \"0\" is not a whole number, at least 1");
  // The environment has the last word.
  setenv("JACQUARD_OPTIONS", "jobs=1", 1);
  EXPECT_EQ(Explore(Counts, {.executions = 1, .jobs = 1000}).problem, "");
  unsetenv("JACQUARD_OPTIONS");
}

TEST(ParseOptions, SaysWhatAnEmptyTextShouldBe) {
  Options options;
  EXPECT_EQ(ParseOptions("replay=", options), "option replay: \"\" is not a token");
  EXPECT_EQ(ParseOptions("json=", options), "option json: \"\" is not the name of a file");
}

TEST(Explore, TakesOptionsFromTheEnvironment) {
  setenv("JACQUARD_OPTIONS", "executions=17 seed=3", 1);
  const Result result = Explore(Counts, {.executions = 5});
  unsetenv("JACQUARD_OPTIONS");
  EXPECT_EQ(result.executions, 17u);
}

TEST(Explore, StopsWhenTheTimeIsOver) {
  const Result result = Explore(Counts, {.seconds = 0.05});
  EXPECT_TRUE(result.ok());
  EXPECT_GE(result.executions, 1u);
  EXPECT_GE(result.seconds, 0.05);
}

TEST(Explore, RefusesABodyWithoutSteps) {
  int calls = 0;
  const Result result = Explore([&] { ++calls; }, {.executions = 10});
  EXPECT_EQ(calls, 1);  // nothing could ever happen
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kUnsupported);
  EXPECT_FALSE(result.ok());
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Explore, WritesFiles) {
  const std::string json = testing::TempDir() + "/finding.json";
  const std::string timeline = testing::TempDir() + "/finding.txt";
  EXPECT_FALSE(Explore(LosesUpdates, {.json = json, .timeline = timeline}).ok());
  EXPECT_NE(Content(json).find("\"kind\": \"expectation\""), std::string::npos) << Content(json);
  EXPECT_NE(Content(timeline).find("Timeline: "), std::string::npos) << Content(timeline);
  const std::string page = testing::TempDir() + "/finding.html";
  EXPECT_FALSE(Explore(LosesUpdates, {.timeline = page}).ok());
  EXPECT_NE(Content(page).find("</html>"), std::string::npos);
  EXPECT_NE(Content(page).find("\"kind\":\"expectation\""), std::string::npos);
  EXPECT_TRUE(Explore(Counts, {.executions = 10, .json = json}).ok());
  EXPECT_NE(Content(json).find("\"kind\": \"pass\""), std::string::npos) << Content(json);
  // Before the search, which may take hours.
  const Result nowhere = Explore(Counts, {.executions = 10, .json = "/no/such/folder/x"});
  EXPECT_EQ(nowhere.problem, "cannot write to /no/such/folder/x: No such file or directory");
  EXPECT_EQ(nowhere.executions, 0u);
}

TEST(Explore, SilencesAllButTheFailingExecution) {
  const auto body = [] {
    std::atomic<int> counter{0};
    std::thread thread([&] { counter.store(1); });
    std::printf("seen %d\n", counter.load());
    if (counter.load() == 1) Fail("seen", "by chance");
    thread.join();
  };
  testing::internal::CaptureStdout();
  const Result result = Explore(body, {.seed = 5, .quiet = true});
  std::fflush(stdout);
  const std::string output = testing::internal::GetCapturedStdout();
  ASSERT_FALSE(result.ok());
  EXPECT_TRUE(output == "seen 0\n" || output == "seen 1\n") << output;
  testing::internal::CaptureStdout();
  Explore(body, {.executions = 3, .replay = result.token(), .quiet = true});
  std::fflush(stdout);
  EXPECT_NE(testing::internal::GetCapturedStdout(), "");
}

// Steps between which there is much to compute: such an execution would take a quarter of an hour.
void TakeManySlowSteps() {
  std::atomic<int> word = 0;
  for (int step = 0; step < 99'000; ++step) {
    word.fetch_add(1);
    for (int i = 0; i < 3'000'000; ++i) asm volatile("");
  }
}

TEST(Explore, EndsWithItsTime) {
  int executions = 0;
  const Result result = Explore(
      [&executions] {
        std::thread([] {}).join();
        if (++executions == 10) TakeManySlowSteps();
      },
      {.seconds = 0.01, .minimize = false});
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_EQ(result.executions, 9u);
  EXPECT_GE(result.steps_given_up, 100u);
  EXPECT_LT(result.steps_given_up, 99'000u);
  EXPECT_NE(Summary(result).find("was given up after"), std::string::npos) << Summary(result);
  // The next one has its own time.
  EXPECT_EQ(Explore([] { std::thread([] {}).join(); }, {.executions = 10}).steps_given_up, 0u);
}

TEST(Explore, IsAProblemIfNothingEndsInTime) {
  const Result result = Explore(TakeManySlowSteps, {.seconds = 0.01});
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.problem, "the time was over before one execution had come to its end");
}

}  // namespace
}  // namespace jacquard
