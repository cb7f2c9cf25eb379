// Sets of simulated threads.
#ifndef JACQUARD_SIM_THREAD_SET_H_
#define JACQUARD_SIM_THREAD_SET_H_

// Here, as what follows is the first that another compiler or standard stumbles over.
#if !defined(__clang__) || __cplusplus < 202002L
#error \
    "Jacquard needs clang and C++20. Are these lines missing in .bazelrc? build --repo_env=CC=clang-19 and build --cxxopt=-std=c++20 (docs/test_your_code.md)"
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

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
class WordOfSet {
 public:
  explicit WordOfSet(int thread) : thread_(static_cast<unsigned>(thread)) {}
  uint64_t bit() const { return uint64_t{1} << thread_ % 64; }
  uint64_t In(const ThreadSet& set) const {
    uint64_t members;
    std::memcpy(&members, reinterpret_cast<const char*>(&set) + place(), sizeof(members));
    return members;
  }
  void Put(uint64_t members, ThreadSet& set) const {
    std::memcpy(reinterpret_cast<char*>(&set) + place(), &members, sizeof(members));
  }

 private:
  size_t place() const { return thread_ / 64 * sizeof(uint64_t); }

  unsigned thread_;
};
inline void Insert(ThreadSet& set, int thread) {
  const WordOfSet word(thread);
  word.Put(word.In(set) | word.bit(), set);
}
inline void Remove(ThreadSet& set, int thread) {
  const WordOfSet word(thread);
  word.Put(word.In(set) & ~word.bit(), set);
}
inline bool Has(const ThreadSet& set, int thread) {
  const WordOfSet word(thread);
  return (word.In(set) & word.bit()) != 0;
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
#pragma clang loop unroll(disable)
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

// The members, the smallest first, of the set as it is now:
//   for (const int thread : MembersOf(set)) ...
class MembersOf {
 public:
  explicit MembersOf(const ThreadSet& set) { std::memcpy(words_, &set, sizeof(words_)); }

  class Iterator {
   public:
    explicit Iterator(const uint64_t* words) : words_(words), left_(words[0]) { Skip(); }
    int operator*() const { return word_ * 64 + std::countr_zero(left_); }
    Iterator& operator++() {
      left_ &= left_ - 1;
      Skip();
      return *this;
    }
    bool operator==(std::default_sentinel_t /*end*/) const { return left_ == 0; }

   private:
    void Skip() {
      while (left_ == 0 && word_ + 1 < kWords) left_ = words_[++word_];
    }

    const uint64_t* words_;
    uint64_t left_;
    int word_ = 0;
  };
  Iterator begin() const { return Iterator(words_); }
  static std::default_sentinel_t end() { return {}; }

 private:
  static constexpr int kWords = kMaxThreads / 64;
  uint64_t words_[kWords];
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_THREAD_SET_H_
