#include "sim/pos.h"

#include "sim/operations.h"

namespace jacquard {

void Pos::Begin() {
  drawn_ = 0;
  last_ = -1;
  in_a_row_ = 0;
}

int Pos::NextThread(const Pick& pick) {
  for (ThreadSet left = pick.candidates & ~drawn_; left != 0; left &= left - 1)
    priority_[FirstOf(left)] = DrawPriority();
  drawn_ |= pick.candidates;
  ThreadSet eligible = pick.candidates;
  if (Yields(pick)) eligible &= ~SetOfThread(pick.thread);
  int best = FirstOf(eligible);
  for (ThreadSet left = eligible; left != 0; left &= left - 1) {
    const int thread = FirstOf(left);
    if (priority_[thread] > priority_[best]) best = thread;
  }

  const auto pending = [&pick](int thread) -> Operation {
    return {pick.pending[thread].kind, pick.pending[thread].address};
  };
  const Operation runs = pending(best);
  for (ThreadSet left = drawn_; left != 0; left &= left - 1) {
    const int thread = FirstOf(left);
    if (thread == best || Race(runs, pending(thread))) drawn_ &= ~SetOfThread(thread);
  }
  in_a_row_ = best == last_ ? in_a_row_ + 1 : 1;
  last_ = best;
  if (in_a_row_ > kMostInARow) Begin();
  return best;
}

}  // namespace jacquard
