// The cells: a hash table from (address, size).
//
// Cells of one execution are told from those of others by a stamp, so that forgetting everything
// costs nothing. What the cells of an earlier execution say of addresses stays: programs use the
// same ones again. Which cells share bytes is found out once, when a cell is made; a second, small
// table knows the cells in each granule of 8 bytes.
#ifndef JACQUARD_SIM_MEMORY_CELLS_H_
#define JACQUARD_SIM_MEMORY_CELLS_H_

#include <bit>
#include <cstdint>
#include <string>

#include "sim/memory/slab.h"
#include "sim/memory/state.h"
#include "sim/message.h"

namespace jacquard::sim::memory {

template <class Clock>
class CellTable {
 public:
  using CellType = Cell<Clock>;

  CellTable() : cells_(kCells), granules_(kGranules), links_(4 * kCells), used_(kCells) {}

  void BeginExecution() {
    if (++stamp_ == 0 || made_ > kMostKept) [[unlikely]]
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
    if (cell.stamp != stamp_) {
      if (IsFree(cell) || IsCrowded()) [[unlikely]]
        return nullptr;
      Renew(cell);
    }
    return &cell;
  }

  // Whether the execution has so many cells that plain accesses should make no more.
  bool IsCrowded() const { return used_.end() > kMostPlain; }

  // Whether the execution has the cell.
  [[gnu::noinline]] bool Has(const void* address, uint32_t size) {
    const Index slot = Slot(reinterpret_cast<uintptr_t>(address));
    return Search(Key(address, size), &cells_[slot])->stamp == stamp_;
  }

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
  static constexpr Index kCells = 1 << 21;
  // So many cells are kept for the next execution, and so many may an execution have by plain
  // accesses: each of a million steps can still make one. Fewer where a cell, for very many
  // threads, has up to some kilobytes.
  static constexpr Index kMostKept = sizeof(CellType) <= 512 ? kCells / 4 : kCells / 16;
  static constexpr Index kMostPlain = kMostKept;
  static constexpr Index kGranules = 4 * kCells;

  struct Granule {
    uintptr_t number;
    Index cells;           // list of the cells in it
    uint32_t first_stamp;  // the table's when it was made; another one: the slot is free
  };
  struct Link {
    Index cell;
    Index next;
  };

  static uint64_t Key(const void* address, uint32_t size) {
    return reinterpret_cast<uintptr_t>(address) << 8 | size;
  }
  // Knuth, "The Art of Computer Programming", 6.4: what is `bits` long, of the product with the
  // golden ratio. Numbers in a row come far from each other.
  static uint64_t Scatter(uint64_t number, int bits) {
    return number * 0x9E37'79B9'7F4A'7C15 >> (64 - bits);
  }
  static Index Slot(uintptr_t address) {
    // Words in a row have slots in a row, but no more than fill a page: large arrays whose rows met
    // would be searched for long. Bytes that are accessed one by one each have a slot of their own.
    constexpr int kInARow = 5;
    const uint64_t row = Scatter(address >> (2 + kInARow), std::countr_zero(kCells) - kInARow);
    const uint64_t word = address >> 2 & ((1 << kInARow) - 1);
    return static_cast<Index>((row << kInARow | word) ^ (address & 3) << 15);
  }

  // What was made before everything was cleared is there no more.
  bool IsFree(const CellType& cell) const { return cell.stamp < first_stamp_; }
  bool IsFree(const Granule& granule) const { return granule.first_stamp != first_stamp_; }

  // The cell with the key, or the free one where it would be; `cell` is the first to look at.
  CellType* Search(uint64_t key, CellType* cell) {
    // Longer and longer steps: they come by each slot, and out of the rows that arrays make.
    Index slot = cells_.IndexOf(*cell);
    for (Index step = 1; cell->key != key && !IsFree(*cell); ++step) {
      slot = (slot + step) & (kCells - 1);
      cell = &cells_[slot];
    }
    return cell;
  }

  [[gnu::noinline]] CellType& FindSlow(uint64_t key, CellType* cell) {
    if (cell->key != key) [[unlikely]] {
      cell = Search(key, cell);
      if (cell->stamp == stamp_) return *cell;
    }
    if (IsFree(*cell)) {
      if (++made_ == kCells) {
        Die("more than " + std::to_string(kCells - 1) + " objects accessed in one execution");
      }
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
    constexpr int kInARow = 3;
    const uint64_t row = Scatter(number >> kInARow, std::countr_zero(kGranules) - kInARow);
    auto slot = static_cast<Index>(row << kInARow | (number & ((1 << kInARow) - 1)));
    while (!IsFree(granules_[slot]) && granules_[slot].number != number) {
      slot = (slot + 1) & (kGranules - 1);
    }
    return granules_[slot];
  }
  const Granule* FindGranule(uintptr_t number) {
    const Granule& granule = GranuleSlot(number);
    return !IsFree(granule) ? &granule : nullptr;
  }
  Granule& MakeGranule(uintptr_t number) {
    Granule& granule = GranuleSlot(number);
    if (IsFree(granule)) granule = {number, 0, first_stamp_};
    return granule;
  }

  void Clear() {
    if (stamp_ == 0) {  // they come round
      cells_.SetZero();
      granules_.SetZero();
      stamp_ = 1;
    }
    first_stamp_ = stamp_;
    made_ = 0;
    links_.TakeBackAll();
  }

  uint32_t stamp_ = 0;
  uint32_t first_stamp_ = 1;  // of the first execution since everything was cleared
  Slab<CellType> cells_;
  Slab<Granule> granules_;
  Slab<Link> links_;
  Slab<Index> used_;  // the cells of this execution
  Index made_ = 0;    // so many have a key
};

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_CELLS_H_
