#include "sim/pct.h"

#include <algorithm>

namespace jacquard {

bool Pct::BeginExecution() {
  stream_.SeedExecution(seed_, execution_++);
  changes_.clear();
  // The last place is behind the end: in short executions there may be no change at all.
  for (int i = 1; i < depth_; ++i) changes_.push_back(stream_.Next() % (most_picks_ + 1));
  picks_ = 0;
  lowest_ = 0;
  known_ = 0;
  return true;
}

bool Pct::RepeatExecution() {
  --execution_;
  return BeginExecution();
}

void Pct::EndExecution(const Verdict& /*verdict*/) { most_picks_ = std::max(most_picks_, picks_); }

int Pct::Choose(const Pick& pick) {
  if (pick.kind == PickKind::kSchedule) return Schedule(pick);
  return IsOfMemory(pick.kind) ? stream_.AnswerMemory(pick.alternatives)
                               : stream_.Answer(pick.alternatives);
}

int Pct::Schedule(const Pick& pick) {
  // The numbers of new threads are small, so that the order in which they are met is one.
  for (ThreadSet left = pick.candidates & ~known_; left != 0; left &= left - 1) {
    priority_[FirstOf(left)] = kFirstInitial + static_cast<int64_t>(stream_.Next() >> 2);
  }
  known_ |= pick.candidates;
  const bool may_go_on = pick.thread >= 0 && (pick.candidates & SetOfThread(pick.thread)) != 0;
  const bool yields = may_go_on && pick.first != pick.thread;
  const bool changes = std::ranges::find(changes_, picks_++) != changes_.end();
  // Before the first thread runs there is nobody whose priority could change.
  if (pick.thread >= 0 && (changes || (yields && stream_.Next() % 2 == 0)))
    priority_[pick.thread] = --lowest_;
  int best = pick.first;
  for (ThreadSet left = pick.candidates; left != 0; left &= left - 1) {
    const int thread = FirstOf(left);
    if (priority_[thread] > priority_[best]) best = thread;
  }
  return ChoiceOfThread(pick, best);
}

}  // namespace jacquard
