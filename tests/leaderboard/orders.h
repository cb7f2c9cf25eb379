// Programs in which steps come in the wrong order.
#ifndef JACQUARD_TESTS_LEADERBOARD_ORDERS_H_
#define JACQUARD_TESTS_LEADERBOARD_ORDERS_H_

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/runtime.h"

namespace jacquard::leaderboard {

inline void JoinAll(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

// All threads but one set `a`, then `b`; the last one must not see one of them without the other.
// The more threads there are, the sooner does one of them get to `b`.
template <int kThreads>
void ReorderBroken() {
  std::atomic<int> a{0};
  std::atomic<int> b{0};
  std::vector<std::thread> threads;
  for (int i = 1; i < kThreads; ++i) {
    threads.emplace_back([&] {
      a = 1;
      b = -1;
    });
  }
  threads.emplace_back([&] {
    const bool none = a == 0 && b == 0;
    Check(none || (a == 1 && b == -1), "both have been set or none");
  });
  JoinAll(threads);
}

template <int kThreads>
void ReorderCorrect() {
  std::mutex mutex;
  int a = 0;
  int b = 0;
  std::vector<std::thread> threads;
  for (int i = 1; i < kThreads; ++i) {
    threads.emplace_back([&] {
      const std::lock_guard lock(mutex);
      a = 1;
      b = -1;
    });
  }
  threads.emplace_back([&] {
    const std::lock_guard lock(mutex);
    Check((a == 0 && b == 0) || (a == 1 && b == -1), "both have been set or none");
  });
  JoinAll(threads);
}

// All threads but one write in two stages, each under a lock of its own; the last one reads what
// they have written, and may come between the stages of all of them. In the correct version a
// writer keeps the first lock until the second stage is done.
template <int kThreads, bool kCorrect>
void TwoStage() {
  std::mutex first_mutex;
  std::mutex second_mutex;
  int first = 0;
  int second = 0;
  std::vector<std::thread> threads;
  for (int i = 1; i < kThreads; ++i) {
    threads.emplace_back([&] {
      std::unique_lock stage(first_mutex);
      first = 1;
      if (!kCorrect) stage.unlock();
      const std::lock_guard lock(second_mutex);
      second = 2;
    });
  }
  threads.emplace_back([&] {
    {
      const std::lock_guard lock(first_mutex);
      if (first == 0) return;
    }
    const std::lock_guard lock(second_mutex);
    Check(second == 2, "the second stage follows the first");
  });
  JoinAll(threads);
}

// A driver is stopped while a request begins. The count of requests starts at 1, which the stop
// takes away. Broken: the request looks whether the driver stops, and counts itself afterwards.
template <bool kCorrect>
void Bluetooth() {
  std::atomic<bool> stopping{false};
  std::atomic<bool> stopped{false};
  std::atomic<int> requests{1};
  std::atomic<int> none_left{0};
  const auto leave = [&] {
    if (--requests != 0) return;
    none_left = 1;
    none_left.notify_all();
  };
  std::thread stop([&] {
    stopping = true;
    leave();
    none_left.wait(0);
    stopped = true;
  });
  std::thread request([&] {
    if (kCorrect) {
      // The count never comes back from 0.
      int count = requests;
      do {
        if (count == 0) return;
      } while (!requests.compare_exchange_strong(count, count + 1));
      if (!stopping) Check(!stopped, "the driver runs while a request does");
      leave();
    } else {
      if (stopping) return;
      ++requests;
      Check(!stopped, "the driver runs while a request does");
      leave();
    }
  });
  stop.join();
  request.join();
}

// Whoever comes first makes the object. Broken: it is said to be there before it is.
template <bool kCorrect>
void LazyInitialisation() {
  std::mutex mutex;
  std::atomic<bool> ready{false};
  std::atomic<int> value{0};
  const auto use = [&] {
    if (!ready) {
      const std::lock_guard lock(mutex);
      if (!ready) {
        if (!kCorrect) ready = true;
        value = 1;
        ready = true;
      }
    }
    Check(value == 1, "what is used has been initialised");
  };
  std::thread a(use);
  std::thread b(use);
  a.join();
  b.join();
}

// Each thread hands on what its left neighbour has. Broken: nobody sees to it that they do so one
// after another.
template <bool kCorrect>
void TokenRing() {
  constexpr int kCells = 4;
  std::mutex mutex;
  std::condition_variable turn_changes;
  int turn = 1;
  int cells[kCells] = {1};
  std::vector<std::thread> threads;
  for (int i = 1; i < kCells; ++i) {
    threads.emplace_back([&, i] {
      std::unique_lock lock(mutex);
      if (kCorrect) turn_changes.wait(lock, [&] { return turn == i; });
      cells[i] = cells[i - 1];
      ++turn;
      turn_changes.notify_all();
    });
  }
  JoinAll(threads);
  for (const int cell : cells) Check(cell == 1, "the token has gone round");
}

// One of the threads takes another lock than the others.
template <bool kCorrect>
void WrongLock() {
  constexpr int kThreads = 4;
  std::mutex right;
  std::mutex wrong;
  std::atomic<int> counter{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::lock_guard lock(i == 0 && !kCorrect ? wrong : right);
      const int count = counter;
      counter = count + 1;
    });
  }
  JoinAll(threads);
  Check(counter == kThreads, "everybody has counted");
}

}  // namespace jacquard::leaderboard

#endif  // JACQUARD_TESTS_LEADERBOARD_ORDERS_H_
