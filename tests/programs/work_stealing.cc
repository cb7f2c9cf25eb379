// The deque of Chase and Lev, as Lê et al. order it ("Correct and efficient work-stealing for weak
// memory models", 2013). The broken owner has a fence that is no seq_cst one: it and a thief may
// take the same task.
#include <array>
#include <atomic>
#include <cassert>
#include <memory>
#include <thread>

#include "tests/programs/programs.h"

namespace {

struct Task {
  int runs = 0;
};

std::memory_order fence = std::memory_order_seq_cst;
std::atomic<long> top{0};
std::atomic<long> bottom{0};
std::array<std::atomic<Task*>, 4> slots;

void Push(Task* task) {
  const long end = bottom.load(std::memory_order_relaxed);
  slots[end % slots.size()].store(task, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);  // pairs with the acquire in Steal()
  bottom.store(end + 1, std::memory_order_relaxed);
}

Task* Take() {
  const long last = bottom.load(std::memory_order_relaxed) - 1;
  bottom.store(last, std::memory_order_relaxed);
  std::atomic_thread_fence(fence);  // pairs with the one in Steal()
  long first = top.load(std::memory_order_relaxed);
  Task* task = nullptr;
  if (first <= last) task = slots[last % slots.size()].load(std::memory_order_relaxed);
  if (first == last && !top.compare_exchange_strong(first, first + 1)) task = nullptr;
  if (first >= last) bottom.store(last + 1, std::memory_order_relaxed);
  return task;
}

Task* Steal() {
  long first = top.load(std::memory_order_acquire);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (first >= bottom.load(std::memory_order_acquire)) return nullptr;
  Task* const task = slots[first % slots.size()].load(std::memory_order_relaxed);
  return top.compare_exchange_strong(first, first + 1) ? task : nullptr;
}

void Run(Task* task) {
  if (task != nullptr) ++task->runs;
}

}  // namespace

void WorkStealing(bool broken) {
  if (broken) fence = std::memory_order_acq_rel;
  Task tasks[3];
  for (Task& task : tasks) Push(&task);
  std::thread thief([] {
    for (int i = 0; i < 2; ++i) Run(Steal());
  });
  for (int i = 0; i < 2; ++i) Run(Take());
  thief.join();
  while (Task* const task = Take()) Run(task);
  for (const Task& task : tasks) assert(task.runs == 1);
}
