#include "sim/real_blocks.h"

#include <malloc.h>
#include <sys/syscall.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "sim/engine.h"

namespace jacquard::sim {
namespace {

// Blocks of any size that constructors of globals allocate lie together, behind the executable,
// where the roll-back covers them.
void KeepBlocksTogether() { mallopt(M_MMAP_MAX, 0); }

[[gnu::used,
  gnu::section(".preinit_array")]] void (*const kBeforeConstructors)() = KeepBlocksTogether;

// Of a block at its own address only: a copy of its contents carries none.
constexpr uintptr_t kMarkOf = 0x9E37'79B9'7F4A'7C15;

// Before there is any, nobody looks: the dynamic linker frees memory when nothing is ready yet.
bool any_marks = false;

bool busy = false;  // of the thread that executes

template <class Function>
auto Busily(Function function) {
  if (!engine.OnExecutingThread()) return function();
  class Busy {
   public:
    Busy() { busy = true; }
    ~Busy() { busy = false; }
  } const guard;
  return function();
}

// Tells the roll-back of a block.
void* New(void* block) {
  if (engine.rollback.IsAmongCovered(block)) [[unlikely]]
    engine.rollback.IsNew(block, RealUsableSize(block));
  return block;
}

class SpinLock {
 public:
  explicit SpinLock(std::atomic<bool>& word) : word_(word) {
    while (word_.exchange(true, std::memory_order_acquire))  // pairs with the destructor's store
      RawSyscall(SYS_sched_yield);
  }
  ~SpinLock() { word_.store(false, std::memory_order_release); }
  SpinLock(const SpinLock&) = delete;
  SpinLock& operator=(const SpinLock&) = delete;

 private:
  std::atomic<bool>& word_;
};

char* PlaceOfMark(void* block) {
  return static_cast<char*>(block) + RealUsableSize(block) - sizeof(uintptr_t);
}

}  // namespace

KeptBlocks kept_blocks;
constinit EarlyBlocks early_blocks;

// Where it is, or is to be. There is always a free slot.
EarlyBlocks::Early& EarlyBlocks::Find(uintptr_t address) {
  size_t slot = address / 16 * 0x9E37'79B9 % kSlots;
  while (slots_[slot].address != 0 && slots_[slot].address != address) slot = (slot + 1) % kSlots;
  return slots_[slot];
}

void EarlyBlocks::Add(void* block, size_t size, bool of_cxx_library) {
  if (used_ == kSlots / 2) return;
  Early& early = Find(reinterpret_cast<uintptr_t>(block));
  if (early.address == 0) ++used_;
  early = {reinterpret_cast<uintptr_t>(block), size, of_cxx_library};
}

void EarlyBlocks::Remove(void* block) { Find(reinterpret_cast<uintptr_t>(block)).size = 0; }

std::vector<DataRange> EarlyBlocks::ranges(bool with_cxx_librarys) const {
  std::vector<DataRange> result;
  if (used_ == kSlots / 2) return result;
  for (const Early& early : slots_) {
    char* const begin = reinterpret_cast<char*>(early.address);
    if (early.of_cxx_library && !with_cxx_librarys) continue;
    if (early.size != 0) result.push_back({begin, begin + early.size});
  }
  std::ranges::sort(result, {}, &DataRange::begin);
  return result;
}

void* RealMalloc(size_t size) {
  return New(Busily([size] { return __libc_malloc(size); }));
}
void* RealCalloc(size_t size) {
  return New(Busily([size] { return __libc_calloc(1, size); }));
}
void* RealMemalign(size_t alignment, size_t size) {
  return New(Busily([=] { return __libc_memalign(alignment, size); }));
}
void* RealRealloc(void* block, size_t size) {
  return New(Busily([=] { return __libc_realloc(block, size); }));
}
void RealFree(void* block) {
  Busily([block] { __libc_free(block); });
}
bool RealHeapIsBusy() { return busy; }

void LetLargeBlocksBeApart() {
  constexpr int kLargestThreshold = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, 2 * kLargestThreshold);
  mallopt(M_MMAP_MAX, 65'536);
}

size_t RealUsableSize(void* block) {
  static const auto real = reinterpret_cast<size_t (*)(void*)>(FindReal("malloc_usable_size"));
  return real(block);
}

void Mark(void* block) {
  any_marks = true;
  const uintptr_t mark = reinterpret_cast<uintptr_t>(block) ^ kMarkOf;
  std::memcpy(PlaceOfMark(block), &mark, sizeof(mark));
}

bool IsMarked(void* block) {
  if (!any_marks) return false;
  uintptr_t found;
  std::memcpy(&found, PlaceOfMark(block), sizeof(found));
  return found == (reinterpret_cast<uintptr_t>(block) ^ kMarkOf);
}

bool TakeMark(void* block) {
  if (!IsMarked(block)) return false;
  std::memset(PlaceOfMark(block), 0, sizeof(uintptr_t));
  return true;
}

KeptBlocks::Kept& KeptBlocks::Find(uintptr_t address) {
  size_t place = (address >> 4) * 0x9E37'79B9'7F4A'7C15 >> 32;
  for (;; ++place) {
    Kept& kept = table_[place & (table_.size() - 1)];
    if (kept.address == address || kept.address == kNothing) return kept;
  }
}

KeptBlocks::Vector<KeptBlocks::Kept> KeptBlocks::Sorted() const {
  Vector<Kept> sorted;
  for (const Kept& kept : table_) {
    if (kept.address > kForgotten) sorted.push_back(kept);
  }
  std::ranges::sort(sorted, {}, &Kept::address);
  return sorted;
}

void KeptBlocks::MakeTable(const Vector<Kept>& blocks) {
  table_.assign(std::bit_ceil(4 * blocks.size() + 64), {});
  for (const Kept& kept : blocks) Find(kept.address) = kept;
  used_ = blocks.size();
}

bool KeptBlocks::Keep(void* block) {
  const SpinLock lock(lock_);
  any_.store(true, std::memory_order_relaxed);
  if (2 * used_ >= table_.size()) MakeTable(Sorted());
  Kept& kept = Find(reinterpret_cast<uintptr_t>(block));
  if (kept.address == kNothing) {
    kept = {.address = reinterpret_cast<uintptr_t>(block), .execution = execution_};
    ++used_;
    bytes_ += RealUsableSize(block);
    return true;
  }
  if (kept.execution == execution_) return false;
  kept.execution = execution_;
  kept.comes_back = true;
  return true;
}

void KeptBlocks::ForgetOne(void* block) {
  const SpinLock lock(lock_);
  if (table_.empty()) return;
  Kept& kept = Find(reinterpret_cast<uintptr_t>(block));
  if (kept.address == kNothing) return;
  kept.address = kForgotten;
  bytes_ -= RealUsableSize(block);
}

void KeptBlocks::Sweep() {
  if (!any_.load(std::memory_order_relaxed)) return;
  const SpinLock lock(lock_);
  if (used_ < count_limit_ && bytes_ < bytes_limit_) return;
  sorted_ = Sorted();
  for (Kept& kept : sorted_) {
    kept.reachable = kept.comes_back || execution_ - kept.execution < kLong;
    if (kept.reachable) to_scan_.push_back(kept.address);
  }
  engine.rollback.VisitExecutable([this](uintptr_t begin, uintptr_t end) { Scan(begin, end); });
  while (!to_scan_.empty()) {
    const uintptr_t block = to_scan_.back();
    to_scan_.pop_back();
    Scan(block, block + RealUsableSize(reinterpret_cast<void*>(block)));
  }
  std::erase_if(sorted_, [this](const Kept& kept) {
    if (kept.reachable) return false;
    auto* const block = reinterpret_cast<void*>(kept.address);
    bytes_ -= RealUsableSize(block);
    RealFree(block);
    return true;
  });
  MakeTable(sorted_);
  any_.store(!sorted_.empty(), std::memory_order_relaxed);
  count_limit_ = kFirstCount + 2 * sorted_.size();
  bytes_limit_ = kFirstBytes + 2 * bytes_;
  sorted_ = {};
}

void KeptBlocks::Scan(uintptr_t begin, uintptr_t end) {
  if (sorted_.empty()) return;
  const uintptr_t first = sorted_.front().address;
  for (; begin + sizeof(uintptr_t) <= end; begin += sizeof(uintptr_t)) {
    uintptr_t value;
    std::memcpy(&value, reinterpret_cast<const void*>(begin), sizeof(value));
    if (value < first || value >> 48 != 0) continue;
    // It may point into the block, or to its end.
    Kept& kept = *std::prev(std::ranges::upper_bound(sorted_, value, {}, &Kept::address));
    const size_t size = RealUsableSize(reinterpret_cast<void*>(kept.address));
    if (kept.reachable || value - kept.address > size) continue;
    kept.reachable = true;
    to_scan_.push_back(kept.address);
  }
}

}  // namespace jacquard::sim
