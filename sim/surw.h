// URW and SURW: (selectively) uniform random walks (Zhao, Wolff, Mathur and Roychoudhury,
// "Selectively uniform concurrency testing", ASPLOS 2025).
#ifndef JACQUARD_SIM_SURW_H_
#define JACQUARD_SIM_SURW_H_

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/forecast.h"
#include "sim/sampler.h"

namespace jacquard {

// How many steps each thread takes: the mean of the executions so far.
class StepCounts {
 public:
  void Add(int number, uint32_t steps);
  void EndExecution() { ++executions_; }
  // Of thread `number`, at least 1 if it has taken any at all.
  int64_t Of(int number) const;

 private:
  std::vector<uint64_t> total_;  // by thread number
  uint64_t executions_ = 0;
};

// URW. A thread is chosen with a probability in proportion to the steps that it still has to take:
// where nobody waits, all interleavings are equally likely. A random walk makes those unlikely in
// which a long thread runs ahead of short ones.
//
// Deviations, of both: how many steps there are is learned from all executions so far, and not from
// one that is made for it; the first one, which knows nothing, is a walk by random priorities. Who
// has not begun does so with what it began with before.
class Urw : public Sampler {
 public:
  explicit Urw(uint64_t seed) : Sampler(seed) { listens_ = true; }

  void OnBegin(const Surroundings& surroundings) override;
  void OnStep(const Step& step, Site site) override;
  void OnBlock(int thread, StepKind kind, const void* address, Site site) override {
    forecast_.OnBlock(thread, kind, address, site);
  }
  void EndExecution(const Verdict& verdict) override;

 protected:
  void Begin() override {}
  int NextThread(const Pick& pick) override;

  // Whether the step is one of those among whose orders the walk is uniform.
  virtual bool IsSelected(const Operation& /*operation*/) const { return true; }
  // So many of them thread `number` is expected to take.
  virtual int64_t Expected(int number) const { return steps_.Of(number); }

  // One of `threads` with a probability in proportion to what is left for it and for the threads
  // that it is yet to create; -1 if nothing is left for any of them.
  int DrawByWeight(ThreadSet threads);

  Forecast forecast_;

 private:
  StepCounts steps_;
  std::vector<uint32_t> taken_;  // by thread number, in this execution
  std::vector<uint32_t> all_;    // the same, of all steps
  std::vector<int64_t> left_;    // by thread number; scratch
  std::vector<uint8_t> born_;    // by thread number: whether in this execution
};

// SURW. Uniform over the orders of a few *selected* steps, those on some shared objects, which are
// chosen anew for each execution; between them random priorities decide. A bug depends on the order
// of few steps, and whatever else happens does not make that order less likely.
//
// Algorithm: who is to take the next selected step is drawn as by URW, by the selected steps that
// are left; another thread that comes to one is held back until then.
//
// Deviations: selected are the steps on one shared object, or, every other time, on each with a
// probability of one half. When the same thread has run very often in a row while others are held
// back they are let go.
class Surw : public Urw {
 public:
  explicit Surw(uint64_t seed) : Urw(seed) {}

  void OnStep(const Step& step, Site site) override;
  void EndExecution(const Verdict& verdict) override;

 protected:
  void Begin() override;
  int NextThread(const Pick& pick) override;
  bool IsSelected(const Operation& operation) const override;
  int64_t Expected(int number) const override;

 private:
  static constexpr int kMostInARow = 100;
  static constexpr int kMostObjects = 4096;

  struct Object {
    StepCounts steps;
    int first_thread = -1;
    bool shared = false;
    bool changed = false;
  };
  // Of one object, in this execution.
  struct Use {
    int object;
    int number;
    uint32_t steps;
    bool changed;
  };

  ThreadSet Runnable(const Pick& pick);
  // The one with the highest priority, of at least one.
  int Foremost(ThreadSet threads) const;
  int Run(int thread);

  Numbering<const void*> objects_;
  std::vector<Object> profile_;  // by number of the object
  std::vector<int> shared_;      // numbers of the objects that are worth selecting
  std::vector<bool> selected_;   // by number of the object
  std::vector<int> selection_;   // the same as a list
  std::unordered_map<uint64_t, size_t> place_of_use_;
  std::vector<Use> uses_;
  ThreadSet held_ = 0;
  ThreadSet drawn_ = 0;  // have a priority
  int intended_ = -1;    // who takes the next selected step
  int last_ = -1;
  int in_a_row_ = 0;
  uint64_t priority_[kMaxThreads] = {};
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_SURW_H_
