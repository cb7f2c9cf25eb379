// Instructions in inline assembly: those with a lock prefix, those that exchange with memory, move
// from and to it or look at it, fences, and time stamps. The compiler puts no hooks there; what
// stands in front of them is a call of inline_assembly.S (tools/install/inline_assembly.h says how
// it comes there).
//
// Atomic instructions are taken apart (x86_instruction.h) and carried out as an atomic hook would.
// What is not known there is left to the processor. Flags are those of Intel's "Software
// Developer's Manual", volume 2.
//
// Whoever writes such instructions relies on x86: atomic ones are full fences, loads acquire,
// stores release, and all access the newest value.
#include "sim/inline_assembly.h"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "sim/engine.h"
#include "sim/fold.h"
#include "sim/memory/memory.h"
#include "sim/plain_loops.h"
#include "sim/spin.h"
#include "sim/x86_instruction.h"

namespace jacquard::sim {
namespace {

// As inline_assembly.S has left them on the stack.
struct SavedRegisters {
  uint64_t pc;        // whom the call returns to: where a hook's caller would be
  uint64_t extended;  // a hash of those that are not here
  GeneralRegisters general;
  uint64_t function;
  uint64_t flags;
  uint64_t frame;
  uint64_t go_on;  // there, in the end

  // The instruction, if there is one behind the call, finds the stack pointer where it was before.
  uint64_t rsp() const { return reinterpret_cast<uint64_t>(&go_on + 1) + kBelowStack; }
  const uint8_t* instruction() const {
    return reinterpret_cast<const uint8_t*>(pc + kBytesBehindCall);
  }

 private:
  // inline_assembly.h
  static constexpr uint64_t kBelowStack = 128;
  static constexpr uint64_t kBytesBehindCall = 8;
};

constexpr uint64_t kCarry = 1;
constexpr uint64_t kParity = 1 << 2;
constexpr uint64_t kAuxiliary = 1 << 4;
constexpr uint64_t kZero = 1 << 6;
constexpr uint64_t kSign = 1 << 7;
constexpr uint64_t kOverflow = 1 << 11;
constexpr uint64_t kArithmetic = kCarry | kParity | kAuxiliary | kZero | kSign | kOverflow;

// ---- flags

uint64_t FlagsOfResult(uint64_t result, int size) {
  uint64_t flags = 0;
  if (Truncated(result, size) == 0) flags |= kZero;
  if ((result >> (8 * size - 1) & 1) != 0) flags |= kSign;
  if (__builtin_parity(static_cast<unsigned>(result & 0xFF)) == 0) flags |= kParity;
  return flags;
}

uint64_t FlagsOfSum(uint64_t a, uint64_t b, uint64_t carry, int size) {
  const uint64_t sum = a + b + carry;
  const int top = 8 * size - 1;
  uint64_t flags = FlagsOfResult(sum, size);
  if ((((a & b) | ((a | b) & ~sum)) >> top & 1) != 0) flags |= kCarry;
  if ((((a ^ sum) & (b ^ sum)) >> top & 1) != 0) flags |= kOverflow;
  if (((a ^ b ^ sum) >> 4 & 1) != 0) flags |= kAuxiliary;
  return flags;
}

uint64_t FlagsOfDifference(uint64_t a, uint64_t b, uint64_t borrow, int size) {
  const uint64_t difference = a - b - borrow;
  const int top = 8 * size - 1;
  uint64_t flags = FlagsOfResult(difference, size);
  if ((((~a & b) | ((~a | b) & difference)) >> top & 1) != 0) flags |= kCarry;
  if ((((a ^ b) & (a ^ difference)) >> top & 1) != 0) flags |= kOverflow;
  if (((a ^ b ^ difference) >> 4 & 1) != 0) flags |= kAuxiliary;
  return flags;
}

// ---- carrying them out

class Execution {
 public:
  Execution(SavedRegisters& registers, const Instruction& instruction)
      : registers_(registers),
        instruction_(instruction),
        object_(reinterpret_cast<void*>(instruction.address)),
        size_(instruction.size),
        operand_(Truncated(instruction.operand, instruction.size)),
        carry_(registers.flags & kCarry),
        fences_(instruction.operation != Operation::kLoad &&
                instruction.operation != Operation::kStore &&
                instruction.operation != Operation::kCompare &&
                instruction.operation != Operation::kTest),
        pc_(registers.pc) {}

  void Run() {
    if (engine.Simulates()) Prepare();
    switch (instruction_.operation) {
      case Operation::kAdd:
      case Operation::kIncrement:
      case Operation::kExchangeAdd:
        Add(operand_, 0);
        break;
      case Operation::kAddWithCarry:
        Add(operand_, carry_);
        break;
      case Operation::kSubtract:
      case Operation::kDecrement:
        Subtract(operand_, 0);
        break;
      case Operation::kSubtractWithBorrow:
        Subtract(operand_, carry_);
        break;
      case Operation::kOr:
        SetFlags(FlagsOfResult(Change(Update::kOr, operand_) | operand_, size_));
        break;
      case Operation::kAnd:
        SetFlags(FlagsOfResult(Change(Update::kAnd, operand_) & operand_, size_));
        break;
      case Operation::kXor:
        SetFlags(FlagsOfResult(Change(Update::kXor, operand_) ^ operand_, size_));
        break;
      case Operation::kNot:
        (void)Change(Update::kXor, ~uint64_t{0});
        break;
      case Operation::kNegate:
        SetFlags(FlagsOfDifference(0, Change(Update::kNegate, 0), 0, size_));
        break;
      case Operation::kLoad:
        SetRegister(Widened(Load()));
        break;
      case Operation::kCompare:
        Compare();
        break;
      case Operation::kTest:
        SetFlags(FlagsOfResult(Load() & operand_, size_));
        break;
      case Operation::kStore:
        (void)Change(Update::kExchange, operand_);  // behind the newest
        break;
      case Operation::kExchange:
        SetRegister(Change(Update::kExchange, operand_));
        break;
      case Operation::kSetBit:
        SetCarryToBit(Change(Update::kOr, Bit()));
        break;
      case Operation::kResetBit:
        SetCarryToBit(Change(Update::kAnd, ~Bit()));
        break;
      case Operation::kComplementBit:
        SetCarryToBit(Change(Update::kXor, Bit()));
        break;
      case Operation::kCompareExchange:
        CompareExchange();
        break;
      case Operation::kCompareExchangePair:
        CompareExchangePair();
        break;
    }
    if (engine.Simulates() && fences_) engine.FenceMemory(kOrder);
    registers_.go_on = instruction_.end;
  }

 private:
  static constexpr MemoryOrder kOrder = MemoryOrder::kSeqCst;

  void Prepare() {
    if (fences_) engine.FenceMemory(kOrder);
    if (engine.memory != nullptr) engine.memory->SeeNewestNext(engine.current->id, object_, size_);
  }

  uint64_t Change(Update update, uint64_t operand) {
    return UpdateObject(object_, size_, update, operand, fences_ ? kOrder : MemoryOrder::kRelease,
                        pc_);
  }

  uint64_t Load() { return LoadObject(object_, size_, MemoryOrder::kAcquire, pc_); }
  uint64_t Widened(uint64_t value) const {
    const int shift = 64 - 8 * size_;
    return !instruction_.is_signed
               ? value
               : static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift);
  }

  uint64_t Bit() const { return uint64_t{1} << operand_; }

  void Add(uint64_t operand, uint64_t carry) {
    const uint64_t old = Change(Update::kAdd, operand + carry);
    const uint64_t flags = FlagsOfSum(old, operand, carry, size_);
    if (instruction_.operation == Operation::kExchangeAdd) SetRegister(old);
    SetFlags(flags, instruction_.operation == Operation::kIncrement ? kCarry : 0);
  }
  void Subtract(uint64_t operand, uint64_t borrow) {
    const uint64_t old = Change(Update::kSubtract, operand + borrow);
    SetFlags(FlagsOfDifference(old, operand, borrow, size_),
             instruction_.operation == Operation::kDecrement ? kCarry : 0);
  }

  void Compare() {
    const uint64_t object = Load();
    SetFlags(instruction_.reversed ? FlagsOfDifference(operand_, object, 0, size_)
                                   : FlagsOfDifference(object, operand_, 0, size_));
  }

  void CompareExchange() {
    const uint64_t expected = Truncated(registers_.general[kRax], size_);
    uint64_t old = expected;
    if (!CompareExchangeObject(object_, size_, &old, &operand_, kOrder, pc_)) SetRegister(old);
    SetFlags(FlagsOfDifference(expected, old, 0, size_));
  }

  // In rdx:rax what is expected, in rcx:rbx what is to be stored; of half the size each.
  void CompareExchangePair() {
    uint64_t* const general = registers_.general;
    const int half = size_ / 2;
    uint64_t expected[2] = {general[kRax], general[kRdx]};
    uint64_t desired[2] = {general[kRbx], general[kRcx]};
    if (half == 4) {
      expected[0] = Truncated(expected[0], 4) | expected[1] << 32;
      desired[0] = Truncated(desired[0], 4) | desired[1] << 32;
    }
    const bool stored = CompareExchangeObject(object_, size_, expected, desired, kOrder, pc_);
    registers_.flags = (registers_.flags & ~kZero) | (stored ? kZero : 0);
    if (stored) return;
    general[kRax] = half == 4 ? Truncated(expected[0], 4) : expected[0];
    general[kRdx] = half == 4 ? expected[0] >> 32 : expected[1];
  }

  // But for those in `kept`.
  void SetFlags(uint64_t flags, uint64_t kept = 0) {
    const uint64_t changed = kArithmetic & ~kept;
    registers_.flags = (registers_.flags & ~changed) | (flags & changed);
  }
  void SetCarryToBit(uint64_t old) {
    registers_.flags = (registers_.flags & ~kCarry) | (old >> operand_ & 1);
  }

  // A register of 4 bytes loses its upper half, smaller ones leave the rest as it is.
  void SetRegister(uint64_t value) {
    const int number = instruction_.high_byte ? instruction_.reg - 4 : instruction_.reg;
    const int size = instruction_.reg_size;
    uint64_t& whole = registers_.general[number];
    if (size >= 4) {
      whole = Truncated(value, size);
      return;
    }
    const int shift = instruction_.high_byte ? 8 : 0;
    const uint64_t mask = Truncated(~uint64_t{0}, size) << shift;
    whole = (whole & ~mask) | (value << shift & mask);
  }

  SavedRegisters& registers_;
  const Instruction& instruction_;
  void* const object_;
  const uint8_t size_;
  const uint64_t operand_;
  const uint64_t carry_;
  const bool fences_;
  const uintptr_t pc_;
};

// `lock; addl $0, (%rsp)`, as programs fence with: it changes nothing, and nobody looks there.
bool IsMereFence(const Instruction& instruction) {
  const bool changes = instruction.operation > Operation::kXor ||
                       instruction.operation == Operation::kAnd || instruction.operand != 0;
  return !changes && instruction.reg < 0 && engine.Simulates() && engine.OnStackOfCurrent() &&
         instruction.address - engine.current->stack_bottom < kStackSize;
}

// What XSAVE has written first: x87, MMX and SSE registers, behind control words.
using ExtendedState = uint64_t[52];

uint64_t HashOf(const ExtendedState& state) {
  uint64_t hash = 0;
  for (size_t i = 4; i < std::size(state); ++i) hash = Fold(hash, state[i]);
  return hash;
}

// Whether the running thread has called a function of the runtime, in which others may have run,
// since it was in inline assembly. False also means "not known".
bool HasCalledSinceAssembly() {
  const SimThread& me = *engine.current;
  return me.steps_at_assembly != engine.step() || me.reads_at_assembly != plain_loops.count();
}

// While one of these lives, what assembly at `registers` goes on from is known as it would be in a
// hook that hooks.S has entered. The compiler may have anything in any register where the assembly
// stands, and below the stack pointer: that is part of the state that a spinning thread comes back
// to. But if a function was called in the meantime, the program counts on none that it may change:
// then the state begins where it would if the assembly were a call, whose return address is put
// there for as long, if the instruction does not access that.
class EntryState {
 public:
  EntryState(SavedRegisters& registers, const ExtendedState& state, uintptr_t operand = 0) {
    if (!engine.Simulates()) return;
    auto* const below_stack = reinterpret_cast<uint64_t*>(registers.rsp()) - 1;
    const bool is_operand = operand - reinterpret_cast<uint64_t>(below_stack - 1) < 16;
    const uint64_t* pointer = &registers.pc;
    if (HasCalledSinceAssembly() && !is_operand) {
      pointer = changed_ = below_stack;
      kept_ = std::exchange(*changed_, registers.pc);
    } else {
      registers.extended = HashOf(state);
    }
    const uint64_t* const general = registers.general;
    jacquard_entry_registers = {general[3],
                                general[5],
                                general[12],
                                general[13],
                                general[14],
                                general[15],
                                reinterpret_cast<uint64_t>(pointer)};
  }
  ~EntryState() {
    if (changed_ != nullptr) *changed_ = kept_;
    if (!engine.Simulates()) return;
    engine.current->steps_at_assembly = engine.step();
    engine.current->reads_at_assembly = plain_loops.count();
  }
  EntryState(const EntryState&) = delete;
  EntryState& operator=(const EntryState&) = delete;

 private:
  uint64_t* changed_ = nullptr;
  uint64_t kept_ = 0;
};

// The instruction that follows the call. An exchange that has a prefix has a call of its own.
bool CarryOut(SavedRegisters& registers, const ExtendedState& state, bool locked) {
  registers.general[kRsp] = registers.rsp();
  const uint64_t fs_base = engine.Simulates() ? engine.current->storage.fs_base : 0;
  const std::optional<Instruction> instruction =
      DecodeInstruction(registers.instruction(), registers.general, fs_base, locked);
  // The bare stack pointer may be exchanged with: then there is another stack.
  if (!instruction || instruction->reg == kRsp) return false;
  if (instruction->of_thread) engine.GiveStorage(0);
  const EntryState entry(registers, state, instruction->address);
  if (IsMereFence(*instruction)) {
    Fence(MemoryOrder::kSeqCst, registers.pc);
    return false;  // it still sets flags
  }
  Execution(registers, *instruction).Run();
  return true;
}

// There is no instruction behind the call for these: it stands in their place.

bool CarryOutFence(SavedRegisters& registers, const ExtendedState& state, MemoryOrder order) {
  const EntryState entry(registers, state);
  Fence(order, registers.pc);
  return false;
}

bool CarryOutTimeStamp(SavedRegisters& registers, const ExtendedState& state) {
  const EntryState entry(registers, state);
  const uint64_t now = ReadTimeStamp(registers.pc);
  registers.general[kRax] = now & UINT32_MAX;
  registers.general[kRdx] = now >> 32;
  return false;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::ExtendedState;
using jacquard::sim::SavedRegisters;

// Called by inline_assembly.S before it has saved all that it has to: whether the instruction
// behind the call may be one of those that jacquard_carry_out_access carries out.
extern "C" [[gnu::visibility("hidden"), gnu::target("general-regs-only")]]
bool jacquard_may_access_memory(const SavedRegisters* registers) {
  const uint8_t* at = registers->instruction();
  while ((*at >= 0x64 && *at <= 0x67) || *at == 0xF2 || *at == 0xF3) ++at;
  if ((*at & 0xF0) == 0x40) ++at;
  if (*at == 0x0F) ++at;
  constexpr uint8_t kOfRegisters = 0xC0;
  return (at[1] & kOfRegisters) != kOfRegisters;
}

// Called by inline_assembly.S. Each says whether the instruction behind the call has been carried
// out.
extern "C" {

[[gnu::visibility("hidden")]] bool jacquard_carry_out_locked(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  return jacquard::sim::CarryOut(*registers, *state, true);
}

[[gnu::visibility("hidden")]] bool jacquard_carry_out_access(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  return jacquard::sim::CarryOut(*registers, *state, false);
}

[[gnu::visibility("hidden")]] bool jacquard_carry_out_mfence(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  return jacquard::sim::CarryOutFence(*registers, *state, jacquard::MemoryOrder::kSeqCst);
}

// As for memory that is nothing but memory x86 orders loads, and stores, anyway.
[[gnu::visibility("hidden")]] bool jacquard_carry_out_lfence(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  return jacquard::sim::CarryOutFence(*registers, *state, jacquard::MemoryOrder::kAcquire);
}

[[gnu::visibility("hidden")]] bool jacquard_carry_out_sfence(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  return jacquard::sim::CarryOutFence(*registers, *state, jacquard::MemoryOrder::kRelease);
}

[[gnu::visibility("hidden")]] bool jacquard_carry_out_rdtsc(SavedRegisters* registers,
                                                            const ExtendedState* state) {
  return jacquard::sim::CarryOutTimeStamp(*registers, *state);
}

[[gnu::visibility("hidden")]] bool jacquard_carry_out_rdtscp(SavedRegisters* registers,
                                                             const ExtendedState* state) {
  registers->general[jacquard::sim::kRcx] = 0;  // the processor
  return jacquard::sim::CarryOutTimeStamp(*registers, *state);
}

}  // extern "C"
