// Three threads of which one is stopped in Landmark() by gdb while two wait: gdb_test.sh.
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "jacquard/jacquard.h"

namespace {

std::mutex mutex;
std::mutex other_mutex;
std::condition_variable condition;
bool ready = false;
int landmarks = 0;

}  // namespace

extern "C" {

[[gnu::noinline]] void Landmark(int number) { landmarks += number; }

[[gnu::noinline]] void WaitsForTheCondition() {
  std::unique_lock lock(mutex);
  condition.wait(lock, [] { return ready; });
}

[[gnu::noinline]] void WaitsForTheMutex(int argument) {
  const std::lock_guard guard(other_mutex);
  landmarks += argument;
}
}

namespace {

// Without time-outs a sleep ends when nobody else can run: then the others wait in every execution.
TEST(Threads, Wait) {
  jacquard::ExpectNoBug(
      [] {
        std::unique_lock held(other_mutex);
        std::thread first(WaitsForTheCondition);
        std::thread second(WaitsForTheMutex, 42);
        std::thread third([&] {
          std::this_thread::sleep_for(std::chrono::seconds(1));
          Landmark(1);
          {
            const std::lock_guard guard(mutex);
            ready = true;
          }
          condition.notify_all();
        });
        first.join();
        third.join();
        held.unlock();
        second.join();
        EXPECT_EQ(landmarks, 43);
      },
      {.executions = 100,
       .execution = {.spurious_wake_ups = jacquard::kNever, .time_outs = jacquard::kNever}});
}

}  // namespace
