// A test program with bodies that have a bug, and one that has none: replay_test.sh runs it in
// processes of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

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

// Four explorations of one type.
class Adders : public testing::TestWithParam<int> {};

TEST_P(Adders, LoseAnUpdate) {
  for (int round = 0; round < 2; ++round) {
    jacquard::ExpectNoBug([count = GetParam()] {
      std::atomic<int> word{0};
      std::vector<std::thread> threads;
      for (int i = 0; i < count; ++i) threads.emplace_back([&] { word.store(word.load() + 1); });
      for (std::thread& thread : threads) thread.join();
      EXPECT_EQ(word.load(), count);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(All, Adders, testing::Values(2, 3));

}  // namespace
