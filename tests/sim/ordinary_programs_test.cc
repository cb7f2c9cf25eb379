// What ordinary programs do with memory is no error and no leak, whatever the schedule: much of the
// C++ library, on several threads, with every oracle on.
#include <gtest/gtest.h>

#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <charconv>
#include <coroutine>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <forward_list>
#include <functional>
#include <iomanip>
#include <latch>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <regex>
#include <semaphore>
#include <set>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <valarray>
#include <variant>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

std::string Long(int i) {
  return "a text that is too long to be kept in place " + std::to_string(i);
}

// `work` on three threads, in many schedules.
void ExpectNothingSaid(void (*work)(int), uint64_t executions = 100) {
  const ExploreResult result = Walk(
      [work] {
        static std::atomic<int> steps;
        auto run = [work](int i) {
          steps.fetch_add(1);
          work(i);
          steps.fetch_add(1);
        };
        std::thread a(run, 1), b(run, 2);
        run(0);
        a.join();
        b.join();
      },
      executions);
  ExpectPass(result);
  EXPECT_EQ(result.executions, executions);
}

TEST(OrdinaryPrograms, UseContainers) {
  ExpectNothingSaid([](int number) {
    std::vector<std::string> vector;
    std::deque<std::string> deque;
    std::list<std::string> list;
    std::forward_list<std::string> forward;
    std::map<std::string, std::vector<int>> map;
    std::multiset<int> multiset;
    std::unordered_map<std::string, std::unique_ptr<std::string>> table;
    std::unordered_set<int> numbers;
    std::priority_queue<int> heap;
    for (int i = 0; i < 40; ++i) {
      vector.push_back(Long(i + number));
      deque.push_front(vector.back());
      if (i % 3 == 0) deque.pop_back();
      list.insert(list.begin(), Long(i));
      forward.push_front(Long(i));
      map[Long(i % 7)].push_back(i);
      multiset.insert(i % 5);
      table.try_emplace(Long(i), std::make_unique<std::string>(Long(i)));
      numbers.insert(i * number);
      heap.push(i * 37 % 11);
    }
    vector.erase(vector.begin() + 3, vector.begin() + 10);
    vector.shrink_to_fit();
    list.sort();
    list.remove(Long(3));
    forward.reverse();
    map.erase(Long(2));
    auto node = map.extract(map.begin());
    node.key() = "another";
    map.insert(std::move(node));
    table.rehash(1000);
    table.erase(Long(5));
    std::stable_sort(vector.begin(), vector.end(), std::greater<>());
    std::inplace_merge(vector.begin(), vector.begin() + 5, vector.end(), std::greater<>());
    std::vector<bool> bits(100, true);
    bits.flip();
    bits.resize(1000);
    std::valarray<double> values(10);
    values = values + 1.0;
    Check(std::accumulate(std::begin(values), std::end(values), 0.0) == 10, "added up");
    std::vector<std::string> moved = std::move(vector);
    vector.clear();
    vector = moved;
    Check(vector == moved, "copied");
  });
}

TEST(OrdinaryPrograms, UseTexts) {
  ExpectNothingSaid(
      [](int number) {
        std::string text = Long(number);
        text += text.substr(5, 30);
        text.insert(3, "more");
        text.replace(0, 10, std::string(50, 'y'));
        text.resize(500, 'z');
        text.reserve(2000);
        text.shrink_to_fit();
        std::ostringstream out;
        out << std::setw(20) << number << Long(1) << std::hex << 255 << 1.5;
        std::istringstream in(out.str() + "\nsecond line that is long enough for the heap\n");
        std::string line;
        std::getline(in, line);
        std::getline(in, line);
        Check(line.starts_with("second"), "read");
        std::smatch match;
        const std::regex pattern("([a-z]+) (that|which) (is)", std::regex::icase);
        Check(std::regex_search(line, match, pattern) && match.size() == 4, "matches");
        char buffer[32];
        const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), 3.25);
        Check(std::string_view(buffer, end) == "3.25", "converted");
      },
      20);
}

TEST(OrdinaryPrograms, UseTypeErasure) {
  ExpectNothingSaid([](int number) {
    std::function<std::string()> function = [text = Long(number)] { return text; };
    const std::function<std::string()> copy = function;
    function = nullptr;
    std::any any = Long(1);
    any = std::vector<int>(100, 1);
    any.reset();
    std::variant<int, std::string, std::vector<std::string>> variant = Long(2);
    variant = std::vector<std::string>{Long(3), Long(4)};
    variant = 5;
    std::optional<std::string> optional = Long(5);
    optional = copy();
    optional.reset();
    struct Base : std::enable_shared_from_this<Base> {
      virtual ~Base() = default;
      std::string text = Long(0);
    };
    struct Derived : Base {
      std::array<char, 100> more{};
    };
    const std::unique_ptr<Base> unique = std::make_unique<Derived>();
    std::shared_ptr<Base> shared = std::make_shared<Derived>();
    const std::shared_ptr<Base> again = shared->shared_from_this();
    std::weak_ptr<Base> weak = again;
    shared = std::shared_ptr<Base>(new Derived);
    shared.reset(new Derived, [](Base* base) { delete base; });
    Check(weak.lock() == again, "the same");
    const std::shared_ptr<std::string> member(again, &again->text);
    struct alignas(64) Aligned {
      char bytes[64];
    };
    const auto aligned = std::make_shared<Aligned>();
    std::vector<Aligned> many(3);
    many.resize(50);
    const auto array = std::make_unique<std::string[]>(10);
  });
}

TEST(OrdinaryPrograms, UseExceptions) {
  ExpectNothingSaid([](int number) {
    std::exception_ptr kept;
    try {
      try {
        throw std::invalid_argument(Long(number));
      } catch (...) {
        std::throw_with_nested(std::runtime_error(Long(number + 1)));
      }
    } catch (const std::exception& outer) {
      kept = std::current_exception();
      try {
        std::rethrow_if_nested(outer);
      } catch (const std::invalid_argument& inner) {
        Check(Long(number) == inner.what(), "the inner one");
      }
    }
    try {
      std::rethrow_exception(kept);
    } catch (const std::runtime_error& error) {
      Check(Long(number + 1) == error.what(), "the outer one");
    }
    struct Throws {
      explicit Throws(bool throws) : text(Long(1)) {
        if (throws) throw std::vector<std::string>(3, Long(2));
      }
      std::string text;
    };
    try {
      const auto object = std::make_unique<Throws>(true);
    } catch (const std::vector<std::string>& thrown) {
      Check(thrown.size() == 3, "thrown");
    }
  });
}

// A coroutine's frame lies on the heap.
struct Generator {
  struct promise_type {
    std::string value;
    Generator get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(std::string text) {
      value = std::move(text);
      return {};
    }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

Generator Count(int from) {
  const std::string kept = Long(from);
  for (int i = from; i < from + 5; ++i) co_yield Long(i);
}

TEST(OrdinaryPrograms, UseCoroutines) {
  ExpectNothingSaid([](int number) {
    const Generator generator = Count(number);
    for (int i = number; i < number + 3; ++i) {
      generator.handle.resume();
      Check(generator.handle.promise().value == Long(i), "counted");
    }
    generator.handle.destroy();
  });
}

TEST(OrdinaryPrograms, UsePolymorphicMemory) {
  ExpectNothingSaid([](int number) {
    std::pmr::monotonic_buffer_resource monotonic;
    std::pmr::unsynchronized_pool_resource pool(&monotonic);
    std::pmr::vector<std::pmr::string> texts(&pool);
    for (int i = 0; i < 20; ++i) texts.emplace_back(Long(number + i));
    texts.erase(texts.begin(), texts.begin() + 10);
    std::pmr::map<int, std::pmr::string> map(&monotonic);
    for (int i = 0; i < 20; ++i) map[i] = Long(i);
  });
}

TEST(OrdinaryPrograms, ShareAcrossThreads) {
  const ExploreResult result = Walk(
      [] {
        struct Queue {
          std::mutex mutex;
          std::deque<std::unique_ptr<std::string>> texts;
        };
        const auto queue = std::make_shared<Queue>();
        std::counting_semaphore<> filled(0);
        std::latch done(2);
        // Not std::atomic<std::shared_ptr>: that of libstdc++ 12 has a race of its own.
        std::shared_ptr<std::string> latest;
        auto produce = [queue, &filled, &done, &latest] {
          for (int i = 0; i < 3; ++i) {
            auto text = std::make_unique<std::string>(Long(i));
            std::atomic_store(&latest, std::make_shared<std::string>(*text));
            {
              const std::lock_guard lock(queue->mutex);
              queue->texts.push_back(std::move(text));
            }
            filled.release();
          }
          done.count_down();
        };
        std::jthread a(produce);
        std::thread b(produce);
        b.detach();
        int characters = 0;
        for (int i = 0; i < 6; ++i) {
          filled.acquire();
          const std::lock_guard lock(queue->mutex);
          characters += static_cast<int>(queue->texts.front()->size());
          queue->texts.pop_front();
          if (const std::shared_ptr<std::string> text = std::atomic_load(&latest))
            Check(text->size() == Long(0).size(), "a whole text");
        }
        done.wait();
        Check(characters == 6 * static_cast<int>(Long(0).size()), "all are there");
      },
      500);
  ExpectPass(result);
}

// Nodes are handed over without a lock, and freed by whoever takes them.
TEST(OrdinaryPrograms, PassNodesWithoutLocks) {
  const ExploreResult result = Walk(
      [] {
        struct Node {
          Node* next;
          std::string text;
        };
        std::atomic<Node*> head{nullptr};
        auto push = [&head](int number) {
          for (int i = 0; i < 3; ++i) {
            auto* const node = new Node{head.load(), Long(number)};
            while (!head.compare_exchange_weak(node->next, node)) {
            }
          }
        };
        auto take_all = [&head] {
          int count = 0;
          for (Node* node = head.exchange(nullptr); node != nullptr; ++count) {
            Check(!node->text.empty(), "a text");
            delete std::exchange(node, node->next);
          }
          return count;
        };
        std::thread a(push, 1), b(push, 2);
        int taken = take_all() + take_all();
        a.join();
        b.join();
        taken += take_all();
        Check(taken == 6, "all are there");
      },
      500);
  ExpectPass(result);
}

}  // namespace
}  // namespace jacquard
