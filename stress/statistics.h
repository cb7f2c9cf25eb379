// What a torture counts, in memory that its process shares with the one that watches it: so that
// nothing is lost when it dies.
//
// Each word has one writer, its thread, so counting is a load and a store; whoever reads sees some
// moment of each. Relaxed everywhere: pairs with nothing, as nothing is published by it.
#ifndef JACQUARD_STRESS_STATISTICS_H_
#define JACQUARD_STRESS_STATISTICS_H_

#include <atomic>
#include <cstdint>

#include "fuzzers/scenario_type.h"

namespace jacquard {

inline constexpr int kMaxStressOperations = 64;

// A number with one writer.
class SharedNumber {
 public:
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(uint64_t amount) { Set(Get() + amount); }
  void RaiseTo(uint64_t value) {
    if (value > Get()) Set(value);
  }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// How often an operation ended in one way. The text is a literal of the program, which has the same
// address in a process that was forked from it.
struct ResultCount {
  std::atomic<const char*> text = nullptr;
  SharedNumber count;
};

struct OperationCounts {
  static constexpr int kResults = 6;  // the last one takes what finds no place

  SharedNumber calls;
  SharedNumber longest;  // nanoseconds from call to return
  ResultCount results[kResults];

  // `text` as OperationType::run returns it.
  void Count(const char* text, uint64_t nanoseconds) {
    if (text == nullptr) text = "done";
    calls.Add(1);
    longest.RaiseTo(nanoseconds);
    ResultCount* result = results;
    for (int i = 1; i < kResults; ++i, ++result) {
      const char* const there = result->text.load(std::memory_order_relaxed);
      if (there == nullptr) result->text.store(text, std::memory_order_relaxed);
      if (there == nullptr || there == text) break;
    }
    if (result == results + kResults - 1) result->text.store("other", std::memory_order_relaxed);
    result->count.Add(1);
  }
};

struct alignas(64) ThreadCounts {
  static constexpr uint64_t kOutside = ~uint64_t{0};  // of `operation`: between two

  SharedNumber operation;         // the one that it is in
  SharedNumber since;             // since when, in nanoseconds of the steady clock
  SharedNumber delayed_accesses;  // that there may have been a delay at
  OperationCounts operations[kMaxStressOperations];
};

struct StressStatistics {
  std::atomic<bool> stop = false;  // set by the watching process
  SharedNumber rounds;
  SharedNumber pauses;
  ThreadCounts threads[kMaxInputThreads];
};

}  // namespace jacquard

#endif  // JACQUARD_STRESS_STATISTICS_H_
