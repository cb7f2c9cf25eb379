#include "lock/exclude_readers.h"

#include <atomic>
#include <optional>
#include <stop_token>
#include <thread>

#include "gtest/gtest.h"
#include "tests/lock/real_threads.h"

namespace jacquard::lock {
namespace {

template <class Widths>
class ExcludeReadersTest : public testing::Test {
 protected:
  using Section = ExcludeReaders<Widths>;
  using Values = ReferenceWord<Widths>;
  using Word = typename Widths::Word;

  // What a reader does when it leaves.
  void ReaderLeaves() {
    if (Values::ReadersExcludedHint(references_.SubtractRelease(1))) wait_.Wake();
  }

  Refcount<Word> references_{Values::kAttached};
  RcuWait wait_;
  NoValidator::Map map_{"vm_lock"};
};
using AllWidths = testing::Types<KernelWidths, NarrowWidths, TinyWidths>;
TYPED_TEST_SUITE(ExcludeReadersTest, AllWidths);

TYPED_TEST(ExcludeReadersTest, ShutsAndOpensTheDoor) {
  using Section = typename TestFixture::Section;
  using Values = typename TestFixture::Values;
  {
    const Section section(this->references_, this->wait_, this->map_, Section::kToWrite);
    EXPECT_EQ(section.state(), Section::State::kExclusive);
    EXPECT_EQ(this->references_.LoadRelaxed(), Values::kWriterTarget);
    EXPECT_FALSE(this->references_.IncrementUnlessZeroAcquire(Values::kReaderLimit).incremented);
  }
  EXPECT_EQ(this->references_.LoadRelaxed(), Values::kAttached);
  EXPECT_TRUE(this->references_.IncrementUnlessZeroAcquire(Values::kReaderLimit).incremented);
}

TYPED_TEST(ExcludeReadersTest, DoesNothingToADetachedVma) {
  using Section = typename TestFixture::Section;
  this->references_.StoreRelease(0);
  for (const auto purpose : {Section::kToWrite, Section::kToDetach}) {
    const Section section(this->references_, this->wait_, this->map_, purpose);
    EXPECT_EQ(section.state(), Section::State::kDetached);
    EXPECT_EQ(this->references_.LoadRelaxed(), 0);
  }
  EXPECT_EQ(this->references_.LoadRelaxed(), 0);
}

TYPED_TEST(ExcludeReadersTest, AWriterWaitsForTheReadersInside) {
  using Section = typename TestFixture::Section;
  using Values = typename TestFixture::Values;
  this->references_.StoreRelease(Values::kAttached + 2);
  std::atomic<bool> exclusive{false};
  std::thread writer([&] {
    const Section section(this->references_, this->wait_, this->map_, Section::kToWrite);
    exclusive = true;
  });
  EXPECT_TRUE(NotSoon([&] { return exclusive.load(); }));
  this->ReaderLeaves();
  EXPECT_TRUE(NotSoon([&] { return exclusive.load(); }));
  this->ReaderLeaves();
  EXPECT_TRUE(Eventually([&] { return exclusive.load(); }));
  writer.join();
  EXPECT_EQ(this->references_.LoadRelaxed(), Values::kAttached);
}

TYPED_TEST(ExcludeReadersTest, ADetacherWaitsForTheLastTemporaryReaderToo) {
  using Section = typename TestFixture::Section;
  this->references_.StoreRelease(2);  // the tree's reference is gone, two temporary readers
  std::atomic<bool> detached{false};
  std::thread detacher([&] {
    {
      const Section section(this->references_, this->wait_, this->map_, Section::kToDetach);
    }
    detached = true;
  });
  EXPECT_TRUE(NotSoon([&] { return detached.load(); }));
  this->ReaderLeaves();  // the word is a writer's target now, and the hint is false
  EXPECT_TRUE(NotSoon([&] { return detached.load(); }));
  this->ReaderLeaves();
  EXPECT_TRUE(Eventually([&] { return detached.load(); }));
  detacher.join();
  EXPECT_EQ(this->references_.LoadRelaxed(), 0);
}

TYPED_TEST(ExcludeReadersTest, AKilledWriterTakesItsFlagAway) {
  using Section = typename TestFixture::Section;
  using Values = typename TestFixture::Values;
  this->references_.StoreRelease(Values::kAttached + 1);
  std::stop_source killer;
  std::atomic<bool> killed{false};
  std::thread writer([&] {
    const Section section(this->references_, this->wait_, this->map_, Section::kToWrite,
                          killer.get_token());
    EXPECT_EQ(section.state(), Section::State::kKilled);
    EXPECT_EQ(this->references_.LoadRelaxed(), Values::kAttached + 1);
    killed = true;
  });
  EXPECT_TRUE(NotSoon([&] { return killed.load(); }));
  EXPECT_GE(this->references_.LoadRelaxed(), Values::kFlag);
  killer.request_stop();
  EXPECT_TRUE(Eventually([&] { return killed.load(); }));
  writer.join();
  EXPECT_EQ(this->references_.LoadRelaxed(), Values::kAttached + 1);
}

TYPED_TEST(ExcludeReadersTest, ReadersThatAreGoneWinOverAKill) {
  using Section = typename TestFixture::Section;
  std::stop_source killer;
  killer.request_stop();
  const Section section(this->references_, this->wait_, this->map_, Section::kToWrite,
                        killer.get_token());
  EXPECT_EQ(section.state(), Section::State::kExclusive);
}

TEST(ExcludeReadersDeathTest, TwoSectionsAtOnce) {
  using Section = ExcludeReaders<KernelWidths>;
  NoValidator::Map map("vm_lock");
  Refcount<std::uint32_t> references(1);
  RcuWait wait;
  const Section first(references, wait, map, Section::kToWrite);
  EXPECT_DEATH(const Section second(references, wait, map, Section::kToWrite),
               "excluded twice, or word corrupt");
}

TEST(ExcludeReadersDeathTest, AReferenceThatDisappearsInside) {
  EXPECT_DEATH(
      {
        using Section = ExcludeReaders<KernelWidths>;
        Refcount<std::uint32_t> references(1);
        RcuWait wait;
        NoValidator::Map map("vm_lock");
        const Section section(references, wait, map, Section::kToWrite);
        references.SubtractRelease(1);
      },
      "a reference too few or too many");
}

}  // namespace
}  // namespace jacquard::lock
