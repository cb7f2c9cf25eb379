// A queue of two producers' texts, in C++11.
#ifndef QUEUE_H_
#define QUEUE_H_

#include <deque>
#include <mutex>
#include <string>

class Queue {
 public:
  void Push(const std::string& text);
  // BROKEN: does not lock.
  void PushUnlocked(const std::string& text) { texts_.push_back(text); }
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::string> texts_;
};

#endif  // QUEUE_H_
