// The validator on real threads, through locks of the standard library.
#include "lock/lockdep/checked.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "lock/lockdep/validator.h"
#include "lock/thread_annotations.h"

// ThreadSanitizer has an eye on the order of locks, too, which is wrong here on purpose.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "detect_deadlocks=0"; }

// Who holds what is what the tests are about.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard::lock::lockdep {
namespace {

class CheckedTest : public testing::Test {
 protected:
  CheckedTest() {
    Reset();
    reports = 0;
    before_ = SetReportHandler([](const Report& report) {
      last = report;
      ++reports;
    });
  }
  ~CheckedTest() override {
    SetReportHandler(before_);
    Reset();
  }

  // To be called when the threads have been joined.
  static std::optional<Rule> Said() {
    EXPECT_LE(reports, 1);
    return reports == 0 ? std::nullopt : std::optional(last.rule);
  }

  static inline Report last;
  static inline std::atomic<int> reports;

 private:
  ReportHandler before_;
};

template <class Outer, class Inner>
void Nest(Outer& outer, Inner& inner) {
  const std::lock_guard hold_outer(outer);
  const std::lock_guard hold_inner(inner);
}

TEST_F(CheckedTest, FindsTwoOrdersOfThreadsThatNeverMeet) {
  Checked<std::mutex> from("from"), to("to");
  std::thread([&] { Nest(from, to); }).join();
  EXPECT_EQ(Said(), std::nullopt);
  std::thread([&] { Nest(to, from); }).join();
  EXPECT_EQ(Said(), Rule::kCircular);
  EXPECT_EQ(last.signature, "possible circular locking dependency detected: from, to");
}

TEST_F(CheckedTest, NamesClassesAfterTheLine) {
  Checked<std::mutex> one;
  Checked<std::mutex> two;
  Nest(one, two);
  EXPECT_EQ(Said(), std::nullopt);
  Nest(two, one);
  EXPECT_EQ(Said(), Rule::kCircular);
  EXPECT_NE(last.text.find("checked_test.cc:" + std::to_string(__LINE__ - 6)), std::string::npos)
      << last.text;
}

TEST_F(CheckedTest, SaysWhereInTheSource) {
  Checked<std::mutex> mutex("mutex");
  mutex.lock();
  Validator::Release(const_cast<Validator::Map&>(mutex.map()));
  EXPECT_EQ(Said(), std::nullopt);
  Validator::Release(const_cast<Validator::Map&>(mutex.map()));
  EXPECT_EQ(Said(), Rule::kUnlock);
  mutex.unlock();
  EXPECT_NE(last.text.find("checked_test.cc:" + std::to_string(__LINE__ - 3)), std::string::npos)
      << last.text;
}

TEST_F(CheckedTest, IsSilentOnManyThreadsInOneOrder) {
  constexpr int kThreads = 4, kRounds = 300;
  Checked<std::mutex> outer("outer");
  Checked<std::shared_mutex> middle("middle");
  Checked<std::mutex> inner("inner");
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        Checked<std::mutex> own("own");  // made and destroyed while others look who holds what
        const std::lock_guard hold_own(own);
        EXPECT_EQ(own.IsHeld(), Held::kYes);
        if ((round + i) % 3 == 0) {
          Nest(outer, inner);
        } else if ((round + i) % 3 == 1) {
          const std::shared_lock read(middle);
          EXPECT_EQ(middle.IsHeld(AcquireMode::kShared), Held::kYes);
          const std::lock_guard hold(inner);
          ++count;
        } else {
          const std::lock_guard hold(outer);
          const std::lock_guard write(middle);
          EXPECT_EQ(middle.IsHeld(AcquireMode::kExclusive), Held::kYes);
          EXPECT_EQ(inner.IsHeld(), Held::kNo);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Said(), std::nullopt);
  EXPECT_EQ(count, kThreads * kRounds / 3);
}

// Each pair of neighbours in its own thread, all at the same time: whoever closes the circle says
// so, once. Nobody waits for ever, as they only try.
TEST_F(CheckedTest, IsSaidOnceHoweverManyThreads) {
  constexpr int kThreads = 4;
  std::vector<std::unique_ptr<Validator::Map>> maps;
  static constexpr const char* kNames[kThreads] = {"north", "east", "south", "west"};
  for (const char* name : kNames) maps.push_back(std::make_unique<Validator::Map>(name));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round) {
        Validator::Acquire(*maps[i], {});
        Validator::Acquire(*maps[(i + 1) % kThreads], {});
        Validator::Release(*maps[(i + 1) % kThreads]);
        Validator::Release(*maps[i]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Said(), Rule::kCircular);
}

TEST_F(CheckedTest, KnowsHowAConditionVariableWaits) {
  Checked<std::mutex> mutex("mutex");
  std::condition_variable_any changed;
  bool ready = false;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready; });
    EXPECT_EQ(mutex.IsHeld(), Held::kYes);
  });
  {
    const std::lock_guard lock(mutex);
    ready = true;
  }
  changed.notify_one();
  waiter.join();
  EXPECT_EQ(Said(), std::nullopt);
}

TEST_F(CheckedTest, DoesNotOrderWhatIsTried) {
  Checked<std::timed_mutex> one("one"), two("two");
  Nest(one, two);
  const std::lock_guard hold(two);
  ASSERT_TRUE(one.try_lock());
  one.unlock();
  ASSERT_TRUE(one.try_lock_for(std::chrono::seconds(1)));
  EXPECT_EQ(one.IsHeld(), Held::kYes);
  one.unlock();
  EXPECT_EQ(Said(), std::nullopt);
}

TEST_F(CheckedTest, KnowsThatATryFailed) {
  Checked<std::mutex> mutex("mutex");
  const std::lock_guard hold(mutex);
  std::thread([&] {
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_EQ(mutex.IsHeld(), Held::kNo);
  }).join();
  EXPECT_EQ(Said(), std::nullopt);
}

TEST_F(CheckedTest, KnowsThatALockThrew) {
  struct Throwing {
    void lock() { throw std::runtime_error("no"); }
    void unlock() {}
  };
  Checked<Throwing> lock("throwing");
  EXPECT_THROW(lock.lock(), std::runtime_error);
  EXPECT_EQ(lock.IsHeld(), Held::kNo);
  EXPECT_EQ(Said(), std::nullopt);
}

TEST_F(CheckedTest, TakesSubclassesAndNestLocks) {
  Checked<std::mutex> list("list"), parent("node"), child("node");
  parent.lock();
  child.lock_nested(1);
  child.unlock();
  parent.unlock();
  list.lock();
  parent.lock_within(list);
  child.lock_within(list);
  EXPECT_EQ(Said(), std::nullopt);
  child.unlock();
  parent.unlock();
  list.unlock();
  parent.lock();
  child.lock();
  EXPECT_EQ(Said(), Rule::kRecursive);
  child.unlock();
  parent.unlock();
}

// A reader of std::shared_mutex may wait behind a writer that waits; readers of a lock that prefers
// readers never do.
TEST_F(CheckedTest, TellsReadersThatMayWaitFromThoseThatDoNot) {
  Checked<std::shared_mutex, AcquireMode::kSharedRecursive> one("one"), two("two");
  const auto read_both = [](auto& outer, auto& inner) {
    const std::shared_lock read_outer(outer);
    const std::shared_lock read_inner(inner);
  };
  read_both(one, two);
  read_both(two, one);
  EXPECT_EQ(Said(), std::nullopt);
  Checked<std::shared_mutex> three("three"), four("four");
  read_both(three, four);
  read_both(four, three);
  EXPECT_EQ(Said(), Rule::kCircular);
  EXPECT_NE(last.text.find("A reader waits for a reader here"), std::string::npos) << last.text;
}

TEST_F(CheckedTest, SaysWhenAThreadEndsWithALock) {
  Validator::Map map("forgotten");
  std::thread([&] { Validator::Acquire(map, {}); }).join();
  EXPECT_EQ(Said(), Rule::kHeldAtExit);
}

// thread_local objects may still take locks when they are destroyed.
TEST_F(CheckedTest, LetsThreadLocalObjectsTakeLocks) {
  static Checked<std::mutex> mutex("mutex");
  struct Last {
    ~Last() { const std::lock_guard hold(mutex); }
  };
  std::thread([] {
    const std::lock_guard hold(mutex);
    thread_local const Last last;
    static_cast<void>(&last);
  }).join();
  EXPECT_EQ(Said(), std::nullopt);
}

TEST_F(CheckedTest, SaysWhenAnotherThreadReleases) {
  Validator::Map map("mutex");
  Validator::Acquire(map, {});
  std::thread([&] { Validator::Release(map); }).join();
  EXPECT_EQ(Said(), Rule::kUnlock);
}

TEST_F(CheckedTest, SaysWhenAHeldLockIsDestroyed) {
  auto map = std::make_unique<Validator::Map>("dynamic");
  Validator::Acquire(*map, {});
  map.reset();
  EXPECT_EQ(Said(), Rule::kFreed);
}

TEST_F(CheckedTest, SaysWhenMemoryWithAHeldLockIsUsedAgain) {
  struct Node {
    int before[10];
    Validator::Map map{"node"};
  } node;
  CheckFreed(&node, sizeof(node));
  EXPECT_EQ(Said(), std::nullopt);
  Validator::Acquire(node.map, {});
  CheckFreed(&node, sizeof(node));
  EXPECT_EQ(Said(), Rule::kFreed);
}

TEST_F(CheckedTest, CountsReadSideSections) {
  Validator::RcuReadLock();
  Validator::RcuReadLock();
  EXPECT_EQ(Validator::RcuReadDepth(), 2);
  Validator::RcuReadUnlock();
  Validator::RequireRcu("a node is looked up");
  Validator::RcuReadUnlock();
  EXPECT_EQ(Validator::RcuReadDepth(), 0);
  Validator::WaitForRcuReaders();
  Validator::RequireRcu("a node is looked up", /*otherwise=*/true);
  EXPECT_EQ(Said(), std::nullopt);
  Validator::RequireRcu("a node is looked up");
  EXPECT_EQ(Said(), Rule::kRcu);
}

TEST_F(CheckedTest, SaysWhenOneSectionTooManyIsLeft) {
  Validator::RcuReadUnlock();
  EXPECT_EQ(Said(), Rule::kUnlock);
}

TEST_F(CheckedTest, KnowsNothingAfterAReport) {
  Checked<std::mutex> mutex("mutex");
  EXPECT_EQ(mutex.IsHeld(), Held::kNo);
  Validator::RcuReadUnlock();
  EXPECT_FALSE(IsOn());
  EXPECT_EQ(mutex.IsHeld(), Held::kUnknown);
  const std::lock_guard hold(mutex);
  EXPECT_EQ(mutex.IsHeld(), Held::kUnknown);
}

TEST(PrintReport, AbortsWhereThatIsWanted) {
  Report report;
  report.text = "what is wrong\n";
  EXPECT_DEATH(PrintReportAndAbort(report), "what is wrong");
}

// ---- without the validator nothing is left of it

using Unchecked = Checked<std::mutex, AcquireMode::kShared, NoValidator>;
static_assert(sizeof(Unchecked) == sizeof(std::mutex));

TEST(Unchecked, IsTheLockAlone) {
  Unchecked mutex;
  const std::lock_guard hold(mutex);
  EXPECT_EQ(mutex.IsHeld(), Held::kUnknown);
}

}  // namespace
}  // namespace jacquard::lock::lockdep

#pragma clang attribute pop
