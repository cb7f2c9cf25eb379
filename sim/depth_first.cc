#include "sim/depth_first.h"

#include <algorithm>

#include "sim/verdict.h"

namespace jacquard {
namespace {

// The candidate that is `places` further than the benign one, going round.
int ThreadAfter(const Pick& pick, int places) {
  const ThreadSet up_to_first = SetOfThread(pick.first) | (SetOfThread(pick.first) - 1);
  const ThreadSet behind = pick.candidates & ~up_to_first;
  if (places == 0) return pick.first;
  const int count = CountOf(behind);
  if (places <= count) return NthOf(behind, places - 1);
  return NthOf(pick.candidates & up_to_first, places - count - 1);
}

}  // namespace

bool DepthFirst::BeginExecution() {
  depth_ = 0;
  preemptions_ = delays_ = memory_exceptions_ = 0;
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
  const bool is_schedule = pick.kind == PickKind::kSchedule;
  const bool preempts = is_schedule && pick.first == pick.thread;
  const bool of_memory = IsOfMemory(pick.kind);
  if (depth_ == path_.size()) {
    int alternatives =
        std::min(Affordable(bounds_.preemptions, preemptions_, preempts, pick.alternatives),
                 Affordable(bounds_.memory, memory_exceptions_, of_memory, pick.alternatives));
    if (is_schedule && bounds_.delays != kUnbounded)
      alternatives = std::min(alternatives, bounds_.delays - delays_ + 1);
    path_.push_back({0, alternatives});
  }
  // A program that does not do the same again may be somewhere else than it was.
  const int choice = std::min(path_[depth_++].choice, pick.alternatives - 1);
  if (preempts && choice != 0) ++preemptions_;
  if (of_memory && choice != 0) ++memory_exceptions_;
  if (!is_schedule || bounds_.delays == kUnbounded) return choice;
  delays_ += choice;
  return ChoiceOfThread(pick, ThreadAfter(pick, choice));
}

void DepthFirst::EndExecution(const Verdict& /*verdict*/) {
  path_.resize(depth_);  // an execution that was given up may end early
  while (!path_.empty() && path_.back().choice + 1 >= path_.back().alternatives) path_.pop_back();
  if (path_.empty()) {
    exhausted_ = true;
  } else {
    ++path_.back().choice;
  }
}

}  // namespace jacquard
