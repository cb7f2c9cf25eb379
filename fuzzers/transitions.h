// The transitions of the reference word that have been seen: a set, to be printed as a table.
#ifndef JACQUARD_FUZZERS_TRANSITIONS_H_
#define JACQUARD_FUZZERS_TRANSITIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzzers/vma_lock_words.h"
#include "lock/reference_word.h"

namespace jacquard::fuzzers {

// A VMA goes from one situation to another (or stays, while its word changes) by one step of an
// operation.
struct Transition {
  lock::Situation from;
  Change change;
  Doing doing;
  lock::Situation to;
};

// "ReadLocked -> WriterDraining by + FLAG in start_write".
inline std::string ToString(Transition t) {
  return std::string(lock::SituationName(t.from)) + " -> " + lock::SituationName(t.to) + " by " +
         ChangeName(t.change) + " in " + DoingName(t.doing);
}

// A set of transitions. Its functions have no hooks.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)
class Transitions {
 public:
  static constexpr int kCount =
      lock::kSituationCount * kChangeCount * kDoingCount * lock::kSituationCount;

  // Where ghost states add what they see, unless it is null. Set it outside of executions.
  inline static Transitions* log = nullptr;

  void Add(Transition t) { seen_[Index(t)] = true; }
  bool Contains(Transition t) const { return seen_[Index(t)]; }
  void Clear() {
    for (int i = 0; i < kCount; ++i) seen_[i] = false;
  }

  // Calls `f(Transition)` for each member, in order.
  template <typename F>
  void ForEach(F f) const {
    for (int i = 0; i < kCount; ++i) {
      if (!seen_[i]) continue;
      int rest = i;
      Transition t;
      t.to = static_cast<lock::Situation>(rest % lock::kSituationCount);
      rest /= lock::kSituationCount;
      t.doing = static_cast<Doing>(rest % kDoingCount);
      rest /= kDoingCount;
      t.change = static_cast<Change>(rest % kChangeCount);
      t.from = static_cast<lock::Situation>(rest / kChangeCount);
      f(t);
    }
  }

 private:
  static int Index(Transition t) {
    int index = static_cast<int>(t.from);
    index = index * kChangeCount + static_cast<int>(t.change);
    index = index * kDoingCount + static_cast<int>(t.doing);
    return index * lock::kSituationCount + static_cast<int>(t.to);
  }

  bool seen_[kCount] = {};
};
#pragma clang attribute pop

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_TRANSITIONS_H_
