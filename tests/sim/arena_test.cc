#include "sim/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace jacquard::sim {
namespace {

Arena& TheArena() {
  static Arena arena;
  static const bool initialised = (arena.Init(), true);
  static_cast<void>(initialised);
  arena.Reset();
  arena.SetQuarantine(64 << 20);
  return arena;
}

bool FreeAt(Arena& arena, void* address) {
  Block* const block = arena.BlockAt(address);
  if (block == nullptr || block->state != Block::State::kLive) return false;
  arena.Free(*block);
  return true;
}

// What the shadow says of each byte from 16 before the block to 16 behind it.
std::vector<bool> Shadow(const Block& block) {
  std::vector<bool> accessible;
  for (uintptr_t at = block.begin() - 16; at < block.end() + 16; ++at)
    accessible.push_back(at % 8 < *ShadowOf(at));
  return accessible;
}

TEST(Arena, GivesTheSameAddressesAfterAReset) {
  Arena& arena = TheArena();
  auto allocate = [&] {
    std::vector<void*> blocks;
    for (size_t i = 0; i < 100; ++i) blocks.push_back(arena.Allocate(i * i, size_t{16} << i % 5));
    return blocks;
  };
  const std::vector<void*> first = allocate();
  arena.Reset();
  EXPECT_EQ(allocate(), first);
}

TEST(Arena, BlocksDoNotOverlapAndAreAligned) {
  Arena& arena = TheArena();
  uintptr_t end = kArenaBase;
  for (size_t i = 0; i < 1000; ++i) {
    const size_t size = i * 7 % 300;
    const size_t alignment = size_t{1} << i % 13;
    void* const address = arena.Allocate(size, alignment);
    const auto block = reinterpret_cast<uintptr_t>(address);
    EXPECT_EQ(block % std::max<size_t>(alignment, 16), 0u);
    EXPECT_GE(block, end + 8) << "a gap";
    EXPECT_TRUE(arena.Contains(address));
    ASSERT_NE(arena.BlockAt(address), nullptr);
    EXPECT_EQ(arena.BlockAt(address)->size, size);
    end = block + size;
  }
  EXPECT_EQ(arena.live_blocks(), 1000u);
}

TEST(Arena, KnowsItsOwn) {
  Arena& arena = TheArena();
  int local;
  EXPECT_FALSE(arena.Contains(&local));
  EXPECT_FALSE(arena.Contains(nullptr));
  EXPECT_FALSE(arena.Contains(reinterpret_cast<void*>(kArenaBase - 1)));
  EXPECT_TRUE(arena.Contains(reinterpret_cast<void*>(kArenaBase)));
  EXPECT_TRUE(arena.Contains(reinterpret_cast<void*>(kArenaBase + kArenaSize - 1)));
  EXPECT_FALSE(arena.Contains(reinterpret_cast<void*>(kArenaBase + kArenaSize)));
  EXPECT_EQ(arena.BlockAt(&local), nullptr);
  EXPECT_EQ(arena.BlockAt(reinterpret_cast<void*>(kArenaBase)), nullptr);
  EXPECT_EQ(arena.BlockAt(reinterpret_cast<void*>(kArenaBase + kArenaSize - 16)), nullptr);
}

TEST(Arena, FreesOnceAndOnlyWhatItGave) {
  Arena& arena = TheArena();
  auto* const block = static_cast<char*>(arena.Allocate(100, 16));
  EXPECT_FALSE(FreeAt(arena, block + 16));
  EXPECT_FALSE(FreeAt(arena, reinterpret_cast<void*>(kArenaBase)));
  EXPECT_TRUE(FreeAt(arena, block));
  EXPECT_FALSE(FreeAt(arena, block));
  EXPECT_EQ(arena.live_blocks(), 0u);
  EXPECT_GT(static_cast<char*>(arena.Allocate(100, 16)), block) << "in quarantine";
}

TEST(Arena, FindsABlockWhoseGapWasOverwritten) {
  Arena& arena = TheArena();
  for (int i = 0; i < 10; ++i) arena.Allocate(40, 16);
  auto* const block = static_cast<char*>(arena.Allocate(40, 16));
  std::memset(block - 8, 0, 8);  // the number of another one
  ASSERT_NE(arena.BlockAt(block), nullptr);
  EXPECT_EQ(arena.BlockAt(block)->begin(), reinterpret_cast<uintptr_t>(block));
  std::memset(block - 8, 0xFF, 8);
  ASSERT_NE(arena.BlockAt(block), nullptr);
  EXPECT_EQ(arena.BlockAt(block)->begin(), reinterpret_cast<uintptr_t>(block));
}

TEST(Arena, RefusesWhatDoesNotFit) {
  Arena& arena = TheArena();
  EXPECT_EQ(arena.Allocate(kArenaSize, 16), nullptr);
  EXPECT_EQ(arena.Allocate(SIZE_MAX, 16), nullptr);
  EXPECT_EQ(arena.Allocate(1, size_t{1} << 63), nullptr);
  EXPECT_EQ(arena.Allocate(1, (size_t{1} << 63) + 1), nullptr);
  EXPECT_EQ(arena.Allocate(1, size_t{1} << 46), nullptr);
  void* const before = arena.Allocate(1, 16);
  EXPECT_NE(before, nullptr);
  EXPECT_NE(arena.Allocate(kArenaSize - kNearSize - 1'000'000, 16), nullptr);
  EXPECT_NE(arena.Allocate(kNearSize - 1'000'000, 16), nullptr);
  EXPECT_EQ(arena.Allocate(1'000'000, 16), nullptr);
  EXPECT_NE(arena.Allocate(100, 16), nullptr);
}

// They use the arena up long before so many bytes have been freed that any come back: then all that
// are in quarantine do.
TEST(Arena, SmallBlocksComeBackBeforeThereIsNoRoom) {
  Arena& arena = TheArena();
  void* const kept = arena.Allocate(4, 16);
  for (int i = 0; i < 6'000'000; ++i) {
    void* const block = arena.Allocate(4, 16);
    ASSERT_NE(block, nullptr) << i;
    ASSERT_NE(block, kept) << i;
    arena.Free(*arena.BlockAt(block));
  }
  EXPECT_EQ(arena.live_blocks(), 1u);
}

TEST(Arena, ContentsAreTheSameInEachExecution) {
  Arena& arena = TheArena();
  for (const size_t size : {size_t{10 << 20}, size_t{40 << 20}}) {
    arena.Reset();
    auto* block = static_cast<unsigned char*>(arena.Allocate(size, 16));
    const std::vector<unsigned char> first(block, block + size);
    std::memset(block, 1, size);
    arena.Reset();
    block = static_cast<unsigned char*>(arena.Allocate(size, 16));
    EXPECT_TRUE(std::equal(first.begin(), first.end(), block));
    const size_t filled = Arena::FilledSize(block, size);
    EXPECT_TRUE(std::all_of(block, block + filled, [](unsigned char c) { return c == 0xCD; }));
    EXPECT_TRUE(std::all_of(block + filled, block + size, [](unsigned char c) { return c == 0; }));
  }
}

TEST(Arena, ShadowTellsTheBytesOfLiveBlocks) {
  Arena& arena = TheArena();
  for (size_t size = 0; size < 70; ++size) {
    void* const address = arena.Allocate(size, 16);
    Block& block = *arena.BlockAt(address);
    std::vector<bool> expected(size + 32, false);
    std::fill_n(expected.begin() + 16, size, true);
    EXPECT_EQ(Shadow(block), expected) << size;
    for (size_t at = 0; at <= size; ++at) {
      EXPECT_TRUE(arena.Accessible(static_cast<char*>(address) + at, size - at));
      EXPECT_FALSE(arena.Accessible(static_cast<char*>(address) + at, size - at + 1));
    }
    EXPECT_FALSE(arena.Accessible(static_cast<char*>(address) - 1, 1));
    if (size % 2 == 0) continue;
    arena.Free(block);
    EXPECT_EQ(Shadow(block), std::vector<bool>(size + 32, false)) << size;
    EXPECT_FALSE(arena.Accessible(address, 1));
  }
  const size_t used = 70 * 120;
  arena.Reset();
  EXPECT_TRUE(std::all_of(ShadowOf(kArenaBase), ShadowOf(kArenaBase + used),
                          [](uint8_t count) { return count == 0; }));
}

TEST(Arena, FarBlocksNeedNoShadow) {
  Arena& arena = TheArena();
  auto* const first = static_cast<char*>(arena.Allocate(kNearSize, 16));
  auto* const second = static_cast<char*>(arena.Allocate(100 << 20, 4096));
  EXPECT_TRUE(arena.Accessible(first, kNearSize));
  EXPECT_FALSE(arena.Accessible(first, kNearSize + 1));
  EXPECT_TRUE(arena.Accessible(second + (50 << 20), 8));
  EXPECT_FALSE(arena.Accessible(second - 1, 1));
  EXPECT_EQ(arena.BlockNear(second - 3), arena.BlockAt(second));
  EXPECT_EQ(arena.BlockNear(first + kNearSize + 3), arena.BlockAt(first));
  EXPECT_TRUE(FreeAt(arena, first));
  EXPECT_FALSE(arena.Accessible(first, 1));
}

TEST(Arena, FindsTheNearerBlock) {
  Arena& arena = TheArena();
  auto* const a = static_cast<char*>(arena.Allocate(24, 16));
  auto* const b = static_cast<char*>(arena.Allocate(24, 16));
  ASSERT_EQ(b - a, 48);
  EXPECT_EQ(arena.BlockNear(a + 10), arena.BlockAt(a));
  EXPECT_EQ(arena.BlockNear(a + 24), arena.BlockAt(a));
  EXPECT_EQ(arena.BlockNear(a + 31), arena.BlockAt(a));
  EXPECT_EQ(arena.BlockNear(b - 8), arena.BlockAt(b));
  EXPECT_EQ(arena.BlockNear(b - 1), arena.BlockAt(b));
  EXPECT_EQ(arena.BlockNear(a - 1), arena.BlockAt(a)) << "the first one";
  EXPECT_EQ(arena.BlockNear(b + 1000), arena.BlockAt(b)) << "the last one";
}

TEST(Arena, QuarantineGivesBytesBackAfterTheStatedAmount) {
  Arena& arena = TheArena();
  arena.SetQuarantine(10 * 48);
  void* const first = arena.Allocate(48, 16);
  EXPECT_TRUE(FreeAt(arena, first));
  for (int i = 0; i < 9; ++i) {
    void* const block = arena.Allocate(48, 16);
    EXPECT_NE(block, first) << i;
    EXPECT_TRUE(FreeAt(arena, block));
  }
  EXPECT_NE(arena.Allocate(48, 16), first);
  EXPECT_TRUE(FreeAt(arena, arena.Allocate(48, 16)));
  EXPECT_EQ(arena.BlockAt(first)->state, Block::State::kReusable);
  EXPECT_NE(arena.Allocate(100, 16), first) << "of another size";
  auto* const again = static_cast<unsigned char*>(arena.Allocate(40, 16));
  EXPECT_EQ(again, first);
  EXPECT_EQ(arena.BlockAt(again)->size, 40u);
  EXPECT_TRUE(std::all_of(again, again + 40, [](unsigned char c) { return c == 0xCD; }));
  EXPECT_TRUE(arena.Accessible(again, 40));
  EXPECT_FALSE(arena.Accessible(again, 41));
}

TEST(Arena, WithoutQuarantineAddressesComeBackAtOnce) {
  Arena& arena = TheArena();
  arena.SetQuarantine(0);
  void* const a = arena.Allocate(64, 64);
  void* const b = arena.Allocate(64, 16);
  EXPECT_TRUE(FreeAt(arena, b));
  EXPECT_TRUE(FreeAt(arena, a));
  EXPECT_EQ(arena.Allocate(64, 64), a);
  EXPECT_EQ(arena.Allocate(64, 16), b);
  void* const far = arena.Allocate(40 << 20, 16);
  std::memset(far, 1, 40 << 20);
  EXPECT_TRUE(FreeAt(arena, far));
  auto* const again = static_cast<unsigned char*>(arena.Allocate(40 << 20, 16));
  EXPECT_EQ(again, far);
  EXPECT_TRUE(std::all_of(again, again + (40 << 20), [](unsigned char c) { return c == 0; }));
}

TEST(Arena, FindsWhatAPointerPointsInto) {
  Arena& arena = TheArena();
  void* const address = arena.Allocate(24, 16);
  const auto begin = reinterpret_cast<uintptr_t>(address);
  Block* const block = arena.BlockAt(address);
  EXPECT_EQ(arena.LiveBlockAround(begin), block);
  EXPECT_EQ(arena.LiveBlockAround(begin + 24), block) << "the end";
  EXPECT_EQ(arena.LiveBlockAround(begin + 25), nullptr);
  EXPECT_EQ(arena.LiveBlockAround(begin - 1), nullptr);
  arena.Free(*block);
  EXPECT_EQ(arena.LiveBlockAround(begin), nullptr);
}

}  // namespace
}  // namespace jacquard::sim
