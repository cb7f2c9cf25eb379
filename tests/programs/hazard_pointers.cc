// Michael's hazard pointers ("Safe memory reclamation for lock-free objects", 2004) around a value
// that is replaced. The broken reader announces with release: it may look again before that is
// seen.
#include <array>
#include <atomic>
#include <cassert>
#include <thread>
#include <vector>

#include "tests/programs/programs.h"

namespace {

struct Value {
  int first;
  int second;
};

std::memory_order announce = std::memory_order_seq_cst;
std::atomic<Value*> current{nullptr};
std::array<std::atomic<Value*>, 2> hazards;

void Read(int reader) {
  for (int i = 0; i < 2; ++i) {
    Value* value = nullptr;
    do {
      value = current.load(std::memory_order_acquire);
      hazards[reader].store(value, announce);
    } while (current.load(std::memory_order_seq_cst) != value);
    assert(value->first == value->second);
    // Release: what was read lies before what Write() does once it has seen this.
    hazards[reader].store(nullptr, std::memory_order_release);
  }
}

bool IsInUse(const Value* value) {
  for (const auto& hazard : hazards) {
    if (hazard.load(std::memory_order_seq_cst) == value) return true;
  }
  return false;
}

void Write() {
  std::vector<Value*> retired;
  for (int i = 1; i < 3; ++i) {
    retired.push_back(current.exchange(new Value{i, i}, std::memory_order_seq_cst));
    std::erase_if(retired, [](Value* value) {
      if (IsInUse(value)) return false;
      delete value;
      return true;
    });
  }
  for (Value* const value : retired) {
    while (IsInUse(value)) std::this_thread::yield();
    delete value;
  }
}

}  // namespace

void HazardPointers(bool broken) {
  if (broken) announce = std::memory_order_release;
  current = new Value{0, 0};
  std::thread a(Read, 0);
  std::thread b(Read, 1);
  Write();
  a.join();
  b.join();
  delete current.load();
}
