#include "examples/unit_tests/bounded_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Queue>
void PassAlong() {
  Queue queue(1);
  const auto push = [&] { queue.Push(1); };
  int sum = 0;
  const auto pop_twice = [&] { sum = queue.Pop() + queue.Pop(); };
  const auto pop = [&] { queue.Pop(); };
  std::thread threads[] = {std::thread(push), std::thread(push), std::thread(push),
                           std::thread(pop_twice), std::thread(pop)};
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 2);
}

TEST(BoundedQueue, PassesEverythingOn) { jacquard::ExpectNoBug(PassAlong<BoundedQueue<int>>); }

TEST(BoundedQueue, OneConditionForAllLosesWakeUps) {
  const jacquard::Result result = jacquard::Explore(PassAlong<BrokenBoundedQueue<int>>);
  EXPECT_THAT(result.report(), testing::StartsWith("deadlock: "));
}

}  // namespace
}  // namespace examples
