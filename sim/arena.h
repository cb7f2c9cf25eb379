// The heap of an execution: fixed ranges of addresses, handed out upwards and taken back all at
// once.
//
// The same program gets the same addresses in every execution, and an execution that is given up
// leaks nothing. A freed block stays in quarantine: its bytes are given out again only after a
// stated amount has been freed since.
//
// Which bytes may be accessed is written down in a shadow, one byte for 8: how many of the 8, from
// the first one on, belong to a live block. There is a gap of at least 8 bytes before and behind
// each block, so an access beside one is told from an access to the next. The shadow covers the
// first 16 MiB, the near region; an execution that needs more gets the rest from the far region,
// where blocks are looked up, so that a huge block costs nothing.
#ifndef JACQUARD_SIM_ARENA_H_
#define JACQUARD_SIM_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace jacquard::sim {

inline constexpr uintptr_t kArenaBase = 0x1200'0000'0000;
inline constexpr size_t kArenaSize = size_t{1} << 32;
inline constexpr size_t kNearSize = 16 << 20;
inline constexpr uintptr_t kShadowBase = kArenaBase / 8;  // so that the shadow of a is at a / 8
// What stands above the offset in addresses of the near region.
inline constexpr uintptr_t kNearTag = kArenaBase / kNearSize;

// Whether allocations made now come from the arena. Only read on the thread that executes.
extern bool arena_on;

// While one of these lives, allocations come from the real heap: around the runtime's own
// allocations in an execution.
class RealHeap {
 public:
  RealHeap() : was_on_(arena_on) { arena_on = false; }
  ~RealHeap() { arena_on = was_on_; }
  RealHeap(const RealHeap&) = delete;
  RealHeap& operator=(const RealHeap&) = delete;

 private:
  const bool was_on_;
};

// The functions that a block comes from; those that give it back must belong to them.
enum class Allocator : uint8_t { kMalloc, kNew, kNewArray };

// Who asks for a block, or gives it back.
struct HeapCaller {
  int16_t thread = -1;
  int16_t operation = -1;
};

// What is known of a block, live or freed.
struct Block {
  enum class State : uint8_t { kLive, kFreed, kReusable };
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t unit = 0;      // where it begins, in units of 16 bytes from kArenaBase
  uint32_t size = 0;      // what was asked for
  uint32_t next = kNone;  // in the quarantine or a list of reusable blocks
  State state = State::kLive;
  Allocator allocator = Allocator::kMalloc;
  bool aligned = false;  // by a form of operator new that takes an alignment
  bool marked = false;   // for whoever walks over the blocks
  HeapCaller allocated_by;
  HeapCaller freed_by;

  uintptr_t begin() const { return kArenaBase + uintptr_t{unit} * 16; }
  uintptr_t end() const { return begin() + size; }
};

// One of the two parts of the arena. Blocks are kept in the order of their addresses.
class HeapRegion {
 public:
  // `table` has room for `most` blocks.
  void Init(uintptr_t begin, uintptr_t end, Block* table, uint32_t most);

  // Null when the region is used up.
  Block* Allocate(size_t size, size_t alignment);
  void Free(Block& block, size_t quarantine);
  // Nothing stays in quarantine any longer. False if nothing did.
  bool EndQuarantine();

  // The last block that begins at or before `address`; null if there is none.
  Block* Before(uintptr_t address);
  uint32_t block_count() const { return count_; }
  Block& block(uint32_t i) { return table_[i]; }

  uintptr_t used_end() const { return next_; }
  bool any_reusable() const { return any_reusable_; }
  void Reset();

 private:
  static constexpr uint32_t kBins = 64;
  static uint32_t BinOf(size_t size);
  Block* Reuse(size_t size, size_t alignment);
  // The block that is longest in quarantine can be given out again.
  void ReleaseOldest();

  uintptr_t begin_ = 0;
  uintptr_t end_ = 0;
  uintptr_t next_ = 0;
  Block* table_ = nullptr;
  uint32_t most_ = 0;
  uint32_t count_ = 0;
  // The quarantine: a queue.
  uint32_t oldest_ = Block::kNone;
  uint32_t newest_ = Block::kNone;
  size_t quarantined_ = 0;  // bytes in it
  bool any_reusable_ = false;
  uint32_t bins_[kBins] = {};
};

class Arena {
 public:
  // Reserves the ranges. Call once. Ends the process with a message if the addresses are taken.
  void Init();

  // So many freed bytes stay in quarantine.
  void SetQuarantine(size_t bytes) { quarantine_ = bytes; }

  // A block of `size` bytes at a multiple of `alignment` (a power of two); null when there is no
  // room, not even without a quarantine. Uninitialised memory is the same every time: the first
  // FilledSize() bytes hold a pattern, and the rest zeros, which cost nothing. Whoever calls sets
  // the other fields of BlockAt().
  void* Allocate(size_t size, size_t alignment);
  static size_t FilledSize(const void* block, size_t size);

  // The block that begins at `address`, live or freed; null if none does.
  Block* BlockAt(const void* address);
  // The block that `address` lies in or is next to; null if there is none at all. Never one that is
  // behind the address, unless it is nearer than 16 bytes.
  Block* BlockNear(const void* address);

  // The live block that `address` points into, or to the end of; null if there is none.
  Block* LiveBlockAround(uintptr_t address);

  // Ends the block's life. It must be live.
  void Free(Block& block);

  // Whether all of the bytes belong to one live block. Costs a search.
  bool Accessible(const void* address, size_t size);

  // Whether blocks may come to lie where others were.
  bool GivesOutAgain() const { return near_.any_reusable() || far_.any_reusable(); }

  bool Contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - kArenaBase < kArenaSize;
  }

  uint32_t live_blocks() const { return live_blocks_; }
  // Where the near region's next block will begin, or later.
  uintptr_t near_end() const { return near_.used_end(); }
  // Calls `visit(block)` for each live block, in the order of addresses.
  template <class Visit>
  void ForEachLive(Visit visit) {
    for (HeapRegion* const region : {&near_, &far_}) {
      for (uint32_t i = 0; i < region->block_count(); ++i) {
        if (region->block(i).state == Block::State::kLive) visit(region->block(i));
      }
    }
  }

  // Forgets all blocks. Costs what the execution has used.
  void Reset();

 private:
  HeapRegion& RegionOf(uintptr_t address) {
    return address - kArenaBase < kNearSize ? near_ : far_;
  }

  HeapRegion near_;
  HeapRegion far_;
  size_t quarantine_ = 0;
  uint32_t live_blocks_ = 0;
};

// Of an address in the near region.
inline uint8_t* ShadowOf(uintptr_t address) { return reinterpret_cast<uint8_t*>(address / 8); }

// Whether the `size` bytes at `address`, in the near region, all belong to one block. False may
// also mean "too many to tell at once".
inline bool ShadowPermits(uintptr_t address, size_t size) {
  const size_t behind = address % 8 + size;  // from the beginning of the first group
  if (behind <= 8) return behind <= *ShadowOf(address);
  if (behind > 64) return false;
  uint64_t groups;  // 8 of them, the first one lowest
  std::memcpy(&groups, ShadowOf(address), sizeof(groups));
  const size_t whole = (behind - 1) / 8;  // groups before the last one, 1 to 7
  const bool all_whole = (groups ^ 0x0808'0808'0808'0808) << (64 - 8 * whole) == 0;
  return all_whole && behind - 8 * whole <= (groups >> 8 * whole & 0xFF);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ARENA_H_
