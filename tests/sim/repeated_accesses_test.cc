// Accesses that are repeated are passed over, and still everything is found that must be: each body
// first accesses its memory so often that most of that is.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using enum std::memory_order;

constexpr int kOften = 200;
constexpr int kWords = 64;

// Reads and writes all words again and again.
void Use(int* words) {
  for (int round = 0; round < kOften; ++round) {
    for (int i = 0; i < kWords; ++i) Write(words + i, Read(words + i) + 1);
  }
}

// Runs both on threads, beside which there is a third: accesses count from the second thread on.
template <class First, class Second>
auto OnTwoThreads(First first, Second second) {
  return [=] {
    const std::unique_ptr<int[]> words(new int[kWords]());
    std::atomic<int> flag = 0;
    std::thread a([&] { first(words.get(), flag); });
    std::thread b([&] { second(words.get(), flag); });
    a.join();
    b.join();
  };
}

// ---- races

TEST(RepeatedAccesses, RaceWithAThreadThatComesLater) {
  ExpectRace(OnTwoThreads(
                 [](int* words, std::atomic<int>& flag) {
                   Use(words);
                   flag.store(1, relaxed);
                 },
                 [](int* words, std::atomic<int>& flag) {
                   if (flag.load(relaxed) == 1) Write(words + 7, 1);
                 }),
             "plain write and plain write");
}

TEST(RepeatedAccesses, AreOrderedByARelease) {
  ExpectNoRace(OnTwoThreads(
      [](int* words, std::atomic<int>& flag) {
        Use(words);
        flag.store(1, release);
        while (flag.load(acquire) != 2) std::this_thread::yield();
        Use(words);
      },
      [](int* words, std::atomic<int>& flag) {
        while (flag.load(acquire) != 1) std::this_thread::yield();
        Use(words);
        flag.store(2, release);
      }));
}

// The same bytes once more behind the release: those are not ordered by it.
TEST(RepeatedAccesses, AreNewBehindARelease) {
  ExpectRace(OnTwoThreads(
                 [](int* words, std::atomic<int>& flag) {
                   Use(words);
                   flag.store(1, release);
                   Write(words, 1);
                 },
                 [](int* words, std::atomic<int>& flag) {
                   if (flag.load(acquire) == 1) Read(words);
                 }),
             "plain read and plain write");
}

// Reading is not writing, and a part is not the whole.
TEST(RepeatedAccesses, AreOfTheSameKindAndBytes) {
  const auto first = [](bool write, int byte) {
    return [=](int* words, std::atomic<int>& flag) {
      auto* const bytes = reinterpret_cast<char*>(words);
      for (int i = 0; i < kOften; ++i) Read(bytes + 3);
      write ? Write(bytes + byte, char{1}) : static_cast<void>(Read(bytes + byte));
      flag.store(1, relaxed);
    };
  };
  const auto second = [](int byte) {
    return [=](int* words, std::atomic<int>& flag) {
      if (flag.load(relaxed) == 1) Read(reinterpret_cast<char*>(words) + byte);
    };
  };
  ExpectRace(OnTwoThreads(first(true, 3), second(3)), "plain read and plain write");
  ExpectRace(OnTwoThreads(first(true, 4), second(4)), "plain read and plain write");
  ExpectNoRace(OnTwoThreads(first(true, 4), second(3)));
  ExpectNoRace(OnTwoThreads(first(false, 3), second(3)));
}

// An access that lies in two granules.
TEST(RepeatedAccesses, MayLieAcrossAGranulesEnd) {
  const auto first = [](int* words, std::atomic<int>& flag) {
    uint64_t value = 0;
    auto* const bytes = reinterpret_cast<char*>(words);
    for (int i = 0; i < kOften; ++i) {
      std::memcpy(Hide(bytes + 5), &value, sizeof(value));
      Hide(&value);
    }
    flag.store(1, relaxed);
  };
  const auto second = [](int byte) {
    return [=](int* words, std::atomic<int>& flag) {
      if (flag.load(relaxed) == 1) Write(reinterpret_cast<char*>(words) + byte, char{1});
    };
  };
  for (const int byte : {5, 7, 8, 12})
    ExpectRace(OnTwoThreads(first, second(byte)), "plain write and plain write");
  for (const int byte : {4, 13}) ExpectNoRace(OnTwoThreads(first, second(byte)));
}

// Its first bytes have been accessed before, the others not.
TEST(RepeatedAccesses, AcrossAGranulesEndAreKnownOnBothSides) {
  const auto first = [](int* words, std::atomic<int>& flag) {
    const uint64_t value = 0;
    auto* const bytes = reinterpret_cast<char*>(words);
    for (int i = 0; i < kOften; ++i) {
      for (int byte = 5; byte < 8; ++byte) Write(bytes + byte, 'a');
    }
    std::memcpy(Hide(bytes + 5), &value, sizeof(value));
    flag.store(1, relaxed);
  };
  const auto second = [](int* words, std::atomic<int>& flag) {
    if (flag.load(relaxed) == 1) Write(reinterpret_cast<char*>(words) + 8, char{1});
  };
  ExpectRace(OnTwoThreads(first, second), "plain write and plain write");
}

TEST(RepeatedAccesses, AreNewBehindAnAtomicOne) {
  ExpectRace(OnTwoThreads(
                 [](int* words, std::atomic<int>& flag) {
                   Use(words);
                   std::atomic_ref(*words).store(1, relaxed);
                   flag.store(1, release);
                   Write(words, 2);
                 },
                 [](int* words, std::atomic<int>& flag) {
                   if (flag.load(acquire) == 1) std::atomic_ref(*words).load(relaxed);
                 }),
             "atomic read and plain write");
}

// ---- memory that is gone

TEST(RepeatedAccesses, OfABlockThatIsFreed) {
  for (const size_t size : {kWords * sizeof(int), size_t{100'000}}) {
    const ExploreResult result = Walk(
        [size] {
          std::thread other([] { TakeStep(); });
          int* const words = Make<int>(size);
          Use(words);
          std::free(words);
          Read(Hide(words));
          other.join();
        },
        10);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kHeapError) << result.verdict.message;
  }
}

[[gnu::noinline]] int* Dangling() {
  int words[kWords];
  Use(words);
  return Hide(words);
}

TEST(RepeatedAccesses, OfAFrameThatHasBeenLeft) {
  const ExploreResult result = Walk(
      [] {
        std::thread other([] { TakeStep(); });
        Read(Dangling());
        other.join();
      },
      10);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kStackError) << result.verdict.message;
}

// Behind the end of a block, though its last granule has been accessed.
TEST(RepeatedAccesses, DoNotCoverWhatLiesBehindTheBlock) {
  const ExploreResult result = Walk(
      [] {
        std::thread other([] { TakeStep(); });
        char* const bytes = Make(5);
        for (int i = 0; i < kOften; ++i) Write(bytes + 4, 'a');
        Write(bytes + 5, 'a');
        std::free(bytes);
        other.join();
      },
      10);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kHeapError) << result.verdict.message;
}

// What is kept of accesses ends somewhere in a large block (sim/covered_memory.h).
TEST(RepeatedAccesses, MayLieAtTheEndOfWhatIsCovered) {
  const auto body = [](bool races) {
    return [races] {
      constexpr size_t kCovered = 256 << 20;
      char* const end = reinterpret_cast<char*>(0x1200'0000'0000 + kCovered);
      char* const block = Make(kCovered + (8 << 20));
      Check(block < end - 100 && block + kCovered > end + 100, "around it");
      std::atomic<bool> written = false;
      std::thread other([&] {
        for (int round = 0; round < kOften; ++round) {
          std::memset(Hide(end - 50), round, 100);
          for (int offset = -12; offset < 4; ++offset) {
            uint64_t value = 0;
            std::memcpy(&value, Hide(end + offset), sizeof(value));
            Hide(&value);
          }
        }
        written.store(true, races ? relaxed : release);
      });
      if (written.load(acquire)) {
        Read(end - 1);
        Read(end);
      }
      other.join();
      std::free(block);
    };
  };
  ExpectNoRace(body(false));
  ExpectRace(body(true), "plain read and plain write");
}

// ---- threads that wait

// What it reads has been read often: still others get to run.
TEST(RepeatedAccesses, OfAThreadThatWaits) {
  ExpectRace(OnTwoThreads([](int* words, std::atomic<int>&) { Write(words, 1); },
                          [](int* words, std::atomic<int>&) {
                            while (Read(words) == 0) {
                            }
                          }),
             "plain read and plain write");
}

// A loop that counts in memory does not spin.
TEST(RepeatedAccesses, AreNoStandingStill) {
  const ExploreResult result =
      Walk(OnTwoThreads(
               [](int* words, std::atomic<int>& flag) {
                 Use(words);
                 while (flag.load(relaxed) == 0 && Read(words) < kOften + 1'000) {
                   for (int i = 0; i < 40; ++i) Write(words, Read(words) + 1);
                 }
                 flag.store(1, relaxed);
               },
               [](int*, std::atomic<int>& flag) {
                 while (flag.load(relaxed) == 0) std::this_thread::yield();
               }),
           200);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
