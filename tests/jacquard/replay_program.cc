// A test program with two bodies, one of which has a bug: replay_test.sh runs it in processes of
// its own.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "jacquard/jacquard.h"

namespace {

TEST(Program, IsRight) {
  jacquard::ExpectNoBug(
      [] {
        std::atomic<int> word{0};
        std::thread thread([&] { word.fetch_add(1); });
        word.fetch_add(1);
        thread.join();
        EXPECT_EQ(word.load(), 2);
      },
      {.executions = 500});
}

TEST(Program, LosesAnUpdate) {
  jacquard::ExpectNoBug([] {
    std::atomic<int> word{0};
    const auto work = [&] {
      for (int i = 0; i < 3; ++i) word.store(word.load() + 1);
    };
    std::thread a(work);
    std::thread b(work);
    a.join();
    b.join();
    EXPECT_GE(word.load(), 3);
  });
}

}  // namespace
