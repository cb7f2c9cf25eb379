#include "lock/sequence.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <type_traits>

#include "gtest/gtest.h"

namespace jacquard::lock {
namespace {

static_assert(std::is_same_v<Sequence<2>::Value, std::uint8_t>);
static_assert(std::is_same_v<Sequence<8>::Value, std::uint8_t>);
static_assert(std::is_same_v<Sequence<9>::Value, std::uint16_t>);
static_assert(std::is_same_v<Sequence<32>::Value, std::uint32_t>);
static_assert(std::is_same_v<Sequence<33>::Value, std::uint64_t>);
static_assert(Sequence<32>::kLast == 0xFFFFFFFFu && Sequence<64>::kLast == ~std::uint64_t{0});

template <class Bits>
class SequenceTest : public testing::Test {
 protected:
  static constexpr int kBits = Bits::value;
  using Numbers = Sequence<kBits>;
};

template <int bits>
using Bits = std::integral_constant<int, bits>;
using AllBits = testing::Types<Bits<2>, Bits<3>, Bits<7>, Bits<8>, Bits<13>, Bits<16>>;
TYPED_TEST_SUITE(SequenceTest, AllBits);

TYPED_TEST(SequenceTest, VisitsEveryValueOnceAndComesRound) {
  using Numbers = typename TestFixture::Numbers;
  std::set<int> seen;
  int value = Numbers::kFirst;
  for (int i = 0; i < 1 << TestFixture::kBits; ++i) {
    EXPECT_TRUE(seen.insert(value).second) << value;
    EXPECT_EQ(Numbers::IsWriteSection(value), i % 2 == 1) << value;
    value = Numbers::Next(value);
  }
  EXPECT_EQ(value, Numbers::kFirst);
}

TYPED_TEST(SequenceTest, NeverLockedIsTheNumberOfNoWriteSection) {
  using Numbers = typename TestFixture::Numbers;
  EXPECT_FALSE(Numbers::IsWriteSection(Numbers::kNeverLocked));
  EXPECT_LE(Numbers::kNeverLocked, Numbers::kLast);
}

TYPED_TEST(SequenceTest, CounterIsOddInsideSections) {
  SequenceCounter<TestFixture::kBits> counter;
  int expected = 0;
  for (int i = 0; i < (2 << TestFixture::kBits); ++i) {
    EXPECT_EQ(counter.LoadRelaxed(), expected);
    if (i % 2 == 0) {
      counter.BeginWriteSection();
    } else {
      counter.EndWriteSection();
    }
    expected = (expected + 1) % (1 << TestFixture::kBits);
    EXPECT_EQ(counter.LoadAcquire(), expected);
  }
}

TYPED_TEST(SequenceTest, SpeculationNoticesEachSectionUntilTheCounterComesRound) {
  SequenceCounter<TestFixture::kBits> counter;
  const auto begin = counter.SpeculateTryBegin();
  ASSERT_TRUE(begin.has_value());
  EXPECT_FALSE(counter.SpeculateRetry(*begin));
  const int sections_until_round = 1 << (TestFixture::kBits - 1);
  for (int i = 1; i <= sections_until_round; ++i) {
    counter.BeginWriteSection();
    EXPECT_FALSE(counter.SpeculateTryBegin().has_value());
    EXPECT_TRUE(counter.SpeculateRetry(*begin));
    counter.EndWriteSection();
    EXPECT_EQ(counter.SpeculateRetry(*begin), i != sections_until_round) << i;
  }
}

// The writer keeps two cells equal, but for the moment between its two stores.
TEST(SequenceCounter, SpeculationNeverAcceptsATornRead) {
  SequenceCounter<32> counter;
  std::atomic<int> a{0};
  std::atomic<int> b{0};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 20000; ++i) {
      counter.BeginWriteSection();
      a.store(i, std::memory_order_relaxed);
      b.store(i, std::memory_order_relaxed);
      counter.EndWriteSection();
    }
    done = true;
  });
  int accepted = 0;
  while (!done || accepted == 0) {
    const auto begin = counter.SpeculateTryBegin();
    if (!begin) continue;
    const int seen_b = b.load(std::memory_order_relaxed);
    const int seen_a = a.load(std::memory_order_relaxed);
    if (counter.SpeculateRetry(*begin)) continue;
    ++accepted;
    ASSERT_EQ(seen_a, seen_b);
  }
  writer.join();
}

TEST(SequenceCounterDeathTest, SectionsDoNotNest) {
  SequenceCounter<32> counter;
  EXPECT_DEATH(counter.EndWriteSection(), "write section ended twice");
  counter.BeginWriteSection();
  EXPECT_DEATH(counter.BeginWriteSection(), "write section begun twice");
}

}  // namespace
}  // namespace jacquard::lock
