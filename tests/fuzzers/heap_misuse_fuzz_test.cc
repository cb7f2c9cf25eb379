// A scenario that does to the heap what must not be done, each on request.
#include <atomic>
#include <cstdlib>

#include "fuzzers/scenario.h"

namespace {

// Keeps the compiler from seeing through what is done here.
template <class T>
T* Hide(T* pointer) {
  asm volatile("" : "+r"(pointer)::"memory");
  return pointer;
}

struct Node {
  Node* next = nullptr;
  long value = 0;
};

[[gnu::noinline]] Node* MakeNode() { return Hide(new Node); }
[[gnu::noinline]] void DropNode(Node* node) { delete node; }
[[gnu::noinline]] void ReadNode(const Node* node) {
  const long value = Hide(node)->value;
  asm volatile("" : : "r"(value));
}

}  // namespace

class HeapMisuseScenario {
 public:
  static constexpr int kMaxThreads = 2;
  static constexpr bool kAllocationsMayFail = true;

  static auto Operations() {
    return jacquard::Operations<HeapMisuseScenario>{
        {"behave", &HeapMisuseScenario::Behave},
        {"publish", &HeapMisuseScenario::Publish},
        {"retire", &HeapMisuseScenario::Retire},
        {"read", &HeapMisuseScenario::Read},
        {"free_twice", &HeapMisuseScenario::FreeTwice},
        {"overflow", &HeapMisuseScenario::Overflow},
        {"lose", &HeapMisuseScenario::Lose},
        {"rely_on_memory", &HeapMisuseScenario::RelyOnMemory},
    };
  }
  ~HeapMisuseScenario() { DropNode(head_.load()); }

  void Behave() { word_.fetch_add(1); }
  void Publish() {
    Node* const node = MakeNode();
    if (head_.load() == nullptr) {
      head_.store(node);
    } else {
      DropNode(node);
    }
  }
  void Retire() { DropNode(head_.exchange(nullptr)); }
  // The node may be retired between the two.
  void Read() {
    const Node* const node = head_.load();
    word_.fetch_add(1);
    if (node != nullptr) ReadNode(node);
  }
  void FreeTwice() {
    Node* const node = MakeNode();
    DropNode(node);
    DropNode(Hide(node));
  }
  void Overflow() {
    Node* const node = MakeNode();
    ReadNode(node + 1);
    DropNode(node);
  }
  void Lose() {
    MakeNode();
    word_.fetch_add(1);
  }
  void RelyOnMemory() {
    word_.fetch_add(1);
    void* const block = Hide(std::malloc(8));
    jacquard::Check(block != nullptr, "there is always memory");
    std::free(block);
  }

 private:
  std::atomic<int> word_ = 0;
  std::atomic<Node*> head_ = nullptr;
};

JACQUARD_FUZZ_TARGET(HeapMisuseScenario)
