#include "sim/depth_first.h"

#include <algorithm>

#include "sim/verdict.h"

namespace jacquard {

bool DepthFirst::BeginExecution() {
  depth_ = 0;
  preemptions_ = 0;
  memory_exceptions_ = 0;
  return !exhausted_;
}

bool DepthFirst::RepeatExecution() { return BeginExecution(); }

double DepthFirst::ShareDone() const {
  if (exhausted_) return 1;
  double done = 0;
  double weight = 1;
  for (const Branch& branch : path_) {
    weight /= branch.alternatives;
    done += weight * branch.choice;
  }
  return done;
}

int DepthFirst::Choose(const Pick& pick) {
  // The running thread could go on: any other choice interrupts it.
  const bool preempts = pick.kind == PickKind::kSchedule && pick.first == pick.thread;
  const bool of_memory = IsOfMemory(pick.kind);
  if (depth_ == path_.size()) {
    const bool spent =
        (preempts && preemption_bound_ != kUnbounded && preemptions_ >= preemption_bound_) ||
        (of_memory && memory_bound_ != kUnbounded && memory_exceptions_ >= memory_bound_);
    path_.push_back({0, spent ? 1 : pick.alternatives});
  }
  // A program that does not do the same again may be somewhere else than it was.
  const int choice = std::min(path_[depth_++].choice, pick.alternatives - 1);
  if (preempts && choice != 0) ++preemptions_;
  if (of_memory && choice != 0) ++memory_exceptions_;
  return choice;
}

void DepthFirst::EndExecution(const Verdict& /*verdict*/) {
  path_.resize(depth_);  // an execution that was given up may end early
  while (!path_.empty() && path_.back().choice + 1 == path_.back().alternatives) path_.pop_back();
  if (path_.empty()) {
    exhausted_ = true;
  } else {
    ++path_.back().choice;
  }
}

}  // namespace jacquard
