#include "sim/byte_string.h"

#include <limits>

namespace jacquard {

bool ByteString::BeginExecution() {
  next_ = 0;
  Next();
  return true;
}

void ByteString::Next() {
  benign_picks_ =
      next_ < exceptions_.size() ? exceptions_[next_].gap : std::numeric_limits<uint64_t>::max();
}

int ByteString::Choose(const Pick& pick) {
  const uint32_t choice = exceptions_[next_++].choice;
  Next();
  return 1 + static_cast<int>(choice % static_cast<uint32_t>(pick.alternatives - 1));
}

bool ChoiceRecorder::BeginExecution() {
  exceptions_.clear();
  gap_ = 0;
  return inner_.BeginExecution();
}

int ChoiceRecorder::Choose(const Pick& pick) {
  const int choice = inner_.TakeBenignPick() ? 0 : inner_.Choose(pick);
  if (choice == 0) {
    ++gap_;
  } else {
    exceptions_.push_back({gap_, static_cast<uint32_t>(choice - 1)});
    gap_ = 0;
  }
  return choice;
}

}  // namespace jacquard
