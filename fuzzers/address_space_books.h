// The validator of the address space's scenario: it counts, for each lock, how often each thread
// has it.
//
// Rule (9): what is taken is given back by the same thread, in the same operation unless it is held
// on purpose, and before the VMA is recycled. Functions here have no hooks: they make no step. In
// the native form they do nothing.
#ifndef JACQUARD_FUZZERS_ADDRESS_SPACE_BOOKS_H_
#define JACQUARD_FUZZERS_ADDRESS_SPACE_BOOKS_H_

#include <cstdint>

#include "fuzzers/scenario.h"
#include "lock/address_space.h"
#include "lock/validator.h"
#include "sim/runtime.h"

namespace jacquard::fuzzers {

struct AddressSpaceBooks {
  static constexpr int kThreads = 4;
  static constexpr const char* kUnbalanced = "lock given back that was not taken";

  struct Map {
    JACQUARD_UNHOOKED explicit Map(const char* /*class_name*/) {}
    // With the VMA, when the pool gives its memory back.
    JACQUARD_UNHOOKED ~Map() {
      if (on_destroyed != nullptr) on_destroyed(*this);
    }
    std::uint8_t taken[kThreads] = {};
  };

  JACQUARD_UNHOOKED static void Acquire(Map& map, const lock::Acquisition&) {
    const int t = CurrentThread();
    if (!Simulated() || t < 0) return;
    ++map.taken[t];
    ++total[t];
  }
  JACQUARD_UNHOOKED static void Downgrade(Map&) {}
  JACQUARD_UNHOOKED static void Release(Map& map) {
    const int t = CurrentThread();
    if (!Simulated() || t < 0) return;
    Check(map.taken[t] != 0, kUnbalanced);
    --map.taken[t];
    --total[t];
  }
  // Not asked: the scenario asserts nothing.
  JACQUARD_UNHOOKED static lock::Held IsHeld(const Map&) { return lock::Held::kUnknown; }
  JACQUARD_UNHOOKED static lock::Held IsHeld(const Map&, lock::AcquireMode) {
    return lock::Held::kUnknown;
  }

  // Hears of each lock's end; set in the simulation only.
  inline static void (*on_destroyed)(const Map&) = nullptr;
  // Of all locks together, in this execution.
  inline static int total[kThreads] = {};
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_ADDRESS_SPACE_BOOKS_H_
