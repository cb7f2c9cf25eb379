#include "sim/thread_storage.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstdint>
#include <string>
#include <vector>

namespace jacquard::sim {
namespace {

thread_local int number = 7;
thread_local char zeros[1000];
thread_local int after_zeros = 9;
struct alignas(1024) Aligned {
  int value = 3;
};
thread_local Aligned aligned;

// Addresses of thread-local variables must not be kept across a change of the storage.
__attribute__((noinline)) int& Number() { return number; }
__attribute__((noinline)) char& Zero(int i) { return zeros[i]; }
__attribute__((noinline)) int& AfterZeros() { return after_zeros; }
__attribute__((noinline)) Aligned& TheAligned() { return aligned; }
__attribute__((noinline)) int& Errno() { return errno; }

class ThreadStorageTest : public testing::Test {
 protected:
  static constexpr int kThreads = 3;
  static void SetUpTestSuite() {
    InitThreadStorage();
    own = ReadFsBase();
    for (int i = 0; i < kThreads; ++i) parked[i] = ParkThread(i);
  }

  // Runs `function` with the storage of a parked thread; it must not fail or allocate.
  template <class Function>
  static void On(int i, Function function) {
    WriteFsBase(parked[i].fs_base);
    function();
    WriteFsBase(own);
  }

  static uint64_t own;
  static ThreadStorage parked[kThreads];
};
uint64_t ThreadStorageTest::own;
ThreadStorage ThreadStorageTest::parked[kThreads];

TEST_F(ThreadStorageTest, IsTheThreadsOwn) {
  number = 1;
  errno = 1;
  for (int i = 0; i < kThreads; ++i) {
    pthread_t self = 0;
    On(i, [&] {
      Number() = 10 + i;
      Errno() = 10 + i;
      self = pthread_self();
    });
    EXPECT_EQ(self, parked[i].pthread);
    EXPECT_NE(self, pthread_self());
  }
  for (int i = 0; i < kThreads; ++i) {
    int seen = 0, seen_errno = 0;
    On(i, [&] {
      seen = Number();
      seen_errno = Errno();
    });
    EXPECT_EQ(seen, 10 + i);
    EXPECT_EQ(seen_errno, 10 + i);
  }
  EXPECT_EQ(number, 1);
}

TEST_F(ThreadStorageTest, ResetPutsBackTheInitialImage) {
  int seen[4] = {};
  On(0, [] {
    Number() = Zero(0) = Zero(999) = 5;
    AfterZeros() = 5;
    TheAligned().value = 5;
  });
  On(1, [] { Number() = 6; });
  ResetThreadStorage(parked[0]);
  On(0, [&] {
    seen[0] = Number();
    seen[1] = Zero(0) + Zero(999);
    seen[2] = AfterZeros();
    seen[3] = TheAligned().value;
  });
  EXPECT_EQ(seen[0], 7);
  EXPECT_EQ(seen[1], 0);
  EXPECT_EQ(seen[2], 9);
  EXPECT_EQ(seen[3], 3);
  int others = 0;
  On(1, [&] { others = Number(); });
  EXPECT_EQ(others, 6) << "the neighbour keeps its own";
}

TEST_F(ThreadStorageTest, IsAligned) {
  for (int i = 0; i < kThreads; ++i) {
    uintptr_t address = 1;
    On(i, [&] { address = reinterpret_cast<uintptr_t>(&TheAligned()); });
    EXPECT_EQ(address % alignof(Aligned), 0u);
  }
}

TEST_F(ThreadStorageTest, LiesAtFixedPlaces) {
  EXPECT_EQ(parked[0].fs_base >> 40, 0x11u);
  EXPECT_EQ(parked[1].fs_base - parked[0].fs_base, parked[2].fs_base - parked[1].fs_base);
}

TEST_F(ThreadStorageTest, SystemCallDoesTheSame) {
  Number() = 1;
  int seen = 0;
  On(2, [] { Number() = 42; });
  WriteFsBaseBySystemCall(parked[2].fs_base);
  seen = Number();
  WriteFsBaseBySystemCall(own);
  EXPECT_EQ(seen, 42);
  EXPECT_EQ(Number(), 1);
}

}  // namespace
}  // namespace jacquard::sim
