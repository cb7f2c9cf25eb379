// RCU in the simulation: every schedule, weak memory, a heap that notices what is used after it was
// freed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "jacquard/jacquard.h"
#include "lock/rcu.h"

namespace jacquard::lock {
namespace {

struct Node : RcuHead {
  explicit Node(int v) : value(v) {}
  int value;
};

int ReadShared(const std::atomic<Node*>& shared) {
  const RcuReadGuard guard;
  return shared.load(std::memory_order_acquire)->value;
}

TEST(RcuSimulated, SynchronizeSavesReaders) {
  ExpectNoBug(
      [] {
        std::atomic<Node*> shared{new Node(1)};
        std::thread reader([&] {
          EXPECT_GT(ReadShared(shared), 0);
          EXPECT_GT(ReadShared(shared), 0);
        });
        Node* const old = shared.exchange(new Node(2), std::memory_order_acq_rel);
        Rcu::Synchronize();
        delete old;
        reader.join();
        delete shared.load();
      },
      {.executions = 20000});
}

// The test above is able to fail.
TEST(RcuSimulated, WithoutItTheyAreLost) {
  const Result result = Explore(
      [] {
        std::atomic<Node*> shared{new Node(1)};
        std::thread reader([&] { EXPECT_GT(ReadShared(shared), 0); });
        delete shared.exchange(new Node(2), std::memory_order_acq_rel);
        reader.join();
        delete shared.load();
      },
      {.executions = 20000});
  // The object is read before it is freed, which races, or by a stale pointer after that.
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.findings.front().verdict.signature,
              testing::AnyOf("race|plain read and plain write", "heap error|use after free"));
}

TEST(RcuSimulated, CallbacksSaveReaders) {
  ExpectNoBug(
      [] {
        std::atomic<Node*> shared{new Node(1)};
        std::thread reader([&] { EXPECT_GT(ReadShared(shared), 0); });
        std::thread other(
            [&] { Rcu::DeleteLater(shared.exchange(new Node(3), std::memory_order_acq_rel)); });
        Rcu::DeleteLater(shared.exchange(new Node(2), std::memory_order_acq_rel));
        reader.join();
        other.join();
        Rcu::RunCallbacks();
        delete shared.load();
        Rcu::Barrier();
      },
      {.executions = 20000});
}

TEST(RcuSimulated, BarrierWaitsForEveryCallback) {
  ExpectNoBug(
      [] {
        struct Counted : RcuHead {
          int calls = 0;
        } counted;
        std::thread reader([] { const RcuReadGuard guard; });
        std::thread other([] { Rcu::RunCallbacks(); });
        Rcu::Call(counted, [](RcuHead* head) { ++static_cast<Counted*>(head)->calls; });
        Rcu::Barrier();
        EXPECT_EQ(counted.calls, 1);
        reader.join();
        other.join();
      },
      {.executions = 20000});
}

TEST(RcuSimulated, TwoWaitForTheSameReader) {
  ExpectNoBug(
      [] {
        std::thread reader([] {
          const RcuReadGuard outer;
          const RcuReadGuard inner;
        });
        std::thread other([] { Rcu::Synchronize(); });
        Rcu::Synchronize();
        reader.join();
        other.join();
      },
      {.executions = 20000});
}

TEST(RcuSimulated, AThreadMustNotEndInside) {
  const Result result =
      Explore([] { std::thread([] { Rcu::ReadLock(); }).join(); }, {.executions = 10});
  EXPECT_FALSE(result.ok());
}

}  // namespace
}  // namespace jacquard::lock
