// Memory that code under test maps: races and leaks in it, and what becomes of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

char* Map(size_t size) {
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Check(memory != MAP_FAILED, "mapped");
  return static_cast<char*>(memory);
}

class OfSize : public testing::TestWithParam<size_t> {};

TEST_P(OfSize, Races) {
  const size_t size = GetParam();
  const Verdict verdict = Walk([size] {
                            char* const memory = Map(size);
                            std::thread other([memory] { ++memory[3]; });
                            ++memory[3];
                            other.join();
                          }).verdict;
  EXPECT_EQ(verdict.kind, VerdictKind::kRace) << verdict.message;
}

TEST_P(OfSize, IsTheSamePlaceInEachExecutionAndEmpty) {
  const size_t size = GetParam();
  std::vector<char*> places;
  places.reserve(100);  // what it takes in an execution is gone
  ExpectPass(Walk(
      [&places, size] {
        std::atomic<char*> memory = nullptr;
        std::thread other([&] { memory = Map(size); });
        other.join();
        char* const first = memory;
        char* const second = Map(size);
        Check(first[0] == 0 && first[size - 1] == 0 && second[size - 1] == 0, "empty");
        std::memset(first, 1, 100);
        first[size - 1] = second[size - 1] = 1;
        munmap(second, size);
        const Ghost ghost;
        places.push_back(first);
      },
      50));
  ASSERT_GE(places.size(), 50u);
  EXPECT_EQ(std::set<char*>(places.begin(), places.end()).size(), 1u);
  EXPECT_EQ(msync(places[0], 4096, MS_ASYNC), -1) << "still there";
}

// Wherever the program, or the kernel, has wanted it: the next execution finds the place free.
TEST_P(OfSize, IsTakenBackElsewhere) {
  const size_t size = GetParam();
  char* const wanted = reinterpret_cast<char*>(0x3000'0000'0000);
  for (const int flags : {0, MAP_FIXED_NOREPLACE, MAP_32BIT}) {
    std::vector<char*> places;
    places.reserve(100);
    ExpectPass(Walk(
        [&places, size, flags, wanted] {
          char* const address = flags == MAP_32BIT ? nullptr : wanted;
          void* const memory = mmap(address, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
          Check(memory != MAP_FAILED, "mapped");
          char* const bytes = static_cast<char*>(memory);
          Check(address == nullptr || bytes == address, "where it was wanted");
          Check(bytes[size - 1] == 0, "empty");
          bytes[size - 1] = 1;
          std::thread([&] { bytes[0] = 1; }).join();
          const Ghost ghost;
          places.push_back(bytes);
        },
        50));
    ASSERT_GE(places.size(), 50u);
    EXPECT_EQ(std::set<char*>(places.begin(), places.end()).size(), 1u);
    EXPECT_EQ(msync(places[0], 4096, MS_ASYNC), -1) << "still there";
  }
}

// A hint is one: where there is something already, it lies at the same place each time.
TEST(Mapping, LiesElsewhereThanWhereSomethingIs) {
  static char* first = nullptr;
  ExpectPass(Walk([] {
    char* const taken = Map(4096);
    void* const memory =
        mmap(taken, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Check(memory != MAP_FAILED && memory != taken, "mapped elsewhere");
    std::thread([memory] { *static_cast<char*>(memory) = 1; }).join();
    const Ghost ghost;
    if (first == nullptr) first = static_cast<char*>(memory);
    Check(memory == first, "at the same place");
  }));
}

// What the execution has given back by itself is not given back again.
TEST(Mapping, MayBeGivenBackInParts) {
  ExpectPass(Walk([] {
    char* const wanted = reinterpret_cast<char*>(0x3000'0000'0000);
    const auto map = [&](char* at, size_t size) {
      return mmap(at, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at;
    };
    Check(map(wanted, 3 * 4096), "mapped");
    munmap(wanted + 4096, 4096);
    Check(map(wanted + 4096, 4096), "and again");
    wanted[2 * 4096] = wanted[4096] = 1;
    std::thread([] { TakeStep(); }).join();
  }));
}

INSTANTIATE_TEST_SUITE_P(Mappings, OfSize, testing::Values(4096, 16'384, 65'536, 1 << 20, 4 << 20));

// A reader finds a page under a lock and uses it before or behind the end of that, and its owner
// takes it away: as it is told.
std::function<void()> TakeAway(bool uses_it_locked, void (*take)(int*)) {
  return [=] {
    int* const page = reinterpret_cast<int*>(Map(4096));
    std::mutex mutex;
    int* published = page;
    int seen = 0;
    std::thread reader([&] {
      std::unique_lock lock(mutex);
      const int* const found = published;
      if (!uses_it_locked) lock.unlock();
      if (found != nullptr) seen = *found;
    });
    {
      const std::lock_guard lock(mutex);
      published = nullptr;
    }
    take(page);
    reader.join();
  };
}

constexpr void (*kWaysToTakeAway[])(int*) = {
    [](int* page) { Check(munmap(page, 1) == 0, "unmapped"); },
    [](int* page) { Check(mprotect(page, 4096, PROT_NONE) == 0, "protected"); },
    [](int* page) { Check(mremap(page, 4096, 1 << 20, MREMAP_MAYMOVE) != MAP_FAILED, "moved"); },
};

TEST(Mappings, AreWrittenToWhereTheyAreTakenAway) {
  for (void (*const take)(int*) : kWaysToTakeAway) {
    EXPECT_EQ(SearchAll(TakeAway(false, take)).verdict.signature,
              "race|plain read and plain write");
    ExpectPass(SearchAll(TakeAway(true, take)));
  }
  const Verdict verdict = Walk(TakeAway(false, kWaysToTakeAway[0])).verdict;
  EXPECT_NE(verdict.message.find("thread 0 unmaps 4 bytes of "), std::string::npos)
      << verdict.message;
}

// What can still be read and written, or who handles that it cannot.
TEST(Mappings, AreNotTakenAway) {
  ExpectPass(Walk(TakeAway(false, [](int* page) { mprotect(page, 4096, PROT_READ); })));
  ExpectPass(Walk(TakeAway(false, [](int* page) { munmap(page + 1024, 4096); })));
  ExpectPass(Walk([] {
    signal(SIGSEGV, [](int) { _exit(1); });
    TakeAway(false, kWaysToTakeAway[1])();
  }));
}

TEST(Mappings, MayGrowAndMove) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        char* const memory = Map(8192);
        char* const behind = Map(4096);
        std::memset(memory, 2, 8192);
        void* const moved = mremap(memory, 8192, 1 << 20, MREMAP_MAYMOVE);
        Check(moved != MAP_FAILED, "moved");
        auto* const bytes = static_cast<char*>(moved);
        Check(bytes[8191] == 2 && bytes[(1 << 20) - 1] == 0 && behind[0] == 0, "contents");
        Check(mremap(moved, 1 << 20, 4096, 0) == moved, "shrunk");
      },
      50));
}

// The last one could grow where it is, over the place of the next.
TEST(Mappings, DoNotGrowOverEachOther) {
  std::vector<void*> places;
  places.reserve(100);
  ExpectPass(Walk(
      [&places] {
        TakeStep();
        void* const large = mremap(Map(65'536), 65'536, 16 << 20, MREMAP_MAYMOVE);
        Check(large != MAP_FAILED, "grown");
        std::memset(large, 1, 16 << 20);
        void* const moved = mremap(Map(65'536), 65'536, 1 << 20, MREMAP_MAYMOVE);
        Check(moved != MAP_FAILED && moved != large, "grown, too");
        for (int i = 0; i < 16 << 20; i += 4096) Check(static_cast<char*>(large)[i] == 1, "kept");
        const Ghost ghost;
        places.push_back(moved);
      },
      5));
  ASSERT_GE(places.size(), 5u);
  EXPECT_EQ(std::set<void*>(places.begin(), places.end()).size(), 1u);
}

TEST(Mappings, AreNotThereBeyondTheirEnd) {
  ExpectVerdict(
      [] {
        TakeStep();
        volatile char* const memory = Map(4096);
        memory[4096] = 1;
      },
      "crash|segmentation fault");
}

// What the program leaves protected the next execution may write, as it could.
TEST(Mappings, ProtectionEndsWithTheExecution) {
  for (const int protection : {PROT_READ, PROT_NONE}) {
    ExpectPass(Walk(
        [protection] {
          TakeStep();
          alignas(4096) static char own[4096];
          ++own[1];
          void* block = nullptr;
          Check(posix_memalign(&block, 4096, 8192) == 0, "allocated");
          static_cast<char*>(block)[0] = 1;
          Check(mprotect(block, 4096, protection) == 0, "protected");
          Check(mprotect(own, 4096, protection) == 0, "protected, too");
        },
        50, {.check_leaks = false}));
  }
}

// The search for leaks reads it all the same.
TEST(Mappings, ProtectedMemoryMayHoldPointers) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        alignas(4096) static void* own[512];
        own[0] = std::malloc(8);
        void* block = nullptr;
        Check(posix_memalign(&block, 4096, 8192) == 0, "allocated");
        own[1] = block;
        *static_cast<void**>(block) = std::malloc(8);
        Check(mprotect(block, 4096, PROT_NONE) == 0, "protected");
        Check(mprotect(own, 4096, PROT_NONE) == 0, "protected, too");
      },
      20));
  const ExploreResult lost = Walk([] {
    TakeStep();
    void* volatile block = nullptr;
    Check(posix_memalign(const_cast<void**>(&block), 4096, 8192) == 0, "allocated");
    Check(mprotect(block, 4096, PROT_NONE) == 0, "protected");
    block = nullptr;
  });
  EXPECT_EQ(lost.verdict.kind, VerdictKind::kLeak) << lost.verdict.message;
}

// What was not allowed to be written is not written back, either.
const char* const constants[] = {"one", "another"};

TEST(Mappings, WriteToConstantsIsACrash) {
  for (int i = 0; i < 3; ++i) {
    ExpectVerdict(
        [] {
          TakeStep();
          const void* place = &constants[1];
          asm("" : "+r"(place));
          *static_cast<char* volatile*>(const_cast<void*>(place)) = nullptr;
        },
        "crash|segmentation fault", "which does not allow that");
  }
}

// Far from all else: between the shared libraries nothing is looked at.
int* MapFarOff() {
  void* const wanted = reinterpret_cast<void*>(uintptr_t{0x2000'0000'0000});
  return static_cast<int*>(
      mmap(wanted, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

TEST(Mappings, AtTheSameAddressAgain) {
  ExpectNoRace([] {
    const auto use = [] {
      TakeStep();
      int* const memory = MapFarOff();
      Check(++*memory == 1, "it is new");
      munmap(memory, 4096);
    };
    std::thread other(use);
    use();
    other.join();
  });
}

TEST(Mappings, FarOffRace) {
  ExpectRace(
      [] {
        int* const memory = MapFarOff();
        std::thread other([memory] { memory[1] = 1; });
        TakeStep();
        memory[1] = 2;
        other.join();
        munmap(memory, 4096);
      },
      "plain write and plain write");
}

}  // namespace
}  // namespace jacquard
