// The portfolio: several strategies that share the executions, since none is best for all bugs.
#ifndef JACQUARD_SIM_PORTFOLIO_H_
#define JACQUARD_SIM_PORTFOLIO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/strategy.h"

namespace jacquard {

// One execution each in turn: counted in executions, and so the same for every run of a seed.
class Portfolio : public Strategy {
 public:
  explicit Portfolio(uint64_t seed);
  ~Portfolio() override;

  bool BeginExecution() override;
  int Choose(const Pick& pick) override { return members_[current_]->Choose(pick); }
  void EndExecution(const Verdict& verdict) override { members_[current_]->EndExecution(verdict); }
  bool RepeatExecution() override { return members_[current_]->RepeatExecution(); }

 private:
  std::vector<std::unique_ptr<Strategy>> members_;
  size_t current_;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PORTFOLIO_H_
