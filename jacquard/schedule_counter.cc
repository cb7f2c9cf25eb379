#include "jacquard/schedule_counter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace jacquard::call {

void ScheduleCounter::Flush() {
  if (!estimated() && (count_ + pending_count_) * 2 > table_.size()) Grow();
  if (!estimated()) {
    for (size_t i = 0; i < pending_count_; ++i)
      __builtin_prefetch(&table_[pending_[i] & (table_.size() - 1)], 1);
  }
  for (size_t i = 0; i < pending_count_; ++i) {
    if (estimated()) {
      AddToEstimate(pending_[i]);
    } else {
      Insert(pending_[i]);
    }
  }
  pending_count_ = 0;
}

void ScheduleCounter::Insert(uint64_t value) {
  const size_t mask = table_.size() - 1;
  size_t at = value & mask;
  while (table_[at] != 0) {
    if (table_[at] == value) return;
    at = (at + 1) & mask;
  }
  table_[at] = value;
  if (++count_ > most_exact_) BeginEstimate();
}

void ScheduleCounter::Grow() {
  const std::vector<uint64_t> old = std::exchange(
      table_, std::vector<uint64_t>(std::max(table_.size() * 2, std::bit_ceil(4 * kPending))));
  count_ = 0;
  for (const uint64_t value : old) {
    if (value != 0) Insert(value);
  }
}

void ScheduleCounter::BeginEstimate() {
  registers_.assign(kRegisters, 0);
  for (const uint64_t value : table_) {
    if (value != 0) AddToEstimate(value);
  }
  table_ = {};
}

void ScheduleCounter::AddToEstimate(uint64_t value) {
  uint8_t& rank = registers_[value >> (64 - kRegisterBits)];
  const uint64_t rest = (value << kRegisterBits) | (uint64_t{1} << (kRegisterBits - 1));
  rank = std::max(rank, static_cast<uint8_t>(std::countl_zero(rest) + 1));
}

uint64_t ScheduleCounter::Count() {
  if (pending_count_ != 0) Flush();
  if (!estimated()) return count_;
  const auto registers = static_cast<double>(registers_.size());
  double sum = 0;
  for (const uint8_t rank : registers_) sum += std::ldexp(1.0, -rank);
  const double alpha = 0.7213 / (1 + 1.079 / registers);
  const double estimate = alpha * registers * registers / sum;
  // Few values leave registers empty, and these tell more.
  const auto empty = static_cast<double>(std::ranges::count(registers_, 0));
  constexpr double kFew = 2.5;
  if (estimate > kFew * registers || empty == 0)
    return static_cast<uint64_t>(std::llround(estimate));
  return static_cast<uint64_t>(std::llround(registers * std::log(registers / empty)));
}

std::string ScheduleCounter::Registers() {
  if (pending_count_ != 0) Flush();
  std::string text;
  for (const uint8_t rank : registers_) text += static_cast<char>('0' + rank);
  return text;
}

void ScheduleCounter::Merge(std::string_view registers) {
  for (size_t i = 0; i < std::min(registers.size(), registers_.size()); ++i)
    registers_[i] = std::max(registers_[i], static_cast<uint8_t>(registers[i] - '0'));
}

}  // namespace jacquard::call
