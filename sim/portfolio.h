// The portfolio: several strategies that share the executions, since none is best for all bugs.
#ifndef JACQUARD_SIM_PORTFOLIO_H_
#define JACQUARD_SIM_PORTFOLIO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sim/strategy.h"

namespace jacquard {

// Shares the executions among its members, counted in executions and so the same for every run of a
// seed. Each has a share to begin with; a member that shows new behaviour gets more, as long as it
// does. *Behaviour* is which operation has come, on the same object, directly after which one of
// another thread, by their places in the code. To look for it costs time, so only one execution in
// some is looked at, of members that do not listen anyway.
//
// Where nothing new comes any more, most executions go to the random walk, which is the fastest.
class Portfolio : public Strategy {
 public:
  explicit Portfolio(uint64_t seed);
  // Of one member: that strategy, told what behaviour it shows. `name` must be one of
  // sim/strategies.h.
  Portfolio(std::string_view name, uint64_t seed);
  ~Portfolio() override;

  bool BeginExecution() override;
  int Choose(const Pick& pick) override { return current_->strategy->Choose(pick); }
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override;

  void OnBegin(const Surroundings& surroundings) override;
  void OnStep(const Step& step, Site site) override;
  void OnBlock(int thread, StepKind kind, const void* address, Site site) override;
  void OnTimedBlock(int thread) override;
  void OnHeap(const void* block, size_t size, bool freed) override;

  std::vector<StrategyShare> Shares() const override;
  double ShareDone() const override;

  // All behaviour that was shown, a number for each, in the order in which it was new.
  const std::vector<uint64_t>& behaviours() const { return behaviours_; }

 private:
  struct Member {
    StrategyShare share;
    std::unique_ptr<Strategy> strategy;
    double base = 1;    // its weight where nothing is new
    double pass = 0;    // grows by 1 / weight with each execution: the smallest is next
    double news = 1;    // how often something was new, of late: 0 to 1
    bool done = false;  // has nothing left
  };
  struct Last {
    Site site;
    int thread;
  };

  static constexpr size_t kMostBehaviours = 1 << 16;

  void Add(std::string_view name, uint64_t seed, double base);
  Member* Next();
  void Prepare();
  bool MemberListens() const { return current_->strategy->listens(); }

  std::vector<Member> members_;
  Member* current_ = nullptr;
  bool looks_ = false;  // for behaviour, in this execution
  std::unordered_set<uint64_t> known_;
  std::vector<uint64_t> behaviours_;            // the same
  std::unordered_map<const void*, Last> last_;  // operation on each object, in this execution
  std::vector<uint64_t> shown_;                 // behaviour that was not known before it
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PORTFOLIO_H_
