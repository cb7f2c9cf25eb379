// Prints how many plain accesses the runtime sees of containers.cc. However the binary is linked,
// it must be all of them.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "sim/byte_string.h"
#include "sim/execute.h"
#include "tests/sim/hooks/containers.h"

namespace jacquard {
namespace {

using Fill = size_t (*)();

class Filling : public Program {
 public:
  explicit Filling(Fill fill) : fill_(fill) {}
  int ThreadCount() const override { return 1; }
  void RunThread(int /*thread*/) override {
    std::atomic<size_t> size = fill_();
    EXPECT_EQ(size.load(), 20u);
  }

 private:
  const Fill fill_;
};

TEST(Hooks, AreCounted) {
  constexpr Fill kFills[] = {FillVectorOfStrings, FillMapOfStrings, FillSetOfStrings,
                             FillVectorOfWords, CallThroughFunctions};
  std::string counts;
  for (const Fill fill : kFills) {
    Filling program(fill);
    ByteString benign;
    benign.BeginExecution();
    Trace trace;
    const Verdict verdict = Execute(program, benign, {}, &trace);
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    EXPECT_GT(trace.plain_accesses, 20u);
    counts += " " + std::to_string(trace.plain_accesses);
  }
  std::printf("hooks:%s\n", counts.c_str());
}

}  // namespace
}  // namespace jacquard
