// Data structures without locks that hand out an element twice.
#ifndef JACQUARD_TESTS_LEADERBOARD_STRUCTURES_H_
#define JACQUARD_TESTS_LEADERBOARD_STRUCTURES_H_

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/leaderboard/orders.h"

namespace jacquard::leaderboard {

// D. Vyukov's puzzle: a stack of free cells, by index. Who takes a cell marks it first, by taking
// away its link, so that nobody else uses a stale link. Yet the head may change and come back (ABA)
// while a thread holds a link that was given back in between.
//
// The literature says that it takes five preemptions, or more. Here it takes more: on strong memory
// none of the 669,780,558 executions with at most five fails (dfs:5, 40 minutes).
class SafeStack {
 public:
  static constexpr int kCells = 3;
  static constexpr int kNone = -1;

  SafeStack() {
    for (int i = 0; i < kCells; ++i) next_[i] = i + 1 < kCells ? i + 1 : kNone;
  }

  // One cell always stays.
  int Pop() {
    while (count_ > 1) {
      int head = head_;
      const int next = next_[head].exchange(kNone);
      if (next < 0) continue;  // somebody else has marked it
      int expected = head;
      if (head_.compare_exchange_strong(expected, next)) {
        --count_;
        return head;
      }
      next_[head].exchange(next);
    }
    return kNone;
  }

  void Push(int cell) {
    int head = head_;
    do {
      next_[cell] = head;
    } while (!head_.compare_exchange_strong(head, cell));
    ++count_;
  }

 private:
  std::atomic<int> head_{0};
  std::atomic<int> count_{kCells};
  std::atomic<int> next_[kCells];
};

class LockedStack {
 public:
  static constexpr int kCells = SafeStack::kCells;

  int Pop() {
    const std::lock_guard lock(mutex_);
    return cells_.size() > 1 ? TakeLast() : SafeStack::kNone;
  }
  void Push(int cell) {
    const std::lock_guard lock(mutex_);
    cells_.push_back(cell);
  }

 private:
  int TakeLast() {
    const int last = cells_.back();
    cells_.pop_back();
    return last;
  }

  std::mutex mutex_;
  std::vector<int> cells_ = {2, 1, 0};
};

template <class Stack>
void UseStack() {
  constexpr int kThreads = 3;
  constexpr int kRounds = 2;
  Stack stack;
  std::atomic<int> owner[Stack::kCells] = {};
  std::vector<std::thread> threads;
  for (int id = 1; id <= kThreads; ++id) {
    threads.emplace_back([&, id] {
      for (int round = 0; round < kRounds; ++round) {
        int cell = stack.Pop();
        while (cell < 0) cell = stack.Pop();
        owner[cell] = id;
        Check(owner[cell] == id, "a cell belongs to one thread");
        stack.Push(cell);
      }
    });
  }
  JoinAll(threads);
}

// The owner of a queue of work takes what is newest, others steal what is oldest (after Frigo,
// Leiserson and Randall, "The implementation of the Cilk-5 multithreaded language", PLDI 1998).
// Broken: the owner looks for thieves before it says what it takes.
template <bool kCorrect>
class WorkStealingQueue {
 public:
  static constexpr int kNone = -1;

  void Push(int item) {
    const int tail = tail_;
    items_[tail] = item;
    tail_ = tail + 1;
  }

  int Pop() {
    int head = head_;
    const int tail = tail_ - 1;
    tail_ = tail;
    if (kCorrect) head = head_;
    if (head <= tail) return items_[tail];
    tail_ = tail + 1;
    const std::lock_guard lock(mutex_);
    tail_ = tail;
    if (head_ <= tail) return items_[tail];
    tail_ = tail + 1;
    return kNone;
  }

  int Steal() {
    const std::lock_guard lock(mutex_);
    const int head = head_;
    head_ = head + 1;
    if (head < tail_) return items_[head];
    head_ = head;
    return kNone;
  }

 private:
  static constexpr int kItems = 8;
  std::mutex mutex_;
  std::atomic<int> head_{0};
  std::atomic<int> tail_{0};
  std::atomic<int> items_[kItems] = {};
};

template <bool kCorrect>
void StealWork() {
  constexpr int kItems = 3;
  WorkStealingQueue<kCorrect> queue;
  std::atomic<int> taken[kItems] = {};
  const auto take = [&](int item) {
    if (item >= 0) Check(taken[item].exchange(1) == 0, "an item is taken once");
  };
  std::thread owner([&] {
    queue.Push(0);
    queue.Push(1);
    take(queue.Pop());
    queue.Push(2);
    take(queue.Pop());
    take(queue.Pop());
  });
  std::thread thief([&] {
    take(queue.Steal());
    take(queue.Steal());
  });
  owner.join();
  thief.join();
}

}  // namespace jacquard::leaderboard

#endif  // JACQUARD_TESTS_LEADERBOARD_STRUCTURES_H_
