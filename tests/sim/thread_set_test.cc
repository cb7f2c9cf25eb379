// Sets of threads: the short ways give what counting does.
#include "sim/thread_set.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jacquard {
namespace {

std::vector<int> MembersOf(uint64_t set) {
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
    const std::vector<int> members = MembersOf(set);
    for (size_t n = 0; n < members.size(); ++n)
      EXPECT_EQ(NthOf(set, static_cast<int>(n)), members[n]) << std::hex << set;
    for (const int id : members) {
      const std::vector<int> others = MembersOf(set & ~(uint64_t{1} << id));
      for (size_t n = 0; n < others.size(); ++n) {
        EXPECT_EQ(NthOfOthers(set, id, static_cast<int>(n)), others[n])
            << std::hex << set << " without " << id;
      }
    }
  }
}

}  // namespace
}  // namespace jacquard
