// What Summary says of an exploration.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "jacquard/jacquard.h"

// As sanitizer/tsan_interface.h declares them.
extern "C" void __tsan_acquire(void* object);
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();

namespace jacquard {
namespace {

// Steps by one thread alone, and then by two.
void TakeSteps(int alone, int together) {
  std::atomic<int> word = 0;
  const auto take = [&word](int steps) {
    for (int i = 0; i < steps; ++i) ++word;
  };
  take(alone);
  std::thread other([=] { take(together); });
  take(together);
  other.join();
}

// That not everything was explored is said.
TEST(Explore, SaysThatExecutionsWereLong) {
  Options options = {.executions = 10};
  options.execution.unfair_steps = 100;
  const Result is_long = Explore([] { TakeSteps(0, 200); }, options);
  EXPECT_TRUE(is_long.ok()) << is_long.report();
  EXPECT_EQ(is_long.long_executions, 10u);
  EXPECT_NE(Summary(is_long).find("10 were so long"), std::string::npos) << Summary(is_long);
  const Result is_late = Explore([] { TakeSteps(11'000, 10); }, options);
  EXPECT_EQ(is_late.long_executions, 10u);
  for (const int alone : {0, 9'000}) {
    const Result is_short = Explore([alone] { TakeSteps(alone, 10); }, options);
    EXPECT_EQ(is_short.long_executions, 0u) << alone;
    EXPECT_EQ(Summary(is_short).find("so long"), std::string::npos) << Summary(is_short);
  }
}

TEST(Summary, SaysThatTheLastExecutionMayBeEndless) {
  Result result;
  result.executions = 10;
  result.steps = 100;
  const char* const kEndless = "never ends";
  for (const uint64_t steps : {0, 100, 9'000}) {
    result.steps_given_up = steps;
    EXPECT_EQ(Summary(result).find(kEndless), std::string::npos) << Summary(result);
  }
  result.steps_given_up = 20'000;
  EXPECT_NE(Summary(result).find(kEndless), std::string::npos) << Summary(result);
}

// A pass says less then.
TEST(Summary, SaysThatAnnotationsWereBelieved) {
  static int object;
  const std::function<void()> bodies[] = {
      [] { std::thread([] { __tsan_acquire(&object); }).join(); },
      [] {
        std::thread([] {
          __tsan_ignore_thread_begin();
          __tsan_ignore_thread_end();
        }).join();
      },
  };
  const char* const kBelieved = "annotations=ignore";
  for (const auto& body : bodies) {
    Options options = {.executions = 10};
    const Result believed = Explore(body, options);
    EXPECT_EQ(believed.annotations, 10u);
    EXPECT_NE(Summary(believed).find(kBelieved), std::string::npos) << Summary(believed);
    Options ignored = options;
    ignored.execution.annotations = false;
    Options sequential = options;
    sequential.execution.memory = MemoryMode::kSc;
    for (const Options& other : {ignored, sequential}) {
      const Result result = Explore(body, other);
      EXPECT_TRUE(result.ok()) << result.report();
      EXPECT_EQ(Summary(result).find(kBelieved), std::string::npos) << Summary(result);
    }
  }
}

}  // namespace
}  // namespace jacquard
