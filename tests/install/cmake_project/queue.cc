#include "queue.h"

void Queue::Push(const std::string& text) {
  std::lock_guard<std::mutex> guard(mutex_);
  texts_.push_back(text);
}

std::size_t Queue::size() const {
  std::lock_guard<std::mutex> guard(mutex_);
  return texts_.size();
}
