#include "sim/byte_string.h"

#include <limits>

namespace jacquard {

uint64_t ByteString::List::Gap() const {
  return next < exceptions.size() ? exceptions[next].gap : std::numeric_limits<uint64_t>::max();
}

uint64_t ByteString::List::Taken(uint64_t left) const {
  uint64_t taken = Gap() - left;
  for (size_t i = 0; i < next; ++i) taken += uint64_t{exceptions[i].gap} + 1;
  return taken;
}

bool ByteString::BeginExecution() {
  others_.next = of_memory_.next = 0;
  benign_picks_ = others_.Gap();
  benign_memory_picks_ = of_memory_.Gap();
  return true;
}

int ByteString::Choose(const Pick& pick) {
  List& list = IsOfMemory(pick.kind) ? of_memory_ : others_;
  const uint32_t choice = list.exceptions[list.next++].choice;
  (IsOfMemory(pick.kind) ? benign_memory_picks_ : benign_picks_) = list.Gap();
  return 1 + static_cast<int>(choice % static_cast<uint32_t>(pick.alternatives - 1));
}

void ChoiceRecorder::List::Add(int choice) {
  if (choice == 0) {
    ++gap;
  } else {
    exceptions.push_back({gap, static_cast<uint32_t>(choice - 1)});
    gap = 0;
  }
}

ChoiceRecorder::~ChoiceRecorder() {
  if (answers_ != nullptr) answers_->LogTo(nullptr);
}

void ChoiceRecorder::Clear() {
  for (List* const list : {&others_, &of_memory_}) {
    list->exceptions.clear();
    list->gap = 0;
  }
  log_.Clear();
  read_ = 0;
}

bool ChoiceRecorder::Begin(bool goes_on) {
  answers_ = inner_.answers();
  listens_ = inner_.listens();
  if (answers_ != nullptr) answers_->LogTo(&log_);
  return goes_on;
}

bool ChoiceRecorder::BeginExecution() {
  Clear();
  return Begin(inner_.BeginExecution());
}

bool ChoiceRecorder::RepeatExecution() {
  Clear();
  return Begin(inner_.RepeatExecution());
}

void ChoiceRecorder::EndExecution(const Verdict& verdict) {
  if (answers_ != nullptr) answers_->LogTo(nullptr);
  inner_.EndExecution(verdict);
}

int ChoiceRecorder::Choose(const Pick& pick) {
  const bool of_memory = IsOfMemory(pick.kind);
  if (answers_ != nullptr) {
    return of_memory ? answers_->AnswerMemory(pick.alternatives)
                     : answers_->Answer(pick.alternatives);
  }
  const bool benign = of_memory ? inner_.TakeBenignMemoryPick() : inner_.TakeBenignPick();
  const int choice = benign ? 0 : inner_.Choose(pick);
  (of_memory ? of_memory_ : others_).Add(choice);
  return choice;
}

void ChoiceRecorder::ReadLog() const {
  for (; read_ < log_.size(); ++read_) {
    (log_.of_memory(read_) ? of_memory_ : others_).Add(log_.choice(read_));
  }
}

}  // namespace jacquard
