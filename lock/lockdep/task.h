// What one thread holds, and which chains of locks it knows to be in order.
//
// Belongs to its thread, without locks. Others only ever ask whether an address lies in a lock that
// the thread holds (IsHeldWithin), which is why those words are atomic.
#ifndef JACQUARD_LOCK_LOCKDEP_TASK_H_
#define JACQUARD_LOCK_LOCKDEP_TASK_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "lock/lockdep/classes.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

// A lock that a thread holds, or is going to wait for.
struct HeldLock {
  // The Map in the lock. Relaxed loads by the owner; see Task::IsHeldWithin for those of others.
  std::atomic<const void*> instance = nullptr;
  ClassId class_id = 0;
  AcquireMode mode = AcquireMode::kExclusive;
  bool try_lock = false;
  std::uintptr_t place = 0;  // the call that took it
  std::uint64_t chain = 0;   // a hash of the chain up to here: classes and modes in their order
};

// The hash of the chain that `before` stands for, with one more lock.
constexpr std::uint64_t ExtendChain(std::uint64_t before, ClassId class_id, AcquireMode mode) {
  std::uint64_t hash = (before ^ (4 * std::uint64_t{class_id} + static_cast<unsigned>(mode) + 1)) *
                       0x9E37'79B9'7F4A'7C15;
  hash = (hash ^ (hash >> 32)) * 0xD6E8'FEB8'6659'FD93;
  return hash ^ (hash >> 32);
}

class Task {
 public:
  explicit Task(int number) : number_(number) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  // By which reports name the thread.
  int number() const { return number_; }

  // ---- by the owner

  int depth() const { return depth_.load(std::memory_order_relaxed); }
  const HeldLock& operator[](int i) const { return locks_[i]; }
  bool IsFull() const { return depth() == capacity_; }

  // The newest entry of `instance`; -1 if there is none.
  int Find(const void* instance) const {
    for (int i = depth(); i-- > 0;) {
      if (locks_[i].instance.load(std::memory_order_relaxed) == instance) return i;
    }
    return -1;
  }

  std::uint64_t chain() const { return depth() == 0 ? 0 : locks_[depth() - 1].chain; }

  // Must not be full.
  void Push(const void* instance, ClassId class_id, AcquireMode mode, bool try_lock,
            std::uintptr_t place) {
    HeldLock& lock = locks_[depth()];
    lock.class_id = class_id;
    lock.mode = mode;
    lock.try_lock = try_lock;
    lock.place = place;
    lock.chain = ExtendChain(chain(), class_id, mode);
    lock.instance.store(instance, std::memory_order_relaxed);
    // Release: pairs with IsHeldWithin, which must not find what this place held before.
    depth_.store(depth() + 1, std::memory_order_release);
  }

  // Forgets entry `i`.
  void Remove(int i);
  // Entry `i` is held in another mode from now on.
  void SetMode(int i, AcquireMode mode);
  // Forgets everything; the books begin anew as number `generation`.
  void Restart(std::uint32_t generation);
  // Relaxed: pairs with nothing; others leave out a thread whose books are of another time.
  std::uint32_t generation() const { return generation_.load(std::memory_order_relaxed); }

  // Whether the chain was validated, as far as this thread remembers.
  bool Knows(std::uint64_t chain) const { return known_chains_[chain % kKnownChains] == chain; }
  void Remember(std::uint64_t chain) { known_chains_[chain % kKnownChains] = chain; }

  // The number of a class, where this thread has used the name lately.
  const ClassId* FindClass(const char* name, unsigned line, int subclass) const {
    const KnownClass& known = known_classes_[IndexOf(name, line, subclass)];
    return known.name == name && known.line == line && known.subclass == subclass ? &known.id
                                                                                  : nullptr;
  }
  void RememberClass(const char* name, unsigned line, int subclass, ClassId id) {
    known_classes_[IndexOf(name, line, subclass)] = {name, line, subclass, id};
  }

  // ---- under the checker's mutex

  // Makes room.
  void Grow();
  // Whether the thread holds a lock whose map lies there. Any thread may ask. What the owner has
  // dropped before the caller could know of it (by synchronising with it) does not count.
  bool IsHeldWithin(const void* begin, std::size_t size) const;

 private:
  static constexpr std::size_t kKnownChains = 256;
  static constexpr std::size_t kKnownClasses = 64;

  struct KnownClass {
    const char* name = nullptr;
    unsigned line = 0;
    int subclass = 0;
    ClassId id = 0;
  };

  static std::size_t IndexOf(const char* name, unsigned line, int subclass) {
    return (reinterpret_cast<std::uintptr_t>(name) / 2 + line * 31 +
            static_cast<unsigned>(subclass) * 7) %
           kKnownClasses;
  }
  void RehashFrom(int i);

  const int number_;
  std::atomic<std::uint32_t> generation_ = 0;
  std::atomic<int> depth_ = 0;
  int capacity_ = 0;
  std::unique_ptr<HeldLock[]> locks_;
  std::array<std::uint64_t, kKnownChains> known_chains_ = {};
  std::array<KnownClass, kKnownClasses> known_classes_ = {};
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_TASK_H_
