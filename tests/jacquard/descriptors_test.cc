// Numbers of descriptors do not depend on what the harness has open.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "jacquard/jacquard.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

// Two threads close the same one; if the second comes behind another open(), that is another file.
void CloseTwice() {
  const int shared = open("/dev/null", O_RDWR | O_CLOEXEC);
  std::thread thread([shared] { close(shared); });
  close(shared);
  const int mine = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  thread.join();
  char byte = 1;
  EXPECT_EQ(read(mine, &byte, 1), 1);
  close(mine);
}

// Nothing else in this process has asked for the names of functions, which opens files.
TEST(Descriptors, AreTheSameWhenATraceIsRecorded) {
  const Result result = Explore(CloseTwice, {.executions = 1000});
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kExpectation) << result.report();
  EXPECT_FALSE(result.findings[0].token.empty());
}

TEST(Descriptors, AreTheSameWhenOutputIsSilenced) {
  int numbers[2] = {};
  for (const bool silenced : {false, true}) {
    Options options;
    options.executions = 2;
    options.quiet = silenced;
    const Result result = Explore(
        [&] {
          std::atomic<int> word{0};
          std::thread thread([&word] { ++word; });
          const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
          numbers[silenced ? 1 : 0] = file;
          close(file);
          thread.join();
        },
        options);
    EXPECT_TRUE(result.ok()) << result.report();
  }
  EXPECT_GT(numbers[0], 0);
  EXPECT_EQ(numbers[0], numbers[1]);
}

}  // namespace
}  // namespace jacquard
