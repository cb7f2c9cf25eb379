#include "sim/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "sim/page.h"
#include "sim/plain_records.h"
#include "sim/repeated_accesses.h"
#include "sim/reserve.h"

namespace jacquard::sim {

bool arena_on = false;

namespace {

constexpr int kPattern = 0xCD;
constexpr size_t kUnit = 16;
// Before each block lie the number of its record, in the last 8 bytes, and as many that hold
// nothing. It only makes a search unnecessary: what code without hooks may write there does no
// harm.
constexpr size_t kGap = 16;

constexpr uintptr_t kTableBase = kArenaBase + (uintptr_t{1} << 36);
constexpr uint32_t kMostNear = kNearSize / (kUnit + kGap);
constexpr uint32_t kMostFar = 1 << 22;
// More memory than this is given back to the system at the end of an execution.
constexpr uint32_t kKeptRecords = 1 << 16;

void* Reserve(uintptr_t address, size_t size) {
  return ReserveAt(address, size, "the heap of an execution");
}

uint64_t& RecordNumber(const Block& block) {
  return *reinterpret_cast<uint64_t*>(block.begin() - sizeof(uint64_t));
}

size_t RoundedUp(size_t size) { return (size + kUnit - 1) & ~(kUnit - 1); }

bool IsNear(uintptr_t address) { return address - kArenaBase < kNearSize; }

void MakeAccessible(const Block& block) {
  if (!IsNear(block.begin())) return;
  uint8_t* const shadow = ShadowOf(block.begin());
  std::memset(shadow, 8, block.size / 8);
  if (block.size % 8 != 0) shadow[block.size / 8] = block.size % 8;
}

void MakeInaccessible(const Block& block) {
  if (IsNear(block.begin())) std::memset(ShadowOf(block.begin()), 0, (block.size + 7) / 8);
}

// Gives a block of the far region back its zeros.
void Zero(uintptr_t begin, size_t size) {
  const uintptr_t first_page = (begin + kPageSize - 1) & ~(kPageSize - 1);
  const uintptr_t last_page = (begin + size) & ~(kPageSize - 1);
  if (first_page >= last_page) {
    std::memset(reinterpret_cast<void*>(begin), 0, size);
    return;
  }
  std::memset(reinterpret_cast<void*>(begin), 0, first_page - begin);
  madvise(reinterpret_cast<void*>(first_page), last_page - first_page, MADV_DONTNEED);
  std::memset(reinterpret_cast<void*>(last_page), 0, begin + size - last_page);
}

}  // namespace

// ---- regions

void HeapRegion::Init(uintptr_t begin, uintptr_t end, Block* table, uint32_t most) {
  begin_ = next_ = begin;
  end_ = end;
  table_ = table;
  most_ = most;
  std::fill_n(bins_, kBins, Block::kNone);
}

uint32_t HeapRegion::BinOf(size_t size) { return RoundedUp(size) / kUnit % kBins; }

Block* HeapRegion::Reuse(size_t size, size_t alignment) {
  constexpr int kMostTries = 16;
  uint32_t* link = &bins_[BinOf(size)];
  for (int i = 0; i < kMostTries && *link != Block::kNone; ++i) {
    Block& block = table_[*link];
    if (RoundedUp(block.size) == RoundedUp(size) && block.begin() % alignment == 0) {
      *link = block.next;
      return &block;
    }
    link = &block.next;
  }
  return nullptr;
}

Block* HeapRegion::Allocate(size_t size, size_t alignment) {
  if (any_reusable_) {
    if (Block* const block = Reuse(size, alignment)) {
      block->size = static_cast<uint32_t>(size);
      return block;
    }
  }
  const uintptr_t begin = (next_ + kGap + alignment - 1) & ~(alignment - 1);
  // The last block has a gap behind it, too. No sum overflows: `begin` is tested first.
  if (begin < next_ || begin >= end_ || size > end_ - begin || end_ - begin - size < kGap ||
      count_ == most_) {
    return nullptr;
  }
  next_ = begin + size;
  Block& block = table_[count_++];
  block.unit = static_cast<uint32_t>((begin - kArenaBase) / kUnit);
  block.size = static_cast<uint32_t>(size);
  return &block;
}

void HeapRegion::Free(Block& block, size_t quarantine) {
  const auto number = static_cast<uint32_t>(&block - table_);
  block.next = Block::kNone;
  (oldest_ == Block::kNone ? oldest_ : table_[newest_].next) = number;
  newest_ = number;
  quarantined_ += RoundedUp(block.size);
  while (quarantined_ > quarantine && oldest_ != Block::kNone) ReleaseOldest();
}

bool HeapRegion::EndQuarantine() {
  if (oldest_ == Block::kNone) return false;
  while (oldest_ != Block::kNone) ReleaseOldest();
  return true;
}

void HeapRegion::ReleaseOldest() {
  Block& released = table_[oldest_];
  const uint32_t number = oldest_;
  oldest_ = released.next;
  quarantined_ -= RoundedUp(released.size);
  released.state = Block::State::kReusable;
  uint32_t& bin = bins_[BinOf(released.size)];
  released.next = bin;
  bin = number;
  any_reusable_ = true;
  if (!IsNear(released.begin())) Zero(released.begin(), released.size);
}

Block* HeapRegion::Before(uintptr_t address) {
  const auto behind = [](uintptr_t a, const Block& block) { return a < block.begin(); };
  Block* const found = std::upper_bound(table_, table_ + count_, address, behind);
  return found == table_ ? nullptr : found - 1;
}

void HeapRegion::Reset() {
  if (any_reusable_) std::fill_n(bins_, kBins, Block::kNone);
  any_reusable_ = false;
  oldest_ = newest_ = Block::kNone;
  quarantined_ = 0;
  if (count_ > kKeptRecords) madvise(table_, count_ * sizeof(Block), MADV_DONTNEED);
  count_ = 0;
  next_ = begin_;
}

// ---- the arena

void Arena::Init() {
  Reserve(kArenaBase, kArenaSize);
  Reserve(kShadowBase, kNearSize / 8 + 8);  // 8 bytes of it are read at a time
  auto* const table =
      static_cast<Block*>(Reserve(kTableBase, (kMostNear + kMostFar) * sizeof(Block)));
  near_.Init(kArenaBase, kArenaBase + kNearSize, table, kMostNear);
  far_.Init(kArenaBase + kNearSize, kArenaBase + kArenaSize, table + kMostNear, kMostFar);
}

void* Arena::Allocate(size_t size, size_t alignment) {
  if (size >= kArenaSize || alignment >= kArenaSize) return nullptr;
  alignment = std::bit_ceil(std::max(alignment, kUnit));
  Block* block = near_.Allocate(size, alignment);
  if (block == nullptr) block = far_.Allocate(size, alignment);
  // Many small blocks use a region up long before so many bytes have been freed.
  if (block == nullptr && near_.EndQuarantine()) block = near_.Allocate(size, alignment);
  if (block == nullptr && far_.EndQuarantine()) block = far_.Allocate(size, alignment);
  if (block == nullptr) return nullptr;
  block->state = Block::State::kLive;
  ++live_blocks_;
  RecordNumber(*block) = static_cast<uint64_t>(block - &RegionOf(block->begin()).block(0));
  MakeAccessible(*block);
  void* const result = reinterpret_cast<void*>(block->begin());
  std::memset(result, kPattern, FilledSize(result, size));
  return result;
}

// The far region is given back to the system after each execution, and so begins with zeros.
size_t Arena::FilledSize(const void* block, size_t size) {
  return IsNear(reinterpret_cast<uintptr_t>(block)) ? size : 0;
}

Block* Arena::BlockAt(const void* address) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  if (!Contains(address) || begin % kUnit != 0 || begin < kArenaBase + kGap) return nullptr;
  HeapRegion& region = RegionOf(begin);
  if (begin >= region.used_end() + kUnit) return nullptr;
  const uint64_t number = *reinterpret_cast<const uint64_t*>(begin - sizeof(uint64_t));
  if (number < region.block_count() && region.block(number).begin() == begin)
    return &region.block(number);
  Block* const block = region.Before(begin);
  return block != nullptr && block->begin() == begin ? block : nullptr;
}

Block* Arena::BlockNear(const void* address) {
  if (!Contains(address)) return nullptr;
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  HeapRegion& region = RegionOf(wanted);
  Block* const before = region.Before(wanted);
  Block* const behind = region.Before(wanted + kGap);
  if (behind == before) return before;
  if (before == nullptr) return behind;
  const uintptr_t distance = wanted < before->end() ? 0 : wanted - before->end() + 1;
  return distance <= behind->begin() - wanted ? before : behind;
}

Block* Arena::LiveBlockAround(uintptr_t address) {
  Block* const block = RegionOf(address).Before(address);
  const bool around =
      block != nullptr && block->state == Block::State::kLive && address <= block->end();
  return around ? block : nullptr;
}

void Arena::Free(Block& block) {
  MakeInaccessible(block);
  repeated_accesses.Forget(reinterpret_cast<const void*>(block.begin()), block.size);
  block.state = Block::State::kFreed;
  --live_blocks_;
  RegionOf(block.begin()).Free(block, quarantine_);
}

bool Arena::Accessible(const void* address, size_t size) {
  if (!Contains(address)) return false;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  const Block* const block = RegionOf(begin).Before(begin);
  return block != nullptr && block->state == Block::State::kLive &&
         begin - block->begin() <= block->size && size <= block->end() - begin;
}

void Arena::Reset() {
  // Not with nothing to do: where the page is not there, that is slow.
  if (const size_t used = near_.used_end() - kArenaBase; used != 0)
    std::memset(ShadowOf(kArenaBase), 0, (used + 7) / 8);
  const uintptr_t far_begin = kArenaBase + kNearSize;
  if (const size_t used = far_.used_end() - far_begin; used != 0) {
    madvise(reinterpret_cast<void*>(far_begin), used, MADV_DONTNEED);
    repeated_accesses.GiveBack(far_begin, used);
    plain_records.GiveBack(far_begin, used);
  }
  near_.Reset();
  far_.Reset();
  live_blocks_ = 0;
}

}  // namespace jacquard::sim
