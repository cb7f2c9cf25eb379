// Cycles in the order of locks whose parts come from several executions: a finding of the campaign.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "jacquard/jacquard.h"

namespace jacquard {
namespace {

std::mutex a;
std::mutex b;
std::mutex gate;

// Two threads, of which only the first one to come does its part: no execution has both.
void OnlyTheFirst(const std::function<void()>& part, const std::function<void()>& other_part) {
  std::atomic<int> first{0};
  std::thread one([&] {
    if (first.exchange(1) == 0) part();
  });
  std::thread other([&] {
    if (first.exchange(1) == 0) other_part();
  });
  one.join();
  other.join();
}

void OneOrderAtATime() {
  OnlyTheFirst(
      [] {
        const std::lock_guard outer(a);
        const std::lock_guard inner(b);
      },
      [] {
        const std::lock_guard outer(b);
        const std::lock_guard inner(a);
      });
}

void ExpectNone(const std::function<void()>& body) {
  const Result result = Explore(body, {.executions = 3000});
  EXPECT_TRUE(result.ok()) << result.report();
}

TEST(Across, IsAFindingOfTheCampaign) {
  const Result result = Explore(OneOrderAtATime, {.executions = 1000});
  EXPECT_EQ(result.executions, 1000u);
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  const Finding& finding = result.findings[0];
  EXPECT_EQ(finding.verdict.kind, VerdictKind::kLockOrder);
  EXPECT_TRUE(finding.verdict.signature.starts_with("lock order|in different executions|"))
      << finding.verdict.signature;
  for (const char* part : {"in execution 1 thread ", "in execution 2 thread ", " while it held 0x",
                           "no execution has shown all of it", "Execution 1: ", "Execution 2: ",
                           "lock_order_test.cc:", "OneOrderAtATime"}) {
    EXPECT_NE(finding.report.find(part), std::string::npos) << part << ": " << finding.report;
  }
}

TEST(Across, TheTokenHoldsAllExecutions) {
  const Result found = Explore(OneOrderAtATime, {.executions = 1000});
  const std::string token = found.token();
  const size_t plus = token.find('+');
  ASSERT_NE(plus, std::string::npos) << token;
  const Result again = Explore(OneOrderAtATime, {.replay = token});
  EXPECT_EQ(again.executions, 2u);
  ASSERT_EQ(again.findings.size(), 1u) << Summary(again);
  EXPECT_EQ(again.findings[0].verdict.signature, found.findings[0].verdict.signature);
  EXPECT_EQ(again.token(), token);
  EXPECT_EQ(again.report(), found.report());
  // Neither half is enough.
  EXPECT_TRUE(Explore(OneOrderAtATime, {.replay = token.substr(0, plus)}).ok());
  EXPECT_TRUE(Explore(OneOrderAtATime, {.replay = token.substr(plus + 1)}).ok());
  const Result damaged = Explore(OneOrderAtATime, {.replay = token + "+J1abc"});
  EXPECT_NE(damaged.problem.find("part 3: "), std::string::npos) << damaged.problem;
}

TEST(Across, LocksOnTheHeapAndOnTheStackOfTheBody) {
  const Result result = Explore(
      [] {
        const auto heap = std::make_unique<std::mutex>();
        std::mutex stack;
        OnlyTheFirst(
            [&] {
              const std::lock_guard outer(*heap);
              const std::lock_guard inner(stack);
            },
            [&] {
              const std::lock_guard outer(stack);
              const std::lock_guard inner(*heap);
            });
      },
      {.executions = 1000});
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.kind, VerdictKind::kLockOrder);
  EXPECT_NE(result.report().find(" allocated by thread 0"), std::string::npos) << result.report();
}

TEST(Across, CanBeIgnored) {
  for (const char* value : {"execution", "ignore"}) {
    Options options = {.executions = 1000};
    EXPECT_EQ(ParseOptions(std::string("lock_order=") + value, options), "");
    const Result result = Explore(OneOrderAtATime, options);
    EXPECT_TRUE(result.ok()) << result.report();
  }
  Options options;
  EXPECT_NE(ParseOptions("lock_order=never", options), "");
}

// In one execution it is the deadlock itself that is found, with `execution` as well.
TEST(Across, WithinOneItIsTheDeadlock) {
  const auto body = [] {
    std::thread one([] {
      const std::lock_guard outer(a);
      const std::lock_guard inner(b);
    });
    std::thread other([] {
      const std::lock_guard outer(b);
      const std::lock_guard inner(a);
    });
    one.join();
    other.join();
  };
  Options options = {.executions = 1};
  ASSERT_EQ(ParseOptions("lock_order=execution", options), "");
  const Result result = Explore(body, options);
  ASSERT_EQ(result.findings.size(), 1u) << Summary(result);
  EXPECT_EQ(result.findings[0].verdict.signature, "deadlock|threads wait for each other");
  const Result again = Explore(body, {.replay = result.token()});
  EXPECT_EQ(again.report(), result.report());
}

// ---- what is none

TEST(NotAcross, WhereThatIsAllThereIs) {
  const Result result = Explore(OneOrderAtATime, {.strategy = "dfs"});
  EXPECT_TRUE(result.exhausted);
  EXPECT_TRUE(result.ok()) << result.report();
}

TEST(NotAcross, OneThread) {
  ExpectNone([] {
    std::atomic<int> word{0};
    std::thread other([&] { word = 1; });
    if (word == 0) {
      const std::lock_guard outer(a);
      const std::lock_guard inner(b);
    } else {
      const std::lock_guard outer(b);
      const std::lock_guard inner(a);
    }
    other.join();
  });
}

TEST(NotAcross, CommonGate) {
  ExpectNone([] {
    OnlyTheFirst(
        [] {
          const std::lock_guard lock(gate);
          const std::lock_guard outer(a);
          const std::lock_guard inner(b);
        },
        [] {
          const std::lock_guard lock(gate);
          const std::lock_guard outer(b);
          const std::lock_guard inner(a);
        });
  });
}

TEST(NotAcross, OneAfterTheOther) {
  ExpectNone([] {
    const bool first = PickData(2) == 0;
    std::thread([&] {
      if (!first) return;
      const std::lock_guard outer(a);
      const std::lock_guard inner(b);
    }).join();
    std::thread([&] {
      if (first) return;
      const std::lock_guard outer(b);
      const std::lock_guard inner(a);
    }).join();
  });
}

TEST(NotAcross, Tried) {
  ExpectNone([] {
    OnlyTheFirst(
        [] {
          const std::lock_guard outer(a);
          const std::lock_guard inner(b);
        },
        [] {
          const std::lock_guard outer(b);
          if (a.try_lock()) a.unlock();
        });
  });
}

// Sometimes both are there, and then in order: nothing is said of the executions with one of them.
TEST(NotAcross, SeenTogetherWithoutADeadlock) {
  ExpectNone([] {
    const int which = PickData(3);
    std::atomic<bool> done{false};
    std::thread one([&] {
      if (which != 1) {
        const std::lock_guard outer(a);
        const std::lock_guard inner(b);
      }
      done = true;
    });
    std::thread other([&] {
      if (which == 0) return;
      while (!done) std::this_thread::yield();
      const std::lock_guard outer(b);
      const std::lock_guard inner(a);
    });
    one.join();
    other.join();
  });
}

// The order of the nodes is another one in another execution, and each time the only one.
TEST(NotAcross, DataDecide) {
  ExpectNone([] {
    struct Node {
      std::mutex mutex;
      Node* next = nullptr;
    };
    std::array<Node, 2> nodes;
    Node head;
    const auto push = [&](Node& node) {
      const std::lock_guard lock(head.mutex);
      node.next = head.next;
      head.next = &node;
    };
    const auto walk = [&] {
      std::unique_lock<std::mutex> lock(head.mutex);
      for (Node* node = head.next; node != nullptr; node = node->next) {
        std::unique_lock<std::mutex> next(node->mutex);
        lock = std::move(next);
      }
    };
    std::thread one([&] {
      push(nodes[0]);
      walk();
    });
    std::thread other([&] {
      push(nodes[1]);
      walk();
    });
    one.join();
    other.join();
  });
}

}  // namespace
}  // namespace jacquard
