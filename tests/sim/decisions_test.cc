// What is said of the choices that a failure needs.
#include <gtest/gtest.h>

#include <string>

#include "sim/report.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

// Whoever is chosen may have nothing left but its end, which is no step.
TEST(Decisions, MayBeForAThreadThatEnds) {
  TraceBuilder b;
  b.Step(0, StepKind::kStore, "a", 0, 1, MemoryOrder::kRelease);
  b.Step(1, StepKind::kThreadEnd);
  b.Switched();
  b.Step(0, StepKind::kStore, "b", 0, 1, MemoryOrder::kRelease);
  b.trace().threads = 2;
  const Verdict verdict = {.kind = VerdictKind::kFinal, .message = "", .signature = "final|rule"};
  const std::string report = FormatReport(verdict, b.trace(), {});
  EXPECT_NE(report.find("switched here"), std::string::npos) << report;
  EXPECT_NE(report.find("before step 2: thread 0 is about to store b"), std::string::npos)
      << report;
  EXPECT_NE(report.find("thread 1 runs instead"), std::string::npos) << report;
}

}  // namespace
}  // namespace jacquard
