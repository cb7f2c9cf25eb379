#include "sim/pos.h"

#include "sim/operations.h"

namespace jacquard {

void Pos::Begin() {
  drawn_ = 0;
  last_ = -1;
  in_a_row_ = 0;
}

int Pos::NextThread(const Pick& pick) {
  for (const int thread : MembersOf(pick.candidates & ~drawn_)) priority_[thread] = DrawPriority();
  drawn_ |= pick.candidates;
  ThreadSet eligible = pick.candidates;
  if (IsToLetOthersGo(pick)) Remove(eligible, pick.thread);
  int best = FirstOf(eligible);
  for (const int thread : MembersOf(eligible)) {
    if (priority_[thread] > priority_[best]) best = thread;
  }

  const auto pending = [&pick](int thread) -> Operation {
    return {pick.pending[thread].kind, pick.pending[thread].address};
  };
  const Operation runs = pending(best);
  for (const int thread : MembersOf(drawn_)) {
    if (thread == best || Race(runs, pending(thread))) Remove(drawn_, thread);
  }
  in_a_row_ = best == last_ ? in_a_row_ + 1 : 1;
  last_ = best;
  if (in_a_row_ > kMostInARow) Begin();
  return best;
}

}  // namespace jacquard
