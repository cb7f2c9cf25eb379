// Exhaustive depth-first search over all picks, for tiny scenarios.
#ifndef JACQUARD_SIM_DEPTH_FIRST_H_
#define JACQUARD_SIM_DEPTH_FIRST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/strategy.h"

namespace jacquard {

// Executes every sequence of choices exactly once, as far as the bounds permit. No reduction: the
// number of executions grows with the number of interleavings.
class DepthFirst : public Strategy {
 public:
  static constexpr int kUnbounded = -1;

  struct Bounds {
    // A thread that could go on is interrupted at most so often (Musuvathi and Qadeer, "Iterative
    // context bounding for systematic testing of multithreaded programs", PLDI 2007); switches at
    // blocking operations and yields are free.
    int preemptions = kUnbounded;
    // The threads run in turn, each until it waits or yields, except that at most so many times one
    // is passed over: the next one runs instead of it (Emmi, Qadeer and Rakamaric, "Delay-bounded
    // scheduling", POPL 2011). To run the thread that is n places further costs n.
    int delays = kUnbounded;
    // The memory model makes at most so many choices that are not benign.
    int memory = kUnbounded;
  };

  explicit DepthFirst(int preemption_bound = kUnbounded, int memory_bound = kUnbounded)
      : bounds_{.preemptions = preemption_bound, .memory = memory_bound} {}
  explicit DepthFirst(const Bounds& bounds) : bounds_(bounds) {}

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override;
  // As if all alternatives of a pick led to as many executions (Knuth, "Estimating the efficiency
  // of backtrack programs", 1975).
  double ShareDone() const override;

 private:
  // What is tried at a pick: 0 to `alternatives` - 1, of a kSchedule pick in the order of the cost.
  struct Branch {
    int choice;
    int alternatives;
  };
  // So many alternatives does the bound leave.
  static int Affordable(int bound, int spent, bool costs, int alternatives) {
    return costs && bound != kUnbounded && spent >= bound ? 1 : alternatives;
  }

  const Bounds bounds_;
  // The choices of this execution so far, and those still to be repeated.
  std::vector<Branch> path_;
  size_t depth_ = 0;
  int preemptions_ = 0;
  int delays_ = 0;
  int memory_exceptions_ = 0;
  bool exhausted_ = false;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_DEPTH_FIRST_H_
