// A program with picks of many kinds.
#ifndef JACQUARD_TESTS_SIM_MANY_KINDS_OF_PICKS_H_
#define JACQUARD_TESTS_SIM_MANY_KINDS_OF_PICKS_H_

#include <atomic>
#include <thread>

#include "sim/program.h"
#include "sim/runtime.h"

namespace jacquard {

class ManyKindsOfPicks : public Program {
 public:
  int ThreadCount() const override { return 1; }
  bool Observes() override { return false; }
  void RunThread(int /*thread*/) override {
    std::atomic<int> word{0};
    std::atomic<int> other{0};
    const auto wait = [&](int number) {
      for (int old = word.load(); old < 10; old = word.load()) word.wait(old);
      other.store(number, std::memory_order_relaxed);
      word.fetch_add(number + other.load(std::memory_order_relaxed));
    };
    std::thread a(wait, 1);
    std::thread b(wait, 2);
    std::thread c([&] {
      std::thread nested(wait, 4);
      other.store(3, std::memory_order_relaxed);
      nested.join();
    });
    word.store(10 + 100 * PickData(3));
    word.notify_one();
    word.notify_all();
    std::this_thread::yield();
    word.fetch_add(PickData(5));
    a.join();
    b.join();
    c.join();
  }
};

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_MANY_KINDS_OF_PICKS_H_
