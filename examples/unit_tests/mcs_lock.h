// The queue lock of Mellor-Crummey and Scott (1991): each waiter spins on a node of its own.
#ifndef JACQUARD_EXAMPLES_UNIT_TESTS_MCS_LOCK_H_
#define JACQUARD_EXAMPLES_UNIT_TESTS_MCS_LOCK_H_

#include <atomic>

namespace examples {

struct McsNode {
  std::atomic<McsNode*> next = nullptr;
  std::atomic<bool> waits = false;
};

class McsLock {
 public:
  void lock() {
    my_node.next.store(nullptr, std::memory_order_relaxed);
    // Acquire: pairs with the release of the owner that has left nobody waiting.
    McsNode* const predecessor = tail_.exchange(&my_node, std::memory_order_acq_rel);
    if (predecessor == nullptr) return;
    my_node.waits.store(true, std::memory_order_relaxed);  // before anybody can know this node
    predecessor->next.store(&my_node, std::memory_order_release);
    WaitForTurn();
  }

  void unlock() {
    McsNode* next = my_node.next.load(std::memory_order_acquire);
    if (next == nullptr) {
      McsNode* expected = &my_node;
      if (tail_.compare_exchange_strong(expected, nullptr, std::memory_order_release)) return;
      // Somebody is about to say that it waits. Acquire: pairs with the release in lock().
      while ((next = my_node.next.load(std::memory_order_acquire)) == nullptr) {
      }
    }
    next->waits.store(false, std::memory_order_release);  // pairs with WaitForTurn()
  }

 protected:
  static void WaitForTurn() {
    while (my_node.waits.load(std::memory_order_acquire)) {
    }
  }

  inline static thread_local McsNode my_node;  // a thread waits for one lock at a time
  std::atomic<McsNode*> tail_ = nullptr;
};

// Broken: says that it waits only when its predecessor may have let it in already.
class BrokenMcsLock : public McsLock {
 public:
  void lock() {
    my_node.next.store(nullptr, std::memory_order_relaxed);
    McsNode* const predecessor = tail_.exchange(&my_node, std::memory_order_acq_rel);
    if (predecessor == nullptr) return;
    predecessor->next.store(&my_node, std::memory_order_release);
    my_node.waits.store(true, std::memory_order_relaxed);
    WaitForTurn();
  }
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_UNIT_TESTS_MCS_LOCK_H_
