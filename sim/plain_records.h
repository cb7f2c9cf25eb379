// Plain accesses, in short: what there is to know of a granule of 8 bytes as long as nobody
// accesses it atomically, and not too many threads at different times.
//
// That is how nearly all memory of nearly all programs is used. Then a few epochs tell all: who has
// written the bytes last, and who has read them last since; what came before is ordered before one
// of these (FastTrack; Flanagan and Freund, PLDI 2009). Each goes with the bytes that it is about.
// Where that is not enough (many threads read the same, parts are accessed at many times, an atomic
// object begins) the granule's record is spilled into cells, which can tell everything, and is not
// used any more in this execution.
//
// A record takes a quarter of what a cell does, tells of all accesses to the granule whatever their
// sizes, and is found without a search: records lie where the granule's address says. There are
// some for covered memory (covered_memory.h); all other memory has cells from the start.
#ifndef JACQUARD_SIM_PLAIN_RECORDS_H_
#define JACQUARD_SIM_PLAIN_RECORDS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sim/covered_memory.h"
#include "sim/page.h"

namespace jacquard::sim {

// Of the execution `stamp`; one with another stamp says nothing. The first two of its accesses are
// writes, the others reads.
struct alignas(32) PlainRecord {
  static constexpr int kWrites = 2;
  static constexpr int kAccesses = 4;

  bool spilled;  // see the cells
  uint32_t stamp;
  uint8_t bytes[kAccesses];  // which ones; none: there was no such access
  uint8_t thread[kAccesses];
  uint32_t epoch[kAccesses];
};
static_assert(sizeof(PlainRecord) == 32);

// Not thread-safe: for the thread that executes.
class PlainRecords {
 public:
  // Reserves the records. Call once, and before anything is in covered memory. Ends the process
  // with a message if the addresses are taken.
  void Init();

  // All records are forgotten.
  void BeginExecution() {
    if (++stamp_ == 0) [[unlikely]]
      Clear();
  }

  // The record of the granule in which `address` lies; null if it has none.
  [[gnu::always_inline]] PlainRecord* Find(uintptr_t address) const {
    if (!IsCovered(address)) return nullptr;
    return reinterpret_cast<PlainRecord*>(AddressOfRecord(address & ~uintptr_t{7}));
  }
  bool IsOf(const PlainRecord& record) const { return record.stamp == stamp_; }
  // The record, which is not, is one of the execution from now on, and empty. It is that of
  // `address`.
  void Begin(PlainRecord& record, uintptr_t address) {
    used_[PageOf(address)] = stamp_;
    record = {};
    record.stamp = stamp_;
  }
  // Calls `visit(record, begin, size)` for the part of each granule in the range that has a record
  // of the execution. Costs little where there are none. Returns whether all of the range is
  // covered.
  bool ForEachUsed(uintptr_t begin, size_t size, auto visit) const {
    for (const uintptr_t end = begin + size; begin < end;) {
      if (!IsCovered(begin)) return false;
      if (used_[PageOf(begin)] != stamp_) {
        begin = (begin | (kPageSize - 1)) + 1;
        continue;
      }
      const uintptr_t piece_end = std::min(end, (begin | 7) + 1);
      PlainRecord& record = *Find(begin);
      if (IsOf(record)) visit(record, begin, piece_end - begin);
      begin = piece_end;
    }
    return true;
  }

  // The part of the heap goes back to the system; it begins a page.
  void GiveBack(uintptr_t begin, size_t size) const;

  // Which of the granule's bytes the range of 1 to 8 bytes is about.
  static uint8_t BytesIn(uintptr_t begin, size_t size) {
    return static_cast<uint8_t>(((1U << size) - 1) << begin % 8);
  }

 private:
  static constexpr uintptr_t kPerByte = sizeof(PlainRecord) / 8;
  // From 0x2000'0000'0000 on, where nothing else lies.
  static uintptr_t AddressOfRecord(uintptr_t granule) {
    return granule * kPerByte - 0x2000'0000'0000;
  }
  // Of the heap each page has a number of its own.
  static constexpr size_t kPages = kCoveredHeap / kPageSize;
  static size_t PageOf(uintptr_t address) { return address / kPageSize % kPages; }

  void Clear();

  uint32_t* used_ = nullptr;  // by page: the last execution in which a record began there
  uint32_t stamp_ = 1;
};

// Hidden: reached without a look into a table.
[[gnu::visibility("hidden")]] extern PlainRecords plain_records;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PLAIN_RECORDS_H_
