// Sets of simulated threads.
#ifndef JACQUARD_SIM_THREAD_SET_H_
#define JACQUARD_SIM_THREAD_SET_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace jacquard {

// The most threads that one execution can have at once.
inline constexpr int kMaxThreads = 256;

// Bit i is thread i. Most executions have few threads; the runtime's short ways look at the lowest
// 64 bits only.
using ThreadSet = unsigned _BitInt(kMaxThreads);

// Shifts of whole sets are slow.
constexpr ThreadSet SetOfThread(int thread) {
  return thread < 64 ? ThreadSet{uint64_t{1} << thread} : ThreadSet{1} << thread;
}

// One member comes or goes: that is one word of the set.
inline void Insert(ThreadSet& set, int thread) {
  char* const word = reinterpret_cast<char*>(&set) + thread / 64 * sizeof(uint64_t);
  uint64_t members;
  std::memcpy(&members, word, sizeof(members));
  members |= uint64_t{1} << thread % 64;
  std::memcpy(word, &members, sizeof(members));
}
inline void Remove(ThreadSet& set, int thread) {
  char* const word = reinterpret_cast<char*>(&set) + thread / 64 * sizeof(uint64_t);
  uint64_t members;
  std::memcpy(&members, word, sizeof(members));
  members &= ~(uint64_t{1} << thread % 64);
  std::memcpy(word, &members, sizeof(members));
}
inline bool Has(const ThreadSet& set, int thread) {
  uint64_t members;
  std::memcpy(&members, reinterpret_cast<const char*>(&set) + thread / 64 * sizeof(uint64_t),
              sizeof(members));
  return (members >> thread % 64 & 1) != 0;
}

// The members among the first 64 threads.
constexpr uint64_t LowOf(ThreadSet set) { return static_cast<uint64_t>(set); }
constexpr bool IsLow(ThreadSet set) { return set == LowOf(set); }

constexpr int CountOf(uint64_t set) { return std::popcount(set); }
constexpr int CountOf(ThreadSet set) {
  int count = std::popcount(LowOf(set));
  while ((set >>= 64) != 0) count += std::popcount(LowOf(set));
  return count;
}

// The first member of a set that is not empty.
constexpr int FirstOf(uint64_t set) { return std::countr_zero(set); }
constexpr int FirstOf(ThreadSet set) {
  int first = 0;
  for (; LowOf(set) == 0; set >>= 64) first += 64;
  return first + std::countr_zero(LowOf(set));
}

// The member that has `n` smaller ones; there are more than `n`.
constexpr int NthOf(uint64_t set, int n) {
  if ((set & (set + 1)) == 0) return n;  // the first threads, without a gap
  for (; n > 0; --n) set &= set - 1;
  return std::countr_zero(set);
}
constexpr int NthOf(ThreadSet set, int n) {
  if (IsLow(set)) return NthOf(LowOf(set), n);
  for (; n > 0; --n) set &= set - 1;
  return FirstOf(set);
}

// The same of the members but for `id`, which is one.
constexpr int NthOfOthers(uint64_t set, int id, int n) {
  if ((set & (set + 1)) == 0) return n + (n >= id);
  return NthOf(set & ~(uint64_t{1} << id), n);
}

// The first member behind `id`, going round, of a set that is not empty. `id` may be -1.
constexpr int NextById(uint64_t set, int id) {
  const uint64_t above = id < 0 ? set : set & ~((uint64_t{2} << id) - 1);
  return FirstOf(above != 0 ? above : set);
}
constexpr int NextById(ThreadSet set, int id) {
  if (IsLow(set) && id < 64) [[likely]]
    return NextById(LowOf(set), id);
  const ThreadSet above = id < 0 ? set : set & ~(SetOfThread(id) * 2 - 1);
  return FirstOf(above != 0 ? above : set);
}

}  // namespace jacquard

#endif  // JACQUARD_SIM_THREAD_SET_H_
