#include "sim/snapshot.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace jacquard::sim {
namespace {

TEST(Snapshot, PutsBackWhatDiffers) {
  std::string first(10'000, 'a');
  std::string second(100, 'b');
  Snapshot snapshot;
  snapshot.Add(first.data(), first.data() + first.size());
  snapshot.Add(second.data() + 10, second.data() + 20);
  first[0] = first[4096] = first[9999] = 'x';
  second[9] = second[10] = second[19] = second[20] = 'x';
  snapshot.PutBack();
  EXPECT_EQ(first, std::string(10'000, 'a'));
  EXPECT_EQ(second, std::string(9, 'b') + "x" + std::string(10, 'b') + "x" + std::string(79, 'b'));
}

// Blocks have room of their own.
TEST(Snapshot, PutsBackBlocksWhateverElseThereIs) {
  std::vector<char> data(2 * Snapshot::kMost);
  std::string block(100, 'b');
  Snapshot snapshot;
  snapshot.Add(data.data(), data.data() + data.size());
  snapshot.AddBlock(block.data(), block.data() + block.size());
  block[0] = block[99] = 'x';
  snapshot.PutBack();
  EXPECT_EQ(block, std::string(100, 'b'));
}

// Pages that have never differed are looked at now and then only; one that has, always.
TEST(Snapshot, LooksAtMuchDataNowAndThen) {
  std::vector<char> data(2 * Snapshot::kSmall);
  Snapshot snapshot;
  snapshot.Add(data.data(), data.data() + data.size());
  char& early = data[0];
  char& late = data[Snapshot::kSmall];
  for (uint64_t i = 0; i < Snapshot::kFirstLooks; ++i) {
    early = 1;
    snapshot.PutBack();
    ASSERT_EQ(early, 0) << i;
  }
  early = late = 1;
  snapshot.PutBack();
  EXPECT_EQ(early, 0);
  EXPECT_EQ(late, 1) << "at a price, after each";
  for (uint64_t i = 0; i < Snapshot::kLooksEvery; ++i) snapshot.PutBack();
  EXPECT_EQ(late, 0);
  late = 1;
  snapshot.PutBack();
  EXPECT_EQ(late, 0);
}

TEST(Snapshot, LeavesHugeDataAlone) {
  std::vector<char> data(Snapshot::kMost + (64 << 10));
  Snapshot snapshot;
  snapshot.Add(data.data(), data.data() + data.size());
  data.front() = data.back() = 1;
  snapshot.PutBack();
  EXPECT_EQ(data.front(), 0);
  EXPECT_EQ(data.back(), 1);
}

}  // namespace
}  // namespace jacquard::sim
