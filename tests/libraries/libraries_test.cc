// The library's own primitives under exploration: nothing is reported but what is wrong with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "jacquard/jacquard.h"
#include "tests/libraries/programs.h"

namespace jacquard::libraries {
namespace {

class LibraryTest : public testing::TestWithParam<LibraryProgram> {};

TEST_P(LibraryTest, IsJudgedRightly) {
  const LibraryProgram& program = GetParam();
  Options options = {.executions = 100'000};
  options.execution.library_bugs = true;
  const Result result = Explore(program.body, options);
  ASSERT_EQ(result.problem, "");
  if (program.finding == nullptr) {
    EXPECT_TRUE(result.ok()) << result.report();
    return;
  }
  ASSERT_FALSE(result.ok()) << program.finding << " is not found in " << result.executions;
  EXPECT_STREQ(VerdictKindName(result.findings.front().verdict.kind), program.finding)
      << result.report();
}

// They are used as the standard has them.
TEST_P(LibraryTest, IsNotTheProgramsFault) {
  const LibraryProgram& program = GetParam();
  const Result result = Explore(program.body, {.executions = 100'000});
  EXPECT_TRUE(result.ok()) << result.report();
  const bool told = Summary(result).find("library_bugs=report") != std::string::npos;
  EXPECT_EQ(told, result.library_bugs != 0);
}

INSTANTIATE_TEST_SUITE_P(Libstdcxx, LibraryTest,
                         testing::ValuesIn(LibraryPrograms().begin(), LibraryPrograms().end()),
                         [](const auto& info) {
                           std::string name;
                           for (const char c : std::string(info.param.name)) {
                             if (std::isalnum(static_cast<unsigned char>(c))) name += c;
                           }
                           return name;
                         });

// What the program forgets is still missing.
std::string FirstMessage(void (*body)()) {
  const Result result = Explore(body, {.executions = 10'000});
  return result.findings.empty() ? result.problem : result.findings.front().verdict.message;
}

TEST(LibraryBugsTest, NobodyNotifies) {
  EXPECT_THAT(FirstMessage([] {
                std::atomic<int> value = 0;
                std::thread waiter([&] { value.wait(0); });
                value = 1;
                waiter.join();
              }),
              testing::HasSubstr("lost wake-up"));
}

TEST(LibraryBugsTest, TheLatchWantsMore) {
  EXPECT_THAT(FirstMessage([] {
                std::latch latch(2);
                std::thread waiter([&] { latch.wait(); });
                latch.count_down();
                waiter.join();
              }),
              testing::HasSubstr("no thread can run"));
}

TEST(LibraryBugsTest, AUnitIsMissing) {
  EXPECT_THAT(FirstMessage([] {
                std::counting_semaphore<> semaphore(0);
                const auto acquire = [&] { semaphore.acquire(); };
                std::thread a(acquire);
                std::thread b(acquire);
                semaphore.release();
                a.join();
                b.join();
              }),
              testing::HasSubstr("no thread can run"));
}

// What an atomic shared pointer points to is the program's.
TEST(LibraryBugsTest, WhatIsPointedToRaces) {
  EXPECT_THAT(FirstMessage([] {
                std::atomic<std::shared_ptr<int>> pointer = std::make_shared<int>(0);
                std::thread writer([&] { *pointer.load() = 1; });
                *pointer.load() = 2;
                writer.join();
              }),
              testing::HasSubstr("plain write"));
}

// So is what a function of the atomic pointer destroys, as it was the last to point to it.
TEST(LibraryBugsTest, WhatIsDestroyedRaces) {
  using Payload = std::vector<int>;  // all that destroys it is the library's
  EXPECT_THAT(FirstMessage([] {
                std::atomic<std::shared_ptr<Payload>> pointer = std::make_shared<Payload>();
                auto expected = std::make_shared<Payload>(3);
                std::atomic<bool> written = false;
                std::thread writer([&written, payload = expected.get()] {
                  payload->resize(1000);
                  written.store(true, std::memory_order_relaxed);
                });
                while (!written.load(std::memory_order_relaxed)) std::this_thread::yield();
                pointer.compare_exchange_strong(expected, nullptr);
                writer.join();
              }),
              testing::HasSubstr("plain read and plain write"));
}

}  // namespace
}  // namespace jacquard::libraries
