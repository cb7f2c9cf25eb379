// What is said of the choices that a failure needs.
#include <gtest/gtest.h>

#include <string>

#include "sim/report.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

std::string ReportOf(const TraceBuilder& b) {
  const Verdict verdict = {.kind = VerdictKind::kFinal, .message = "", .signature = "final|rule"};
  return FormatReport(verdict, b.trace(), {});
}

// Whoever is chosen may have nothing left but its end, which is no step.
TEST(Decisions, MayBeForAThreadThatEnds) {
  TraceBuilder b;
  b.Step(0, StepKind::kStore, "a", 0, 1, MemoryOrder::kRelease);
  b.Step(1, StepKind::kThreadEnd);
  b.Switched();
  b.Step(0, StepKind::kStore, "b", 0, 1, MemoryOrder::kRelease);
  b.trace().threads = 2;
  const std::string report = ReportOf(b);
  EXPECT_NE(report.find("switched here"), std::string::npos) << report;
  EXPECT_NE(report.find("before step 2: thread 0 is about to store b"), std::string::npos)
      << report;
  EXPECT_NE(report.find("thread 1 runs instead"), std::string::npos) << report;
}

void ExpectLine(const std::string& report, const std::string& line) {
  EXPECT_NE(report.find(line + "\n"), std::string::npos) << line << "\n" << report;
}

// One line for what is said of several steps, but only of those one after another.
TEST(Decisions, ThatAreAlikeShareALine) {
  TraceBuilder b;
  const auto choose = [&b](int choice) {
    b.Step(0, StepKind::kYield);
    b.Picked(PickKind::kData, 8, choice);
  };
  for (const int choice : {5, 5, 0, 5, 3, 3, 5}) choose(choice);
  b.trace().threads = 1;
  const std::string report = ReportOf(b);
  ExpectLine(report, "   1. before steps 1 to 4, 3 times: the value for thread 0 is 5");
  ExpectLine(report, "   2. before steps 5 to 6, twice: the value for thread 0 is 3");
  ExpectLine(report, "   3. before step 7: the value for thread 0 is 5");
  // Choices on the way to one step.
  TraceBuilder other;
  for (int i = 0; i < 2; ++i) {
    other.Note(0, "");
    other.Picked(PickKind::kAllocationFailure, 2, 1);
  }
  other.Step(0, StepKind::kYield);
  other.trace().threads = 1;
  ExpectLine(ReportOf(other), "   1. before step 1, twice: an allocation of thread 0 fails");
}

// A thread that runs from the begin on is chosen once as the first one, and later to go on.
TEST(Decisions, TellTheFirstOneFromOneThatGoesOn) {
  TraceBuilder b;
  const auto choose = [&b](StepKind kind) {
    b.Step(1, kind);
    b.Picked(PickKind::kSchedule, 2, 1);
  };
  choose(StepKind::kYield);
  choose(StepKind::kYield);
  b.Step(0, StepKind::kYield);
  b.trace().threads = 2;
  const std::string report = ReportOf(b);
  ExpectLine(report, "   1. before step 1: thread 1 is the first to run");
  ExpectLine(report, "   2. before step 2: thread 1 goes on, although it was another one's turn");
}

// The answer to who runs is kept at the thread's next step, before which may be other events.
TEST(Decisions, BelongToTheStepThatFollows) {
  TraceBuilder b;
  b.Step(0, StepKind::kStore, "a", 0, 1, MemoryOrder::kRelease);
  b.Note(1, "begins");
  b.Step(1, StepKind::kStore, "b", 0, 1, MemoryOrder::kRelease);
  b.Switched();
  b.Step(0, StepKind::kStore, "c", 0, 1, MemoryOrder::kRelease);
  b.trace().threads = 2;
  ExpectLine(ReportOf(b),
             "   1. before step 2: thread 0 is about to store c; thread 1 runs instead");
}

TEST(Decisions, BeyondTheFirstLinesAreCounted) {
  TraceBuilder b;
  for (int i = 0; i < 50; ++i) {
    for (int time = 0; time < 2; ++time) {
      b.Step(0, StepKind::kYield);
      b.Picked(PickKind::kData, 8, 1 + i % 2);
    }
  }
  b.trace().threads = 1;
  const std::string report = ReportOf(b);
  ExpectLine(report, "  40. before steps 79 to 80, twice: the value for thread 0 is 2");
  EXPECT_EQ(report.find("  41. "), std::string::npos) << report;
  EXPECT_NE(report.find(" 20 more (--all shows them)"), std::string::npos) << report;
}

}  // namespace
}  // namespace jacquard
