// The cells of an execution: a hash table from (address, size) that is never cleared.
//
// The execution's stamp is part of what is compared, so that forgetting everything costs nothing.
// Which cells share bytes is found out once, when a cell is made: a second, small table knows the
// cells in each granule of 8 bytes.
#ifndef JACQUARD_SIM_MEMORY_CELLS_H_
#define JACQUARD_SIM_MEMORY_CELLS_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "sim/memory/slab.h"
#include "sim/memory/state.h"

namespace jacquard::sim::memory {

template <class Clock>
class CellTable {
 public:
  using CellType = Cell<Clock>;

  CellTable() : cells_(kCells), granules_(kCells), links_(4 * kCells), used_(kCells) {}

  void BeginExecution() {
    if (++stamp_ == 0) [[unlikely]]
      Clear();
    used_.TakeBackAll();
    links_.TakeBackAll();
  }

  // The cell of `size` bytes at `address`; made at its first use in an execution.
  CellType& Find(const void* address, uint32_t size) {
    const uint64_t key = Key(address, size);
    CellType& cell = cells_[Slot(reinterpret_cast<uintptr_t>(address))];
    if (cell.key == key && cell.stamp == stamp_) [[likely]]
      return cell;
    return FindSlow(key, &cell);
  }

  // Whether so many cells are in use that plain accesses should make no more.
  bool IsCrowded() const { return used_.end() > kCells / 4 * 3; }

  // Calls `visit(cell)` for each cell that shares bytes with `cell`.
  void ForEachOverlap(const CellType& cell, auto visit) {
    for (Index link = cell.overlaps; link != 0; link = links_[link].next) {
      visit(cells_[links_[link].cell]);
    }
  }

  // Calls `visit(cell)` for each cell that shares bytes with the range; for some more than once.
  void ForEachInRange(uintptr_t begin, size_t size, auto visit) {
    for (uintptr_t granule = begin >> 3; granule <= (begin + size - 1) >> 3; ++granule) {
      const Granule* const found = FindGranule(granule);
      if (found == nullptr) continue;
      for (Index link = found->cells; link != 0; link = links_[link].next) {
        CellType& cell = cells_[links_[link].cell];
        if (cell.address() < begin + size && begin < cell.address() + cell.size()) visit(cell);
      }
    }
  }

  // Calls `visit(cell)` for each cell of the execution, in the order in which they were made.
  void ForEach(auto visit) {
    for (Index i = 1; i < used_.end(); ++i) visit(cells_[used_[i]]);
  }

 private:
  static constexpr Index kCells = 1 << 17;

  struct Granule {
    uintptr_t number;
    uint32_t stamp;
    Index cells;  // list of the cells in it
  };
  struct Link {
    Index cell;
    Index next;
  };

  static uint64_t Key(const void* address, uint32_t size) {
    return reinterpret_cast<uintptr_t>(address) << 8 | size;
  }
  static Index Slot(uintptr_t address) {
    return static_cast<Index>((address >> 2) ^ (address >> 19)) & (kCells - 1);
  }

  [[gnu::noinline]] CellType& FindSlow(uint64_t key, CellType* cell) {
    while (cell->stamp == stamp_) {
      if (cell->key == key) return *cell;
      if (++cell == &cells_[0] + kCells) cell = &cells_[0];
    }
    const Index used = used_.Take();
    if (used == 0) {
      std::fputs("jacquard: more than 131,071 objects accessed in one execution\n", stderr);
      std::abort();
    }
    used_[used] = cells_.IndexOf(*cell);
    *cell = CellType();
    cell->key = key;
    cell->stamp = stamp_;
    if (cell->size() != 0) Register(*cell);
    return *cell;
  }

  // Links the new cell with those that share bytes with it.
  void Register(CellType& cell) {
    const Index index = cells_.IndexOf(cell);
    ForEachInRange(cell.address(), cell.size(), [&](CellType& other) {
      bool known = false;
      ForEachOverlap(cell, [&](CellType& linked) { known |= &linked == &other; });
      if (known) return;
      AddTo(cell.overlaps, cells_.IndexOf(other));
      AddTo(other.overlaps, index);
    });
    const uintptr_t last = (cell.address() + cell.size() - 1) >> 3;
    for (uintptr_t granule = cell.address() >> 3; granule <= last; ++granule) {
      AddTo(MakeGranule(granule).cells, index);
    }
  }

  void AddTo(Index& list, Index cell) {
    const Index link = links_.Take();
    if (link == 0) return;  // takes 131,071 cells that overlap in many ways
    links_[link] = {cell, list};
    list = link;
  }

  Granule* GranuleSlot(uintptr_t number) {
    Index slot = static_cast<Index>(number ^ (number >> 17)) & (kCells - 1);
    // There are no more granules than links, and the search ends at one that is not in use.
    for (Index tries = 0; tries < kCells; ++tries) {
      Granule& granule = granules_[slot];
      if (granule.stamp != stamp_ || granule.number == number) return &granule;
      slot = (slot + 1) & (kCells - 1);
    }
    return nullptr;
  }
  const Granule* FindGranule(uintptr_t number) {
    const Granule* const granule = GranuleSlot(number);
    return granule != nullptr && granule->stamp == stamp_ ? granule : nullptr;
  }
  Granule& MakeGranule(uintptr_t number) {
    Granule* const granule = GranuleSlot(number);
    if (granule == nullptr) std::abort();  // each cell has at most two or three granules
    if (granule->stamp != stamp_) *granule = {number, stamp_, 0};
    return *granule;
  }

  void Clear() {
    for (Index i = 0; i < kCells; ++i) {
      cells_[i].stamp = 0;
      granules_[i].stamp = 0;
    }
    stamp_ = 1;
  }

  uint32_t stamp_ = 0;
  Slab<CellType> cells_;
  Slab<Granule> granules_;
  Slab<Link> links_;
  Slab<Index> used_;  // which cells
};

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_CELLS_H_
