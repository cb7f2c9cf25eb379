// Blocks that were there before an execution which frees them: the next one finds them again.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Made by constructors of globals.
std::vector<int> numbers = {1, 2, 3};
std::vector<int> many(40'000, 7);
std::string text(100, 'a');
std::list<int> nodes = {1, 2, 3};
std::unique_ptr<int> owner = std::make_unique<int>(5);
std::shared_ptr<int> shared = std::make_shared<int>(6);
char* bytes = static_cast<char*>(std::memset(std::malloc(2000), 'b', 2000));

TEST(BlocksOfGlobals, AreThereInEachExecution) {
  ExpectPass(Walk(
      [] {
        std::thread grows([] {
          numbers.push_back(4);
          many.resize(40'001);
          text += std::string(100, 'c');
        });
        std::thread drops([] {
          nodes.clear();
          owner.reset();
          shared = nullptr;
        });
        Check(bytes[1999] == 'b', "the contents of the bytes");
        bytes = static_cast<char*>(std::realloc(bytes, 4000));
        Check(bytes[0] == 'b' && bytes[1999] == 'b', "the contents of the moved bytes");
        std::free(std::exchange(bytes, nullptr));
        grows.join();
        drops.join();
        Check(numbers == std::vector{1, 2, 3, 4}, "numbers");
        Check(many[0] == 7 && many[39'999] == 7 && many[40'000] == 0, "many");
        Check(text == std::string(100, 'a') + std::string(100, 'c'), "text");
        Check(nodes.empty() && owner == nullptr, "what was dropped");
      },
      50));
  // And after them.
  EXPECT_EQ(numbers, (std::vector{1, 2, 3}));
  EXPECT_EQ(many, std::vector(40'000, 7));
  EXPECT_EQ(text, std::string(100, 'a'));
  EXPECT_EQ(nodes, (std::list{1, 2, 3}));
  EXPECT_EQ(*owner, 5);
  EXPECT_EQ(*shared, 6);
  EXPECT_EQ(bytes[1999], 'b');
}

// What is in them, too, and not only if they are freed. The test's own blocks keep what is written.
std::map<std::string, int> counts = {{"one", 1}, {"two", 2}};
std::vector<int> large(1'000'000, 1);
std::vector<std::unique_ptr<std::atomic<int>>> words = [] {
  std::vector<std::unique_ptr<std::atomic<int>>> made;
  for (int i = 0; i < 3; ++i) made.push_back(std::make_unique<std::atomic<int>>(i));
  return made;
}();

// Those of the C++ library's own code, which has no hooks.
std::map<int, int> squares = [] {
  std::map<int, int> made;
  for (int i = 0; i < 100; ++i) made[i] = i * i;
  return made;
}();

TEST(BlocksOfGlobals, AreAsTheyWereInTreesAndLists) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        static std::atomic<uint32_t> shared;  // another path in each execution
        std::thread other([] {
          for (int i = 0; i < 5; ++i) shared.fetch_add(1);
        });
        Check(nodes == std::list{1, 2, 3}, "nodes");
        nodes.reverse();
        nodes.push_front(4);
        nodes.remove(2);
        nodes.sort();
        Check(squares.size() == 100, "squares");
        for (int i = 0; i < 100; ++i) Check(squares.at(i) == i * i, "a square");
        for (int i = 0; i < 40; ++i) {
          const int key = static_cast<int>((i * 37u + shared.load() * 11u) % 150);
          if (squares.erase(key) == 0) squares[key] = -1;
        }
        int last = -1;
        for (const auto& [key, square] : squares) {
          Check(key > last, "their order");
          last = key;
        }
        other.join();
      },
      50));
  EXPECT_EQ(nodes, (std::list{1, 2, 3}));
  EXPECT_EQ(squares.size(), 100u);
}

// A tree of the execution's own may have such nodes, too, and those only in its middle.
TEST(BlocksOfGlobals, AreAsTheyWereInATreeThatTakesThemOver) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        Check(squares.size() == 100, "squares");
        for (int i = 0; i < 100; ++i) Check(squares.at(i) == i * i, "a square");
        std::map<int, int> mine = std::move(squares);
        squares.clear();
        mine[-1] = 0;
        for (int i = 100; i < 2000; ++i) mine[i] = 0;  // root and ends are new ones now
        for (int i = 1; i < 100; i += 2) mine.erase(i);
        Check(mine.size() == 1951, "all of them");
      },
      20));
  EXPECT_EQ(squares.size(), 100u);
}

TEST(BlocksOfGlobals, AreAsTheyWere) {
  std::vector<int> executions(1);
  std::list<int> own = {0, 0, 0};
  ExpectPass(Walk(
      [&] {
        Check(counts["one"] == 1 && counts["two"] == 2 && counts.size() == 2, "counts");
        Check(large[0] == 1 && large[999'999] == 1, "large");
        Check(*words[0] == 0 && *words[2] == 2, "words");
        Check(numbers[0] == 1, "numbers");
        std::thread other([] {
          ++counts["one"];
          counts["three"] = 3;
          words[0]->fetch_add(1);
          counts.erase("two");
        });
        other.join();
        large[0] = large[999'999] = 2;
        words[2]->store(5, std::memory_order_relaxed);
        std::memset(numbers.data(), 1, 5);
        ++executions[0];
        ++own.back();
      },
      50));
  EXPECT_EQ(executions[0], own.back());
  EXPECT_GE(executions[0], 50);
  EXPECT_EQ(counts, (std::map<std::string, int>{{"one", 1}, {"two", 2}}));
}

// Through a library: the C++ library's own code frees the old contents.
TEST(BlocksOfGlobals, AreThereIfALibraryHasFreedThem) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        text.assign(5000, 'd');
        text.reserve(20'000);
        Check(text == std::string(5000, 'd'), "text");
      },
      50));
  EXPECT_EQ(text, std::string(100, 'a'));
}

int* number = new int(8);

TEST(BlocksOfGlobals, AreFreedOnlyOnce) {
  const auto free_twice = [] {
    TakeStep();
    std::thread([] { delete number; }).join();
    delete number;
  };
  const Verdict verdict = Walk(free_twice).verdict;
  EXPECT_EQ(verdict.signature, "heap error|double free") << verdict.message;
  EXPECT_NE(verdict.message.find("of a block from before the execution, which has freed it"),
            std::string::npos)
      << verdict.message;
  EXPECT_EQ(*number, 8);
}

// To free one is to write to all of it.
TEST(BlocksOfGlobals, AreFreedWhileOthersReadThem) {
  const Verdict verdict = Walk([] {
                            std::thread reader([number = number] { Check(*number == 8, "there"); });
                            delete number;
                            reader.join();
                          }).verdict;
  EXPECT_EQ(verdict.signature, "race|plain read and plain write") << verdict.message;
}

// What is given to one execution, for good, is freed some time.
TEST(BlocksHandedOver, AreFreedInTheEnd) {
  struct Takes : Program {
    int ThreadCount() const override { return 1; }
    void RunThread(int) override {
      TakeStep();
      std::free(given);
    }
    void* given = nullptr;
  } program;
  constexpr size_t kSize = 50'000;  // small enough to come from the heap behind the executable
  constexpr int kBlocks = 4000;
  RandomWalk walk(1);
  walk.BeginExecution();
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kBlocks; ++i) {
    program.given = std::malloc(kSize);
    const Verdict verdict = Execute(program, walk, {});
    ASSERT_TRUE(verdict.passed()) << verdict.message;
  }
  EXPECT_LT(mallinfo2().uordblks, before + kSize * kBlocks * 3 / 4);
  // Those of globals are still kept.
  EXPECT_EQ(text, std::string(100, 'a'));
  EXPECT_EQ(nodes, (std::list{1, 2, 3}));
}

// Memory that is no block of anybody's.
TEST(NoBlocks, AreNotFreed) {
  static int64_t global[8] = {};
  const auto expect_error = [](const std::function<void(char*)>& body) {
    const Verdict verdict = Walk([&body] {
                              TakeStep();
                              char local[64] = {};
                              body(Hide(local));
                            }).verdict;
    EXPECT_EQ(verdict.signature, "heap error|free of what is no block") << verdict.message;
    EXPECT_NE(verdict.message.find("memory that no allocation has returned"), std::string::npos)
        << verdict.message;
  };
  expect_error([](char* local) { std::free(Hide(local)); });
  expect_error([](char* local) { static_cast<void>(!std::realloc(Hide(local), 100)); });
  expect_error([](char*) { delete Hide(reinterpret_cast<char*>(&global[0])); });
  expect_error([](char*) { std::free(Hide(bytes + 8)); });
}

// What a library has allocated in an execution is freed for real, in the same one or a later one.
TEST(BlocksOfLibraries, AreFreed) {
  const auto body = [] {
    TakeStep();
    char* line = nullptr;
    size_t size = 0;
    std::FILE* const stream = fmemopen(const_cast<char*>("first\n"), 6, "r");
    Check(getline(&line, &size, stream) == 6, "read");
    std::free(line);
    std::fclose(stream);
    char* const path = realpath("/", nullptr);
    Check(malloc_usable_size(path) >= 2, "its size");
    std::free(std::realloc(path, 100'000));
  };
  ExpectPass(Walk(body, 100));
  const size_t before = mallinfo2().uordblks;
  ExpectPass(Walk(body, 10'000));
  EXPECT_LT(mallinfo2().uordblks, before + (1 << 20));
}

}  // namespace
}  // namespace jacquard
