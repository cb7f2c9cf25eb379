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

uintptr_t WordOf(uintptr_t address) { return address & ~uintptr_t{7}; }
uintptr_t EndOfWords(uintptr_t address) { return (address + 7) & ~uintptr_t{7}; }

// Makes `range` reach from the first of all that it is given to the last. An empty one has nothing.
template <class Range>
void Widen(uintptr_t begin, uintptr_t end, Range& range) {
  if (range.begin == range.end) range = {begin, end};
  range = {std::min(range.begin, begin), std::max(range.end, end)};
}

// Calls `visit(begin, end)` for the writable segments of one module.
template <class Visit>
void VisitData(const dl_phdr_info& info, Visit visit) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    const uintptr_t begin = info.dlpi_addr + header.p_vaddr;
    visit(WordOf(begin), EndOfWords(begin + header.p_memsz));
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
  if (near_.length != 0) return;
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
  for (const Range& range : library_data_) Widen(range.begin, range.end, libraries_);
  if (found.data.end == 0) return;
  near_.begin = found.data.begin;
  data_length_ = found.data.end - found.data.begin;
  near_.logged.assign(data_length_ / 8, 0);
  near_.length = data_length_;
}

void Rollback::CoverHeap() {
  constexpr uintptr_t kMostBytes = uintptr_t{1} << 30;
  const uintptr_t end =
      std::min(reinterpret_cast<uintptr_t>(sbrk(0)) & ~uintptr_t{7}, near_.begin + kMostBytes);
  if (near_.length == 0 || heap_length_ != 0 || end <= near_.begin + near_.length) return;
  const uintptr_t heap_begin = FirstMapped(near_.begin + near_.length, end);
  const uintptr_t heap_length = (end - heap_begin) & ~(kUnit - 1);
  new_units_.assign(heap_length / kUnit, 0);
  near_.logged.assign((end - near_.begin) / 8, 0);
  heap_begin_ = heap_begin;
  heap_length_ = heap_length;
  near_.length = end - near_.begin;
}

void Rollback::CoverLibraries(const std::vector<DataRange>& data) {
  for (const DataRange& range : data) {
    const uintptr_t begin = WordOf(reinterpret_cast<uintptr_t>(range.begin));
    const uintptr_t end = EndOfWords(reinterpret_cast<uintptr_t>(range.end));
    library_areas_.push_back({begin, end - begin, std::vector<uint8_t>((end - begin) / 8)});
    Widen(begin, end, covered_libraries_);
  }
}

const Rollback::Area* Rollback::AreaInLibrary(uintptr_t address) const {
  const auto area = std::ranges::find_if(
      library_areas_, [address](const Area& area) { return area.Contains(address); });
  return area != library_areas_.end() ? &*area : nullptr;
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
  const bool in_library =
      std::any_of(library_data_.begin(), library_data_.end(),
                  [address](const Range& range) { return range.Contains(address); });
  const bool known = std::any_of(lock_log_.begin(), lock_log_.end(),
                                 [lock](const LockEntry& entry) { return entry.lock == lock; });
  if (!in_library || known) return;
  const RealHeap real_heap;
  LockEntry& entry = lock_log_.emplace_back();
  entry.lock = const_cast<void*>(lock);
  entry.size = std::min(size, sizeof(entry.old));
  std::memcpy(entry.old, lock, entry.size);
}

[[gnu::always_inline]] inline void Rollback::LogIn(Area& area, uintptr_t address, size_t size) {
  const uintptr_t end = std::min(address + size, area.begin + area.length);
  for (uintptr_t word = WordOf(address); word < end; word += 8) {
    uint8_t& logged = area.LoggedAt(word);
    if (logged == 0xFF) continue;  // mostly: locks are written again and again
    const unsigned first = word < address ? address - word : 0;
    const unsigned last = std::min<uintptr_t>(8, end - word);
    const auto touched = static_cast<uint8_t>((0xFFu << first) & (0xFFu >> (8 - last)));
    const auto fresh = static_cast<uint8_t>(touched & ~logged);
    if (fresh == 0) continue;
    logged |= fresh;
    const RealHeap real_heap;
    auto* const pointer = reinterpret_cast<uint64_t*>(word);
    log_.push_back({pointer, *pointer, &logged, fresh});
  }
}

void Rollback::LogIfCovered(const void* address, size_t size) {
  if (Covers(address)) Log(reinterpret_cast<uintptr_t>(address), size);
}

void Rollback::Log(uintptr_t address, size_t size) {
  if (IsCoverageCounter(address)) [[unlikely]]
    return;  // of all executions
  if (near_.Contains(address)) [[likely]]
    return LogIn(near_, address, size);
  if (const Area* const area = AreaInLibrary(address); area != nullptr)
    LogIn(const_cast<Area&>(*area), address, size);
}

void Rollback::Undo() {
  for (auto entry = log_.rbegin(); entry != log_.rend(); ++entry) {
    *entry->logged = 0;
    // A page that may not be written has what it had, and must not be written here, either.
    if (*entry->word == entry->old) continue;
    auto* const bytes = reinterpret_cast<char*>(entry->word);
    for (int i = 0; i < 8; ++i) {
      if (entry->mask >> i & 1) std::memcpy(bytes + i, reinterpret_cast<char*>(&entry->old) + i, 1);
    }
  }
  log_.clear();
  for (const LockEntry& entry : lock_log_) std::memcpy(entry.lock, entry.old, entry.size);
  lock_log_.clear();
}

}  // namespace jacquard::sim
