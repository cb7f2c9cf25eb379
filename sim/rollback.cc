#include "sim/rollback.h"

#include <link.h>

#include <algorithm>
#include <cstring>

#include "sim/arena.h"

namespace jacquard::sim {
namespace {

struct Range {
  uintptr_t begin = UINTPTR_MAX;
  uintptr_t end = 0;
};

int FindData(dl_phdr_info* info, size_t /*size*/, void* data) {
  auto& range = *static_cast<Range*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    range.begin = std::min(range.begin, begin & ~uintptr_t{7});
    range.end = std::max(range.end, (begin + header.p_memsz + 7) & ~uintptr_t{7});
  }
  return 1;  // the first module is the executable
}

}  // namespace

void Rollback::Init() {
  Range range;
  dl_iterate_phdr(FindData, &range);
  if (range.end == 0) return;
  begin_ = range.begin;
  length_ = range.end - range.begin;
  logged_.assign(length_ / 8, 0);
}

void Rollback::Log(uintptr_t address, size_t size) {
  const uintptr_t end = std::min(address + size, begin_ + length_);
  for (uintptr_t word = address & ~uintptr_t{7}; word < end; word += 8) {
    const unsigned first = word < address ? address - word : 0;
    const unsigned last = std::min<uintptr_t>(8, end - word);
    const auto touched = static_cast<uint8_t>((0xFFu << first) & (0xFFu >> (8 - last)));
    uint8_t& logged = logged_[(word - begin_) / 8];
    const auto fresh = static_cast<uint8_t>(touched & ~logged);
    if (fresh == 0) continue;
    logged |= fresh;
    const RealHeap real_heap;
    auto* const pointer = reinterpret_cast<uint64_t*>(word);
    log_.push_back({pointer, *pointer, fresh});
  }
}

void Rollback::Undo() {
  for (auto entry = log_.rbegin(); entry != log_.rend(); ++entry) {
    auto* const bytes = reinterpret_cast<char*>(entry->word);
    for (int i = 0; i < 8; ++i) {
      if (entry->mask >> i & 1) std::memcpy(bytes + i, reinterpret_cast<char*>(&entry->old) + i, 1);
    }
    logged_[(reinterpret_cast<uintptr_t>(entry->word) - begin_) / 8] = 0;
  }
  log_.clear();
}

}  // namespace jacquard::sim
