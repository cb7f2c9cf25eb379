#include "examples/rw_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Lock>
void ReadAndWrite() {
  Lock lock;
  int first = 0;
  int second = 0;
  const auto read = [&] {
    const std::shared_lock guard(lock);
    EXPECT_EQ(first, second);
  };
  const auto write = [&] {
    const std::unique_lock guard(lock);
    first = second = 1;
  };
  std::thread threads[] = {std::thread(read), std::thread(read), std::thread(write)};
  for (std::thread& thread : threads) thread.join();
}

TEST(RwLock, KeepsReadersAndWritersApart) { jacquard::ExpectNoBug(ReadAndWrite<RwLock>); }

TEST(RwLock, LookingBeforeEnteringIsNotEnough) {
  const jacquard::Result result = jacquard::Explore(ReadAndWrite<BrokenRwLock>);
  EXPECT_THAT(result.report(), testing::StartsWith("race: "));
}

}  // namespace
}  // namespace examples
