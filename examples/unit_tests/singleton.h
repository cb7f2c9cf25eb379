// Double-checked locking: an object that is made when it is first asked for.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_SINGLETON_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_SINGLETON_H_

#include <atomic>
#include <mutex>

namespace examples {

struct Configuration {
  int threads = 8;
};

template <std::memory_order kPublish, std::memory_order kLook>
class SingletonWithOrders {
 public:
  ~SingletonWithOrders() { delete instance_.load(std::memory_order_relaxed); }

  const Configuration& Get() {
    const Configuration* instance = instance_.load(kLook);
    if (instance != nullptr) return *instance;
    const std::lock_guard guard(mutex_);
    instance = instance_.load(std::memory_order_relaxed);  // the mutex orders it
    if (instance == nullptr) {
      instance = new Configuration;
      instance_.store(instance, kPublish);
    }
    return *instance;
  }

 private:
  std::atomic<const Configuration*> instance_ = nullptr;
  std::mutex mutex_;
};

using Singleton = SingletonWithOrders<std::memory_order_release, std::memory_order_acquire>;

// Broken: the pointer may be seen before what it points to.
using BrokenSingleton = SingletonWithOrders<std::memory_order_relaxed, std::memory_order_relaxed>;

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_SINGLETON_H_
