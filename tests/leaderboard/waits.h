// Programs in which threads wait for ever.
#ifndef JACQUARD_TESTS_LEADERBOARD_WAITS_H_
#define JACQUARD_TESTS_LEADERBOARD_WAITS_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "sim/runtime.h"
#include "tests/leaderboard/orders.h"

namespace jacquard::leaderboard {

// Two locks, taken in both orders.
template <bool kCorrect>
void TwoMutexes() {
  std::mutex first;
  std::mutex second;
  std::thread a([&] {
    const std::lock_guard outer(first);
    const std::lock_guard inner(second);
  });
  std::thread b([&] {
    const std::lock_guard outer(kCorrect ? first : second);
    const std::lock_guard inner(kCorrect ? second : first);
  });
  a.join();
  b.join();
}

// Producers and consumers sleep on one condition variable. Broken: one of them is woken, which may
// be of the wrong kind.
template <bool kCorrect>
void BoundedBuffer() {
  constexpr int kEach = 2;
  std::mutex mutex;
  std::condition_variable changes;
  bool full = false;
  const auto tell = [&] {
    if (kCorrect) {
      changes.notify_all();
    } else {
      changes.notify_one();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kEach; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kEach; ++round) {
        std::unique_lock lock(mutex);
        changes.wait(lock, [&] { return !full; });
        full = true;
        tell();
      }
    });
    threads.emplace_back([&] {
      for (int round = 0; round < kEach; ++round) {
        std::unique_lock lock(mutex);
        changes.wait(lock, [&] { return full; });
        full = false;
        tell();
      }
    });
  }
  JoinAll(threads);
}

// Workers sort the parts of an array; the main thread sleeps until all parts are done. Broken: the
// last worker says so without the lock, just when the main thread has looked and is about to sleep.
template <bool kCorrect>
void ParallelQuicksort() {
  using Part = std::pair<int, int>;  // from, to
  std::vector<int> numbers = {3, 1, 4, 0, 2};
  std::mutex mutex;
  std::condition_variable parts_change;
  std::condition_variable done_changes;
  std::deque<Part> parts = {{0, static_cast<int>(numbers.size())}};
  std::atomic<int> open{1};  // parts that are not sorted yet
  bool done = false;

  const auto finish_part = [&] {
    if (!kCorrect) {
      if (--open == 0) done_changes.notify_one();
      return;
    }
    const std::lock_guard lock(mutex);
    if (--open == 0) done_changes.notify_one();
  };
  const auto sort_part = [&](Part part) {
    const auto begin = numbers.begin() + part.first;
    const auto end = numbers.begin() + part.second;
    const int pivot = *begin;
    const auto middle = std::partition(begin, end, [&](int n) { return n < pivot; });
    const auto upper = std::partition(middle, end, [&](int n) { return n == pivot; });
    const auto place = [&](auto at) { return static_cast<int>(at - numbers.begin()); };
    for (const Part next : {Part{place(begin), place(middle)}, Part{place(upper), place(end)}}) {
      if (next.second - next.first < 2) continue;
      const std::lock_guard lock(mutex);
      ++open;
      parts.push_back(next);
      parts_change.notify_one();
    }
    finish_part();
  };
  const auto work = [&] {
    for (;;) {
      Part part;
      {
        std::unique_lock lock(mutex);
        parts_change.wait(lock, [&] { return done || !parts.empty(); });
        if (parts.empty()) return;
        part = parts.front();
        parts.pop_front();
      }
      sort_part(part);
    }
  };

  std::thread a(work);
  std::thread b(work);
  {
    std::unique_lock lock(mutex);
    done_changes.wait(lock, [&] { return open == 0; });
    done = true;
    parts_change.notify_all();
  }
  a.join();
  b.join();
  Check(std::is_sorted(numbers.begin(), numbers.end()), "the numbers are sorted");
}

// Each takes the fork to the left, then the one to the right. In the correct version the last one
// begins with the other hand.
template <bool kCorrect>
void DiningTable() {
  constexpr int kSeats = 4;
  std::mutex forks[kSeats];
  std::vector<std::thread> threads;
  for (int i = 0; i < kSeats; ++i) {
    threads.emplace_back([&, i] {
      int first = i;
      int second = (i + 1) % kSeats;
      if (kCorrect && second < first) std::swap(first, second);
      const std::lock_guard one(forks[first]);
      const std::lock_guard other(forks[second]);
    });
  }
  JoinAll(threads);
}

}  // namespace jacquard::leaderboard

#endif  // JACQUARD_TESTS_LEADERBOARD_WAITS_H_
