// The native executor: every operation of every thread runs exactly once, whatever the number of
// threads before.
#include "stress/native_executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "fuzzers/codec.h"
#include "fuzzers/scenario.h"
#include "stress/random_input.h"

namespace jacquard {
namespace {

std::atomic<int> operations = 0;
std::atomic<int> threads_begun = 0;
std::atomic<int> threads_ended = 0;
std::atomic<int> objects = 0;

class CountingScenario {
 public:
  static constexpr int kMaxThreads = 4;
  static auto Operations() {
    return jacquard::Operations<CountingScenario>{{"count", &CountingScenario::Count, {"by", 2}}};
  }

  CountingScenario() { ++objects; }
  ~CountingScenario() { --objects; }
  void BeginThread() { ++threads_begun; }
  void EndThread() { ++threads_ended; }
  void Count(int /*by*/) {
    ++operations;
    ++mine_[CurrentThread()];
  }
  void CheckAfterOperation(int thread) const {
    Check(thread == CurrentThread() && mine_[thread] > 0, "each thread knows who it is");
  }
  void CheckFinal() const { Check(threads_begun == threads_ended, "all threads have ended"); }

 private:
  int mine_[kMaxThreads] = {};  // each thread its own
};

TEST(NativeExecutor, RunsEveryOperationOnce) {
  const fuzzers::Codec codec(ScenarioTypeOf<CountingScenario>("CountingScenario"));
  NativeOptions options;
  options.on_failure = [](const std::string& report, const std::string&) {
    std::fprintf(stderr, "%s", report.c_str());
    std::_Exit(1);
  };
  NativeExecutor executor(codec, options);
  int expected_operations = 0;
  int expected_threads = 0;
  // Threads that take no part in one execution must not wake up into another.
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const int threads = 1 + static_cast<int>(seed * 7 % 4);
    const int each = static_cast<int>(seed % 4);
    executor.Execute(RandomInput(codec, threads, each, seed), seed);
    expected_threads += threads;
    expected_operations += threads * each;
    ASSERT_EQ(operations, expected_operations);
    ASSERT_EQ(threads_ended, expected_threads);
    ASSERT_EQ(objects, 0);
  }
}

}  // namespace
}  // namespace jacquard
