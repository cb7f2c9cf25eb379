#include "lock/rcu.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

struct Node : RcuHead {
  explicit Node(int v) : value(v) { ++alive; }
  ~Node() {
    value = -1;
    --alive;
  }
  int value;
  inline static std::atomic<int> alive{0};
};

TEST(Rcu, CountsSections) {
  EXPECT_EQ(Rcu::ReadDepth(), 0);
  {
    const RcuReadGuard outer;
    EXPECT_EQ(Rcu::ReadDepth(), 1);
    {
      const RcuReadGuard inner;
      EXPECT_EQ(Rcu::ReadDepth(), 2);
    }
    EXPECT_EQ(Rcu::ReadDepth(), 1);
    std::thread([] { EXPECT_EQ(Rcu::ReadDepth(), 0); }).join();
  }
  EXPECT_EQ(Rcu::ReadDepth(), 0);
}

TEST(Rcu, SynchronizeReturnsWithoutReaders) {
  Rcu::Synchronize();
  Rcu::Synchronize();
}

TEST(Rcu, SynchronizeWaitsForTheReaderInside) {
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  std::atomic<bool> over{false};
  std::thread reader([&] {
    Rcu::ReadLock();
    Rcu::ReadLock();
    inside = true;
    while (!leave) std::this_thread::yield();
    Rcu::ReadUnlock();  // not the outermost
    EXPECT_TRUE(NotSoon([&] { return over.load(); }));
    Rcu::ReadUnlock();
  });
  ASSERT_TRUE(Eventually([&] { return inside.load(); }));
  std::thread reclaimer([&] {
    Rcu::Synchronize();
    over = true;
  });
  EXPECT_TRUE(NotSoon([&] { return over.load(); }));
  leave = true;
  reader.join();
  reclaimer.join();
}

TEST(Rcu, SynchronizeDoesNotWaitForLaterReaders) {
  std::atomic<int> over{0};
  std::atomic<bool> inside{false};
  std::thread reader;
  {
    const RcuReadGuard first;
    std::thread reclaimer([&] {
      Rcu::Synchronize();
      ++over;
    });
    // It has begun its period some time in this loop; then a reader comes that stays.
    EXPECT_TRUE(NotSoon([&] { return over != 0; }));
    reader = std::thread([&] {
      const RcuReadGuard guard;
      inside = true;
      while (over == 0) std::this_thread::yield();
    });
    ASSERT_TRUE(Eventually([&] { return inside.load(); }));
    reclaimer.detach();
  }
  reader.join();
  EXPECT_EQ(over, 1);
}

TEST(Rcu, CallsBackOnceAfterAGracePeriod) {
  struct Counted : RcuHead {
    int calls = 0;
  } counted;
  {
    const RcuReadGuard guard;
    Rcu::Call(counted, [](RcuHead* head) { ++static_cast<Counted*>(head)->calls; });
    Rcu::RunCallbacks();
    EXPECT_EQ(counted.calls, 0);
  }
  Rcu::Barrier();
  EXPECT_EQ(counted.calls, 1);
  Rcu::Barrier();
  EXPECT_FALSE(Rcu::RunCallbacks());
  EXPECT_EQ(counted.calls, 1);
}

TEST(Rcu, CallsBackInOrder) {
  struct Logged : RcuHead {
    std::vector<Logged*>* log = nullptr;
  };
  std::vector<Logged*> log;
  Logged heads[3];
  {
    const RcuReadGuard guard;
    for (Logged& head : heads) {
      head.log = &log;
      Rcu::Call(head, [](RcuHead* h) {
        auto* const logged = static_cast<Logged*>(h);
        logged->log->push_back(logged);
      });
    }
  }
  Rcu::Barrier();
  EXPECT_EQ(log, (std::vector<Logged*>{&heads[0], &heads[1], &heads[2]}));
}

TEST(Rcu, ACallbackMayCall) {
  struct Again : RcuHead {
    int calls = 0;
  } again;
  Rcu::Call(again, [](RcuHead* head) {
    auto* const self = static_cast<Again*>(head);
    if (++self->calls < 3) Rcu::Call(*head, head->function);
  });
  while (again.calls < 3) Rcu::Barrier();
  EXPECT_FALSE(Rcu::RunCallbacks());
  EXPECT_EQ(again.calls, 3);
}

TEST(Rcu, DeletesLater) {
  auto* const node = new Node(1);
  Rcu::ReadLock();
  Rcu::DeleteLater(node);
  EXPECT_EQ(Node::alive, 1);
  EXPECT_EQ(node->value, 1);
  Rcu::ReadUnlock();
  Rcu::Barrier();
  EXPECT_EQ(Node::alive, 0);
}

// More threads than any table would have room for, all inside at once, one after the other with the
// records of those before.
TEST(Rcu, HasRoomForManyThreads) {
  constexpr int kThreads = 300;
  for (int round = 0; round < 2; ++round) {
    std::atomic<int> inside{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        const RcuReadGuard guard;
        ++inside;
        while (inside != kThreads) std::this_thread::yield();
      });
    }
    for (std::thread& thread : threads) thread.join();
    Rcu::Synchronize();
  }
}

TEST(Rcu, ReadersNeverSeeWhatIsReclaimed) {
  std::atomic<Node*> shared{new Node(1)};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const RcuReadGuard guard;
        EXPECT_GT(shared.load(std::memory_order_acquire)->value, 0);
      }
    });
  }
  for (int i = 2; i < 2000; ++i) {
    Node* const old = shared.exchange(new Node(i), std::memory_order_acq_rel);
    if (i % 16 == 0) {
      Rcu::Synchronize();
      delete old;
    } else {
      Rcu::DeleteLater(old);
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  delete shared.load();
  Rcu::Barrier();
  EXPECT_EQ(Node::alive, 0);
}

using RcuDeathTest = testing::Test;

TEST(RcuDeathTest, Misuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Rcu::ReadUnlock(), "closed that is not open");
  EXPECT_DEATH(
      {
        const RcuReadGuard guard;
        Rcu::Synchronize();
      },
      "grace period inside an RCU section");
  EXPECT_DEATH(
      {
        const RcuReadGuard guard;
        Rcu::Barrier();
      },
      "callbacks inside an RCU section");
  EXPECT_DEATH(std::thread([] { Rcu::ReadLock(); }).join(), "thread ends inside an RCU section");
}

}  // namespace
}  // namespace jacquard::lock
