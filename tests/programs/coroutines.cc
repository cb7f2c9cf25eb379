// Coroutines that any of two threads may resume.
#include <atomic>
#include <cassert>
#include <coroutine>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "tests/programs/programs.h"

namespace {

std::mutex mutex;
std::deque<std::coroutine_handle<>> ready;
std::atomic<int> left{0};
int total = 0;

struct Task {
  struct promise_type {
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() { left.fetch_sub(1); }
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

// To the end of the queue.
struct Reschedule {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    const std::lock_guard lock(mutex);
    ready.push_back(handle);
  }
  void await_resume() const {}
};

Task Add(bool locks) {
  int rounds = 0;
  for (; rounds < 2; ++rounds) co_await Reschedule();
  std::unique_lock lock(mutex, std::defer_lock);
  if (locks) lock.lock();
  total += rounds;
}

void Work() {
  while (left.load() != 0) {
    std::coroutine_handle<> handle;
    {
      const std::lock_guard lock(mutex);
      if (!ready.empty()) {
        handle = ready.front();
        ready.pop_front();
      }
    }
    if (handle) {
      handle.resume();
    } else {
      std::this_thread::yield();
    }
  }
}

}  // namespace

void Coroutines(bool broken) {
  left = 3;
  const Task tasks[] = {Add(true), Add(true), Add(!broken)};
  std::thread other(Work);
  Work();
  other.join();
  for (const Task& task : tasks) task.handle.destroy();
  assert(total == 6);
}
