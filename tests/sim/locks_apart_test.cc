// Locks that threads take in both orders, but never side by side.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <mutex>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "tests/sim/lock_pairs.h"

namespace jacquard {
namespace {

// ---- what keeps two threads apart without a lock

TEST(NoLockOrder, AFlagBetween) {
  ExpectNone([] {
    std::mutex a, b;
    std::atomic<bool> done{false};
    std::thread one([&] {
      LockBoth(a, b);
      done = true;
    });
    std::thread other([&] {
      if (done) LockBoth(b, a);
    });
    one.join();
    other.join();
    if (done) LockBoth(b, a);
  });
}

TEST(NoLockOrder, ABarrierBetween) {
  ExpectNone([] {
    std::mutex a, b;
    std::barrier phase(2);
    std::thread one([&] {
      LockBoth(a, b);
      phase.arrive_and_wait();
    });
    std::thread other([&] {
      phase.arrive_and_wait();
      LockBoth(b, a);
    });
    one.join();
    other.join();
  });
}

TEST(NoLockOrder, APromiseBetween) {
  ExpectNone([] {
    std::mutex a, b;
    std::promise<void> done;
    std::thread one([&] {
      LockBoth(a, b);
      done.set_value();
    });
    done.get_future().wait();
    LockBoth(b, a);
    one.join();
  });
}

// Tasks that are in the queue one after another are not side by side, whichever thread takes them.
TEST(NoLockOrder, TasksOneAfterAnother) {
  ExpectNone([] {
    std::mutex a, b;
    std::mutex queue_mutex;
    std::condition_variable changed;
    std::queue<std::function<void()>> tasks;
    bool stopped = false;
    const auto serve = [&] {
      for (;;) {
        std::unique_lock lock(queue_mutex);
        changed.wait(lock, [&] { return stopped || !tasks.empty(); });
        if (tasks.empty()) return;
        const std::function<void()> task = std::move(tasks.front());
        tasks.pop();
        lock.unlock();
        task();
      }
    };
    const auto submit = [&](const std::function<void()>& task) {
      std::promise<void> done;
      {
        const std::lock_guard lock(queue_mutex);
        tasks.push([&] {
          task();
          done.set_value();
        });
      }
      changed.notify_one();
      done.get_future().wait();
    };
    std::thread one(serve), other(serve);
    submit([&] { LockBoth(a, b); });
    submit([&] { LockBoth(b, a); });
    {
      const std::lock_guard lock(queue_mutex);
      stopped = true;
    }
    changed.notify_all();
    one.join();
    other.join();
  });
}

// ---- structures with a lock in each node

TEST(NoLockOrder, DiningPhilosophersOneOfThemLeftHanded) {
  ExpectNone([] {
    std::array<std::mutex, 3> forks;
    std::vector<std::thread> philosophers;
    for (size_t i = 0; i < 3; ++i) {
      philosophers.emplace_back([&, i] {
        const size_t next = (i + 1) % 3;
        LockBoth(forks[std::min(i, next)], forks[std::max(i, next)]);
      });
    }
    for (std::thread& philosopher : philosophers) philosopher.join();
  });
}

class List {
 public:
  List() : head_(new Node) {}
  ~List() {
    while (head_ != nullptr) delete std::exchange(head_, head_->next);
  }

  void PushFront(int value) {
    Node* const node = new Node;
    node->value = value;
    const std::lock_guard lock(head_->mutex);
    node->next = head_->next;
    head_->next = node;
  }

  // Hand over hand.
  bool Remove(int value) {
    std::unique_lock lock(head_->mutex);
    for (Node* before = head_; before->next != nullptr;) {
      Node* const node = before->next;
      std::unique_lock next(node->mutex);
      if (node->value == value) {
        before->next = node->next;
        next.unlock();
        delete node;
        return true;
      }
      lock = std::move(next);
      before = node;
    }
    return false;
  }

 private:
  struct Node {
    std::mutex mutex;
    Node* next = nullptr;
    int value = 0;
  };
  Node* head_;
};

TEST(NoLockOrder, HandOverHand) {
  ExpectNone([] {
    List list;
    const auto work = [&](int value) {
      list.PushFront(value);
      list.PushFront(value + 1);
      list.Remove(value);
      list.PushFront(value);
      list.Remove(value + 1);
    };
    std::thread one([&] { work(10); });
    std::thread other([&] { work(20); });
    one.join();
    other.join();
  });
}

}  // namespace
}  // namespace jacquard
