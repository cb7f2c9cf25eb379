#include "sim/pct.h"

#include <algorithm>

namespace jacquard {

void Pct::Begin() {
  constexpr uint64_t kOneIsPatient = 32;
  const uint64_t chance = stream_.Next() % (2 * kOneIsPatient);
  patience_ = chance == 0 ? Patience::kEvenWithYields : Patience::kNone;
  if (chance == 1) patience_ = Patience::kUntilYield;
  int left = CountOfChanges();
  // A change would end what the others are to wait for.
  if (patience_ != Patience::kNone) left = Below(left + 1);
  changes_.clear();
  // The last place is behind the end: in short executions there may be no change at all.
  for (; left > 0; --left) changes_.push_back(stream_.Next() % (most_picks_ + 1));
  picks_ = 0;
  lowest_ = 0;
  known_ = 0;
}

void Pct::EndExecution(const Verdict& /*verdict*/) { most_picks_ = std::max(most_picks_, picks_); }

bool Pct::IsOthersTurn(const Pick& pick) const {
  switch (patience_) {
    case Patience::kNone:
      return IsToLetOthersGo(pick);
    case Patience::kUntilYield:
      return HasYielded(pick);
    case Patience::kEvenWithYields:
      break;
  }
  return false;
}

int Pct::NextThread(const Pick& pick) {
  // The numbers of new threads are small, so that the order in which they are met is one.
  for (const int thread : MembersOf(pick.candidates & ~known_)) {
    priority_[thread] = kFirstInitial + static_cast<int64_t>(stream_.Next() >> 2);
  }
  known_ |= pick.candidates;
  const bool changes = std::ranges::find(changes_, picks_++) != changes_.end();
  // Before the first thread runs there is nobody whose priority could change.
  if (pick.thread >= 0 && (changes || (IsOthersTurn(pick) && stream_.Next() % 2 == 0)))
    priority_[pick.thread] = --lowest_;
  int best = pick.first;
  for (const int thread : MembersOf(pick.candidates)) {
    if (priority_[thread] > priority_[best]) best = thread;
  }
  return best;
}

}  // namespace jacquard
