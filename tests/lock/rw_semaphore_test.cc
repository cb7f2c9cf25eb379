#include "lock/rw_semaphore.h"

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "lock/guards.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

// A thread that takes a lock, killably, holds it until told to drop it, and can be asked how far it
// is.
class Holder {
 public:
  enum class Kind { kReader, kWriter };

  Holder(RwSemaphore& semaphore, Kind kind)
      : thread_([this, &semaphore, kind] { Run(semaphore, kind); }) {}
  ~Holder() {
    Drop();
    thread_.join();
  }

  void Kill() { killer_.request_stop(); }
  void Drop() { dropped_.request_stop(); }

  bool Holds() const { return state_ == State::kHolds; }
  bool WasKilled() const { return state_ == State::kKilled; }
  bool IsDone() const { return state_ == State::kDone; }

 private:
  enum class State { kWaits, kHolds, kKilled, kDone };

  void Run(RwSemaphore& semaphore, Kind kind) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    const bool reader = kind == Kind::kReader;
    if (!(reader ? semaphore.LockSharedKillable(killer_.get_token())
                 : semaphore.LockKillable(killer_.get_token()))) {
      state_ = State::kKilled;
      return;
    }
    state_ = State::kHolds;
    EXPECT_TRUE(Eventually([this] { return dropped_.stop_requested(); }));
    reader ? semaphore.UnlockShared() : semaphore.Unlock();
    state_ = State::kDone;
  }

  std::stop_source killer_;
  std::stop_source dropped_;
  std::atomic<State> state_{State::kWaits};
  std::thread thread_;
};

constexpr auto kReader = Holder::Kind::kReader;
constexpr auto kWriter = Holder::Kind::kWriter;

class RwSemaphoreTest : public testing::Test {
 protected:
  // Starts a thread and waits until it either holds the lock or stands in the queue.
  std::unique_ptr<Holder> Start(Holder::Kind kind, bool expect_to_wait) {
    auto holder = std::make_unique<Holder>(semaphore_, kind);
    if (!expect_to_wait) {
      EXPECT_TRUE(Eventually([&] { return holder->Holds(); }));
    } else {
      // It sets kWaiters and joins the queue under one mutex; a second waiter cannot be told from
      // the first by the word, so wait a little as well.
      EXPECT_TRUE(Eventually([&] { return semaphore_.HasWaiters(); }));
      EXPECT_TRUE(NotSoon([&] { return holder->Holds(); }));
    }
    return holder;
  }

  RwSemaphore semaphore_;
};

TEST_F(RwSemaphoreTest, TryLocksAreHonestWhenFree) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  ASSERT_TRUE(semaphore_.TryLock());
  EXPECT_TRUE(semaphore_.IsWriteLocked());
  EXPECT_FALSE(semaphore_.TryLock());
  EXPECT_FALSE(semaphore_.TryLockShared());
  semaphore_.Unlock();
  ASSERT_TRUE(semaphore_.TryLockShared());
  EXPECT_EQ(semaphore_.ReaderCount(), 1u);
  EXPECT_FALSE(semaphore_.TryLock());
  ASSERT_TRUE(semaphore_.TryLockShared());
  EXPECT_EQ(semaphore_.ReaderCount(), 2u);
  semaphore_.UnlockShared();
  semaphore_.UnlockShared();
  EXPECT_FALSE(semaphore_.IsLocked());
}

TEST_F(RwSemaphoreTest, KillingDoesNotMatterWithoutWaiting) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  std::stop_source killer;
  killer.request_stop();
  ASSERT_TRUE(semaphore_.LockKillable(killer.get_token()));
  semaphore_.Unlock();
  ASSERT_TRUE(semaphore_.LockSharedKillable(killer.get_token()));
  semaphore_.UnlockShared();
}

TEST_F(RwSemaphoreTest, WriterWaitsForAllReaders) {
  auto first = Start(kReader, false);
  auto second = Start(kReader, false);
  auto writer = Start(kWriter, true);
  first->Drop();
  EXPECT_TRUE(NotSoon([&] { return writer->Holds(); }));
  second->Drop();
  EXPECT_TRUE(Eventually([&] { return writer->Holds(); }));
  // Who has let the writer in says so last.
  EXPECT_TRUE(Eventually([&] { return !semaphore_.HasWaiters(); }));
}

TEST_F(RwSemaphoreTest, WaitingReadersComeInTogether) {
  auto writer = Start(kWriter, false);
  auto first = Start(kReader, true);
  auto second = Start(kReader, true);
  writer->Drop();
  EXPECT_TRUE(Eventually([&] { return first->Holds() && second->Holds(); }));
  EXPECT_EQ(semaphore_.ReaderCount(), 2u);
  EXPECT_FALSE(semaphore_.HasWaiters());
}

TEST_F(RwSemaphoreTest, NoReaderPassesAQueuedWriter) {
  static_assert(RwSemaphore::kMaxReadersPassingQueuedWriter == 0);
  auto reader = Start(kReader, false);
  auto writer = Start(kWriter, true);
  EXPECT_FALSE(semaphore_.TryLockShared());
  auto late = Start(kReader, true);
  reader->Drop();
  EXPECT_TRUE(Eventually([&] { return writer->Holds(); }));
  EXPECT_FALSE(late->Holds());
  writer->Drop();
  EXPECT_TRUE(Eventually([&] { return late->Holds(); }));
}

TEST_F(RwSemaphoreTest, ServesInTheOrderOfArrival) {
  auto holder = Start(kWriter, false);
  auto reader = Start(kReader, true);
  auto writer = Start(kWriter, true);
  auto behind = Start(kReader, true);
  holder->Drop();
  EXPECT_TRUE(Eventually([&] { return reader->Holds(); }));
  EXPECT_TRUE(NotSoon([&] { return writer->Holds() || behind->Holds(); }));
  reader->Drop();
  EXPECT_TRUE(Eventually([&] { return writer->Holds(); }));
  EXPECT_TRUE(NotSoon([&] { return behind->Holds(); }));
  writer->Drop();
  EXPECT_TRUE(Eventually([&] { return behind->Holds(); }));
}

TEST_F(RwSemaphoreTest, AKilledWriterLetsTheReadersBehindItIn) {
  auto reader = Start(kReader, false);
  auto writer = Start(kWriter, true);
  auto behind = Start(kReader, true);
  writer->Kill();
  EXPECT_TRUE(Eventually([&] { return writer->WasKilled(); }));
  EXPECT_TRUE(Eventually([&] { return behind->Holds(); }));
  EXPECT_TRUE(reader->Holds());
  EXPECT_FALSE(semaphore_.HasWaiters());
}

TEST_F(RwSemaphoreTest, AKilledWaiterLeavesNoTrace) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  for (const auto kind : {kReader, kWriter}) {
    auto holder = Start(kWriter, false);
    auto waiter = Start(kind, true);
    waiter->Kill();
    EXPECT_TRUE(Eventually([&] { return waiter->WasKilled(); }));
    EXPECT_FALSE(semaphore_.HasWaiters());
    holder->Drop();
    EXPECT_TRUE(Eventually([&] { return holder->IsDone(); }));
    EXPECT_FALSE(semaphore_.IsLocked());
    ASSERT_TRUE(semaphore_.TryLock());
    semaphore_.Unlock();
  }
}

TEST_F(RwSemaphoreTest, AWaiterKilledInTheMiddleOfTheQueueDoesNotBreakIt) {
  auto holder = Start(kWriter, false);
  auto first = Start(kWriter, true);
  auto middle = Start(kWriter, true);
  auto last = Start(kWriter, true);
  middle->Kill();
  EXPECT_TRUE(Eventually([&] { return middle->WasKilled(); }));
  EXPECT_TRUE(semaphore_.HasWaiters());
  holder->Drop();
  EXPECT_TRUE(Eventually([&] { return first->Holds(); }));
  last->Kill();
  EXPECT_TRUE(Eventually([&] { return last->WasKilled(); }));
  EXPECT_FALSE(semaphore_.HasWaiters());
  EXPECT_TRUE(first->Holds());
}

TEST_F(RwSemaphoreTest, DowngradeLetsWaitingReadersInAndKeepsWritersOut)
JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  semaphore_.Lock();
  auto reader = Start(kReader, true);
  auto writer = Start(kWriter, true);
  semaphore_.Downgrade();
  EXPECT_FALSE(semaphore_.IsWriteLocked());
  EXPECT_TRUE(Eventually([&] { return reader->Holds(); }));
  reader->Drop();
  EXPECT_TRUE(NotSoon([&] { return writer->Holds(); }));
  semaphore_.UnlockShared();
  EXPECT_TRUE(Eventually([&] { return writer->Holds(); }));
}

TEST_F(RwSemaphoreTest, TwoDowngradedLocksExcludeEachOthersWriters)
JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  semaphore_.Lock();
  semaphore_.Downgrade();
  EXPECT_FALSE(semaphore_.TryLock());
  ASSERT_TRUE(semaphore_.TryLockShared());
  EXPECT_FALSE(semaphore_.TryLock());
  semaphore_.UnlockShared();
  EXPECT_FALSE(semaphore_.TryLock());
  semaphore_.UnlockShared();
  ASSERT_TRUE(semaphore_.TryLock());
  semaphore_.Unlock();
}

// Threads do everything there is, killed now and then. The values are plain: ThreadSanitizer tells
// if the lock does not order, their difference or their sum if it does not exclude.
TEST_F(RwSemaphoreTest, ExcludesUnderLoad) {
  constexpr int kThreads = 4;
  constexpr int kTurns = 400;
  long value = 0;
  long copy = 0;
  std::atomic<long> writes{0};
  const auto read = [&] { EXPECT_EQ(value, copy); };
  const auto write = [&] {
    ++value;
    if (value % 8 == 0) std::this_thread::yield();
    ++copy;
    writes.fetch_add(1, std::memory_order_relaxed);  // must order nothing, or it hides mistakes
  };
  const auto work = [&](unsigned seed) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    std::minstd_rand random(seed);
    for (int turn = 0; turn < kTurns; ++turn) {
      std::stop_source killer;
      switch (random() % 6) {
        case 0: {
          const ReadGuard guard(semaphore_);
          read();
          break;
        }
        case 1: {
          const WriteGuard guard(semaphore_);
          write();
          break;
        }
        case 2:
          semaphore_.Lock();
          write();
          semaphore_.Downgrade();
          read();
          semaphore_.UnlockShared();
          break;
        case 3: {
          std::thread kill([&] { killer.request_stop(); });
          if (semaphore_.LockKillable(killer.get_token())) {
            write();
            semaphore_.Unlock();
          }
          kill.join();
          break;
        }
        case 4: {
          std::thread kill([&] { killer.request_stop(); });
          if (semaphore_.LockSharedKillable(killer.get_token())) {
            read();
            semaphore_.UnlockShared();
          }
          kill.join();
          break;
        }
        case 5:
          if (semaphore_.TryLock()) {
            write();
            semaphore_.Unlock();
          } else if (semaphore_.TryLockShared()) {
            read();
            semaphore_.UnlockShared();
          }
          break;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work, i + 1);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(semaphore_.IsLocked());
  EXPECT_FALSE(semaphore_.HasWaiters());
  EXPECT_GT(value, 0);
  EXPECT_EQ(value, writes);
}

using RwSemaphoreDeathTest = RwSemaphoreTest;

TEST_F(RwSemaphoreDeathTest, DroppingWhatNobodyHolds) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  EXPECT_DEATH(semaphore_.Unlock(), "write lock dropped that nobody holds");
  EXPECT_DEATH(semaphore_.UnlockShared(), "read lock dropped that nobody holds");
  EXPECT_DEATH(semaphore_.Downgrade(), "write lock dropped that nobody holds");
}

TEST_F(RwSemaphoreDeathTest, DroppingTheWrongKind) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  semaphore_.Lock();
  EXPECT_DEATH(semaphore_.UnlockShared(), "read lock dropped that nobody holds");
  semaphore_.Unlock();
  semaphore_.LockShared();
  EXPECT_DEATH(semaphore_.Unlock(), "write lock dropped that nobody holds");
  EXPECT_DEATH(semaphore_.Downgrade(), "write lock dropped that nobody holds");
  semaphore_.UnlockShared();
}

TEST_F(RwSemaphoreDeathTest, DestroyingItWhileHeld) {
  EXPECT_DEATH(
      {
        std::optional<RwSemaphore> semaphore(std::in_place);
        static_cast<void>(semaphore->TryLock());
        semaphore.reset();
      },
      "destroyed while held");
}

}  // namespace
}  // namespace jacquard::lock
