// The heap of an execution, the C and C++ libraries used within one, and real threads beside it.
#include <errno.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <limits>
#include <list>
#include <locale>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

bool IsAligned(const void* block, size_t alignment) {
  return reinterpret_cast<uintptr_t>(block) % alignment == 0;
}

// What a library has taken from the real heap, and the program frees, another thread may get: the C
// library orders the two. So large a block no thread keeps for itself.
TEST(RealHeap, GivesOutAgainWithoutARace) {
  int same = 0;  // of the test, and not rolled back
  ExpectPass(Walk([&same] {
    char* const first = getcwd(nullptr, 2000);
    std::atomic<bool> freed = false;
    std::thread other([&] {
      first[0] = 'a';
      free(first);
      freed.store(true, std::memory_order_relaxed);
    });
    while (!freed.load(std::memory_order_relaxed)) std::this_thread::yield();
    char* const second = getcwd(nullptr, 2000);
    if (second == first) ++same;
    second[0] = 'b';
    other.join();
    free(second);
  }));
  EXPECT_GT(same, 0) << "it has never been the same block";
}

TEST(Heap, BlocksAreDistinctAlignedAndKeepTheirContents) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        std::vector<std::pair<char*, size_t>> blocks;
        for (size_t size = 0; size < 3000; size = size * 3 / 2 + 1) {
          auto* const block = static_cast<char*>(std::malloc(size));
          Check(block != nullptr && IsAligned(block, 16), "aligned for anything");
          Check(malloc_usable_size(block) >= size, "large enough");
          std::memset(block, static_cast<int>(size % 251), size);
          blocks.emplace_back(block, size);
        }
        for (const auto& [block, size] : blocks) {
          for (size_t i = 0; i < size; ++i)
            Check(block[i] == static_cast<char>(size % 251), "no block overlaps another");
          std::free(block);
        }
      },
      3));
}

TEST(Heap, CallocGivesZeros) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        for (const size_t size : {1, 100, 10'000, 40'000'000}) {
          auto* const block = static_cast<char*>(std::calloc(size, 1));
          Check(block[0] == 0 && block[size / 2] == 0 && block[size - 1] == 0, "zeros");
          Check(size > 20'000 || std::all_of(block, block + size, [](char c) { return c == 0; }),
                "nothing but zeros");
          std::free(block);
        }
        errno = 0;
        Check(Hide(std::calloc(Hide(SIZE_MAX / 2), 3)) == nullptr && errno == ENOMEM,
              "no overflow");
      },
      5));
}

TEST(Heap, UninitialisedMemoryIsTheSameEveryTime) {
  static char* first = nullptr;  // on the heap of the process
  first = new char[30'000'000];
  bool has_first = false;
  ExpectPass(Walk(
      [&] {
        TakeStep();
        auto* const block = static_cast<char*>(std::malloc(Hide(30'000'000)));
        if (!has_first) {
          has_first = true;
          memcpy(first, block, 30'000'000);
        }
        Check(std::memcmp(first, block, 30'000'000) == 0, "the same contents");
        std::memset(block, 0x55, 30'000'000);
        std::free(block);
      },
      3));
  delete[] first;
}

TEST(Heap, ReallocKeepsContents) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        auto* block = static_cast<char*>(std::realloc(nullptr, 10));
        std::strcpy(block, "contents");
        for (const size_t size : {1'000, 100'000, 20, 9}) {
          block = static_cast<char*>(std::realloc(block, size));
          Check(std::strcmp(block, "contents") == 0, "kept");
        }
        errno = 0;
        Check(std::realloc(block, Hide(SIZE_MAX / 2)) == nullptr && errno == ENOMEM, "too large");
        Check(std::strcmp(block, "contents") == 0, "kept when there is no room");
        std::free(block);
      },
      5));
}

TEST(Heap, AlignedAllocation) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        for (size_t alignment = sizeof(void*); alignment <= 65536; alignment *= 2) {
          void* block = std::aligned_alloc(alignment, 3 * alignment);
          Check(IsAligned(block, alignment), "aligned_alloc");
          std::free(block);
          block = memalign(alignment, 100);
          Check(IsAligned(block, alignment), "memalign");
          std::free(block);
          Check(posix_memalign(&block, alignment, 100) == 0, "posix_memalign");
          Check(IsAligned(block, alignment), "posix_memalign");
          std::free(block);
          block = operator new(100, std::align_val_t(alignment));
          Check(IsAligned(block, alignment), "operator new");
          operator delete(block, std::align_val_t(alignment));
        }
        void* block = nullptr;
        Check(posix_memalign(&block, 3, 100) == EINVAL, "not a power of two");
        Check(posix_memalign(&block, 0, 100) == EINVAL, "zero");
      },
      3));
}

TEST(Heap, HugeSizesAreRefusedAndLargeOnesCostNothing) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        for (const size_t size : {size_t{1} << 40, size_t{1} << 60, SIZE_MAX, SIZE_MAX - 15}) {
          errno = 0;
          Check(Hide(std::malloc(Hide(size))) == nullptr && errno == ENOMEM, "malloc");
          Check(Hide(std::aligned_alloc(64, Hide(size))) == nullptr, "aligned_alloc");
          Check(Hide(operator new(Hide(size), std::nothrow)) == nullptr, "operator new, nothrow");
          bool thrown = false;
          try {
            Hide(operator new(Hide(size)));
          } catch (const std::bad_alloc&) {
            thrown = true;
          }
          Check(thrown, "operator new");
        }
        auto* const large = Hide(static_cast<char*>(std::malloc(size_t{3} << 30)));
        Check(large != nullptr, "three gigabytes of addresses");
        large[0] = large[(size_t{3} << 30) - 1] = 1;
        std::free(large);
      },
      20));
}

// What a system may well have, and the simulation has not, is nobody's fault.
TEST(Heap, WhatThereIsNoRoomForIsUnsupported) {
  ExpectVerdict(
      [] {
        TakeStep();
        Hide(std::malloc(Hide(size_t{1} << 33)));
      },
      "unsupported|large heap", "no room for a block of 8589934592 bytes");
  ExpectVerdict(
      [] {
        TakeStep();
        std::vector<std::vector<char>> blocks;
        for (int i = 0; i < 5; ++i) blocks.emplace_back().reserve(size_t{1} << 30);
      },
      "unsupported|large heap", "no room for a block of 1073741824 bytes");
}

TEST(Heap, NothingIsAnError) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        std::free(nullptr);
        delete Hide(static_cast<int*>(nullptr));
        Check(malloc_usable_size(nullptr) == 0, "nothing");
        void* const a = std::malloc(0);
        void* const b = std::malloc(0);
        Check(a != b && a != nullptr, "blocks of no size are distinct");
        std::free(a);
        std::free(b);
      },
      3));
}

TEST(Heap, OutlivesItsThread) {
  ExpectPass(Walk([] {
    std::unique_ptr<std::string> text;
    std::thread([&] { text = std::make_unique<std::string>(100, 'x'); }).join();
    Check(*text == std::string(100, 'x'), "kept");
  }));
}

// ---- the libraries

TEST(Library, StandardIo) {
  char path[] = "/tmp/jacquard-library-test-XXXXXX";
  const int file = mkstemp(path);
  ASSERT_GE(file, 0);
  ExpectPass(Walk(
      [&path] {
        TakeStep();
        std::FILE* const stream = std::fopen(path, "w+");
        Check(stream != nullptr, "opened");
        auto print = [&](int number) {
          for (int i = 0; i < 5; ++i) {
            std::fprintf(stream, "%d %s %.3f\n", number, "text", 1.25);
            TakeStep();
          }
        };
        std::thread a(print, 1), b(print, 2);
        a.join();
        b.join();
        std::rewind(stream);
        char line[100];
        int lines = 0;
        while (std::fgets(line, sizeof(line), stream) != nullptr) ++lines;
        Check(lines == 10, "all lines are there");
        std::fclose(stream);
      },
      200));
  close(file);
  std::remove(path);
}

TEST(Library, StreamsAndLocales) {
  ExpectPass(Walk(
      [] {
        auto work = [](int number) {
          std::ostringstream out;
          out.imbue(std::locale::classic());
          out << number << ' ' << 2.5 << ' ' << std::boolalpha << true;
          TakeStep();
          std::istringstream in(out.str());
          int read = 0;
          in >> read;
          Check(read == number, "reads what was written");
          const std::locale locale(std::locale(), new std::numpunct<char>);
          TakeStep();
          out.imbue(locale);
          out << 1234567;
          Check(out.str().find("1234567") != std::string::npos, "written");
          std::cout << "" << std::flush;
        };
        std::thread a(work, 1), b(work, 2);
        work(3);
        a.join();
        b.join();
      },
      500));
  std::ostringstream out;
  out << 1.5 << std::locale().name();
  EXPECT_EQ(out.str(), "1.5C");
}

TEST(Library, MemoryThatALibraryGivesMayBeFreed) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        char* const text = strdup("a text");
        std::free(text);
        char* line = nullptr;
        size_t size = 0;
        std::FILE* const stream = fmemopen(const_cast<char*>("first\nsecond\n"), 13, "r");
        Check(getline(&line, &size, stream) == 6, "read");
        std::free(line);
        line = static_cast<char*>(std::malloc(1));
        size = 1;
        Check(getline(&line, &size, stream) == 7, "read into a block of the execution");
        Check(std::strcmp(line, "second\n") == 0, "the contents are right");
        std::free(line);
        std::fclose(stream);
        char* formatted = nullptr;
        Check(asprintf(&formatted, "%0200d", 5) == 200, "formatted");
        std::free(formatted);
      },
      200));
}

TEST(Library, WhatAnExecutionHasFirstUsedStillWorksAfterIt) {
  // The first use of a facet, a stream buffer or a time zone leaves a cache in the library.
  ExpectPass(Walk(
      [] {
        TakeStep();
        std::ostringstream out;
        out << std::hex << 255 << std::scientific << 1e10;
        const time_t when = 0;
        tm broken_down;
        localtime_r(&when, &broken_down);
        char text[100];
        strftime(text, sizeof(text), "%A", &broken_down);
        Check(std::getenv("HOME") == nullptr || std::strlen(std::getenv("HOME")) > 0, "read");
      },
      5));
  std::ostringstream out;
  out << std::hex << 255 << std::scientific << 1e10;
  EXPECT_EQ(out.str(), "ff1.000000e+10");
  const time_t when = 0;
  tm broken_down;
  localtime_r(&when, &broken_down);
  EXPECT_EQ(broken_down.tm_sec, 0);
}

// ---- real threads beside an execution

TEST(RealThreads, AreNotDisturbed) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> rounds{0};
  std::atomic<int> errors{0};
  std::mutex mutex;
  uint64_t guarded = 0;
  auto work = [&] {
    while (!stop.load()) {
      std::list<std::string> texts;
      for (int i = 0; i < 20; ++i) texts.push_back(std::string(static_cast<size_t>(100 + i), 'x'));
      for (const std::string& text : texts) {
        // The arena lies at 0x1200'0000'0000.
        const auto address = reinterpret_cast<uintptr_t>(text.data());
        errors += address >> 32 >= 0x1200 && address >> 32 <= 0x1200;
        errors += text.find_first_not_of('x') != std::string::npos;
      }
      {
        const std::lock_guard lock(mutex);
        ++guarded;
      }
      errno = 77;
      try {
        throw std::string("real");
      } catch (const std::string& text) {
        errors += text != "real";
      }
      errors += errno != 77 || CurrentThread() != -1;
      thread_local int mine = 0;
      errors += ++mine <= 0;
      std::this_thread::yield();
      rounds.fetch_add(1);
    }
  };
  std::thread a(work), b(work);
  uint64_t executions = 0;
  while (rounds.load() < 2'000) {
    const ExploreResult result = Walk(
        [] {
          std::atomic<int> count{0};
          auto count_up = [&] {
            for (int i = 0; i < 10; ++i) count.fetch_add(1);
            const std::string text(200, 'y');
            Check(reinterpret_cast<uintptr_t>(text.data()) >> 32 == 0x1200, "from the arena");
          };
          std::thread c(count_up), d(count_up);
          c.join();
          d.join();
          Check(count == 20, "counted");
          std::atomic<bool> flag{false};
          std::thread e([&] { flag.store(true); });
          while (!flag.load()) {
          }
          e.join();
        },
        2000);
    ASSERT_TRUE(result.verdict.passed()) << result.verdict.message;
    // 20 counts and 2 for the flag, and those of the spinning thread; none of the real threads'.
    ASSERT_LT(result.steps / result.executions, 60u);
    executions += result.executions;
  }
  stop.store(true);
  a.join();
  b.join();
  EXPECT_EQ(errors.load(), 0);
  EXPECT_GT(guarded, 0u);
  EXPECT_GT(executions, 0u);
}

TEST(RealThreads, DoNotChangeATrace) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> word{0};
  std::thread noise([&] {
    while (!stop.load()) word.fetch_add(1);
  });
  class Body : public Program {
   public:
    int ThreadCount() const override { return 3; }
    void RunThread(int /*thread*/) override {
      static std::atomic<bool> lock;
      for (int i = 0; i < 3; ++i) {
        while (lock.exchange(true)) {
        }
        lock.store(false);
      }
    }
  } program;
  std::vector<uint64_t> fingerprints;
  for (int i = 0; i < 300; ++i) {
    RandomWalk walk(4);
    walk.BeginExecution();
    Trace trace;
    EXPECT_TRUE(Execute(program, walk, {}, &trace).passed());
    fingerprints.push_back(trace.Fingerprint());
  }
  stop.store(true);
  noise.join();
  EXPECT_EQ(std::count(fingerprints.begin(), fingerprints.end(), fingerprints[0]), 300);
}

}  // namespace
}  // namespace jacquard
