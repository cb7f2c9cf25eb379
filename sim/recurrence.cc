#include "sim/recurrence.h"

#include <algorithm>
#include <utility>

#include "sim/fold.h"
#include "sim/spin.h"

namespace jacquard::sim {
namespace {

constexpr size_t kFirstCapacity = 1 << 16;
constexpr size_t kMostOfRange = 4096;    // of a larger range the beginning
constexpr size_t kMostStack = 64 << 10;  // what lies on a deeper one is not known

}  // namespace

void Recurrence::Begin(uint64_t step) {
  begun_ = step;
  phase_ = Phase::kLearns;
  has_news_ = false;
  count_ = 0;
  states_.assign(kFirstCapacity, 0);
  std::fill(std::begin(locals_), std::end(locals_), Local{});
}

void Recurrence::End() {
  phase_ = Phase::kOff;
  states_ = {};
}

void Recurrence::OnStep(const Step& step, uintptr_t pc, const Stack& stack, uint64_t others) {
  Local& local = locals_[step.thread];
  for (const uint64_t word :
       {uint64_t{pc}, reinterpret_cast<uint64_t>(step.address), step.old_value, step.new_value})
    local.folded = Fold(local.folded, word);
  // They count once: other functions that the runtime stands for do not save them. As they are only
  // read, those of a call since the last step will do.
  const EntryRegisters registers = std::exchange(jacquard_entry_registers, {});
  const bool known = registers.rsp >= stack.bottom && stack.top - registers.rsp <= kMostStack &&
                     registers.rsp <= stack.top - sizeof(uint64_t) &&
                     *reinterpret_cast<const uintptr_t*>(registers.rsp) == pc;
  ++local.since;
  if (!known || registers.rsp < local.outermost) {
    // Twice as long as ever may be another path of the same loop.
    return Note(!known || local.since > 2 * local.longest + 64);
  }
  if (registers.rsp > local.outermost) {
    Note(true);
    local.outermost = registers.rsp;
    local.longest = 0;
  } else {
    local.longest = std::max(local.longest, local.since);
  }
  uint64_t state = Fold(local.folded, others);
  for (const uint64_t word : {registers.rbx, registers.rbp, registers.r12, registers.r13,
                              registers.r14, registers.r15, registers.rsp})
    state = Fold(state, word);
  // Above the return address.
  for (uintptr_t at = registers.rsp + sizeof(uint64_t); at < stack.top; at += sizeof(uint64_t))
    state = Fold(state, *reinterpret_cast<const uint64_t*>(at));
  local.since = 0;
  local.folded = static_cast<uint64_t>(step.thread);
  Note(Insert(std::max<uint64_t>(state, 1)));
}

void Recurrence::OnPlainAccess(int thread, const void* address, size_t size) {
  if (thread < 0) return;
  uint64_t folded = Fold(locals_[thread].folded, reinterpret_cast<uint64_t>(address));
  const auto* const bytes = static_cast<const char*>(address);
  for (size_t i = 0; i < std::min(size, kMostOfRange); i += sizeof(uint64_t))
    folded = Fold(folded, ReadBytes(bytes + i, std::min(size - i, sizeof(uint64_t))));
  locals_[thread].folded = folded;
}

bool Recurrence::Insert(uint64_t state) {
  const size_t mask = states_.size() - 1;
  for (size_t slot = (state >> 20) & mask;; slot = (slot + 1) & mask) {
    if (states_[slot] == state) return false;
    if (states_[slot] != 0) continue;
    states_[slot] = state;
    if (++count_ > states_.size() / 2) Grow();
    return true;
  }
}

void Recurrence::Grow() {
  std::vector<uint64_t> fewer(2 * states_.size(), 0);
  fewer.swap(states_);
  count_ = 0;
  for (const uint64_t state : fewer) {
    if (state != 0) Insert(state);
  }
}

}  // namespace jacquard::sim
