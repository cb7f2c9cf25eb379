// How many different schedules there were, from a hash of each.
#ifndef JACQUARD_JACQUARD_SCHEDULE_COUNTER_H_
#define JACQUARD_JACQUARD_SCHEDULE_COUNTER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jacquard::call {

// Counts distinct values: exactly up to kMostExact, by HyperLogLog beyond (Flajolet, Fusy, Gandouet
// and Meunier, 2007; 2^14 registers, standard error 0.8 %). A value costs some nanoseconds: values
// are collected, so that the table's memory can be fetched ahead.
class ScheduleCounter {
 public:
  static constexpr size_t kMostExact = 4'000'000;
  static constexpr size_t kRegisters = size_t{1} << 14;

  explicit ScheduleCounter(size_t most_exact = kMostExact) : most_exact_(most_exact) {
    if (most_exact == 0) BeginEstimate();
  }

  void Add(uint64_t hash) {
    pending_[pending_count_++] = Mix(hash);
    if (pending_count_ == kPending) [[unlikely]]
      Flush();
  }

  uint64_t Count();
  bool estimated() const { return !registers_.empty(); }

  // What has been counted, in a form that others can be added to: as many distinct values together.
  // Only of a counter that was made with `most_exact` 0, one character each.
  std::string Registers();
  void Merge(std::string_view registers);

 private:
  static constexpr size_t kPending = 64;
  static constexpr int kRegisterBits = std::countr_zero(kRegisters);

  // The finaliser of MurmurHash3: every bit of the result depends on every bit of `hash`.
  static uint64_t Mix(uint64_t hash) {
    hash = (hash ^ (hash >> 33)) * 0xFF51'AFD7'ED55'8CCD;
    hash = (hash ^ (hash >> 33)) * 0xC4CE'B9FE'1A85'EC53;
    hash ^= hash >> 33;
    return hash != 0 ? hash : 1;
  }

  void Flush();
  void Insert(uint64_t value);
  void Grow();
  void BeginEstimate();
  void AddToEstimate(uint64_t value);

  size_t most_exact_;
  size_t pending_count_ = 0;
  uint64_t pending_[kPending];
  std::vector<uint64_t> table_;  // open addressing; 0 is empty
  size_t count_ = 0;             // of values in the table
  std::vector<uint8_t> registers_;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_SCHEDULE_COUNTER_H_
