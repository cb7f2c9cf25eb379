// Whatever goes wrong inside an execution is its verdict: the process lives on, and so does the
// next execution. And what does not go wrong is none.
#include <alloca.h>
#include <err.h>
#include <error.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cmath>
#include <condition_variable>
#include <csetjmp>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "jacquard/jacquard.h"
#include "tests/sim/uninstrumented.h"

// Under --config=ubsan: what happens outside of executions is to stay as it is without a sanitizer.
extern "C" const char* __ubsan_default_options() { return "handle_segv=0:handle_abort=0"; }

namespace jacquard {
namespace {

// Executes `act` on a second thread, in those executions in which a first one has come before.
Result ExploreRacing(const std::function<void()>& act) {
  return Explore(
      [&act] {
        std::atomic<int> word{0};
        std::thread a([&] { word.store(1); });
        std::thread b([&] {
          if (word.load() == 1) act();
        });
        a.join();
        b.join();
      },
      {.executions = 300, .stop_at_first_bug = false});
}

// Every execution that came to it has failed with this, and none of the others; again and again.
void ExpectFailures(const std::function<void()>& act, VerdictKind kind,
                    const std::string& signature, const std::string& in_message) {
  for (int round = 0; round < 2; ++round) {
    const Result result = ExploreRacing(act);
    ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
    const Finding& finding = result.findings[0];
    EXPECT_EQ(finding.verdict.kind, kind) << finding.report;
    EXPECT_EQ(finding.verdict.signature, signature);
    EXPECT_NE(finding.verdict.message.find(in_message), std::string::npos) << finding.report;
    EXPECT_EQ(finding.verdict.thread, 2);
    EXPECT_GT(finding.count, 20u);
    EXPECT_LT(finding.count, 280u);
    EXPECT_EQ(result.executions, 300u);
    EXPECT_NE(finding.report.find("Timeline: "), std::string::npos) << finding.report;
    EXPECT_FALSE(finding.token.empty());
  }
  EXPECT_TRUE(ExploreRacing([] {}).ok());
}

int* volatile null_pointer = nullptr;
volatile int zero = 0;
void (*volatile null_function)() = nullptr;

TEST(Failures, NullDereference) {
  ExpectFailures([] { *null_pointer = 1; }, VerdictKind::kCrash, "crash|null dereference",
                 "writes to address 0");
  ExpectFailures([] { zero = *null_pointer; }, VerdictKind::kCrash, "crash|null dereference",
                 "reads address 0");
  ExpectFailures([] { null_function(); }, VerdictKind::kCrash, "crash|null dereference",
                 "calls address 0");
}

TEST(Failures, AtomicNullDereference) {
  ExpectFailures(
      [] {
        auto* const word = reinterpret_cast<std::atomic<int>*>(null_pointer);
        word->fetch_add(1);
      },
      VerdictKind::kCrash, "crash|null dereference", "address 0");
}

TEST(Failures, SegmentationFault) {
  int* volatile wild = reinterpret_cast<int*>(0x7000'0000'0000);
  ExpectFailures([wild] { *wild = 1; }, VerdictKind::kCrash, "crash|segmentation fault",
                 "0x700000000000");
  int* volatile impossible = reinterpret_cast<int*>(0x7000'0000'0000'0000);
  ExpectFailures([impossible] { *impossible = 1; }, VerdictKind::kCrash, "crash|segmentation fault",
                 "cannot be one");
}

TEST(Failures, CallOfNothing) {
  void (*volatile nothing)() = nullptr;
  ExpectFailures([nothing] { nothing(); }, VerdictKind::kCrash, "crash|null dereference",
                 "address 0");
}

TEST(Failures, DivisionByZero) {
  ExpectFailures([] { zero = 12345 / zero; }, VerdictKind::kCrash, "crash|division by zero",
                 "division");
}

TEST(Failures, IllegalInstruction) {
  ExpectFailures([] { asm volatile("ud2"); }, VerdictKind::kCrash, "crash|illegal instruction",
                 "instruction");
}

int Recurse(volatile char* depth) {
  volatile char frame[4000];
  frame[0] = depth[0];
  if (frame[0] < 0) return 0;
  return Recurse(frame) + frame[0];
}

TEST(Failures, StackOverflow) {
  ExpectFailures(
      [] {
        volatile char depth = 0;
        zero = Recurse(&depth);
      },
      VerdictKind::kCrash, "crash|stack overflow", "MiB");
}

[[gnu::noinline]] int Fill(size_t size) {
  auto* const bytes = static_cast<volatile char*>(alloca(size));
  for (size_t i = 0; i < size; i += 1000) bytes[i] = 1;
  return bytes[size / 1000 * 1000 - 1000];
}

[[gnu::noinline]] int FillTwice(size_t size) {
  auto* const bytes = static_cast<volatile char*>(alloca(size));
  asm volatile("" : : "r"(bytes) : "memory");  // all of it is used, for all the compiler knows
  bytes[0] = 1;
  return Fill(size) + bytes[0];
}

// A frame larger than what is left does not end on the stack of a neighbour.
TEST(Failures, StackOverflowOfLargeFrames) {
  ExpectFailures([] { zero = FillTwice(10'000'000); }, VerdictKind::kCrash, "crash|stack overflow",
                 "MiB");
}

void RunWithStack(size_t size, void* (*start)(void*)) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size);
  pthread_t thread;
  pthread_create(&thread, &attributes, start, nullptr);
  pthread_attr_destroy(&attributes);
  pthread_join(thread, nullptr);
}

// Linux gives threads 8 MiB, unless they ask for more.
TEST(Failures, UseOfMuchStackIsNone) {
  EXPECT_TRUE(ExpectNoBug(
      [] {
        std::thread other([] { Check(Fill(8'000'000) == 1, "filled"); });
        Check(Fill(8'000'000) == 1, "filled");
        other.join();
        RunWithStack(size_t{64} << 20, [](void*) -> void* {
          Fill(14 << 20);
          return nullptr;
        });
      },
      {.executions = 20}));
  const Result result = Explore(
      [] {
        RunWithStack(size_t{64} << 20, [](void*) -> void* {
          volatile char depth = 0;
          zero = Recurse(&depth);
          return nullptr;
        });
      },
      {.executions = 20});
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.signature, "unsupported|large stack");
  EXPECT_NE(result.findings[0].verdict.message.find("to have one of 64 MiB"), std::string::npos)
      << result.findings[0].verdict.message;
}

TEST(Failures, AbortAndAssert) {
  ExpectFailures([] { abort(); }, VerdictKind::kAbort, "abort|abort", "abort()");
  ExpectFailures([] { __assert_fail("lives", "x.cc", 7, "F"); }, VerdictKind::kAbort,
                 "abort|assert(lives)", "x.cc:7");
}

TEST(Failures, Exit) {
  ExpectFailures([] { exit(3); }, VerdictKind::kExit, "exit|exit", "status 3");
  ExpectFailures([] { _exit(0); }, VerdictKind::kExit, "exit|_exit", "status 0");
  ExpectFailures([] { quick_exit(1); }, VerdictKind::kExit, "exit|quick_exit", "status 1");
}

// The C library's own calls.
TEST(Failures, ExitWithAMessage) {
  ExpectFailures([] { errx(3, "it is %d", 7); }, VerdictKind::kExit, "exit|errx", "status 3");
  ExpectFailures([] { err(0, nullptr); }, VerdictKind::kExit, "exit|err", "status 0");
  ExpectFailures([] { error(4, 0, "no"); }, VerdictKind::kExit, "exit|error", "status 4");
  EXPECT_TRUE(ExploreRacing([] { error(0, 0, "a warning"); }).ok());
}

TEST(Failures, UncaughtExceptions) {
  ExpectFailures([] { throw std::runtime_error("it was too much"); }, VerdictKind::kException,
                 "exception|uncaught exception std::runtime_error", "it was too much");
  ExpectFailures([] { throw 7; }, VerdictKind::kException, "exception|uncaught exception int",
                 "not derived");
}

// Without a handler nothing is destroyed first, which here would wait for ever.
TEST(Failures, UncaughtExceptionsDoNotUnwind) {
  ExpectFailures(
      [] {
        std::mutex mutex;
        std::condition_variable never;
        const std::jthread waiter([&] {
          std::unique_lock lock(mutex);
          never.wait(lock, [] { return false; });
        });
        throw std::runtime_error("it was too much");
      },
      VerdictKind::kException, "exception|uncaught exception std::runtime_error",
      "it was too much");
}

[[gnu::noinline]] void GiveUp() { std::abort(); }

TEST(Failures, SayWhere) {
  const auto expect_place = [](const std::function<void()>& act, const std::string& place) {
    const Result result = ExploreRacing(act);
    const std::string report = result.report();
    const size_t where = report.find("\nWhere");
    ASSERT_NE(where, std::string::npos) << report;
    EXPECT_NE(report.find(place, where), std::string::npos) << report;
  };
  expect_place([] { GiveUp(); }, "jacquard::GiveUp ");
  expect_place([] { throw 7; }, "tests/jacquard/failures_test.cc");
  expect_place([] { const std::thread never_joined([] {}); }, "tests/jacquard/failures_test.cc");
  expect_place([] { pause(); }, "tests/jacquard/failures_test.cc");
  expect_place([] { std::exit(3); }, "tests/jacquard/failures_test.cc");
  expect_place([] { Fail("rule", "no step of it"); }, "tests/jacquard/failures_test.cc");
}

// Of a deadlock where each thread is: also the one that was the last to stop.
TEST(Failures, SayWhereEachThreadIs) {
  const Result result = Explore([] {
    std::atomic<int> word = 0;
    std::thread spins([&] {
      while (word.load() == 0) {
      }
    });
    spins.join();
  });
  const std::string report = result.report();
  EXPECT_NE(report.find("  thread 1 spins on"), std::string::npos) << report;
  EXPECT_NE(report.find("  thread 0 waits for thread 1 to end"), std::string::npos) << report;
}

// The one that closes the circle has only begun to wait.
TEST(Failures, SayWhoWaitsInACircle) {
  const Result result = Explore([] {
    std::mutex a, b;
    const auto lock = [](std::mutex& first, std::mutex& second) {
      const std::lock_guard outer(first);
      const std::lock_guard inner(second);
    };
    std::thread other([&] { lock(b, a); });
    lock(a, b);
    other.join();
  });
  const std::string report = result.report();
  EXPECT_NE(report.find("  thread 0 waits for the mutex "), std::string::npos) << report;
  EXPECT_NE(report.find("  thread 1 waits for the mutex "), std::string::npos) << report;
  EXPECT_NE(report.find("In a circle: thread 0 waits for thread 1"), std::string::npos) << report;
}

struct Base {
  Base();
  virtual ~Base() = default;
  virtual void Act() = 0;
};
struct Derived : Base {
  void Act() override {}
};
[[gnu::noinline]] void ActOf(Base& base) { base.Act(); }
Base::Base() { ActOf(*this); }

TEST(Failures, PureVirtualCall) {
  ExpectFailures([] { const Derived derived; }, VerdictKind::kAbort, "abort|std::terminate",
                 "pure virtual function is called");
}

TEST(Failures, Terminate) {
  ExpectFailures([] { std::terminate(); }, VerdictKind::kAbort, "abort|std::terminate",
                 "without an exception");
  const auto throws = [] { throw std::runtime_error("not here"); };
  ExpectFailures([&]() noexcept { throws(); }, VerdictKind::kException,
                 "exception|uncaught exception std::runtime_error", "not here");
  ExpectFailures([] { const std::thread never_joined([] {}); }, VerdictKind::kAbort,
                 "abort|std::terminate", "can still be joined");
}

TEST(Failures, Expectations) {
  ExpectFailures([] { EXPECT_LT(zero, 0) << "more words"; }, VerdictKind::kExpectation,
                 "expectation|Expected: (zero) < (0), more words", "actual: 0 vs 0");
  ExpectFailures(
      [] {
        SCOPED_TRACE("on the way");
        ASSERT_TRUE(zero != 0);
      },
      VerdictKind::kExpectation, "expectation|Value of: zero != 0, Expected: true",
      "failures_test");
  ExpectFailures([] { FAIL() << "anyway"; }, VerdictKind::kExpectation,
                 "expectation|Failed, anyway", "anyway");
}

// A signature has what the expectation says, and no value that was seen, whoever says it.
TEST(Failures, ExpectationsWithValues) {
  const auto expect_one = [](const std::function<void(int seen)>& expect,
                             const std::string& signature) {
    const Result result = Explore(
        [&expect] {
          std::atomic<int> word{0};
          std::thread a([&] { word.fetch_add(1); });
          std::thread b([&] { word.fetch_add(2); });
          expect(word.load());
          a.join();
          b.join();
        },
        {.executions = 300, .stop_at_first_bug = false});
    ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
    EXPECT_EQ(result.findings[0].verdict.signature, "expectation|" + signature);
  };
  expect_one(
      [](int seen) { EXPECT_EQ(seen, 10) << "lost " << 10 - seen << " at " << &seen << "."; },
      "Expected equality of these values: seen, 10, lost # at #.");
  expect_one([](int seen) { EXPECT_LT(seen, -2) << -1.5 * seen - 1 << " more"; },
             "Expected: (seen) < (-2), # more");
  expect_one(
      [](int seen) {
        constexpr double kValues[] = {1.5, 1e-05, -1e+30, NAN};
        EXPECT_TRUE(seen > 10) << "of the nanny: " << kValues[seen] << ", if "
                               << (seen == 0 ? -INFINITY : 1);
      },
      "Value of: seen > 10, Expected: true, of the nanny: #, if #");
  expect_one([](int seen) { EXPECT_TRUE(seen > 10) << "t" << seen; },
             "Value of: seen > 10, Expected: true, t#");
  expect_one([](int seen) { ADD_FAILURE() << "thread " << seen << " of 0x" << seen << "ff"; },
             "Failed, thread # of #");
  expect_one([](int seen) { EXPECT_NEAR(seen, 10, 0.5); },
             "The difference between seen and 10, seen, 10, 0.5");
  expect_one([](int seen) { EXPECT_PRED2(std::equal_to<>(), seen, 10); },
             "std::equal_to<>()(seen, 10), seen, 10");
}

// What the C library's functions call that check a stack or a buffer, as compilers make programs
// do.
extern "C" {
[[noreturn]] void __stack_chk_fail();  // NOLINT(bugprone-reserved-identifier)
[[noreturn]] void __chk_fail();        // NOLINT(bugprone-reserved-identifier)
}

TEST(Failures, AbortsOfTheCLibrary) {
  ExpectFailures([] { __stack_chk_fail(); }, VerdictKind::kAbort, "abort|abort",
                 "has said why on standard error");
  ExpectFailures([] { __chk_fail(); }, VerdictKind::kAbort, "abort|abort",
                 "has said why on standard error");
  ExpectFailures([] { raise(SIGABRT); }, VerdictKind::kAbort, "abort|abort", "raised SIGABRT");
}

// The body of another exploration is no place for one.
TEST(Failures, ExplorationsWithinOne) {
  const auto explore = [] { Explore([] {}); };
  ExpectFailures(explore, VerdictKind::kMisuse, "misuse|jacquard::Explore", "cannot be part of");
  const auto expect = [] { ExpectNoBug([] {}); };
  ExpectFailures(expect, VerdictKind::kMisuse, "misuse|jacquard::Explore", "cannot be part of");
  const std::string report = ExploreRacing(explore).report();
  const size_t where = report.find("Where: ");
  ASSERT_NE(where, std::string::npos) << report;
  EXPECT_NE(report.find("tests/jacquard/failures_test.cc", where), std::string::npos) << report;
}

// Nobody else's handler is in the way of what happens outside of executions.
TEST(FailuresDeathTest, OutsideTheyStayWhatTheyAre) {
  EXPECT_TRUE(ExploreRacing([] {}).ok());
  EXPECT_EXIT(*null_pointer = 1, testing::KilledBySignal(SIGSEGV), "");
  EXPECT_EXIT(abort(), testing::KilledBySignal(SIGABRT), "");
  EXPECT_EXIT(exit(5), testing::ExitedWithCode(5), "");
}

// Exceptions that are caught, and returns that are early, are the program's own affair.
TEST(Failures, AreNotWhatTheProgramHandles) {
  const Result result = ExploreRacing([] {
    try {
      throw std::runtime_error("caught");
    } catch (const std::exception&) {
    }
    EXPECT_EQ(zero, 0);
    const std::vector<int> numbers(10);
    EXPECT_THROW((void)numbers.at(10), std::out_of_range);
  });
  EXPECT_TRUE(result.ok()) << result.report();
}

// ---- the same choices, another way

TEST(Nondeterministic, IsAPassThatChanges) {
  const auto body = [] {
    std::atomic<int> word{0};
    std::thread thread([&] { word.fetch_add(1); });
    for (int i = CountHidden() % 7; i > 0; --i) word.fetch_add(1);
    thread.join();
  };
  const Result result = Explore(body, {.executions = 5000});
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kNondeterministic);
  EXPECT_EQ(result.executions, 1000u);
  EXPECT_NE(result.report().find("the first step that differs is step"), std::string::npos)
      << result.report();
  EXPECT_NE(result.report().find("failures_test.cc:"), std::string::npos) << result.report();
}

// Fails in the 40th execution of the process, and not when that is repeated.
Result ExploreUntilItFailsOnce(void (*fail)()) {
  ResetHiddenCounter();
  Result result = Explore([fail] {
    std::atomic<int> word{0};
    std::thread thread([&] { word.fetch_add(1); });
    thread.join();
    if (CountHidden() == 40) fail();
  });
  EXPECT_EQ(result.executions, 40u);
  return result;
}

// What a fixture has, as here the variables of the test, stays as a failing execution has left it.
TEST(Nondeterministic, IsWhatAFailureHasLeftOutside) {
  const auto message_of = [](const std::function<void()>& body) {
    const Result result = Explore(body);
    return result.findings.empty() ? std::string() : result.findings[0].verdict.message;
  };
  constexpr const char* kSays = "memory outside of the body that an execution has left changed";
  std::mutex mutex;
  const std::string of_lock = message_of([&mutex] {
    std::atomic<int> turn{0};
    std::thread other([&] { turn = 1; });
    {
      const std::lock_guard lock(mutex);
      if (turn == 1) Fail("planted", "with the lock held");
    }
    other.join();
  });
  EXPECT_NE(of_lock.find(kSays), std::string::npos) << of_lock;
  std::atomic<int> count{0};
  const std::string of_count = message_of([&count] {
    std::thread other([&] { ++count; });
    if (count == 1) Fail("planted", "with the count changed");
    other.join();
    --count;
  });
  EXPECT_NE(of_count.find(kSays), std::string::npos) << of_count;
}

// What is not supported, a wait for a child process say, may be over when it is repeated.
TEST(Nondeterministic, IsNotWhatIsUnsupported) {
  const Result result =
      ExploreUntilItFailsOnce([] { FailExecution(VerdictKind::kUnsupported, "planted", "once"); });
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.signature, "unsupported|planted");
}

TEST(Nondeterministic, IsAFailureThatCannotBeRepeated) {
  const Result result = ExploreUntilItFailsOnce([] { Fail("planted", "once"); });
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kNondeterministic);
  EXPECT_NE(result.report().find("once"), std::string::npos) << result.report();
  EXPECT_NE(result.report().find("passed when it was repeated"), std::string::npos)
      << result.report();
  EXPECT_NE(result.report().find("two repetitions did not differ"), std::string::npos)
      << result.report();
}

TEST(Nondeterministic, IsTheProcessorsClock) {
  const auto body = [] {
    std::atomic<uint64_t> word{0};
    std::thread thread([&] { word.fetch_add(1); });
    // A hash of the clock, so that every two differ in some bits.
    for (uint64_t i = __builtin_ia32_rdtsc() * 0x9E37'79B9'7F4A'7C15 >> 58; i > 0; --i)
      word.fetch_add(i);
    thread.join();
  };
  const Result result = Explore(body, {.executions = 100'000});
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kNondeterministic);
}

// A counter outside of the body changes in each execution, and decides nothing.
TEST(Nondeterministic, IsNotACounterOutside) {
  std::atomic<int> executions{0};
  const Result result = Explore(
      [&] {
        executions.fetch_add(1);
        std::atomic<int> word{0};
        std::thread thread([&] { word.fetch_add(1); });
        word.fetch_add(1);
        thread.join();
      },
      {.executions = 5000});
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_EQ(executions.load(), 5005);  // one in 1,000 is repeated
}

// Which objects are used is not under control, as where a library allocates them for itself. The
// program does not go by that, but strategies look at which accesses meet.
TEST(Nondeterministic, IsNotWhereAccessesGo) {
  const Result result = Explore(
      [] {
        std::atomic<int> words[4] = {};
        const auto count = [&](int number) {
          for (int i = 0; i < 3; ++i) words[number % 4].fetch_add(1);
        };
        const int hidden = CountHidden();
        std::thread a(count, hidden);
        std::thread b(count, hidden / 4);
        count(hidden / 16);
        a.join();
        b.join();
      },
      {.strategy = "pos", .executions = 20'000});
  EXPECT_TRUE(result.ok()) << result.report();
}

int shared_count[4];
std::mutex named_mutex;

TEST(Reports, NameGlobalVariables) {
  const Result result = Explore(
      [] {
        const auto work = [] {
          ++shared_count[2];  // which the compiler may make a variable of its own
          const std::lock_guard lock(named_mutex);
        };
        std::thread other(work);
        work();
        other.join();
      },
      {.executions = 100});
  ASSERT_EQ(result.findings.size(), 1u);
  const Finding& finding = result.findings[0];
  EXPECT_NE(finding.verdict.message.find(" of jacquard::shared_count"), std::string::npos)
      << finding.verdict.message;
  EXPECT_NE(finding.report.find("jacquard::named_mutex"), std::string::npos) << finding.report;
}

TEST(Reports, SayWhereOtherMemoryIs) {
  const auto race = [](int* address) {
    std::thread other([address] { ++*address; });
    ++*address;
    other.join();
  };
  const auto message = [](const std::function<void()>& body) {
    const Result result = Explore(body, {.executions = 100});
    return result.findings.empty() ? std::string() : result.findings[0].verdict.message;
  };
  const std::string heap = message([race] {
    const auto block = std::make_unique<int[]>(10);
    race(&block[3]);
  });
  EXPECT_NE(heap.find(", byte 12 of a block of 40 bytes that thread 0 allocated with new[]"),
            std::string::npos)
      << heap;
  const std::string stack = message([race] {
    int local = 0;
    race(&local);
  });
  EXPECT_NE(stack.find(" on the stack of thread 0"), std::string::npos) << stack;
}

}  // namespace
}  // namespace jacquard
