// A scenario class for reader/writer locks: three of them, with the data that each protects.
//
// A template only so that the tests can give it a broken lock.
#ifndef JACQUARD_EXAMPLES_RW_LOCK_SCENARIO_H_
#define JACQUARD_EXAMPLES_RW_LOCK_SCENARIO_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "fuzzers/scenario.h"

namespace examples {

template <typename Lock>
class RwLockScenario {
 public:
  static constexpr const char* kName = "rw_lock";
  static constexpr int kMaxThreads = 4;
  static constexpr int kObjects = 3;

  static auto Operations() {
    return jacquard::Operations<RwLockScenario>{
        {"read", &RwLockScenario::Read, {"object", kObjects}},
        {"write", &RwLockScenario::Write, {"object", kObjects}},
        {"try_write", &RwLockScenario::TryWrite, {"object", kObjects}},
    };
  }

  void Read(int object) {
    Object& o = objects_[object];
    o.lock.lock_shared();
    Enter(o.readers);
    const int first = o.data[0];
    jacquard::Check(first == o.data[1], "a reader sees no half-done write");
    Leave(o.readers);
    o.lock.unlock_shared();
  }

  void Write(int object) {
    objects_[object].lock.lock();
    WriteLocked(objects_[object]);
  }

  bool TryWrite(int object) {
    if (!objects_[object].lock.try_lock()) return false;
    WriteLocked(objects_[object]);
    return true;
  }

  // After every step.
  JACQUARD_CHECK_CODE void CheckInvariant() const {
    for (const Object& o : objects_) {
      jacquard::Check(o.writers <= 1, "one writer at a time");
      jacquard::Check(o.writers == 0 || o.readers == 0, "no reader beside a writer");
    }
  }

  void CheckFinal() const {
    for (const Object& o : objects_) jacquard::Check(o.lock.word() == 0, "all locks are free");
  }

  JACQUARD_CHECK_CODE int StateFeature() const {
    int state = 0;
    for (const Object& o : objects_) state = state * 8 + o.lock.word() + 1;
    return state;
  }

  std::string NameOf(const void* address) const {
    for (int i = 0; i < kObjects; ++i) {
      if (address == &objects_[i].lock.word()) return "lock" + std::to_string(i);
    }
    return {};
  }

  std::string TextOf(const void* address, uint64_t value) const {
    if (NameOf(address).empty()) return {};
    const auto word = static_cast<int32_t>(value);
    if (word == 0) return "free";
    if (word < 0) return "a writer";
    return std::to_string(word) + (word == 1 ? " reader" : " readers");
  }

 private:
  // Who is inside, as seen from outside of the lock: ghost state. Atomic for the native form.
  using Ghosts = std::atomic<int>;

  struct Object {
    Lock lock;
    int data[2] = {0, 0};
    Ghosts readers = 0;
    Ghosts writers = 0;
  };

  static void Enter(Ghosts& who) {
    const jacquard::Ghost ghost;
    who.fetch_add(1, std::memory_order_relaxed);  // orders nothing
  }
  static void Leave(Ghosts& who) {
    const jacquard::Ghost ghost;
    who.fetch_sub(1, std::memory_order_relaxed);  // orders nothing
  }

  static void WriteLocked(Object& o) {
    Enter(o.writers);
    ++o.data[0];
    ++o.data[1];
    Leave(o.writers);
    o.lock.unlock();
  }

  Object objects_[kObjects];
};

}  // namespace examples

#endif  // JACQUARD_EXAMPLES_RW_LOCK_SCENARIO_H_
