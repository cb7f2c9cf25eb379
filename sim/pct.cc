#include "sim/pct.h"

#include <algorithm>

namespace jacquard {

Pct::Patience Pct::DrawPatience() const {
  constexpr uint64_t kLargestPart = 8;  // of all picks may be those of such executions
  constexpr int kShift = 58;            // leaves 64 values
  if (patient_picks_ > all_picks_ / kLargestPart) return Patience::kNone;
  // By a number that others are made of, but for these bits: all other executions are as they would
  // be without.
  RandomAnswers ahead = stream_;
  switch (ahead.Next() >> kShift) {
    case 0:
      return Patience::kEvenWithYields;
    case 1:
      return Patience::kUntilYield;
    default:
      return Patience::kNone;
  }
}

void Pct::Begin() {
  patience_ = DrawPatience();
  if (patience_ != Patience::kNone) stream_.Next();  // that it was drawn by
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

void Pct::EndExecution(const Verdict& /*verdict*/) {
  most_picks_ = std::max(most_picks_, picks_);
  all_picks_ += picks_;
  if (patience_ != Patience::kNone) patient_picks_ += picks_;
}

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
