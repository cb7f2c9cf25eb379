// RFF: search by who reads from whom (Wolff, Shi, Duck, Mathur and Roychoudhury, "Greybox fuzzing
// for concurrency testing", ASPLOS 2024).
#ifndef JACQUARD_SIM_RFF_H_
#define JACQUARD_SIM_RFF_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/forecast.h"
#include "sim/sampler.h"

namespace jacquard {

// Operations are told apart by their place in the code, whatever the thread. An *abstract schedule*
// is a few wishes of the kind "the read here sees what was written there", or "does not see": in
// each execution POS decides, except that operations which serve a wish come first, and those which
// would spoil it last. So a wish takes effect at once for any number of threads, and never makes a
// deadlock. Schedules that have shown a new pair of reader and writer are kept, and others made of
// them.
//
// Deviations: what an object holds at first counts as written at a place of its own, so that "comes
// before all writers" can be wished for. Locks are objects: taking one reads from who left it.
// Three times out of four the wish is for a pair that is possible, as the two have been at one
// object, and has been seen least often, in place of one drawn from those that were seen. No
// coverage but that of pairs; schedules that are kept are drawn with equal chances: to prefer those
// whose pairs were seen together less often, as the paper's power schedule does, was tried: on 14
// programs of tests/leaderboard (20 seeds, geometric mean) it took 4.56 executions to the bug
// instead of 4.73, which is no more than chance. Under weak memory a read of an old value shows no
// pair.
class Rff : public Sampler {
 public:
  explicit Rff(uint64_t seed) : Sampler(seed) { listens_ = true; }

  void OnBegin(const Surroundings& surroundings) override;
  void OnStep(const Step& step, Site site) override;
  void OnBlock(int thread, StepKind kind, const void* address, Site site) override {
    forecast_.OnBlock(thread, kind, address, site);
  }
  void EndExecution(const Verdict& verdict) override;

 protected:
  void Begin() override;
  int NextThread(const Pick& pick) override;

 private:
  static constexpr Site kInitial = 0;  // where an object's first value was written
  static constexpr size_t kMostWishes = 3;
  static constexpr size_t kMostKept = 64;
  static constexpr size_t kMostPairs = 4096;
  static constexpr int kMostObjects = 4096;
  static constexpr int kMostHeldBack = 100;  // times the threads that could run

  struct Pair {
    Site reader;
    Site writer;
    bool operator==(const Pair&) const = default;
  };
  struct Wish {
    Pair pair;
    bool fulfilled;  // else: avoided
  };
  using Schedule = std::vector<Wish>;

  enum class State : uint8_t {
    kWaits,    // for the writer
    kWritten,  // the writer's is the newest value of `object`
    kOver,
  };
  struct Progress {
    State state = State::kWaits;
    int object = Numbering<const void*>::kNone;
  };

  // What is known of a pair of which both have been at one object.
  struct Known {
    Pair pair;
    uint32_t tries = 0;
    uint32_t seen = 0;
  };
  struct Object {
    std::vector<Site> readers;
    std::vector<Site> writers = {kInitial};
  };

  // Whether an operation serves the wishes (positive), or spoils them.
  int Rank(const Operation& operation) const;
  void Advance(const Operation& operation);
  void HoldBack(ThreadSet threads, int of);
  bool ReadAt(Site reader, const void* address) const;
  void MakeSchedule();
  Wish MakeWish();
  size_t LeastTried();
  void Learn(const Operation& operation);
  bool LearnPair(const Pair& pair);
  void AddPair(const Pair& pair);
  static uint64_t KeyOf(const Pair& pair);

  Forecast forecast_;

  // ---- what is known from the executions before

  Numbering<const void*> objects_;
  std::vector<Object> known_objects_;  // by number
  std::vector<Known> pairs_;
  std::unordered_map<uint64_t, size_t> place_of_pair_;
  std::vector<Schedule> kept_;

  // ---- this execution

  Schedule schedule_;
  std::vector<Progress> progress_;  // of each wish
  size_t tried_ = SIZE_MAX;         // the pair that is wished for because it was seen least often
  std::unordered_map<const void*, Site> writers_;  // the last one of each object
  std::vector<Operation> operations_;              // all that are new in this execution
  std::vector<Pair> observed_;                     // and all pairs
  std::unordered_map<uint64_t, bool> met_;
  ThreadSet drawn_ = 0;              // have a priority
  int held_back_[kMaxThreads] = {};  // at so many picks for the wishes' sake since its last step
  bool gives_up_ = false;
  uint64_t priority_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_RFF_H_
