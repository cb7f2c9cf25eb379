// Treiber's stack ("Systems programming: coping with parallelism", 1986): a tag beside the pointer,
// and a compare-exchange of both. Without the tag a node that has come back is taken for one that
// never left.
#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <thread>

#include "tests/programs/programs.h"

namespace {

struct Node {
  std::atomic<Node*> next{nullptr};
  int uses = 0;
};

struct alignas(16) Head {
  Node* node;
  uint64_t tag;
};

bool is_broken = false;
std::atomic<Head> head{Head{nullptr, 0}};
std::array<Node, 3> nodes;

void Push(Node* node) {
  Head old = head.load(std::memory_order_relaxed);
  do {
    node->next.store(old.node, std::memory_order_relaxed);
    // Release: pairs with the acquire in Pop().
  } while (!head.compare_exchange_weak(old, {node, old.tag}, std::memory_order_release,
                                       std::memory_order_relaxed));
}

Node* Pop() {
  Head old = head.load(std::memory_order_acquire);
  Head next;
  do {
    if (old.node == nullptr) return nullptr;
    next = {old.node->next.load(std::memory_order_relaxed), old.tag + (is_broken ? 0 : 1)};
  } while (!head.compare_exchange_weak(old, next, std::memory_order_acquire));
  return old.node;
}

void TakeTwoAndGiveBack() {
  for (int i = 0; i < 2; ++i) {
    Node* const first = Pop();
    Node* const second = Pop();
    for (Node* const node : {first, second}) {
      if (node == nullptr) continue;
      ++node->uses;
      Push(node);
    }
  }
}

}  // namespace

void TaggedStack(bool broken) {
  is_broken = broken;
  for (Node& node : nodes) Push(&node);
  std::thread a(TakeTwoAndGiveBack);
  std::thread b(TakeTwoAndGiveBack);
  a.join();
  b.join();
  size_t count = 0;
  while (count <= nodes.size() && Pop() != nullptr) ++count;
  assert(count == nodes.size());
}
