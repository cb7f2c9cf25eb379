// The cells: a hash table from (address, size).
//
// Cells of one execution are told from those of others by a stamp, so that forgetting everything
// costs nothing. What the cells of an earlier execution say of addresses stays: programs use the
// same ones again. Which cells share bytes is found out once, when a cell is made; a second, small
// table knows the cells in each granule of 8 bytes.
#ifndef JACQUARD_SIM_MEMORY_CELLS_H_
#define JACQUARD_SIM_MEMORY_CELLS_H_

#include <cstdint>

#include "sim/memory/slab.h"
#include "sim/memory/state.h"
#include "sim/message.h"

namespace jacquard::sim::memory {

template <class Clock>
class CellTable {
 public:
  using CellType = Cell<Clock>;

  CellTable()
      : cells_(kCells),
        granules_(kGranules),
        links_(4 * kCells),
        known_granules_(kGranules),
        made_(kCells),
        used_(kCells) {}

  void BeginExecution() {
    if (++stamp_ == 0 || made_.end() > kCells / 4) [[unlikely]]
      Clear();
    used_.TakeBackAll();
  }

  // The cell of `size` bytes at `address`; made at its first use in an execution.
  CellType& Find(const void* address, uint32_t size) {
    const uint64_t key = Key(address, size);
    CellType& cell = cells_[Slot(reinterpret_cast<uintptr_t>(address))];
    if (cell.key == key && cell.stamp == stamp_) [[likely]]
      return cell;
    return FindSlow(key, &cell);
  }

  // The same if that takes no search, and the cell was made before, if only in another execution;
  // else null.
  [[gnu::always_inline]] CellType* FindAtOnce(const void* address, uint32_t size) {
    CellType& cell = cells_[Slot(reinterpret_cast<uintptr_t>(address))];
    if (cell.key != Key(address, size)) [[unlikely]]
      return nullptr;
    if (cell.stamp != stamp_) Renew(cell);
    return &cell;
  }

  // Whether there are so many cells that plain accesses should make no more: room is left for the
  // atomic accesses of an execution of 100,000 steps.
  bool IsCrowded() const { return made_.end() > kCells / 2; }

  // Calls `visit(cell)` for each cell that shares bytes with `cell`.
  void ForEachOverlap(const CellType& cell, auto visit) {
    for (Index link = cell.overlaps; link != 0; link = links_[link].next) {
      CellType& other = cells_[links_[link].cell];
      if (other.stamp == stamp_) visit(other);
    }
  }

  // Calls `visit(cell)` for each cell that shares bytes with the range; for some more than once.
  void ForEachInRange(uintptr_t begin, size_t size, auto visit) {
    if (size / 8 > used_.end()) {  // a large range: fewer cells than granules
      ForEach([&](CellType& cell) {
        if (cell.address() < begin + size && begin < cell.address() + cell.size()) visit(cell);
      });
      return;
    }
    for (uintptr_t granule = begin >> 3; granule <= (begin + size - 1) >> 3; ++granule) {
      const Granule* const found = FindGranule(granule);
      if (found == nullptr) continue;
      for (Index link = found->cells; link != 0; link = links_[link].next) {
        CellType& cell = cells_[links_[link].cell];
        if (cell.stamp == stamp_ && cell.address() < begin + size &&
            begin < cell.address() + cell.size())
          visit(cell);
      }
    }
  }

  // Calls `visit(cell)` for each cell of the execution, in the order of their first use.
  void ForEach(auto visit) {
    for (Index i = 1; i < used_.end(); ++i) visit(cells_[used_[i]]);
  }

 private:
  static constexpr Index kCells = 1 << 18;
  static constexpr Index kGranules = 1 << 20;

  struct Granule {
    uintptr_t number;
    Index cells;  // list of the cells in it; 0: the slot is free
  };
  struct Link {
    Index cell;
    Index next;
  };

  static uint64_t Key(const void* address, uint32_t size) {
    return reinterpret_cast<uintptr_t>(address) << 8 | size;
  }
  static Index Slot(uintptr_t address) {
    // Bytes that are accessed one by one each have a slot of their own: the last bits are mixed in
    // above the others.
    return static_cast<Index>((address >> 2) ^ (address >> 19) ^ (address & 3) << 15) &
           (kCells - 1);
  }

  [[gnu::noinline]] CellType& FindSlow(uint64_t key, CellType* cell) {
    if (cell->key != key) [[unlikely]] {
      // Longer and longer steps: they come by each slot, and out of the rows that arrays make.
      Index slot = cells_.IndexOf(*cell);
      for (Index step = 1; cell->key != key && cell->key != 0; ++step) {
        slot = (slot + step) & (kCells - 1);
        cell = &cells_[slot];
      }
      if (cell->stamp == stamp_) return *cell;
    }
    if (cell->key == 0) {
      const Index made = made_.Take();
      if (made == 0) {
        Die("more than 262,143 objects accessed in one execution");
      }
      made_[made] = cells_.IndexOf(*cell);
      cell->key = key;
      cell->overlaps = 0;
      if (cell->size() != 0) Register(*cell);
    }
    Renew(*cell);
    return *cell;
  }

  // What it says of an earlier execution is forgotten, but for what it overlaps.
  [[gnu::always_inline]] void Renew(CellType& cell) {
    const uint64_t key = cell.key;
    const Index overlaps = cell.overlaps;
    SetZero(cell);
    cell.key = key;
    cell.stamp = stamp_;
    cell.overlaps = overlaps;
    used_[used_.Take()] = cells_.IndexOf(cell);  // no more than have been made
  }

  // Links the new cell with those that share bytes with it.
  [[gnu::noinline]] void Register(CellType& cell) {
    const Index index = cells_.IndexOf(cell);
    const uintptr_t begin = cell.address();
    const uintptr_t last = (begin + cell.size() - 1) >> 3;
    for (uintptr_t granule = begin >> 3; granule <= last; ++granule) {
      Granule& here = MakeGranule(granule);
      for (Index link = here.cells; link != 0; link = links_[link].next) {
        CellType& other = cells_[links_[link].cell];
        const bool overlaps =
            other.address() < begin + cell.size() && begin < other.address() + other.size();
        if (!overlaps || IsLinked(cell, other)) continue;
        AddTo(cell.overlaps, cells_.IndexOf(other));
        AddTo(other.overlaps, index);
      }
      AddTo(here.cells, index);
    }
  }

  bool IsLinked(const CellType& cell, const CellType& other) const {
    for (Index link = cell.overlaps; link != 0; link = links_[link].next) {
      if (&cells_[links_[link].cell] == &other) return true;
    }
    return false;
  }

  void AddTo(Index& list, Index cell) {
    const Index link = links_.Take();
    if (link == 0) return;  // takes very many cells that overlap in many ways
    links_[link] = {cell, list};
    list = link;
  }

  // Its slot, or the free one where it would be. There are fewer granules than slots: a cell that
  // lies in two or three of them takes twice or three times as many links.
  Granule& GranuleSlot(uintptr_t number) {
    Index slot = static_cast<Index>(number ^ (number >> 18)) & (kGranules - 1);
    while (granules_[slot].cells != 0 && granules_[slot].number != number) {
      slot = (slot + 1) & (kGranules - 1);
    }
    return granules_[slot];
  }
  const Granule* FindGranule(uintptr_t number) {
    const Granule& granule = GranuleSlot(number);
    return granule.cells != 0 ? &granule : nullptr;
  }
  Granule& MakeGranule(uintptr_t number) {
    Granule& granule = GranuleSlot(number);
    if (granule.cells == 0) {
      granule.number = number;
      known_granules_[known_granules_.Take()] = granules_.IndexOf(granule);
    }
    return granule;
  }

  void Clear() {
    for (Index i = 1; i < made_.end(); ++i) cells_[made_[i]] = CellType();
    for (Index i = 1; i < known_granules_.end(); ++i) granules_[known_granules_[i]].cells = 0;
    known_granules_.TakeBackAll();
    made_.TakeBackAll();
    links_.TakeBackAll();
    stamp_ = 1;
  }

  uint32_t stamp_ = 0;
  Slab<CellType> cells_;
  Slab<Granule> granules_;
  Slab<Link> links_;
  Slab<Index> known_granules_;  // the slots that are not free
  Slab<Index> made_;            // the cells that have a key
  Slab<Index> used_;            // those of this execution
};

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_CELLS_H_
