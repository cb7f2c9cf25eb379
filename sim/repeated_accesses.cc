#include "sim/repeated_accesses.h"

#include <sys/mman.h>

#include <algorithm>

#include "sim/page.h"
#include "sim/reserve.h"

namespace jacquard::sim {

constinit RepeatedAccesses repeated_accesses;

void RepeatedAccesses::Init() {
  constexpr const char* kWhat = "what is known of accesses to the heap and the stacks";
  // An access that begins at the end of what is covered may reach into the next word.
  ReserveAt(kArenaBase + kDistance, kCoveredHeap + kPageSize, kWhat);
  void* const of_stacks = ReserveAt(kStackArea + kDistance, kCoveredStacks, kWhat);
  madvise(of_stacks, kCoveredStacks, MADV_NOHUGEPAGE);  // as the stacks
}

void RepeatedAccesses::GiveBack(uintptr_t begin, size_t size) {
  const uintptr_t end = std::min(begin + size, kArenaBase + kCoveredHeap);
  if (begin < end) madvise(WordOf(begin), end - begin, MADV_DONTNEED);
}

void RepeatedAccesses::Keep(uintptr_t address, size_t size, bool writes) {
  if (!IsCovered(address, size)) return;
  while (size > 0) {
    const size_t here = std::min(size, 8 - address % 8);
    const uint64_t bytes = BytesIn(address, here);
    uint64_t& word = *WordOf(address);
    if ((word ^ stretch_) >= kOneStretch) word = stretch_;
    word |= writes ? bytes << kWritten | bytes : bytes;  // a write is as good as a read
    address += here;
    size -= here;
  }
}

size_t RepeatedAccesses::CountWhile(const void* address, size_t size, bool known,
                                    bool writes) const {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  if (size == 0 || !KnowsAny() || !IsCovered(begin, size)) return known ? 0 : size;
  uintptr_t at = begin;
  for (const uintptr_t end = begin + size; at < end;) {
    const size_t here = std::min<size_t>(end - at, 8 - at % 8);
    const uint64_t bytes = BytesIn(at, here);
    const uint64_t word = *WordOf(at);
    if ((writes ? Shows<true>(word, bytes) : Shows<false>(word, bytes)) != known) break;
    at += here;
  }
  return at - begin;
}

}  // namespace jacquard::sim
