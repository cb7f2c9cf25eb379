// GoogleTest's side: expectations that fail in an execution are its verdict, and findings are
// failures of the test.
//
// Linked with GoogleTest itself (third_party/BUILD), so that none of its templates are the code
// under test's.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/test_framework.h"

namespace jacquard {
namespace {

// What was expected, without the values that were seen: the same each time.
std::string Rule(std::string_view summary) {
  std::string rule;
  while (!summary.empty()) {
    std::string_view line = summary.substr(0, summary.find('\n'));
    summary.remove_prefix(std::min(summary.size(), line.size() + 1));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    if (line.starts_with("Google Test trace:")) break;
    if (line.empty() || line.starts_with("Which is:") || line.starts_with("Actual:")) continue;
    line = line.substr(0, line.find(", actual: "));
    rule += (rule.empty() || rule.ends_with(':') ? rule.empty() ? "" : " " : ", ");
    rule += line;
  }
  return rule;
}

// Takes the place of the framework's own reporter while it lives.
class Reporter : public testing::ScopedFakeTestPartResultReporter {
 public:
  // Other results, as of real threads beside the execution, are handed on at the end.
  Reporter() : ScopedFakeTestPartResultReporter(INTERCEPT_ALL_THREADS, &unused_) {}

  void ReportTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed() || CurrentThread() < 0) {
      results_.push_back(result);
      return;
    }
    std::string message = result.message();
    if (result.file_name() != nullptr) {
      message = std::string(result.file_name()) + ":" + std::to_string(result.line_number()) +
                ": " + message;
    }
    FailExecution(VerdictKind::kExpectation, Rule(result.summary()), message);
  }

  const std::vector<testing::TestPartResult>& results() const { return results_; }

 private:
  std::vector<testing::TestPartResult> results_;
  testing::TestPartResultArray unused_;
};

std::unique_ptr<Reporter> reporter;

void Begin() { reporter = std::make_unique<Reporter>(); }

void End() {
  const std::vector<testing::TestPartResult> results = reporter->results();
  reporter.reset();
  for (const testing::TestPartResult& result : results) {
    testing::internal::AssertHelper(result.type(), result.file_name(), result.line_number(),
                                    result.message()) = testing::Message();
  }
}

std::string TestName() {
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return {};
  return std::string(test->test_suite_name()) + "." + test->name();
}

uint64_t tests_begun = 0;

uint64_t TestsBegun() { return tests_begun; }

constexpr TestFramework kGoogleTest = {Begin, End, TestName, TestsBegun};

class Start : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest& /*tests*/) override { BeginTests(); }
  void OnTestStart(const testing::TestInfo& /*test*/) override { ++tests_begun; }
};

[[gnu::constructor]] void Register() {
  SetTestFramework(&kGoogleTest);
  testing::UnitTest::GetInstance()->listeners().Append(new Start);
}

}  // namespace

bool ExpectNoBug(const std::function<void()>& body, const Options& options, const char* file,
                 int line) {
  const Result result = Explore(body, options);
  if (result.ok()) return true;
  ADD_FAILURE_AT(file, line) << result.report() << "\n" << Summary(result);
  return false;
}

}  // namespace jacquard
