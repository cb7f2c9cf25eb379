#include "sim/spin.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jacquard::sim {

extern "C" {
constinit EntryRegisters jacquard_entry_registers = {};
}

uint64_t ReadBytes(const void* address, uint8_t size) {
  uint64_t value = 0;
  std::memcpy(&value, address, std::min<size_t>(size, sizeof(value)));
  return value;
}

bool SpinDetector::BackAgain(uintptr_t pc, const void* address, uintptr_t stack_top) {
  if (armed_ && pc == look_pc_ && jacquard_entry_registers.rsp == anchor_.rsp) {
    const Outermost turn = std::exchange(outermost_, {});
    const Outermost turn_before = std::exchange(of_last_turn_, turn);
    // If frames have come and gone, another turn has to look like this one.
    const bool leaves = turn.rsp > anchor_.rsp;
    if (leaves && turn_before.rsp == 0) return false;
    if (address == anchor_address_ && (!leaves || turn == turn_before) &&
        SameState(std::max(turn.rsp, anchor_.rsp)))
      return true;
    // A short loop that has not settled yet, or a long one through one call: the first few times it
    // is taken for the former.
    if (++other_states_ > kOtherStates && reads_since_reset_ < look_at_) return false;
  } else if (armed_ && reads_since_reset_ < look_at_) {
    return false;
  }
  Arm(pc, address, stack_top);
  return false;
}

void SpinDetector::Arm(uintptr_t pc, const void* address, uintptr_t stack_top) {
  const size_t live = stack_top - jacquard_entry_registers.rsp;
  armed_ = live <= kMaxStack;
  look_pc_ = pc;
  look_at_ = kFirstArm;
  if (!armed_) return;
  anchor_address_ = address;
  anchor_ = jacquard_entry_registers;
  outermost_ = of_last_turn_ = {};
  stack_size_ = live;
  std::memcpy(stack_, reinterpret_cast<const void*>(anchor_.rsp), live);
  read_count_ = 0;
  stale_read_count_ = 0;
  // Loops of any length are found: the next state to come back to is taken after twice as many
  // reads (Brent's cycle finding).
  look_at_ = std::max(2 * reads_since_reset_, 2 * kFirstArm);
}

void SpinDetector::NoteOutermost() {
  const EntryRegisters& registers = jacquard_entry_registers;
  const uintptr_t top = anchor_.rsp + stack_size_;
  if (registers.rsp < anchor_.rsp || registers.rsp >= top) return;  // not on this stack
  uint64_t hash = registers.rsp;
  const auto add = [&hash](uint64_t word) { hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15; };
  for (const uint64_t word :
       {registers.rbx, registers.rbp, registers.r12, registers.r13, registers.r14, registers.r15})
    add(word);
  // Above the return address.
  for (uintptr_t at = registers.rsp + sizeof(uint64_t); at < top; at += sizeof(uint64_t))
    add(*reinterpret_cast<const uint64_t*>(at));
  outermost_ = {registers.rsp, hash};
}

bool SpinDetector::SameState(uintptr_t bottom) const {
  if (read_count_ > kMaxReads || read_count_ + stale_read_count_ == 0) return false;
  if (!(jacquard_entry_registers == anchor_)) return false;
  // Not with memcmp: libFuzzer learns from what that compares.
  const auto* const stack = reinterpret_cast<const uint64_t*>(anchor_.rsp);
  for (size_t i = (bottom - anchor_.rsp) / sizeof(uint64_t); i < stack_size_ / sizeof(uint64_t);
       ++i) {
    if (stack[i] != stack_[i]) return false;
  }
  return std::all_of(reads_, reads_ + read_count_, [](const ReadValue& read) {
    return ReadBytes(read.address, read.size) == read.value;
  });
}

void SpinDetector::AddRead(const void* address, uint8_t size, uint64_t value) {
  if (read_count_ > kMaxReads) return;
  for (int i = 0; i < read_count_; ++i) {
    if (reads_[i].address != address || reads_[i].size != size) continue;
    // Two values in one round: the next round, which reads only the second, may be another one.
    if (reads_[i].value != value) read_count_ = kMaxReads + 1;
    return;
  }
  // Of a value wider than 8 bytes only a part is known.
  if (read_count_ == kMaxReads || size > sizeof(value)) {
    read_count_ = kMaxReads + 1;
    return;
  }
  reads_[read_count_++] = {address, value, size};
}

void SpinDetector::AddStaleRead(const void* address, uint8_t size) {
  for (int i = 0; i < stale_read_count_; ++i) {
    if (stale_reads_[i].address == address && stale_reads_[i].size == size) return;
  }
  if (stale_read_count_ == kMaxStaleReads) {
    read_count_ = kMaxReads + 1;
    return;
  }
  stale_reads_[stale_read_count_++] = {address, size};
}

}  // namespace jacquard::sim
