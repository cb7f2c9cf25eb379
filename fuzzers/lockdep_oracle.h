// What the lock validator must say, in the most naive way: after every acquisition all simple
// cycles of all dependencies so far are enumerated, with every choice of labels, and each is judged
// by the rule for strong cycles. No cache, no search that stops early, no state but the facts.
#ifndef JACQUARD_FUZZERS_LOCKDEP_ORACLE_H_
#define JACQUARD_FUZZERS_LOCKDEP_ORACLE_H_

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "lock/lockdep/report.h"
#include "lock/validator.h"

namespace jacquard {

class LockdepOracle {
 public:
  using Mode = lock::AcquireMode;
  using Rule = lock::lockdep::Rule;

  // A lock, by the number of its instance, and a class.
  struct Taken {
    int instance = 0;
    int class_number = 0;
    Mode mode = Mode::kExclusive;
    bool try_lock = false;
    std::optional<int> nest_lock = {};
  };

  explicit LockdepOracle(int threads) : held_(threads) {}

  // What each is expected to lead to; nothing: no report. After one there is none ever more.
  std::optional<Rule> Acquire(int thread, const Taken& taken) {
    if (off_) return {};
    std::vector<Taken>& held = held_[thread];
    if (taken.nest_lock && !Holds(thread, *taken.nest_lock)) return Say(Rule::kNestLock);
    if (!taken.try_lock) {
      bool of_same_class = false;
      for (const Taken& other : held) {
        if (other.class_number != taken.class_number) continue;
        of_same_class = true;
        if (!MayFollow(held, other, taken)) return Say(Rule::kRecursive);
      }
      if (!of_same_class) {
        for (const Taken& other : held) {
          dependencies_.insert({other.class_number, taken.class_number,
                                other.mode != Mode::kExclusive,
                                taken.mode == Mode::kSharedRecursive});
        }
        if (HasStrongCycle()) return Say(Rule::kCircular);
      }
    }
    held.push_back(taken);
    return {};
  }

  std::optional<Rule> Release(int thread, int instance) {
    if (off_) return {};
    std::vector<Taken>& held = held_[thread];
    const auto newest = std::find_if(held.rbegin(), held.rend(), [instance](const Taken& taken) {
      return taken.instance == instance;
    });
    if (newest == held.rend()) return Say(Rule::kUnlock);
    held.erase(std::next(newest).base());
    return {};
  }

  std::optional<Rule> Downgrade(int thread, int instance) {
    if (off_) return {};
    std::vector<Taken>& held = held_[thread];
    const auto newest = std::find_if(held.rbegin(), held.rend(), [instance](const Taken& taken) {
      return taken.instance == instance;
    });
    if (newest == held.rend() || newest->mode != Mode::kExclusive) return Say(Rule::kDowngrade);
    newest->mode = Mode::kShared;
    return {};
  }

  std::optional<Rule> Free(int instance) {
    if (off_) return {};
    for (int thread = 0; thread < static_cast<int>(held_.size()); ++thread) {
      if (Holds(thread, instance)) return Say(Rule::kFreed);
    }
    return {};
  }

  std::optional<Rule> Finish(int thread) {
    if (off_ || held_[thread].empty()) return {};
    return Say(Rule::kHeldAtExit);
  }

  // Of RCU, which is an instance and a class as locks are.
  std::optional<Rule> RequireRcu(int thread, int rcu) {
    if (off_ || Holds(thread, rcu)) return {};
    return Say(Rule::kRcu);
  }
  // To wait for all sections is to take all of RCU and to drop it at once.
  std::optional<Rule> WaitForReaders(int thread, int rcu, int rcu_class) {
    if (off_) return {};
    if (Holds(thread, rcu)) return Say(Rule::kRcu);
    const std::optional<Rule> rule = Acquire(thread, {.instance = rcu, .class_number = rcu_class});
    return rule ? rule : Release(thread, rcu);
  }
  int CountHeld(int thread, int instance) const {
    if (off_) return 0;
    return static_cast<int>(
        std::count_if(held_[thread].begin(), held_[thread].end(),
                      [&](const Taken& taken) { return taken.instance == instance; }));
  }

  // `exclusive` nothing: in any mode.
  lock::Held IsHeld(int thread, int instance, std::optional<bool> exclusive = {}) const {
    if (off_) return lock::Held::kUnknown;
    return std::any_of(held_[thread].begin(), held_[thread].end(),
                       [&](const Taken& taken) {
                         return taken.instance == instance &&
                                (!exclusive || *exclusive == (taken.mode == Mode::kExclusive));
                       })
               ? lock::Held::kYes
               : lock::Held::kNo;
  }

  const std::vector<Taken>& HeldBy(int thread) const { return held_[thread]; }
  // How many different ones there have been.
  std::size_t dependencies() const { return dependencies_.size(); }
  bool off() const { return off_; }

 private:
  struct Dependency {
    int from;
    int to;
    bool shared_holder;
    bool recursive_taker;
    auto operator<=>(const Dependency&) const = default;
  };

  bool Holds(int thread, int instance) const {
    return IsHeld(thread, instance) == lock::Held::kYes;
  }

  std::optional<Rule> Say(Rule rule) {
    off_ = true;
    return rule;
  }

  // Whether `next`, of the class of `other`, may be taken while that is held.
  static bool MayFollow(const std::vector<Taken>& held, const Taken& other, const Taken& next) {
    if (other.mode != Mode::kExclusive && next.mode == Mode::kSharedRecursive) return true;
    if (!next.nest_lock) return false;
    for (const Taken& taken : held) {
      if (taken.instance == *next.nest_lock) return true;
      if (&taken == &other) return false;
    }
    return false;
  }

  bool HasStrongCycle() const {
    for (const Dependency& first : dependencies_) {
      std::vector<Dependency> path = {first};
      if (Extend(path)) return true;
    }
    return false;
  }

  // Whether some way to go on from `path` ends in a strong cycle.
  bool Extend(std::vector<Dependency>& path) const {
    if (path.back().to == path.front().from) return IsStrong(path);
    for (const Dependency& next : dependencies_) {
      if (next.from != path.back().to) continue;
      const bool visited =
          std::any_of(path.begin() + 1, path.end(),
                      [&next](const Dependency& earlier) { return earlier.from == next.to; });
      if (visited) continue;
      path.push_back(next);
      const bool found = Extend(path);
      path.pop_back();
      if (found) return true;
    }
    return false;
  }

  static bool IsStrong(const std::vector<Dependency>& cycle) {
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (cycle[i].recursive_taker && cycle[(i + 1) % cycle.size()].shared_holder) return false;
    }
    return true;
  }

  std::vector<std::vector<Taken>> held_;
  std::set<Dependency> dependencies_;
  bool off_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_LOCKDEP_ORACLE_H_
