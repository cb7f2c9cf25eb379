// Atomic objects of sizes that no instruction has: what clang calls libatomic for.
//
// There each access is made under a lock, of which the program knows nothing, and so it is here:
// one step, behind all earlier accesses to the object whatever their orders, as it is in what
// ships. One with seq_cst is a full fence as well. Races of these accesses with plain ones are not
// looked for.
#include <algorithm>
#include <atomic>
#include <cstring>

#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// Outside of executions, of all objects together. Real threads may come here, too.
class RealLock {
 public:
  RealLock() {
    while (taken.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~RealLock() { taken.clear(std::memory_order_release); }

 private:
  static inline std::atomic_flag taken;
};

constexpr size_t kWord = 8;

// The first bytes of a value, as steps tell them.
uint64_t Low(const void* value, size_t size) {
  uint64_t low = 0;
  std::memcpy(&low, value, std::min(size, sizeof(low)));
  return low;
}

// The object is written to, or what the caller wants to be told something in.
void Change(void* to, const void* from, size_t size, uintptr_t pc) {
  CheckAccess(to, size, AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(to, size);
  std::memcpy(to, from, size);
  engine.HasWritten(to, size);
}

// One access, from decision point to oracle.
class Access {
 public:
  Access(StepKind kind, const void* object, size_t size, int order, uintptr_t pc)
      : kind_(kind),
        object_(object),
        size_(size),
        order_(static_cast<MemoryOrder>(order & 7)),
        pc_(pc) {
    engine.DecisionPoint(kind, object, pc);  // is not taken for a turn of a spin loop
    CheckAccess(object, size, kind == StepKind::kLoad ? AccessKind::kRead : AccessKind::kWrite, pc);
    if (order_ == MemoryOrder::kSeqCst) engine.FenceMemory(order_);
    engine.Acquire(object);
  }

  // The object is left as it is.
  void OnlyReads() {
    kind_ = StepKind::kLoad;
    for (size_t at = 0; at < size_; at += kWord) {
      const size_t part = std::min(kWord, size_ - at);
      const auto* const word = static_cast<const char*>(object_) + at;
      engine.HasRead(word, static_cast<uint8_t>(part), Low(word, part));
    }
  }

  void Finish(uint64_t old_value, uint64_t new_value) {
    engine.Release(object_);
    if (order_ == MemoryOrder::kSeqCst) engine.FenceMemory(order_);
    const auto told = static_cast<uint8_t>(std::min<size_t>(size_, 255));
    engine.FinishStep(kind_, order_, told, object_, old_value, new_value, pc_);
  }

 private:
  StepKind kind_;
  const void* const object_;
  const size_t size_;
  const MemoryOrder order_;
  const uintptr_t pc_;
};

// Hooks off, or a real thread: a global is rolled back all the same.
void ChangeUnsimulated(void* to, const void* from, size_t size) {
  engine.LogGlobal(to, size);
  std::memcpy(to, from, size);
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::StepKind;
using jacquard::sim::Access;
using jacquard::sim::Change;
using jacquard::sim::ChangeUnsimulated;
using jacquard::sim::engine;
using jacquard::sim::Low;
using jacquard::sim::RealLock;

// libatomic's names, which the compiler takes for functions of its own.
extern "C" {

void jacquard_large_load(size_t size, const void* object, void* result,
                         int order) __asm__("__atomic_load");
void jacquard_large_store(size_t size, void* object, const void* value,
                          int order) __asm__("__atomic_store");
void jacquard_large_exchange(size_t size, void* object, const void* value, void* result,
                             int order) __asm__("__atomic_exchange");
bool jacquard_large_compare_exchange(size_t size, void* object, void* expected, const void* desired,
                                     int order, int failure) __asm__("__atomic_compare_exchange");

void jacquard_large_load(size_t size, const void* object, void* result, int order) {
  if (!engine.Simulates()) {
    const RealLock lock;
    return ChangeUnsimulated(result, object, size);
  }
  Access access(StepKind::kLoad, object, size, order, JACQUARD_CALLER);
  access.OnlyReads();
  const uint64_t value = Low(object, size);
  Change(result, object, size, JACQUARD_CALLER);
  access.Finish(value, value);
}

void jacquard_large_store(size_t size, void* object, const void* value, int order) {
  if (!engine.Simulates()) {
    const RealLock lock;
    return ChangeUnsimulated(object, value, size);
  }
  Access access(StepKind::kStore, object, size, order, JACQUARD_CALLER);
  const uint64_t old = Low(object, size);
  Change(object, value, size, JACQUARD_CALLER);
  access.Finish(old, Low(object, size));
}

void jacquard_large_exchange(size_t size, void* object, const void* value, void* result,
                             int order) {
  if (!engine.Simulates()) {
    const RealLock lock;
    ChangeUnsimulated(result, object, size);
    return ChangeUnsimulated(object, value, size);
  }
  Access access(StepKind::kReadModifyWrite, object, size, order, JACQUARD_CALLER);
  const uint64_t old = Low(object, size);
  Change(result, object, size, JACQUARD_CALLER);
  Change(object, value, size, JACQUARD_CALLER);
  access.Finish(old, Low(object, size));
}

bool jacquard_large_compare_exchange(size_t size, void* object, void* expected, const void* desired,
                                     int order, int failure) {
  if (!engine.Simulates()) {
    const RealLock lock;
    const bool same = std::memcmp(object, expected, size) == 0;
    ChangeUnsimulated(same ? object : expected, same ? desired : object, size);
    return same;
  }
  // The stronger one stands for both: which of them it is, is known only behind the decision point.
  Access access(StepKind::kReadModifyWrite, object, size, std::max(order, failure),
                JACQUARD_CALLER);
  const uint64_t old = Low(object, size);
  const bool same = std::memcmp(object, expected, size) == 0;
  if (same) {
    Change(object, desired, size, JACQUARD_CALLER);
  } else {
    access.OnlyReads();
    Change(expected, object, size, JACQUARD_CALLER);
  }
  access.Finish(old, Low(object, size));
  return same;
}

}  // extern "C"
