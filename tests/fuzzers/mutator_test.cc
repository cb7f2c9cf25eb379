// The mutator keeps to its buffer and to the version, repeats itself, and reaches every kind of
// change.
#include "fuzzers/mutator.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "fuzzers/codec.h"

namespace jacquard::fuzzers {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Mutated(Bytes bytes, size_t room, uint32_t seed) {
  const size_t size = bytes.size();
  bytes.resize(size + room + 8, 0xee);  // a margin that must stay
  const size_t new_size = Mutate(bytes.data(), size, size + room, seed, nullptr);
  EXPECT_LE(new_size, size + room);
  for (size_t i = size + room; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], 0xee);
  bytes.resize(new_size);
  return bytes;
}

TEST(Mutator, KeepsToTheBufferAndTheVersion) {
  for (uint32_t seed = 0; seed < 5000; ++seed) {
    for (size_t size = 0; size < 8; ++size) {
      for (size_t room = size == 0 ? 1 : 0; room < 4; ++room) {
        const Bytes result = Mutated(Bytes(size, 0x81), room, seed);
        ASSERT_GE(result.size(), 1u);
        ASSERT_EQ(result[0], kVersion);
      }
    }
  }
}

TEST(Mutator, RepeatsItself) {
  const Bytes bytes = {kVersion, 0, 1, 1, 2, 0x80, 3, 0x81, 4};
  for (uint32_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(Mutated(bytes, 20, seed), Mutated(bytes, 20, seed));
  }
}

TEST(Mutator, ReachesEveryKindOfChange) {
  const Bytes bytes = {kVersion, 0, 1, 1, 2, 0x80, 3, 0x81, 4};
  std::set<size_t> sizes;
  bool moved = false;
  bool nudged = false;
  bool weakened = false;
  for (uint32_t seed = 1; seed < 20'000; ++seed) {
    const Bytes result = Mutated(bytes, 20, seed);
    sizes.insert(result.size());
    moved |= result == Bytes{kVersion, 1, 2, 0, 1, 0x80, 3, 0x81, 4};
    for (size_t i = 1; i < result.size(); i += 2) weakened |= (result[i] & 0xc0) == 0x40;
    nudged |= result == Bytes{kVersion, 0, 1, 1, 2, 0x80, 4, 0x81, 4};
  }
  // One to three records more or fewer.
  EXPECT_EQ(sizes, (std::set<size_t>{3, 5, 7, 9, 11, 13, 15}));
  EXPECT_TRUE(moved);
  EXPECT_TRUE(nudged);
  EXPECT_TRUE(weakened);
}

// An exception that is inserted, deleted or moved may leave the next one at its pick, also past a
// record of another kind.
TEST(Mutator, KeepsLaterExceptionsAtTheirPicks) {
  const Bytes bytes = {kVersion, 0x80, 5, 0x40, 9, 0x81, 7};
  bool deleted = false;
  bool inserted = false;
  bool moved = false;
  bool deleted_and_closer = false;
  for (uint32_t seed = 1; seed < 200'000; seed += 2) {
    const Bytes result = Mutated(bytes, 10, seed);
    deleted |= result == Bytes{kVersion, 0x40, 9, 0x81, 13};
    deleted_and_closer |= result == Bytes{kVersion, 0x40, 9, 0x81, 7};
    inserted |= result == Bytes{kVersion, 0x80, 5, 0x40, 9, 0x80, 2, 0x81, 4};
    moved |= result == Bytes{kVersion, 0x80, 6, 0x40, 9, 0x81, 6};
  }
  EXPECT_TRUE(deleted);
  EXPECT_TRUE(deleted_and_closer);
  EXPECT_TRUE(inserted);
  EXPECT_TRUE(moved);
}

Bytes Crossed(const Bytes& one, const Bytes& other, size_t room, uint32_t seed) {
  Bytes out(room + 4, 0xee);
  const size_t size = CrossOver(one, other, out.data(), room, seed);
  EXPECT_LE(size, room);
  for (size_t i = room; i < out.size(); ++i) EXPECT_EQ(out[i], 0xee);
  out.resize(size);
  return out;
}

TEST(CrossOver, MakesInputsOfTwo) {
  const Bytes one = {kVersion, 0, 1, 1, 2, 0x80, 3, 0x41, 4};
  const Bytes other = {kVersion, 0, 5, 1, 6, 0x82, 7};
  std::set<Bytes> results;
  for (uint32_t seed = 0; seed < 1000; ++seed) {
    const Bytes result = Crossed(one, other, 40, seed);
    if (!result.empty()) EXPECT_EQ(result[0], kVersion);
    EXPECT_NE(result, one);
    EXPECT_NE(result, other);
    EXPECT_EQ(result, Crossed(one, other, 40, seed));
    results.insert(result);
    EXPECT_LE(Crossed(one, other, 5, seed).size(), 5u);
  }
  // The operations of the one and the exceptions of the other.
  EXPECT_TRUE(results.contains({kVersion, 0, 1, 1, 2, 0x82, 7}));
  // A thread of the other.
  EXPECT_TRUE(results.contains({kVersion, 0, 1, 0x80, 3, 0x41, 4, 1, 6}));
  // The beginning of the one and the end of the other.
  EXPECT_TRUE(results.contains({kVersion, 0, 1, 1, 6, 0x82, 7}));
}

TEST(CrossOver, TakesWhateverBytesThereAre) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    for (size_t size = 0; size < 6; ++size) {
      for (size_t other = 0; other < 6; ++other)
        (void)Crossed(Bytes(size, 0x81), Bytes(other, 0x01), 12, seed);
    }
  }
}

TEST(Mutator, LeavesTheVersionToNobody) {
  const GeneralMutation spoil = [](uint8_t* data, size_t size, size_t max_size) {
    for (size_t i = 0; i < size; ++i) data[i] = 0xff;
    return max_size;
  };
  Bytes bytes = {kVersion, 1, 2, 3, 4};
  EXPECT_EQ(Mutate(bytes.data(), 3, 5, /*seed=*/2, spoil), 5u);
  EXPECT_EQ(bytes, (Bytes{kVersion, 0xff, 0xff, 3, 4}));
}

}  // namespace
}  // namespace jacquard::fuzzers
