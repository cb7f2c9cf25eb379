// What each thread is about to do, also where a thread has not begun: then it is what it began with
// in the executions before. For strategies that listen.
#ifndef JACQUARD_SIM_FORECAST_H_
#define JACQUARD_SIM_FORECAST_H_

#include <cstddef>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/operations.h"
#include "sim/strategy.h"

namespace jacquard {

// Numbers keys in the order in which they are first met, which no address or hash decides.
template <class Key>
class Numbering {
 public:
  static constexpr int kNone = -1;
  int Of(const Key& key) {
    const auto [place, is_new] = numbers_.try_emplace(key, static_cast<int>(numbers_.size()));
    if (is_new) keys_.push_back(key);
    return place->second;
  }
  int Find(const Key& key) const {
    const auto place = numbers_.find(key);
    return place == numbers_.end() ? kNone : place->second;
  }
  const Key& KeyOf(int number) const { return keys_[static_cast<size_t>(number)]; }
  int size() const { return static_cast<int>(keys_.size()); }

 private:
  std::unordered_map<Key, int> numbers_;
  std::vector<Key> keys_;
};

class Forecast {
 public:
  // An execution begins.
  void Begin();
  void OnStep(const Step& step, Site site);
  void OnBlock(int thread, StepKind kind, const void* address, Site site);
  // The execution counts: what threads began with in it is known from now on.
  void End();

  // What `thread`, a candidate of `pick`, will do next as far as that is known.
  Operation Of(const Pick& pick, int thread);

  // The number of a thread by who has created it, and as its how manieth thread: the same in all
  // executions, whatever the order in which threads are created.
  int NumberOf(int thread) { return Known(thread).number; }
  // The number of the thread that has created number `number`; -1: nobody.
  int ParentOf(int number) const { return parents_[static_cast<size_t>(number)]; }
  // So many ids of threads are known in this execution.
  int ids() const { return static_cast<int>(threads_.size()); }
  int numbers() const { return static_cast<int>(parents_.size()); }

 private:
  struct Thread {
    int number = -1;
    int children = 0;
    bool begun = false;
  };

  Thread& Known(int thread) {
    const auto index = static_cast<size_t>(thread);
    const bool is_known = index < threads_.size() && threads_[index].number >= 0;
    return is_known ? threads_[index] : Met(thread);
  }
  Thread& Met(int thread);
  int NumberOfChild(int parent, int child);
  void Begins(int thread, const Operation& operation);

  std::vector<Thread> threads_;                  // by id, of this execution
  std::map<std::pair<int, int>, int> children_;  // (number of the parent, how manieth)
  std::vector<int> parents_;                     // by number
  std::vector<Operation> first_;                 // by number: in executions before
  std::vector<std::pair<int, Operation>> met_;   // in this one
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_FORECAST_H_
