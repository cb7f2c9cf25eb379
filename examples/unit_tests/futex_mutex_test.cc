#include "examples/unit_tests/futex_mutex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Mutex>
void CountTogether() {
  Mutex mutex;
  int counter = 0;
  const auto count = [&] {
    const std::lock_guard guard(mutex);
    ++counter;
  };
  std::thread threads[] = {std::thread(count), std::thread(count), std::thread(count)};
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 3);
}

template <class Mutex>
void ExpectDeadlock() {
  EXPECT_THAT(jacquard::Explore(CountTogether<Mutex>).report(), testing::StartsWith("deadlock: "));
}

TEST(FutexMutex, FirstWorks) { jacquard::ExpectNoBug(CountTogether<FutexMutex1>); }
TEST(FutexMutex, SecondWorks) { jacquard::ExpectNoBug(CountTogether<FutexMutex2>); }
TEST(FutexMutex, ThirdWorks) { jacquard::ExpectNoBug(CountTogether<FutexMutex3>); }
TEST(FutexMutex, WakingTooEarlyIsFound) { ExpectDeadlock<BrokenFutexMutex1>(); }
TEST(FutexMutex, ForgettingOthersIsFound) { ExpectDeadlock<BrokenFutexMutex2>(); }
TEST(FutexMutex, NotSettingItFreeIsFound) { ExpectDeadlock<BrokenFutexMutex3>(); }

}  // namespace
}  // namespace examples
