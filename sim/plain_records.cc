#include "sim/plain_records.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "sim/reserve.h"

namespace jacquard::sim {

constinit PlainRecords plain_records;

void PlainRecords::Init() {
  constexpr const char* kWhat = "the records of plain accesses";
  ReserveAt(AddressOfRecord(kArenaBase), kCoveredHeap * kPerByte, kWhat);
  void* const of_stacks = ReserveAt(AddressOfRecord(kStackArea), kCoveredStacks * kPerByte, kWhat);
  madvise(of_stacks, kCoveredStacks * kPerByte, MADV_NOHUGEPAGE);  // as the stacks
  used_ = static_cast<uint32_t*>(
      ReserveAt(AddressOfRecord(kArenaBase + kCoveredHeap), kPages * sizeof(*used_), kWhat));
}

void PlainRecords::GiveBack(uintptr_t begin, size_t size) const {
  const uintptr_t end = std::min(begin + size, kArenaBase + kCoveredHeap);
  if (begin >= end) return;
  madvise(reinterpret_cast<void*>(AddressOfRecord(begin)), (end - begin) * kPerByte, MADV_DONTNEED);
}

// The stamps come round.
void PlainRecords::Clear() {
  stamp_ = 1;
  if (used_ == nullptr) return;
  std::fill_n(used_, kPages, 0);
  for (const auto [begin, size] :
       {std::pair(kArenaBase, kCoveredHeap), std::pair(kStackArea, kCoveredStacks)}) {
    madvise(reinterpret_cast<void*>(AddressOfRecord(begin)), size * kPerByte, MADV_DONTNEED);
  }
}

}  // namespace jacquard::sim
