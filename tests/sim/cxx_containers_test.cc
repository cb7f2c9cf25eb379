// Lists and trees, as far as the C++ library's own code changes them, which has no hooks.
#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <map>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tests/sim/uninstrumented.h"

namespace jacquard {
namespace {

TEST(Containers, AreChangedWhileOthersReadThem) {
  const auto race = [](auto make, auto change, auto read) {
    return Walk([=] {
             auto container = make();
             int sum = 0;
             std::thread other([&] { change(container); });
             read(container, sum);
             other.join();
             Check(sum != 77, "a sum that is looked at");
           })
        .verdict.signature;
  };
  const auto list = [] { return std::list{3, 1, 2}; };
  const auto map = [] { return std::map<int, int>{{1, 1}, {2, 2}, {3, 3}}; };
  const auto sum = [](auto& container, int& result) {
    for (int value : container) result += value;
  };
  const std::string read_and_write = "race|plain read and plain write";
  EXPECT_EQ(race(list, [](auto& l) { l.reverse(); }, sum), read_and_write);
  EXPECT_EQ(race(list, [](auto& l) { l.sort(); }, sum), read_and_write);
  EXPECT_EQ(race(list, [](auto& l) { l.splice(l.begin(), l, --l.end()); }, sum), read_and_write);
  EXPECT_EQ(race(list, [](auto& l) { l.push_back(4); }, sum), read_and_write);
  EXPECT_EQ(race(
                map, [](auto& m) { m.erase(3); },
                [](auto& m, int& result) { result = m.begin()->second; }),
            read_and_write);
  // To change another element is none.
  EXPECT_EQ(
      race(map, [](auto& m) { m.at(1) = 5; }, [](auto& m, int& result) { result = m.at(2); }), "");
  EXPECT_EQ(
      race(
          list, [](auto& l) { l.front() = 5; }, [](auto& l, int& result) { result = l.back(); }),
      "");
}

// Nor has anybody seen how code without hooks synchronises what it does to its own.
TEST(Containers, OfCodeWithoutHooksAreItsOwnAffair) {
  ExpectPass(Walk([] {
    std::atomic<int> word = 0;
    std::thread other([&] {
      word.fetch_add(1);
      ChangeHiddenContainers(1);
    });
    word.fetch_add(1);
    ChangeHiddenContainers(2);
    other.join();
  }));
}

}  // namespace
}  // namespace jacquard
