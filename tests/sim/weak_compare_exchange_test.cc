// A weak compare-exchange may fail for no reason; a strong one may not.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// Of somebody who names his own function like that: it is what it calls.
struct Word {
  bool compare_exchange_weak(int& expected, int desired) {
    return value.compare_exchange_strong(expected, desired);
  }
  std::atomic<int> value{0};
};

// Fails where `try_store(word)` does, although nobody else writes.
void ExpectFailsSpuriously(bool expected, auto try_store) {
  const ExploreResult result = SearchAll([&] {
    std::atomic<int> word{0};
    Check(try_store(word), "nobody is in the way");
  });
  EXPECT_EQ(result.verdict.passed(), !expected) << result.verdict.message;
  EXPECT_FALSE(result.not_deterministic);
  EXPECT_TRUE(expected || result.exhausted);
}

TEST(WeakCompareExchange, FailsForNoReason) {
  ExpectFailsSpuriously(true, [](std::atomic<int>& word) {
    int expected = 0;
    return word.compare_exchange_weak(expected, 1);
  });
  ExpectFailsSpuriously(true, [](std::atomic<int>& word) {
    int expected = 0;
    return word.compare_exchange_weak(expected, 1, std::memory_order_acquire,
                                      std::memory_order_relaxed);
  });
  ExpectFailsSpuriously(true, [](std::atomic<int>& word) {
    int expected = 0;
    return std::atomic_compare_exchange_weak(&word, &expected, 1);
  });
}

TEST(WeakCompareExchange, OfOtherTypesFailsForNoReason) {
  ExpectFailsSpuriously(true, [](std::atomic<int>&) {
    int object = 0;
    std::atomic<int*> pointer{nullptr};
    int* expected = nullptr;
    return pointer.compare_exchange_weak(expected, &object);
  });
  ExpectFailsSpuriously(true, [](std::atomic<int>&) {
    struct Pair {
      int first, second;
    };
    std::atomic<Pair> pair{Pair{0, 0}};
    Pair expected = {0, 0};
    return pair.compare_exchange_weak(expected, Pair{1, 1});
  });
  ExpectFailsSpuriously(true, [](std::atomic<int>&) {
    alignas(std::atomic_ref<int>::required_alignment) int value = 0;
    int expected = 0;
    return std::atomic_ref<int>(value).compare_exchange_weak(expected, 1);
  });
}

// And as a builtin, whose type is bool: braces do not take an int for it.
TEST(WeakCompareExchange, AsABuiltinFailsForNoReason) {
  ExpectFailsSpuriously(true, [](std::atomic<int>&) {
    struct Outcome {
      bool stored;
      int seen;
    };
    int word = 0;
    int expected = 0;
    const Outcome outcome = {
        __atomic_compare_exchange_n(&word, &expected, 1, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST),
        expected};
    EXPECT_EQ(outcome.seen, 0);
    return outcome.stored;
  });
}

// Of a size that no instruction has: libatomic's. Behind the object there is none of its bytes.
TEST(WeakCompareExchange, OfOddSizesStaysInTheObject) {
  struct Three {
    char bytes[3];
  };
  ExpectFailsSpuriously(false, [](std::atomic<int>&) {
    const auto word = std::make_unique<std::atomic<Three>>(Three{{1, 2, 3}});
    char room[16] = {1, 2, 3};
    auto& expected = reinterpret_cast<Three&>(room);
    return word->compare_exchange_weak(expected, Three{{4, 5, 6}});
  });
  struct Large {
    char bytes[32];
  };
  ExpectFailsSpuriously(false, [](std::atomic<int>&) {
    std::atomic<Large> word(Large{});
    Large expected = {};
    return word.compare_exchange_weak(expected, Large{{1}});
  });
}

TEST(WeakCompareExchange, StrongOneDoesNot) {
  ExpectFailsSpuriously(false, [](std::atomic<int>& word) {
    int expected = 0;
    return word.compare_exchange_strong(expected, 1);
  });
  ExpectFailsSpuriously(false, [](std::atomic<int>& word) {
    int expected = 0;
    return std::atomic_compare_exchange_strong(&word, &expected, 1);
  });
  ExpectFailsSpuriously(false, [](std::atomic<int>&) {
    Word word;
    int expected = 0;
    return word.compare_exchange_weak(expected, 1);
  });
}

TEST(WeakCompareExchange, OfTheCompilerFailsForNoReason) {
  for (const bool weak : {false, true}) {
    ExpectFailsSpuriously(weak, [weak](std::atomic<int>&) {
      int word = 0;
      int expected = 0;
      return __atomic_compare_exchange_n(&word, &expected, 1, weak, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST);
    });
  }
  ExpectFailsSpuriously(true, [](std::atomic<int>&) {
    _Atomic(int) word = 0;
    int expected = 0;
    return __c11_atomic_compare_exchange_weak(&word, &expected, 1, __ATOMIC_SEQ_CST,
                                              __ATOMIC_SEQ_CST);
  });
}

// Each operand is evaluated once, also by one that fails.
TEST(WeakCompareExchange, OperandsAreEvaluatedOnce) {
  const ExploreResult result = SearchAll([] {
    int words[2] = {};
    int expected[2] = {};
    int at = 0;
    int from = 0;
    int desired = 1;
    static_cast<void>(__atomic_compare_exchange_n(&words[at++], &expected[from++], desired++, true,
                                                  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    Check(at == 1 && from == 1 && desired == 2, "once");
  });
  ExpectPass(result);
  EXPECT_EQ(result.executions, 2u);
}

TEST(WeakCompareExchange, LoopComesToItsEnd) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> count{0};
    const auto add = [&] {
      int old = count.load(std::memory_order_relaxed);
      while (!count.compare_exchange_weak(old, old + 1)) {
      }
    };
    std::thread other(add);
    add();
    other.join();
    Check(count.load() == 2, "both have added");
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

// The expected value stays what it is, and nothing is stored.
TEST(WeakCompareExchange, FailureForNoReasonChangesNothing) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> word{7};
    int expected = 7;
    const bool stored = word.compare_exchange_weak(expected, 8);
    Check(expected == 7, "it has seen what it expected");
    Check(word.load() == (stored ? 8 : 7), "it has stored, or it has not");
  });
  ExpectPass(result);
  EXPECT_EQ(result.executions, 2u);
}

TEST(WeakCompareExchange, OptionBoundsIt) {
  for (const uint32_t most : {0u, 1u, 2u}) {
    ExecutionOptions options = TestOptions();
    options.spurious_wake_ups = most;
    const auto body = [](uint32_t failures) {
      return [failures] {
        uint32_t count = 0;
        for (int i = 0; i < 3; ++i) {
          std::atomic<int> word{0};
          int expected = 0;
          if (word.compare_exchange_weak(expected, 1)) continue;
          ++count;
          word.compare_exchange_strong(expected, 1);  // the next one may fail again
        }
        Check(count != failures, "it has failed so often");
      };
    };
    EXPECT_TRUE(SearchAll(body(most + 1), DepthFirst::kUnbounded, options).verdict.passed());
    EXPECT_FALSE(SearchAll(body(most), DepthFirst::kUnbounded, options).verdict.passed());
  }
}

}  // namespace
}  // namespace jacquard
