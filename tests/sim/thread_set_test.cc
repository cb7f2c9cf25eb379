// Sets of threads: the short ways give what counting does.
#include "sim/thread_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jacquard {
namespace {

std::vector<int> Bits(uint64_t set) {
  std::vector<int> members;
  for (int i = 0; i < 64; ++i) {
    if ((set >> i & 1) != 0) members.push_back(i);
  }
  return members;
}

// With a gap, without one, and full.
TEST(ThreadSet, MembersByNumber) {
  for (const uint64_t set : {uint64_t{1}, uint64_t{0b11}, uint64_t{0b111'1111}, uint64_t{0b10},
                             uint64_t{0b1101}, uint64_t{1} << 63, uint64_t{0x8000'F00F'0000'0101},
                             UINT64_MAX >> 1, UINT64_MAX - 1, UINT64_MAX}) {
    const std::vector<int> members = Bits(set);
    for (size_t n = 0; n < members.size(); ++n)
      EXPECT_EQ(NthOf(set, static_cast<int>(n)), members[n]) << std::hex << set;
    for (const int id : members) {
      const std::vector<int> others = Bits(set & ~(uint64_t{1} << id));
      for (size_t n = 0; n < others.size(); ++n) {
        EXPECT_EQ(NthOfOthers(set, id, static_cast<int>(n)), others[n])
            << std::hex << set << " without " << id;
      }
    }
  }
}

// In each word, and across those where there are none.
TEST(ThreadSet, MembersInOrder) {
  for (const std::vector<int>& members : {std::vector<int>{},
                                          {0},
                                          {5},
                                          {63},
                                          {64},
                                          {255},
                                          {0, 63, 64, 127, 128, 255},
                                          {3, 200, 201}}) {
    ThreadSet set = 0;
    for (const int thread : members) Insert(set, thread);
    std::vector<int> seen;
    for (const int thread : MembersOf(set)) {
      EXPECT_TRUE(Has(set, thread));
      Remove(set, thread);  // the loop is over the set as it was
      seen.push_back(thread);
    }
    EXPECT_EQ(seen, members);
    EXPECT_TRUE(set == 0);
  }
}

}  // namespace
}  // namespace jacquard
