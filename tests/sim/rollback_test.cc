#include "sim/rollback.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace jacquard::sim {
namespace {

alignas(8) char data[4096] = {1};  // in .data
alignas(8) char zeros[4096];       // in .bss

Rollback& TheRollback() {
  static Rollback rollback;
  static const bool initialised = (rollback.Init(), true);
  static_cast<void>(initialised);
  return rollback;
}

void Write(void* address, const void* from, size_t size) {
  TheRollback().BeforeWrite(address, size);
  std::memcpy(address, from, size);
}

TEST(Rollback, PutsBackWhatWasWritten) {
  for (char* const place : {data, zeros}) {
    std::memset(place, 5, sizeof(data));
    Write(place + 3, "ab", 2);
    Write(place + 4, "cdefghijklmnopqrstuvwxyz", 24);
    Write(place + 3, "again", 5);
    EXPECT_EQ(std::string(place + 3, 5), "again");
    TheRollback().Undo();
    for (size_t i = 0; i < sizeof(data); ++i) ASSERT_EQ(place[i], 5) << i;
  }
}

TEST(Rollback, LeavesNeighboursInTheSameWordAlone) {
  for (size_t first = 0; first < 8; ++first) {
    for (size_t last = first + 1; last <= 8; ++last) {
      std::memset(data, 5, 16);
      Write(data + first, "xxxxxxxx", last - first);
      // Others write without telling: that stays.
      for (size_t i = 0; i < 16; ++i) {
        if (i < first || i >= last) data[i] = static_cast<char>(100 + i);
      }
      TheRollback().Undo();
      for (size_t i = 0; i < 16; ++i)
        ASSERT_EQ(data[i], i < first || i >= last ? static_cast<char>(100 + i) : 5) << i;
    }
  }
}

TEST(Rollback, AgreesWithACopyOnRandomWrites) {
  std::minstd_rand random(1);
  for (int round = 0; round < 200; ++round) {
    for (char& byte : data) byte = static_cast<char>(random());
    const std::vector<char> before(data, data + sizeof(data));
    for (int i = 0; i < 50; ++i) {
      const size_t size = random() % 40;
      const size_t place = random() % (sizeof(data) - size);
      const std::string text(size, static_cast<char>(random()));
      Write(data + place, text.data(), size);
    }
    TheRollback().Undo();
    ASSERT_EQ(std::memcmp(data, before.data(), sizeof(data)), 0) << "round " << round;
  }
}

TEST(Rollback, KnowsWhatIsInTheLog) {
  Rollback& rollback = TheRollback();
  for (size_t first = 0; first < 8; ++first) {
    for (size_t last = first + 1; last <= 8; ++last) {
      rollback.BeforeWrite(data + first, last - first);
      for (size_t begin = 0; begin < 8; ++begin) {
        for (size_t end = begin + 1; end <= 8; ++end) {
          const bool is_in = begin >= first && end <= last;
          ASSERT_EQ(rollback.HasLogged(data + begin, end - begin), is_in) << begin << end;
          ASSERT_EQ(rollback.MayMatter(data + begin, end - begin), !is_in) << begin << end;
        }
      }
      // What is in two words is not known.
      EXPECT_FALSE(rollback.HasLogged(data + first, 9));
      rollback.Undo();
      EXPECT_FALSE(rollback.HasLogged(data + first, last - first));
    }
  }
  const auto elsewhere = std::make_unique<int>();
  EXPECT_FALSE(rollback.MayMatter(elsewhere.get(), sizeof(int)));
  EXPECT_FALSE(rollback.HasLogged(elsewhere.get(), sizeof(int)));
}

TEST(Rollback, IgnoresWhatIsNotTheProgramsData) {
  int local = 1;
  const auto heap = std::make_unique<int>(1);
  const int two = 2;
  Write(&local, &two, sizeof(two));
  Write(heap.get(), &two, sizeof(two));
  TheRollback().BeforeWrite(nullptr, 8);
  TheRollback().BeforeWrite(reinterpret_cast<void*>(UINTPTR_MAX - 3), 8);
  TheRollback().Undo();
  EXPECT_EQ(local, 2);
  EXPECT_EQ(*heap, 2);
}

TEST(Rollback, EmptyLogChangesNothing) {
  data[0] = 9;
  TheRollback().Undo();
  TheRollback().Undo();
  EXPECT_EQ(data[0], 9);
}

TEST(Rollback, PutsBackLocksOfLibraries) {
  // The FILE of stdin lies in the C library's data.
  auto* const foreign = reinterpret_cast<char*>(stdin) + sizeof(FILE) - 8;
  const char old = *foreign;
  TheRollback().BeforeLockWrite(foreign, 4);
  TheRollback().BeforeLockWrite(foreign, 4);
  *foreign = static_cast<char>(old + 1);
  TheRollback().Undo();
  EXPECT_EQ(*foreign, old);
  data[0] = 9;
  TheRollback().BeforeLockWrite(data, 4);
  data[0] = 1;
  TheRollback().Undo();
  EXPECT_EQ(data[0], 9);
}

// As libraries have their data: far away, and each some ranges of it.
TEST(Rollback, PutsBackTheDataOfLibrariesThatArePartOfTheProgram) {
  constexpr size_t kSize = 1 << 16;
  const auto memory = std::make_unique<char[]>(3 * kSize);
  char* const first = memory.get();
  char* const between = first + kSize;
  char* const last = between + kSize;
  Rollback rollback;
  rollback.Init();
  rollback.CoverHeap();
  EXPECT_FALSE(rollback.Covers(last));
  rollback.CoverLibraries({{first, first + kSize}, {last + 3, last + kSize}});
  EXPECT_TRUE(rollback.Covers(first) && rollback.Covers(first + kSize - 1));
  EXPECT_FALSE(rollback.Covers(between) || rollback.Covers(last - 1));
  for (char* const place : {first, between, first + 4, last + 3, last + kSize - 2}) {
    rollback.BeforeWrite(place, 2);
    std::memset(place, 'a', 2);
  }
  rollback.Undo();
  for (char* const place : {first, first + 4, last + 3, last + kSize - 2})
    EXPECT_EQ(std::string(place, 2), std::string(2, '\0'));
  EXPECT_EQ(std::string(between, 2), "aa") << "nobody's";
}

// Between the segments of the executable's data there may be pages that are not there.
TEST(Rollback, VisitsWhatCanBeRead) {
  Rollback rollback;
  rollback.Init();
  rollback.CoverHeap();
  bool seen[2] = {};
  constexpr uintptr_t kPage = 4096;
  rollback.VisitExecutable([&](uintptr_t begin, uintptr_t end) {
    if (begin == end) return;
    begin &= ~(kPage - 1);
    std::vector<unsigned char> present((end - begin) / kPage + 1);
    EXPECT_EQ(mincore(reinterpret_cast<void*>(begin), end - begin, present.data()), 0);
    for (int i = 0; i < 2; ++i) {
      const auto place = reinterpret_cast<uintptr_t>(i == 0 ? data : zeros);
      seen[i] |= place >= begin && place < end;
    }
  });
  EXPECT_TRUE(seen[0] && seen[1]);
}

}  // namespace
}  // namespace jacquard::sim
