// A queue with a fixed capacity: who cannot go on sleeps on a condition variable.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_BOUNDED_QUEUE_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_BOUNDED_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace examples {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  void Push(T value) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [&] { return items_.size() < capacity_; });
    items_.push_back(value);
    not_empty_.notify_one();
  }

  T Pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [&] { return !items_.empty(); });
    const T value = items_.front();
    items_.pop_front();
    not_full_.notify_one();
    return value;
  }

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<T> items_;
};

// Broken: both kinds of waiters sleep on one condition variable, and the one that notify_one wakes
// may be of the wrong kind. Then all sleep.
template <class T>
class BrokenBoundedQueue {
 public:
  explicit BrokenBoundedQueue(size_t capacity) : capacity_(capacity) {}

  void Push(T value) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return items_.size() < capacity_; });
    items_.push_back(value);
    changed_.notify_one();
  }

  T Pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !items_.empty(); });
    const T value = items_.front();
    items_.pop_front();
    changed_.notify_one();
    return value;
  }

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_BOUNDED_QUEUE_H_
