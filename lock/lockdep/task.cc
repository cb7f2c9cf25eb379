#include "lock/lockdep/task.h"

#include <algorithm>
#include <utility>

namespace jacquard::lock::lockdep {
namespace {

void Copy(const HeldLock& from, HeldLock& to) {
  to.class_id = from.class_id;
  to.mode = from.mode;
  to.try_lock = from.try_lock;
  to.place = from.place;
  to.chain = from.chain;
  // Relaxed: pairs with nothing by itself; see Task::IsHeldWithin.
  to.instance.store(from.instance.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace

void Task::Remove(int i) {
  const int last = depth() - 1;
  for (int j = i; j < last; ++j) Copy(locks_[j + 1], locks_[j]);
  // Relaxed: the lock itself tells others that it was dropped.
  depth_.store(last, std::memory_order_relaxed);
  RehashFrom(i);
}

void Task::SetMode(int i, AcquireMode mode) {
  locks_[i].mode = mode;
  RehashFrom(i);
}

void Task::RehashFrom(int i) {
  for (; i < depth(); ++i) {
    locks_[i].chain =
        ExtendChain(i == 0 ? 0 : locks_[i - 1].chain, locks_[i].class_id, locks_[i].mode);
  }
}

void Task::Restart(std::uint32_t generation) {
  depth_.store(0, std::memory_order_relaxed);  // relaxed: as in Remove
  known_chains_.fill(0);
  known_classes_.fill({});
  generation_.store(generation, std::memory_order_relaxed);
}

void Task::Grow() {
  const int capacity = std::max(16, 2 * capacity_);
  auto locks = std::make_unique<HeldLock[]>(capacity);
  for (int i = 0; i < depth(); ++i) Copy(locks_[i], locks[i]);
  locks_ = std::move(locks);
  capacity_ = capacity;
}

bool Task::IsHeldWithin(const void* begin, std::size_t size) const {
  // Acquire: pairs with Push, so that each of these entries is at least as new as the depth. One
  // that the owner has dropped, and has said so, can then not be found again.
  const int depth = depth_.load(std::memory_order_acquire);
  for (int i = 0; i < depth; ++i) {
    const auto instance = reinterpret_cast<std::uintptr_t>(
        locks_[i].instance.load(std::memory_order_relaxed));  // relaxed: ordered by the depth
    if (instance - reinterpret_cast<std::uintptr_t>(begin) < size) return true;
  }
  return false;
}

}  // namespace jacquard::lock::lockdep
