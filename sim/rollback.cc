#include "sim/rollback.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sim/coverage_counters.h"
#include "sim/page.h"

namespace jacquard::sim {
namespace {

// Calls `visit(begin, end)` for the writable segments of one module.
template <class Visit>
void VisitData(const dl_phdr_info& info, Visit visit) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    const uintptr_t begin = info.dlpi_addr + header.p_vaddr;
    visit(begin & ~uintptr_t{7}, (begin + header.p_memsz + 7) & ~uintptr_t{7});
  }
}

// The first page in [begin, end) from which on all are there: before the heap there may be a hole.
uintptr_t FirstMapped(uintptr_t begin, uintptr_t end) {
  std::vector<unsigned char> present((end - begin) / kPageSize + 2);
  begin = (begin + kPageSize - 1) & ~(kPageSize - 1);
  while (begin < end && mincore(reinterpret_cast<void*>(begin), end - begin, present.data()) != 0)
    begin += kPageSize;
  return std::min(begin, end);
}

}  // namespace

void Rollback::Init() {
  if (length_ != 0) return;
  struct Found {
    Rollback* rollback;
    bool is_executable = true;  // the first module is
    Range data = {UINTPTR_MAX, 0};
  } found = {this};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* data) {
        auto& found = *static_cast<Found*>(data);
        VisitData(*info, [&found](uintptr_t begin, uintptr_t end) {
          if (found.is_executable) {
            found.data = {std::min(found.data.begin, begin), std::max(found.data.end, end)};
            found.rollback->executable_data_.push_back({begin, end});
          } else {
            found.rollback->library_data_.push_back({begin, end});
          }
        });
        found.is_executable = false;
        return 0;
      },
      &found);
  if (!library_data_.empty()) {
    libraries_ = library_data_.front();
    for (const Range& range : library_data_) {
      libraries_.begin = std::min(libraries_.begin, range.begin);
      libraries_.end = std::max(libraries_.end, range.end);
    }
  }
  if (found.data.end == 0) return;
  begin_ = found.data.begin;
  length_ = data_length_ = found.data.end - found.data.begin;
  logged_.assign(length_ / 8, 0);
}

void Rollback::CoverHeap() {
  constexpr uintptr_t kMostBytes = uintptr_t{1} << 30;
  const uintptr_t end =
      std::min(reinterpret_cast<uintptr_t>(sbrk(0)) & ~uintptr_t{7}, begin_ + kMostBytes);
  if (length_ == 0 || heap_length_ != 0 || end <= begin_ + length_) return;
  const uintptr_t heap_begin = FirstMapped(begin_ + length_, end);
  const uintptr_t heap_length = (end - heap_begin) & ~(kUnit - 1);
  new_units_.assign(heap_length / kUnit, 0);
  logged_.assign((end - begin_) / 8, 0);
  heap_begin_ = heap_begin;
  heap_length_ = heap_length;
  length_ = end - begin_;
}

size_t Rollback::UnitsThere() const {
  const auto end = reinterpret_cast<uintptr_t>(sbrk(0));
  return end <= heap_begin_ ? 0 : std::min(new_units_.size(), (end - heap_begin_) / kUnit);
}

void Rollback::IsNew(const void* block, size_t size) {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(block) - heap_begin_;
  const size_t first = offset / kUnit;
  const size_t end = std::min((offset + size + kUnit - 1) / kUnit, new_units_.size());
  if (first < end) std::fill_n(&new_units_[first], end - first, 1);
}

void Rollback::LogLock(const void* lock, size_t size) {
  const auto address = reinterpret_cast<uintptr_t>(lock);
  if (Covers(lock)) {
    Log(address, size);
    return;
  }
  if (!IsInLibraries(lock)) return;
  const bool in_library = std::any_of(
      library_data_.begin(), library_data_.end(),
      [address](const Range& range) { return address >= range.begin && address < range.end; });
  const bool known = std::any_of(lock_log_.begin(), lock_log_.end(),
                                 [lock](const LockEntry& entry) { return entry.lock == lock; });
  if (!in_library || known) return;
  const RealHeap real_heap;
  LockEntry& entry = lock_log_.emplace_back();
  entry.lock = const_cast<void*>(lock);
  entry.size = std::min(size, sizeof(entry.old));
  std::memcpy(entry.old, lock, entry.size);
}

void Rollback::Log(uintptr_t address, size_t size) {
  if (IsCoverageCounter(address)) [[unlikely]]
    return;  // of all executions
  const uintptr_t end = std::min(address + size, begin_ + length_);
  for (uintptr_t word = address & ~uintptr_t{7}; word < end; word += 8) {
    uint8_t& logged = logged_[(word - begin_) / 8];
    if (logged == 0xFF) continue;  // mostly: locks are written again and again
    const unsigned first = word < address ? address - word : 0;
    const unsigned last = std::min<uintptr_t>(8, end - word);
    const auto touched = static_cast<uint8_t>((0xFFu << first) & (0xFFu >> (8 - last)));
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
  for (const LockEntry& entry : lock_log_) std::memcpy(entry.lock, entry.old, entry.size);
  lock_log_.clear();
}

}  // namespace jacquard::sim
