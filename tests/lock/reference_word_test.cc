#include "lock/reference_word.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace jacquard::lock {

std::ostream& operator<<(std::ostream& out, const Situations& situations) {
  out << "{";
  for (int i = 0; i < kSituationCount; ++i) {
    const auto situation = static_cast<Situation>(i);
    if (situations.Contains(situation)) out << " " << SituationName(situation);
  }
  return out << " }";
}

namespace {

using Kernel = ReferenceWord<KernelWidths>;
static_assert(Kernel::kFlag == 0x40000000u);
static_assert(Kernel::kReaderLimit == 0x3FFFFFFFu);
static_assert(Kernel::kWriterTarget == 0x40000001u);
static_assert(Kernel::kDetacherTarget == 0x40000000u);
static_assert(Kernel::kLargest == 0x7FFFFFFFu);

TEST(Situations, IsASet) {
  constexpr Situations kTwo{Situation::kDetached, Situation::kCorrupt};
  static_assert(kTwo.size() == 2);
  EXPECT_TRUE(kTwo.Contains(Situation::kCorrupt));
  EXPECT_FALSE(kTwo.Contains(Situation::kUnlocked));
  EXPECT_EQ(kTwo.Without(Situation::kCorrupt), Situations{Situation::kDetached});
  EXPECT_EQ(Situations().With(Situation::kCorrupt).With(Situation::kDetached), kTwo);
  EXPECT_EQ(kTwo.Without(Situation::kUnlocked), kTwo);
}

TEST(Situations, HaveDifferentNames) {
  std::set<std::string> names;
  for (int i = 0; i < kSituationCount; ++i) {
    EXPECT_TRUE(names.insert(SituationName(static_cast<Situation>(i))).second) << i;
  }
  EXPECT_FALSE(names.contains("?"));
}

template <class Widths>
class ReferenceWordTest : public testing::Test {
 protected:
  using Values = ReferenceWord<Widths>;
  static constexpr int kWords = 256;
  static constexpr int kSequences = 1 << Widths::kSequenceBits;
};
using AllNarrowWidths = testing::Types<NarrowWidths, TinyWidths>;
TYPED_TEST_SUITE(ReferenceWordTest, AllNarrowWidths);

TYPED_TEST(ReferenceWordTest, IsClosedExactlyWhenAnIncrementFails) {
  using Values = typename TestFixture::Values;
  for (int word = 0; word < TestFixture::kWords; ++word) {
    Refcount<std::uint8_t> count(word);
    EXPECT_EQ(Values::IsClosedToReaders(word),
              !count.IncrementUnlessZeroAcquire(Values::kReaderLimit).incremented)
        << word;
  }
}

TYPED_TEST(ReferenceWordTest, HintsAtBothTargetsAndNothingElse) {
  using Values = typename TestFixture::Values;
  for (int word = 0; word < TestFixture::kWords; ++word) {
    EXPECT_EQ(Values::ReadersExcludedHint(word),
              word == Values::kWriterTarget || word == Values::kDetacherTarget)
        << word;
  }
}

TYPED_TEST(ReferenceWordTest, TheSetOfSituationsIsNeverEmptyAndCorruptStandsAlone) {
  using Values = typename TestFixture::Values;
  for (int word = 0; word < TestFixture::kWords; ++word) {
    for (int lock = 0; lock < TestFixture::kSequences; ++lock) {
      for (int mm = 0; mm < TestFixture::kSequences; ++mm) {
        const Situations situations = Values::PossibleSituations(word, lock, mm);
        ASSERT_GE(situations.size(), 1) << word << " " << lock << " " << mm;
        if (situations.Contains(Situation::kCorrupt)) ASSERT_EQ(situations.size(), 1);
        if (Values::IsCorrupt(word)) ASSERT_TRUE(situations.Contains(Situation::kCorrupt));
      }
    }
  }
}

// --- The oracle: a model of the lock that knows what it is doing ---
//
// Three readers, one writer, one VMA, at the widths of TinyWidths (the word is full with three
// references, the sequence comes round after two sections). Each shared access is a step. The model
// keeps, besides the three numbers, what really is the case: where each thread is, whether the tree
// holds its reference, whether a writer has locked the VMA in this section. What it is called is
// said from that alone, never from the numbers. All states are visited.

using Values = ReferenceWord<TinyWidths>;
constexpr int kReaders = 3;

enum class ReaderAt { kOutside, kChecked, kCounted, kInside };
enum class WriterAt { kNoSection, kAtRest, kDraining, kPublished, kDetaching, kDetachDraining };

struct Model {
  std::array<ReaderAt, kReaders> readers{};
  WriterAt writer = WriterAt::kNoSection;
  bool attached = false;
  bool locked_in_this_section = false;
  int word = 0;
  int lock = Values::LockSequence::kNeverLocked;
  int mm = 0;

  auto operator<=>(const Model&) const = default;

  int References() const {
    int references = 0;
    for (const ReaderAt at : readers) {
      references += at == ReaderAt::kCounted || at == ReaderAt::kInside;
    }
    return references;
  }

  // What really is the case.
  Situation Truth() const {
    const bool alone = References() == 0;
    switch (writer) {
      case WriterAt::kDraining:
        return alone ? Situation::kWriterDrained : Situation::kWriterDraining;
      case WriterAt::kPublished:
        return Situation::kWriterPublished;
      case WriterAt::kDetaching:
        return alone ? Situation::kDetached : Situation::kDetaching;
      case WriterAt::kDetachDraining:
        return alone ? Situation::kDetacherDrained : Situation::kDetacherDraining;
      case WriterAt::kNoSection:
      case WriterAt::kAtRest:
        break;
    }
    if (!attached) return Situation::kDetached;
    if (locked_in_this_section) {
      return alone ? Situation::kWriteLocked : Situation::kWriteLockedWithTemporaries;
    }
    if (lock == mm) return Situation::kSequenceCameRound;
    return alone ? Situation::kUnlocked : Situation::kReadLocked;
  }
};

constexpr int kFlag = 4;
constexpr int kLimit = 3;
constexpr int kSequenceValues = 4;

void AddReaderSteps(const Model& from, std::vector<Model>& to) {
  for (int i = 0; i < kReaders; ++i) {
    Model next = from;
    ReaderAt& at = next.readers[i];
    switch (at) {
      case ReaderAt::kOutside:  // the early check
        if (from.lock == from.mm) continue;
        at = ReaderAt::kChecked;
        break;
      case ReaderAt::kChecked:  // count in, or be refused
        if (from.word > 0 && from.word < kLimit) {
          ++next.word;
          at = ReaderAt::kCounted;
        } else {
          at = ReaderAt::kOutside;
        }
        break;
      case ReaderAt::kCounted:  // look again
        if (from.lock == from.mm) {
          --next.word;
          at = ReaderAt::kOutside;
        } else {
          at = ReaderAt::kInside;
        }
        break;
      case ReaderAt::kInside:
        --next.word;
        at = ReaderAt::kOutside;
        break;
    }
    to.push_back(next);
  }
}

void AddWriterSteps(const Model& from, std::vector<Model>& to) {
  const auto add = [&](auto change) {
    Model next = from;
    change(next);
    to.push_back(next);
  };
  const auto publish = [](Model& m) {
    m.lock = m.mm;
    m.locked_in_this_section = true;
  };
  switch (from.writer) {
    case WriterAt::kNoSection:
      add([](Model& m) {
        m.mm = (m.mm + 1) % kSequenceValues;
        m.writer = WriterAt::kAtRest;
      });
      break;
    case WriterAt::kAtRest:
      add([](Model& m) {
        m.mm = (m.mm + 1) % kSequenceValues;
        m.locked_in_this_section = false;
        m.writer = WriterAt::kNoSection;
      });
      if (from.lock != from.mm) {  // start a write
        if (from.word == 0) {
          add(publish);
        } else {
          add([](Model& m) {
            m.word += kFlag;
            m.writer = WriterAt::kDraining;
          });
        }
      } else if (!from.attached) {
        add([](Model& m) {
          m.word = 1;
          m.attached = true;
        });
      } else {
        add([](Model& m) {
          --m.word;
          m.attached = false;
          m.writer = WriterAt::kDetaching;
        });
      }
      break;
    case WriterAt::kDraining:
      if (from.word == kFlag + 1) {
        add([&](Model& m) {
          publish(m);
          m.writer = WriterAt::kPublished;
        });
      }
      add([](Model& m) {  // killed
        m.word -= kFlag;
        m.writer = WriterAt::kAtRest;
      });
      break;
    case WriterAt::kPublished:
      add([](Model& m) {
        m.word -= kFlag;
        m.writer = WriterAt::kAtRest;
      });
      break;
    case WriterAt::kDetaching:
      add([&](Model& m) {
        if (m.word > 0) m.word += kFlag;
        m.writer = m.word > 0 ? WriterAt::kDetachDraining : WriterAt::kAtRest;
      });
      break;
    case WriterAt::kDetachDraining:
      if (from.word == kFlag) {
        add([](Model& m) {
          m.word -= kFlag;
          m.writer = WriterAt::kAtRest;
        });
      }
      break;
  }
}

const std::set<Model>& AllStates() {
  static const std::set<Model> states = [] {
    std::set<Model> seen{Model()};
    std::vector<Model> todo{Model()};
    while (!todo.empty()) {
      const Model from = todo.back();
      todo.pop_back();
      std::vector<Model> to;
      AddReaderSteps(from, to);
      AddWriterSteps(from, to);
      for (const Model& next : to) {
        if (seen.insert(next).second) todo.push_back(next);
      }
    }
    return seen;
  }();
  return states;
}

TEST(PossibleSituations, AreExactlyThoseThatHappen) {
  std::map<std::tuple<int, int, int>, Situations> happened;
  for (const Model& state : AllStates()) {
    Situations& situations = happened[{state.word, state.lock, state.mm}];
    situations = situations.With(state.Truth());
  }
  EXPECT_GT(AllStates().size(), 1000u);
  for (int word = 0; word < 256; ++word) {
    for (int lock = 0; lock < kSequenceValues; ++lock) {
      for (int mm = 0; mm < kSequenceValues; ++mm) {
        const auto found = happened.find({word, lock, mm});
        const Situations expected =
            found == happened.end() ? Situations{Situation::kCorrupt} : found->second;
        EXPECT_EQ(Values::PossibleSituations(word, lock, mm), expected)
            << "word " << word << " lock " << lock << " mm " << mm;
      }
    }
  }
}

TEST(PossibleSituations, AllHappen) {
  Situations all{Situation::kCorrupt};
  for (const Model& state : AllStates()) all = all.With(state.Truth());
  EXPECT_EQ(all.size(), kSituationCount);
}

// The predicates of the word alone, in all states.
TEST(ReferenceWordPredicates, SureOnesAreSure) {
  for (const Model& state : AllStates()) {
    EXPECT_EQ(Values::IsDetached(state.word), state.Truth() == Situation::kDetached);
    EXPECT_FALSE(Values::IsCorrupt(state.word));
    if (state.locked_in_this_section) EXPECT_TRUE(Values::IsWriteLocked(state.lock, state.mm));
  }
}

// The wake-up hint, whenever a reader has counted itself out while somebody drains. A false
// positive wakes a detacher that still waits for one temporary reader: harmless. A false negative
// would let a writer sleep for ever.
TEST(ReferenceWordPredicates, ReadersExcludedHintsTooOftenButNeverTooSeldom) {
  int right = 0;
  int false_positives = 0;
  int false_negatives = 0;
  for (const Model& from : AllStates()) {
    std::vector<Model> to;
    AddReaderSteps(from, to);
    for (const Model& state : to) {
      if (state.References() >= from.References()) continue;
      const bool reached_target =
          (state.writer == WriterAt::kDraining && state.word == kFlag + 1) ||
          (state.writer == WriterAt::kDetachDraining && state.word == kFlag);
      const bool hint = Values::ReadersExcludedHint(state.word);
      right += reached_target && hint;
      false_positives += hint && !reached_target;
      false_negatives += reached_target && !hint;
    }
  }
  EXPECT_GT(right, 0);
  EXPECT_GT(false_positives, 0);
  EXPECT_EQ(false_negatives, 0);
  RecordProperty("right", right);
  RecordProperty("false_positives", false_positives);
  std::printf("hints: %d right, %d false positives, %d false negatives\n", right, false_positives,
              false_negatives);
}

}  // namespace
}  // namespace jacquard::lock
