#include "sim/pct.h"

#include <algorithm>

namespace jacquard {

void Pct::Begin() {
  constexpr uint64_t kOneIsPatient = 32;
  is_patient_ = stream_.Next() % kOneIsPatient == 0;
  int left = CountOfChanges();
  if (is_patient_) left = Below(left + 1);  // a change would end what others are to wait for
  changes_.clear();
  // The last place is behind the end: in short executions there may be no change at all.
  for (; left > 0; --left) changes_.push_back(stream_.Next() % (most_picks_ + 1));
  picks_ = 0;
  lowest_ = 0;
  known_ = 0;
}

void Pct::EndExecution(const Verdict& /*verdict*/) { most_picks_ = std::max(most_picks_, picks_); }

int Pct::NextThread(const Pick& pick) {
  // The numbers of new threads are small, so that the order in which they are met is one.
  for (const int thread : MembersOf(pick.candidates & ~known_)) {
    priority_[thread] = kFirstInitial + static_cast<int64_t>(stream_.Next() >> 2);
  }
  known_ |= pick.candidates;
  const bool changes = std::ranges::find(changes_, picks_++) != changes_.end();
  const bool lets_others_go = is_patient_ ? HasYielded(pick) : IsToLetOthersGo(pick);
  // Before the first thread runs there is nobody whose priority could change.
  if (pick.thread >= 0 && (changes || (lets_others_go && stream_.Next() % 2 == 0)))
    priority_[pick.thread] = --lowest_;
  int best = pick.first;
  for (const int thread : MembersOf(pick.candidates)) {
    if (priority_[thread] > priority_[best]) best = thread;
  }
  return best;
}

}  // namespace jacquard
