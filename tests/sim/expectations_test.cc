// GoogleTest's expectations may stand in code that runs in the simulation: those that fail are
// recorded for good.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "tests/sim/searches.h"

namespace jacquard {
namespace {

int CountFailures(const std::function<void()>& body, int executions) {
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
    Walk(body, static_cast<uint64_t>(executions));
  }
  for (int i = 0; i < results.size(); ++i) {
    const std::string text = results.GetTestPartResult(i).message();
    EXPECT_NE(text.find("a message that is too long to be kept in place"), std::string::npos)
        << text;
  }
  return results.size();
}

TEST(Expectations, FailuresOutliveTheExecution) {
  const int failures = CountFailures(
      [] {
        std::atomic<int> word{0};
        std::thread thread([&] {
          SCOPED_TRACE("on a simulated thread");
          word.store(1);
          EXPECT_EQ(word.load(), 2) << "a message that is too long to be kept in place";
        });
        EXPECT_GE(word.load(), 0);
        thread.join();
      },
      500);
  EXPECT_EQ(failures, 500);
}

}  // namespace
}  // namespace jacquard
