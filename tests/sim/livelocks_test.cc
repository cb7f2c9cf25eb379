// Executions that take long: which are livelocks, which are not, and what is kept of their traces.
#include <gtest/gtest.h>
#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr uint64_t kWatchFrom = ExecutionOptions().watch_from;

// A longer execution may be watched.
ExecutionOptions WatchedSoon() {
  ExecutionOptions options;
  options.watch_from = kWatchSoon;
  return options;
}

ExploreResult WalkOnce(const std::function<void()>& body, const ExecutionOptions& options = {}) {
  return Walk(body, 1, options);
}

// Nobody counts: that is known before the step limit.
TEST(Livelocks, LivelockIsFoundAlthoughEverybodyGetsATurn) {
  const ExploreResult result = WalkOnce([] {
    std::mutex one, other;
    const auto give_way = [](std::mutex& mine, std::mutex& yours) {
      for (;;) {
        const std::lock_guard<std::mutex> lock(mine);
        if (yours.try_lock()) yours.unlock();
      }
    };
    std::thread a(give_way, std::ref(one), std::ref(other));
    give_way(other, one);
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock);
  EXPECT_NE(result.verdict.message.find("came back"), std::string::npos) << result.verdict.message;
  EXPECT_GE(result.verdict.step, kWatchFrom);
  EXPECT_LT(result.verdict.step, 2 * kWatchFrom);
  // More of the same would tell nobody more.
  const uint64_t unfair_steps = ExecutionOptions().unfair_steps;
  EXPECT_FALSE(result.not_deterministic);
  EXPECT_GE(result.trace.events.size(), 2 * unfair_steps);
  EXPECT_LT(result.trace.events.size(), 4 * unfair_steps);
}

// A thread that only waits for the same again and again, under a lock.
TEST(Livelocks, LivelockOfWhoPollsIsFound) {
  const ExploreResult result = WalkOnce(
      [] {
        std::mutex mutex;
        bool set = false;
        std::thread a([&] {
          for (bool stops = false; !stops;) {
            const std::lock_guard<std::mutex> lock(mutex);
            stops = set;
          }
        });
        a.join();
      },
      WatchedSoon());
  EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock);
  EXPECT_LT(result.verdict.step, 2 * kWatchSoon);
}

// That time passes is nothing to who does not read the clock; but somebody may.
TEST(Livelocks, LivelockOfWhoSleepsIsFound) {
  for (const bool reads_clock : {false, true}) {
    ExecutionOptions options = WatchedSoon();
    options.max_steps = 4 * kWatchSoon;
    const ExploreResult result = WalkOnce(
        [reads_clock] {
          std::atomic<bool> never{false};
          std::thread a([&] {
            const auto begin = std::chrono::steady_clock::now();
            auto passed = std::chrono::nanoseconds(0);
            while (!never.load() && passed < std::chrono::hours(24)) {
              std::this_thread::sleep_for(std::chrono::microseconds(10));
              if (reads_clock) passed = std::chrono::steady_clock::now() - begin;
            }
          });
          a.join();
        },
        options);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock) << result.verdict.message;
    if (reads_clock) {
      EXPECT_EQ(result.verdict.step, options.max_steps);
    } else {
      EXPECT_LT(result.verdict.step, 2 * kWatchSoon);
    }
  }
}

// The first thread asks again and again whether another one has ended. That one sleeps until `set`,
// which comes to pass if `sets`, but nobody tells it.
ExploreResult PollUntilASleeperEnds(bool sets, bool counts) {
  ExecutionOptions options = WatchedSoon();
  options.max_steps = 4 * kWatchSoon;
  options.spurious_wake_ups = kNever;
  return WalkOnce(
      [sets, counts] {
        std::mutex mutex;
        std::condition_variable condition;
        bool set = false;
        bool ended = false;
        std::atomic<int> looks{0};
        std::thread sleeper([&] {
          std::unique_lock<std::mutex> lock(mutex);
          condition.wait(lock, [&set] { return set; });
          ended = true;
        });
        for (bool goes_on = true; goes_on;) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          const std::lock_guard<std::mutex> lock(mutex);
          set = sets;
          if (counts) ++looks;
          goes_on = !ended;
        }
        sleeper.join();
      },
      options);
}

TEST(Livelocks, WhoPollsForASleeperThatIsNotWokenHasLostItsWakeUp) {
  for (const bool counts : {false, true}) {
    const ExploreResult result = PollUntilASleeperEnds(/*sets=*/true, counts);
    ASSERT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
    EXPECT_NE(
        result.verdict.message.find("lost wake-up: thread 1 waits for the condition variable"),
        std::string::npos)
        << result.verdict.message;
    EXPECT_NE(result.verdict.message.find(counts ? "max_steps" : "came back"), std::string::npos)
        << result.verdict.message;
    EXPECT_FALSE(result.not_deterministic);
    // Of the polling there is no more than is of use.
    EXPECT_LT(result.trace.events.size(), 4 * ExecutionOptions().unfair_steps);
  }
}

// An execution that is merely long: its worker would only look, and sleep again.
TEST(Livelocks, WhoSleepsUntilItIsOverHasLostNothing) {
  ExecutionOptions options = WithoutSpuriousWakeUps();
  options.max_steps = 10'000;
  const ExploreResult result = WalkOnce(
      [] {
        std::mutex mutex;
        std::condition_variable condition;
        bool is_over = false;
        std::thread worker([&] {
          std::unique_lock<std::mutex> lock(mutex);
          condition.wait(lock, [&is_over] { return is_over; });
        });
        std::atomic<int> work{0};
        while (++work < 12'000) {
        }
        {
          const std::lock_guard<std::mutex> lock(mutex);
          is_over = true;
        }
        condition.notify_one();
        worker.join();
      },
      options);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock) << result.verdict.message;
}

TEST(Livelocks, AWakeUpThatWouldNotHelpIsNotLost) {
  for (const bool counts : {false, true}) {
    const ExploreResult result = PollUntilASleeperEnds(/*sets=*/false, counts);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock) << result.verdict.message;
    EXPECT_FALSE(result.not_deterministic);
  }
}

// What counts may come to its end.
TEST(Livelocks, WhoCountsMayGoOnUpToTheStepLimit) {
  ExecutionOptions options = WatchedSoon();
  options.max_steps = 3 * kWatchSoon;
  const ExploreResult result = WalkOnce(
      [] {
        std::atomic<int> x{0};
        std::thread a([&] {
          while (x.fetch_add(1) >= 0) {
          }
        });
        a.join();
      },
      options);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kLivelock);
  EXPECT_EQ(result.verdict.step, options.max_steps);
}

// The search for a way out of it is not shown, though it goes on beyond where the trace of a
// livelock ends.
TEST(Livelocks, LateDeadlockIsTracedToItsBegin) {
  constexpr uint64_t kSteps = 2 * ExecutionOptions().unfair_steps - 5'000;
  const ExploreResult result = WalkOnce([] {
    std::atomic<int> steps{0};
    std::atomic<int> never{0};
    std::thread a([&] {
      for (uint64_t i = 0; i < kSteps; ++i) steps.fetch_add(1, std::memory_order_relaxed);
      while (never.load() == 0) {
      }
    });
    while (never.load() == 0) {
    }
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_GE(result.trace.events.size(), kSteps);
  EXPECT_LT(result.trace.events.size(), kSteps + 1'000);
}

TEST(Livelocks, WhatTakesLongIsNoLivelock) {
  constexpr int kRounds = 100'000;
  const ExploreResult result = WalkOnce([] {
    std::atomic<int> x{0};
    const auto count = [&] {
      for (int i = 0; i < kRounds; ++i) x.fetch_add(1, std::memory_order_relaxed);
    };
    std::thread a(count), b(count);
    a.join();
    b.join();
    Check(x.load(std::memory_order_relaxed) == 2 * kRounds, "counted");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

// Nor does the order of seq_cst events, of which more and more have to be told apart, take longer
// and longer.
TEST(Livelocks, WhatTakesLongIsNoLivelockWithSeqCstEither) {
  constexpr int kRounds = 100'000;
  const ExploreResult result = WalkOnce([] {
    std::atomic<bool> stops{false};
    const auto count = [&] {
      std::atomic<int> own{0};
      for (int i = 0; i < kRounds && !stops.load(); ++i) own.fetch_add(1);
      Check(own.load() == kRounds, "counted");
    };
    std::thread a(count), b(count);
    a.join();
    b.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

// Longer than one or two watches, and each counts in another way.
TEST(Livelocks, WhoCountsIsNone) {
  constexpr int kRounds = 450'000;
  static int rounds = 0;
  const ExploreResult result = WalkOnce(
      [] {
        std::mutex mutex;
        int here = 0;
        const auto by_a_global = [&] {
          for (bool goes_on = true; goes_on;) {
            const std::lock_guard<std::mutex> lock(mutex);
            goes_on = ++rounds < kRounds;
          }
        };
        const auto by_itself = [&] {
          for (int i = 0; i < kRounds; ++i) const std::lock_guard<std::mutex> lock(mutex);
        };
        const auto by_what_is_captured = [&] {
          for (bool goes_on = true; goes_on;) {
            if (!mutex.try_lock()) continue;
            goes_on = ++here < kRounds;
            mutex.unlock();
          }
        };
        std::thread a(by_a_global), b(by_itself), c(by_what_is_captured);
        a.join();
        b.join();
        c.join();
      },
      WatchedSoon());
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_GT(result.steps, 2 * kWatchSoon);
}

// All but one thread do the same for ever, and that one is slow.
TEST(Livelocks, NobodyIsForgottenAmongOthersWhoSpin) {
  constexpr int kRounds = 10'000;
  const ExploreResult result = WalkOnce(
      [] {
        std::mutex busy, slow;
        std::atomic<bool> stops{false};
        const auto spin = [&] {
          while (!stops.load()) {
            if (busy.try_lock()) busy.unlock();
          }
        };
        std::thread a(spin), b(spin), c(spin);
        for (int i = 0; i < kRounds; ++i) {
          for (int rest = 0; rest < 20; ++rest) const std::lock_guard<std::mutex> lock(slow);
        }
        stops = true;
        a.join();
        b.join();
        c.join();
      },
      WatchedSoon());
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_GT(result.steps, kWatchSoon + kWatchSoon / 10);
}

// A loop that gets on in code without hooks alone, by the file that it reads, is not watched yet.
TEST(Livelocks, WhoReadsAFileIsNone) {
  constexpr int kBytes = 400'000;
  const ExploreResult result = WalkOnce([] {
    std::FILE* const file = std::tmpfile();
    for (int i = 0; i < kBytes; ++i) std::fputc('a', file);
    std::rewind(file);
    std::mutex mutex;
    const auto read = [&] {
      for (bool goes_on = true; goes_on;) {
        const std::lock_guard<std::mutex> lock(mutex);
        goes_on = std::fgetc(file) != EOF;
      }
    };
    std::thread a(read);
    read();
    a.join();
    std::fclose(file);
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_GT(result.steps, 2 * kBytes);
}

// Who waits for ever while others are tried again is in a deadlock, also where a watch ends then.
TEST(Livelocks, ADeadlockAmidAWatchIsOne) {
  constexpr uint64_t kUnfair = 1'000;
  constexpr int kBytes = 45'000;  // so that the search for a way out goes on when the watch ends
  ExecutionOptions options;
  options.unfair_steps = kUnfair;
  options.watch_from = 2 * kUnfair;
  const ExploreResult result = WalkOnce(
      [] {
        std::FILE* const file = std::tmpfile();
        for (int i = 0; i < kBytes; ++i) std::fputc('a', file);
        std::rewind(file);
        sem_t units;
        sem_init(&units, 0, 1);
        std::atomic<bool> never{false};
        std::thread spins([&] {
          while (!never.load()) {
          }
        });
        for (;;) {
          sem_wait(&units);
          if (std::fgetc(file) != EOF) sem_post(&units);
        }
      },
      options);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

// Of a long execution that fails in another way the end is shown.
TEST(Livelocks, TheEndOfALongTraceIsKept) {
  constexpr int kRounds = 600'000;
  const ExploreResult result = WalkOnce([] {
    std::atomic<int> x{0};
    const auto count = [&] {
      for (int i = 0; i < kRounds; ++i) x.fetch_add(1, std::memory_order_relaxed);
    };
    std::thread a(count);
    count();
    a.join();
    Check(x.load() == 0, "nobody has counted");
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant) << result.verdict.message;
  const std::vector<TraceEvent>& events = result.trace.events;
  ASSERT_GT(events.size(), 400'000u);
  EXPECT_LT(events.size(), 1'000'000u);
  EXPECT_EQ(events[0].type, TraceEvent::Type::kNote);
  EXPECT_NE(events[0].text.find("left out"), std::string::npos) << events[0].text;
  for (size_t i = 0; i < events.size(); ++i) ASSERT_EQ(events[i].index, i);
  // Who has read what: of counters in a row, each has read the one before it.
  size_t read = 0;
  for (const TraceEvent& event : events) {
    if (event.type != TraceEvent::Type::kStep || event.reads_from < 0) continue;
    const TraceEvent& from = events[static_cast<size_t>(event.reads_from)];
    ASSERT_LT(from.index, event.index);
    ASSERT_EQ(from.step.new_value, event.step.old_value);
    ++read;
  }
  EXPECT_GT(read, 400'000u);
}

}  // namespace
}  // namespace jacquard
