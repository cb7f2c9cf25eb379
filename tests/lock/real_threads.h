// Helpers for tests with real threads: wait until something has happened, or see that it does not.
#ifndef JACQUARD_TESTS_LOCK_REAL_THREADS_H_
#define JACQUARD_TESTS_LOCK_REAL_THREADS_H_

#include <chrono>
#include <concepts>
#include <thread>

namespace jacquard::lock {

// Polls until `condition` holds; false if that takes absurdly long. For conditions that must come
// true.
template <std::predicate Condition>
[[nodiscard]] bool Eventually(Condition condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

// Watches for a moment; true if `condition` never held. A lock that is wrong may get away with it,
// one that is right never fails.
template <std::predicate Condition>
[[nodiscard]] bool NotSoon(Condition condition) {
  const auto enough = std::chrono::steady_clock::now() + std::chrono::milliseconds(15);
  while (std::chrono::steady_clock::now() < enough) {
    if (condition()) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return true;
}

}  // namespace jacquard::lock

#endif  // JACQUARD_TESTS_LOCK_REAL_THREADS_H_
