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
  return arena;
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
    const auto block = reinterpret_cast<uintptr_t>(arena.Allocate(size, alignment));
    EXPECT_EQ(block % std::max<size_t>(alignment, 16), 0u);
    EXPECT_GE(block, end);
    EXPECT_TRUE(arena.Contains(reinterpret_cast<void*>(block)));
    EXPECT_EQ(Arena::SizeOf(reinterpret_cast<void*>(block)), size);
    end = block + size;
  }
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
}

TEST(Arena, FreesOnceAndOnlyWhatItGave) {
  Arena& arena = TheArena();
  auto* const block = static_cast<char*>(arena.Allocate(100, 16));
  EXPECT_FALSE(arena.Free(block + 16));
  EXPECT_FALSE(arena.Free(reinterpret_cast<void*>(kArenaBase)));
  EXPECT_TRUE(arena.Free(block));
  EXPECT_FALSE(arena.Free(block));
  // Nothing is reused.
  EXPECT_GT(static_cast<char*>(arena.Allocate(100, 16)), block);
}

TEST(Arena, RefusesWhatDoesNotFit) {
  Arena& arena = TheArena();
  EXPECT_EQ(arena.Allocate(kArenaSize, 16), nullptr);
  EXPECT_EQ(arena.Allocate(SIZE_MAX, 16), nullptr);
  EXPECT_EQ(arena.Allocate(1, size_t{1} << 63), nullptr);
  EXPECT_EQ(arena.Allocate(1, size_t{1} << 46), nullptr);
  void* const before = arena.Allocate(1, 16);
  EXPECT_NE(before, nullptr);
  EXPECT_NE(arena.Allocate(kArenaSize - 1'000'000, 16), nullptr);
  EXPECT_EQ(arena.Allocate(1'000'000, 16), nullptr);
  EXPECT_NE(arena.Allocate(100, 16), nullptr);
}

TEST(Arena, ContentsAreTheSameInEachExecution) {
  Arena& arena = TheArena();
  constexpr size_t kSize = 40 << 20;  // beyond what is kept
  auto* block = static_cast<unsigned char*>(arena.Allocate(kSize, 16));
  const std::vector<unsigned char> first(block, block + kSize);
  EXPECT_EQ(first[0], 0xCD);
  std::memset(block, 1, kSize);
  arena.Reset();
  block = static_cast<unsigned char*>(arena.Allocate(kSize, 16));
  EXPECT_TRUE(std::equal(first.begin(), first.end(), block));
  const size_t filled = Arena::FilledSize(block, kSize);
  EXPECT_TRUE(std::all_of(block, block + filled, [](unsigned char c) { return c == 0xCD; }));
  EXPECT_TRUE(std::all_of(block + filled, block + kSize, [](unsigned char c) { return c == 0; }));
}

}  // namespace
}  // namespace jacquard::sim
