#include "fuzzers/meaning.h"

#include "sim/operations.h"

namespace jacquard::fuzzers {

bool Meaning::BeginExecution() {
  counts_ = {};
  memory_counts_ = {};
  pending_ = nullptr;
  waits_ = -1;
  return true;
}

const Exception* Meaning::Find(std::span<const Exception> list, const Pick& pick, Counts& counts) {
  if (pick.pending != nullptr) pending_ = pick.pending;
  // Nobody was running: at the beginning, and when a thread has ended.
  if (pending_ == nullptr || pick.thread < 0) return nullptr;
  const int thread = pick.thread % kThreads;
  // Addresses are the same in every execution.
  const PendingOperation& pending = pending_[pick.thread];
  const uint64_t mixed = (reinterpret_cast<uintptr_t>(pending.address) >> 2) * 64 +
                         static_cast<uint64_t>(pending.kind);
  const auto operation = static_cast<uint32_t>((mixed * 0x9E37'79B9'7F4A'7C15) >> 59);
  const uint32_t before = counts[static_cast<size_t>(thread)][operation]++;
  for (const Exception& exception : list) {
    if (exception.choice % kThreads == static_cast<uint32_t>(thread) &&
        exception.gap == operation + before * kOperations)
      return &exception;
  }
  return nullptr;
}

int Meaning::ChooseOther(const Pick& pick, int choice) const {
  if (ThreadOfChoice(pick, choice) != waits_) return choice;
  return (choice + 1) % pick.alternatives;
}

int Meaning::ChooseThread(const Pick& pick) {
  const Exception* const exception = Find(exceptions_, pick, counts_);
  if (addressing_ == Addressing::kOperations) {
    if (exception == nullptr) return 0;
    const auto others = static_cast<uint32_t>(pick.alternatives - 1);
    return 1 + static_cast<int>(exception->choice / kThreads % others);
  }
  if (exception != nullptr && pick.pending[pick.thread].address != nullptr) {
    waits_ = pick.thread;
    object_ = pick.pending[pick.thread].address;
  }
  if (waits_ < 0) return 0;
  const int choice = ChooseOther(pick, 0);
  const int next = ThreadOfChoice(pick, choice);
  const PendingOperation& of_next = pick.pending[next];
  if (of_next.address == object_ && !OnlyReads(of_next.kind)) waits_ = -1;
  return choice;
}

int Meaning::Choose(const Pick& pick) {
  if (pick.kind == PickKind::kSchedule) return ChooseThread(pick);
  if (!IsOfMemory(pick.kind)) return 0;
  const Exception* const exception = Find(of_memory_, pick, memory_counts_);
  if (exception == nullptr) return 0;
  const auto others = static_cast<uint32_t>(pick.alternatives - 1);
  return 1 + static_cast<int>(exception->choice / kThreads % others);
}

}  // namespace jacquard::fuzzers
