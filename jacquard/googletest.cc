// GoogleTest's side: expectations that fail in an execution are its verdict, and findings are
// failures of the test.
//
// Linked with GoogleTest itself (third_party/BUILD), so that none of its templates are the code
// under test's.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/test_framework.h"

namespace jacquard {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// How much of `text` is a number or an address, with its unit if it has one; 0: it begins with
// none.
size_t LengthOfNumber(std::string_view text) {
  if (text.empty()) return 0;
  if (!IsDigit(text[0])) {
    const bool is_word = text.size() == 3 || (text.size() > 3 && !IsLetter(text[3]));
    return is_word && (text.starts_with("nan") || text.starts_with("inf")) ? 3 : 0;
  }
  size_t length = 1;
  const auto is_exponent = [&text](size_t at) {
    return (text[at] == '-' || text[at] == '+') && (text[at - 1] | 0x20) == 'e' &&
           at + 1 < text.size() && IsDigit(text[at + 1]);
  };
  while (length < text.size() && (IsDigit(text[length]) || IsLetter(text[length]) ||
                                  text[length] == '.' || is_exponent(length)))
    ++length;
  // The end of a sentence is none of a number.
  while (length > 1 && text[length - 1] == '.') --length;
  return length;
}

// With "#" in place of each number and address.
std::string WithoutNumbers(std::string_view line) {
  std::string text;
  bool in_word = false;
  while (!line.empty()) {
    // Words may end in a number, but not in "nan" or "inf".
    const size_t length = in_word && !IsDigit(line[0]) ? 0 : LengthOfNumber(line);
    if (length != 0) {
      if (text.ends_with('-')) text.pop_back();
      text += '#';
    } else {
      text += line[0];
    }
    in_word = length == 0 && IsLetter(line[0]);
    line.remove_prefix(std::max<size_t>(length, 1));
  }
  return text;
}

// Cuts off what an expectation says of values that it has seen.
std::string_view WithoutSeen(std::string_view line) {
  line = line.substr(0, line.find(", actual: "));
  line = line.substr(0, line.find(" evaluates to "));
  return line.starts_with("The difference between ") ? line.substr(0, line.rfind(" is ")) : line;
}

// What was expected, without the values that were seen: the same each time. The text of what stands
// in the expectation stays; what the test has streamed into it may have values, too.
std::string Rule(std::string_view summary) {
  std::string rule;
  int operands = 0;  // so many of the next lines are those of an expected equality
  while (!summary.empty()) {
    std::string_view line = summary.substr(0, summary.find('\n'));
    summary.remove_prefix(std::min(summary.size(), line.size() + 1));
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ')));
    if (line.starts_with("Google Test trace:") || line == "With diff:") break;
    if (line.empty() || line.starts_with("Which is:") || line.starts_with("Actual:")) continue;
    const std::string_view expected = WithoutSeen(line);
    const bool is_expectation = operands-- > 0 || expected.size() < line.size() ||
                                line.starts_with("Expected:") || line.starts_with("Value of:");
    if (line.starts_with("Expected equality")) operands = 2;
    rule += (rule.empty() || rule.ends_with(':') ? rule.empty() ? "" : " " : ", ");
    rule += is_expectation ? std::string(expected) : WithoutNumbers(line);
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
bool any_exploration = false;

void Begin() {
  any_exploration = true;
  reporter = std::make_unique<Reporter>();
}

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
  // Behind the last test, when a failure still counts.
  void OnTestIterationEnd(const testing::UnitTest& tests, int /*iteration*/) override {
    const char* const token = std::getenv("JACQUARD_REPLAY");
    const bool is_asked = token != nullptr && *token != 0;
    if (any_exploration || !tests.Passed() || !is_asked) return;
    if (std::getenv("GTEST_TOTAL_SHARDS") != nullptr) return;  // it may be in another one
    ADD_FAILURE() << "JACQUARD_REPLAY has a token, but no test that was run explores anything: "
                     "nothing has been replayed. Is it another program's, or does --gtest_filter "
                     "leave the test out?";
  }
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
