// What records tell of plain accesses is what cells tell: the same random accesses once to covered
// memory, where there are records, and once to other memory.
#include "sim/plain_records.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "sim/reserve.h"
#include "tests/sim/memory_testing.h"

namespace jacquard::sim {
namespace {

constexpr size_t kBytes = 64;

// A page of the heap of an execution, which nobody else uses here.
char* Covered() {
  static char* const page = [] {
    plain_records.Init();
    return static_cast<char*>(ReserveAt(kArenaBase, 4096, "the test"));
  }();
  return page;
}
char* NotCovered() {
  alignas(8) static char bytes[kBytes];
  return bytes;
}

// A random execution: until the first race, or the end.
class Accesses {
 public:
  // How many kinds of accesses there are, beginning with the plain ones.
  enum Kinds : int { kPlain = 4, kPlainAndFree = 6, kAll = 9 };

  Accesses(char* bytes, int threads, Kinds kinds, uint32_t seed)
      : bytes_(bytes), threads_(threads), kinds_(kinds), random_(seed) {}

  // What came out: each pick's alternatives, each value that was read, and where the race was.
  std::vector<int64_t> Run(Memory& memory, int length) {
    std::memset(bytes_, 0, kBytes);
    memory.BeginExecution({});
    for (int i = 1; i < threads_; ++i) memory.CreateThread(0, i);
    for (int i = 0; i < length && !raced_; ++i) Access(memory);
    // Of several accesses that it races with any one is told.
    if (raced_) Add(memory.race().thread);
    Add(memory.HasLostDetail());
    memory.ForgetRace();
    return outcome_;
  }
  bool raced() const { return raced_; }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  void Add(int64_t value) { outcome_.push_back(value); }
  void NoteRace(bool races) {
    raced_ = races;
    Add(races);
  }

  void Access(Memory& memory) {
    const int thread = Below(threads_);
    if (Below(3) == 0) return Synchronise(memory, thread);
    // Mostly where others are, and sometimes over the end of a granule.
    const int size = 1 << Below(4);
    const int offset = Below(2) == 0 ? Below(4) * size : Below(kBlock - 8);
    char* const at = bytes_ + offset;
    switch (Below(kinds_)) {
      case 0:
      case 1:
        return NoteRace(memory.PlainRead(thread, at, size));
      case 2:
        return PlainWrite(memory, thread, at, size);
      case 3:
        if (Below(4) == 0) PlainWrite(memory, thread, bytes_ + Below(8), Below(kBlock - 8));
        return;
      case 4:
        return Below(8) == 0 ? GiveBack(memory, thread) : void();
      case 5:
        if (Below(8) == 0) memory.Forget(bytes_, kBlock);
        return;
      case 6:
        return Atomic(memory, thread, reinterpret_cast<uint32_t*>(bytes_ + 4 * Below(8)));
      case 7:
        return Atomic(memory, thread, reinterpret_cast<uint64_t*>(bytes_ + 8 * Below(4)));
      default:
        return memory.Fence(thread, kOrders[Below(5)]);
    }
  }

  // An atomic access that comes next finds what is written.
  void PlainWrite(Memory& memory, int thread, char* at, int size) {
    NoteRace(memory.PlainWrite(thread, at, size));
    std::memset(at, Below(4), size);
  }

  // And it is given out again: in between nobody may access it.
  void GiveBack(Memory& memory, int thread) {
    NoteRace(memory.Free(thread, bytes_, kBlock));
    if (!raced_) memory.Forget(bytes_, kBlock);
  }

  void Synchronise(Memory& memory, int thread) {
    const char* const object = bytes_ + kBlock + Below(3);
    return Below(2) == 0 ? memory.Acquire(thread, object) : memory.Release(thread, object);
  }

  template <class T>
  void Atomic(Memory& memory, int thread, T* object) {
    const auto pick = [this](PickKind, int alternatives) {
      Add(alternatives);
      return Below(alternatives);
    };
    const MemoryOrder order = kOrders[Below(5)];
    if (Below(2) == 0) {
      Add(static_cast<int64_t>(memory.Load(thread, object, order, std::ref(pick)).value));
    } else {
      const auto value = static_cast<T>(random_() % 4 + 1);
      if (memory.StoreValue(thread, object, value, order, 1, std::ref(pick))) *object = value;
    }
    NoteRace(memory.has_race());
  }

  static constexpr int kBlock = 32;  // where all accesses are
  static constexpr MemoryOrder kOrders[] = {kRelaxed, kAcquire, kRelease, kAcqRel, kSeqCst};

  char* const bytes_;
  const int threads_;
  const int kinds_;
  std::mt19937 random_;
  std::vector<int64_t> outcome_;
  bool raced_ = false;
};

class PlainRecordsTest : public MemoryTest {
 protected:
  // Each of `executions` with the given threads; returns how many raced.
  int Compare(int threads, Accesses::Kinds kinds, int executions, int length) {
    int races = 0;
    for (int i = 0; i < executions && !HasFailure(); ++i) {
      SCOPED_TRACE(i);
      Accesses covered(Covered(), threads, kinds, i);
      Accesses not_covered(NotCovered(), threads, kinds, i);
      EXPECT_EQ(covered.Run(memory(), length), not_covered.Run(memory(), length));
      races += covered.raced() ? 1 : 0;
    }
    return races;
  }
};

TEST_F(PlainRecordsTest, ThereAreSomeForCoveredMemoryOnly) {
  EXPECT_NE(plain_records.Find(reinterpret_cast<uintptr_t>(Covered())), nullptr);
  EXPECT_EQ(plain_records.Find(reinterpret_cast<uintptr_t>(NotCovered())), nullptr);
}

TEST_F(PlainRecordsTest, TellWhatCellsTellOfPlainAccesses) {
  const int races = Compare(3, Accesses::kPlain, 20'000, 30);
  EXPECT_GT(races, 1'000);
  EXPECT_LT(races, 20'000);
}

TEST_F(PlainRecordsTest, TellWhatCellsTellWhereMemoryIsGivenBack) {
  EXPECT_GT(Compare(3, Accesses::kPlainAndFree, 20'000, 30), 1'000);
}

TEST_F(PlainRecordsTest, TellWhatCellsTellBesideAtomicAccesses) {
  EXPECT_GT(Compare(3, Accesses::kAll, 20'000, 30), 1'000);
}

// A plain write behind the thread's own atomic one ends the history, though it has written plainly
// before in the same epoch. Else the object would seem to be changed by somebody who does not tell,
// and whoever reads it would learn what all threads have done.
TEST_F(PlainRecordsTest, OfAtomicObjectsCountNoMore) {
  for (char* const bytes : {Covered(), NotCovered()}) {
    auto& object = *reinterpret_cast<uint32_t*>(bytes);
    char* const other = bytes + 16;
    object = 0;
    Begin(2);
    EXPECT_FALSE(memory().PlainWrite(1, &object, sizeof(object)));
    object = 1;
    Store<uint32_t>(1, object, 2);
    EXPECT_FALSE(memory().PlainWrite(1, &object, sizeof(object)));
    object = 3;
    EXPECT_FALSE(memory().PlainWrite(2, other, 1));
    memory().Release(1, bytes + 32);
    memory().Acquire(0, bytes + 32);
    EXPECT_EQ(Load(0, object, kAcquire), 3u);
    EXPECT_TRUE(memory().PlainRead(0, other, 1));
    memory().ForgetRace();
  }
}

TEST_F(PlainRecordsTest, TellWhatCellsTellOfManyThreads) {
  EXPECT_GT(Compare(10, Accesses::kAll, 2'000, 40), 100);
  EXPECT_GT(Compare(2, Accesses::kAll, 5'000, 100), 100);
}

}  // namespace
}  // namespace jacquard::sim
