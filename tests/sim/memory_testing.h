// A fixture for tests of the simulated memory: accesses by threads, and what they could choose
// from.
#ifndef JACQUARD_TESTS_SIM_MEMORY_TESTING_H_
#define JACQUARD_TESTS_SIM_MEMORY_TESTING_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "sim/memory/memory.h"

namespace jacquard::sim {

using enum MemoryOrder;
using memory::AccessKind;

// Answers picks from a list, then with 0, and remembers how many alternatives each had.
class Script {
 public:
  explicit Script(std::vector<int> choices = {}) : choices_(std::move(choices)) {}

  int operator()(PickKind kind, int alternatives) {
    kinds.push_back(kind);
    asked.push_back(alternatives);
    return next_ < choices_.size() ? choices_[next_++] : 0;
  }

  std::vector<PickKind> kinds;
  std::vector<int> asked;

 private:
  std::vector<int> choices_;
  size_t next_ = 0;
};

class MemoryTest : public testing::Test {
 protected:
  // Threads 1 to `threads`, created by thread 0.
  void Begin(int threads, const Memory::Options& options = {}) {
    memory().BeginExecution(options);
    for (int i = 1; i <= threads; ++i) memory().CreateThread(0, i);
  }

  static Memory& memory() {
    static Memory memory;
    return memory;
  }

  template <class T>
  void Store(int thread, T& object, T value, MemoryOrder order = kRelaxed,
             std::vector<int> choices = {}) {
    Script pick(std::move(choices));
    if (memory().StoreValue(thread, &object, value, order, event_++, std::ref(pick)))
      object = value;
    alternatives_ = pick.asked;
  }
  template <class T>
  T Load(int thread, const T& object, MemoryOrder order = kRelaxed, std::vector<int> choices = {}) {
    Script pick(std::move(choices));
    const auto result = memory().Load(thread, &object, order, std::ref(pick));
    alternatives_ = pick.asked;
    return result.value;
  }
  template <class T>
  T Add(int thread, T& object, T value, MemoryOrder order = kRelaxed,
        std::vector<int> choices = {}) {
    Script pick(std::move(choices));
    const auto result = memory().ReadModifyWrite(
        thread, &object, [&](T old) { return static_cast<T>(old + value); }, order, event_++,
        std::ref(pick));
    if (result.write) object = result.value;
    alternatives_ = pick.asked;
    return result.old_value;
  }

  std::vector<int> alternatives_;  // of the picks of the last access
  int32_t event_ = 1;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_TESTS_SIM_MEMORY_TESTING_H_
