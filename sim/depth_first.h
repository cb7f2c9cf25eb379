// Exhaustive depth-first search over all picks, for tiny scenarios.
#ifndef JACQUARD_SIM_DEPTH_FIRST_H_
#define JACQUARD_SIM_DEPTH_FIRST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/strategy.h"

namespace jacquard {

// Executes every sequence of choices exactly once. No reduction: the number of executions grows
// with the number of interleavings. With a preemption bound, only executions in which a thread that
// could go on is interrupted at most so often (Musuvathi and Qadeer, "Iterative context bounding",
// PLDI 2007); switches at blocking operations and yields are free. With a memory bound, only those
// in which the memory model makes at most so many choices that are not benign.
class DepthFirst : public Strategy {
 public:
  static constexpr int kUnbounded = -1;
  explicit DepthFirst(int preemption_bound = kUnbounded, int memory_bound = kUnbounded)
      : preemption_bound_(preemption_bound), memory_bound_(memory_bound) {}

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override;
  // As if all alternatives of a pick led to as many executions (Knuth, "Estimating the efficiency
  // of backtrack programs", 1975).
  double ShareDone() const override;

 private:
  struct Branch {
    int choice;
    int alternatives;
  };
  int preemption_bound_;
  int memory_bound_;
  std::vector<Branch>
      path_;  // the choices of this execution so far, and those still to be repeated
  size_t depth_ = 0;
  int preemptions_ = 0;
  int memory_exceptions_ = 0;
  bool exhausted_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_DEPTH_FIRST_H_
