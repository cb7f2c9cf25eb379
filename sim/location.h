// Locations: what the runtime knows of each address that an execution has accessed atomically.
//
// This is where the memory model lives. A location's modification order is a chain of stores, the
// newest first; under sequential consistency, which is all there is so far, the chain has one link:
// the newest store, whose value is what stands in memory.
#ifndef JACQUARD_SIM_LOCATION_H_
#define JACQUARD_SIM_LOCATION_H_

#include <cstdint>
#include <cstring>

namespace jacquard::sim {

// One store in a location's modification order.
struct Store {
  uint64_t step;   // when it was made; 0 for the initial value
  int32_t thread;  // by whom; -1 for the initial value
  int32_t event;   // its place in the trace; -1 if it has none
};

struct alignas(64) Location {
  uint64_t key = 0;  // address and execution: a cell of another execution is an empty one
  Store newest = {};
};

// A hash table that is never cleared: the execution's stamp is part of the key.
class LocationTable {
 public:
  // Forgets all locations, in constant time.
  void BeginExecution() {
    stamp_ += uint64_t{1} << kAddressBits;
    used_ = 0;
    if (stamp_ == 0) [[unlikely]]
      Clear();
  }

  // The location at `address`; made with its initial value at its first use in an execution.
  Location& Find(const void* address) {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    const uint64_t key = (bits & kAddressMask) | stamp_;
    Location& cell = cells_[((bits >> 2) ^ (bits >> 14)) & (kCells - 1)];
    if (cell.key == key) [[likely]]
      return cell;
    return FindSlow(key, &cell);
  }

 private:
  static constexpr int kAddressBits = 48;
  static constexpr uint64_t kAddressMask = (uint64_t{1} << kAddressBits) - 1;
  static constexpr uint64_t kCells = 1 << 14;

  Location& FindSlow(uint64_t key, Location* cell);
  void Clear();

  uint64_t stamp_ = uint64_t{1} << kAddressBits;
  uint64_t used_ = 0;
  Location cells_[kCells] = {};
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LOCATION_H_
