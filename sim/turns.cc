#include "sim/turns.h"

namespace jacquard {
namespace {

constexpr int kLongestTurn = 8;

}  // namespace

void Turns::Begin() {
  same_length_ = 1 + Below(kLongestTurn);
  if (Below(4) == 0) same_length_ = 0;
  left_ = 0;
  known_ = members_ = 0;
}

void Turns::Meet(const Pick& pick) {
  for (const int thread : MembersOf(pick.candidates & ~known_)) {
    if (Below(4) != 0) Insert(members_, thread);
    const int own_length = 1 + Below(kLongestTurn);
    lengths_[thread] = same_length_ != 0 ? same_length_ : own_length;
  }
  known_ |= pick.candidates;
}

int Turns::NextThread(const Pick& pick) {
  constexpr int kAnybodyEvery = 16;
  Meet(pick);
  if (CouldGoOn(pick) && left_ > 0) {
    --left_;
    return pick.thread;
  }
  const ThreadSet members = pick.candidates & members_;
  int next = 0;
  if (members == 0 || Below(kAnybodyEvery) == 0) {
    next = ThreadOfChoice(pick, Below(pick.alternatives));
  } else {
    next = NextById(members, pick.thread);
  }
  left_ = lengths_[next] - 1;
  return next;
}

}  // namespace jacquard
