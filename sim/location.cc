#include "sim/location.h"

#include "sim/message.h"

namespace jacquard::sim {

Location& LocationTable::FindSlow(uint64_t key, Location* cell) {
  while (cell->key >> kAddressBits == stamp_ >> kAddressBits) {
    if (cell->key == key) return *cell;
    if (++cell == cells_ + kCells) cell = cells_;
  }
  // Kept less than full, so that the search above ends.
  if (++used_ == kCells) Die("more than 16,383 atomic objects in one execution");
  *cell = {.key = key, .newest = {.step = 0, .thread = -1, .event = -1}};
  return *cell;
}

void LocationTable::Clear() {
  for (Location& cell : cells_) cell.key = 0;
  stamp_ = uint64_t{1} << kAddressBits;
}

}  // namespace jacquard::sim
