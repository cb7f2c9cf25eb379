// Instructions in inline assembly: those with a lock prefix, exchanges with memory, fences, and
// time stamps. The compiler puts no hooks there; what stands in front of them is a call of
// inline_assembly.S (tools/install/inline_assembly.h says how it comes there).
//
// Atomic instructions are taken apart and carried out as an atomic hook would. What is not known
// here, or does not access memory, is left to the processor. Encodings and flags are those of
// Intel's "Software Developer's Manual", volume 2.
//
// Whoever writes such instructions relies on x86: atomic ones are full fences, loads acquire,
// stores release, and all access the newest value.
#include "sim/inline_assembly.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "sim/engine.h"
#include "sim/memory/memory.h"
#include "sim/spin.h"

namespace jacquard::sim {
namespace {

// As inline_assembly.S has left them on the stack.
struct SavedRegisters {
  uint64_t general[16];  // by number: rax, rcx, rdx, rbx, (rsp), rbp, rsi, rdi, r8 ...
  uint64_t function;
  uint64_t flags;
  uint64_t frame;
  uint64_t rip;  // of the instruction, if there is one; where to return to

  uint64_t rsp() const { return reinterpret_cast<uint64_t>(&rip + 1); }
};

enum Register { kRax, kRcx, kRdx, kRbx, kRsp };

constexpr uint64_t kCarry = 1;
constexpr uint64_t kParity = 1 << 2;
constexpr uint64_t kAuxiliary = 1 << 4;
constexpr uint64_t kZero = 1 << 6;
constexpr uint64_t kSign = 1 << 7;
constexpr uint64_t kOverflow = 1 << 11;
constexpr uint64_t kArithmetic = kCarry | kParity | kAuxiliary | kZero | kSign | kOverflow;

enum class Operation : uint8_t {
  // In the order of their numbers in opcodes.
  kAdd,
  kOr,
  kAddWithCarry,
  kSubtractWithBorrow,
  kAnd,
  kSubtract,
  kXor,
  kIncrement,
  kDecrement,
  kNot,
  kNegate,
  kLoad,
  kStore,
  kExchange,
  kExchangeAdd,
  kSetBit,
  kResetBit,
  kComplementBit,
  kCompareExchange,
  kCompareExchangePair,
};

// One instruction that accesses memory.
struct Instruction {
  Operation operation = Operation::kAdd;
  uint8_t size = 0;  // of the object, in bytes: 1, 2, 4, 8 or 16
  uintptr_t address = 0;
  uint64_t operand = 0;    // what is added, the bit's number, ...
  int reg = -1;            // the register that gets the old value, if one does
  bool high_byte = false;  // which is ah, ch, dh or bh
  uintptr_t end = 0;       // behind it
};

uint64_t Truncated(uint64_t value, int size) {
  return size >= 8 ? value : value & ((uint64_t{1} << (8 * size)) - 1);
}

// Reads an instruction byte by byte.
class Decoder {
 public:
  Decoder(const SavedRegisters& registers, bool locked)
      : registers_(registers),
        at_(reinterpret_cast<const uint8_t*>(registers.rip)),
        locked_(locked) {}

  std::optional<Instruction> Decode() {
    ReadPrefixes();
    const uint8_t opcode = *at_++;
    const bool known = opcode == 0x0F ? DecodeTwoBytes(*at_++) : DecodeOneByte(opcode);
    if (!known || elsewhere_) return std::nullopt;
    if (!locked_ && !IsAtomicWithoutPrefix()) return std::nullopt;
    instruction_.end = reinterpret_cast<uintptr_t>(at_);
    if (relative_) instruction_.address += instruction_.end;
    if (of_bit_string_) SelectWord();
    return instruction_;
  }

 private:
  void ReadPrefixes() {
    for (;; ++at_) {
      const uint8_t prefix = *at_;
      if (prefix == 0x66) {
        short_ = true;
      } else if (prefix == 0x64 || prefix == 0x65 || prefix == 0x67) {
        elsewhere_ = true;  // thread-local, or with half an address: nothing that threads share
      } else if (prefix != 0xF2 && prefix != 0xF3) {
        break;
      }
    }
    if ((*at_ & 0xF0) == 0x40) rex_ = *at_++;
  }

  bool DecodeOneByte(uint8_t opcode) {
    SetSize(opcode);
    if (opcode < 0x38 && (opcode & 7) <= 1) {  // OP memory, register
      if (!ReadOperands()) return false;
      instruction_.operation = static_cast<Operation>(opcode >> 3);
      instruction_.operand = RegisterValue();
      instruction_.reg = -1;
      return true;
    }
    switch (opcode) {
      case 0x80:  // OP memory, constant
      case 0x81:
      case 0x83:
        if (!ReadOperands() || group_ > 6) return false;
        instruction_.operation = static_cast<Operation>(group_);
        instruction_.operand =
            ReadConstant(opcode == 0x81 ? std::min<int>(instruction_.size, 4) : 1);
        instruction_.reg = -1;
        return true;
      case 0x86:
      case 0x87:
        if (!ReadOperands()) return false;
        instruction_.operation = Operation::kExchange;
        instruction_.operand = RegisterValue();
        return true;
      case 0x88:
      case 0x89:
        if (!ReadOperands()) return false;
        instruction_.operation = Operation::kStore;
        instruction_.operand = RegisterValue();
        instruction_.reg = -1;
        return true;
      case 0x8A:
      case 0x8B:
        if (!ReadOperands()) return false;
        instruction_.operation = Operation::kLoad;
        return true;
      case 0xC6:
      case 0xC7:
        if (!ReadOperands() || group_ != 0) return false;
        instruction_.operation = Operation::kStore;
        instruction_.operand = ReadConstant(std::min<int>(instruction_.size, 4));
        instruction_.reg = -1;
        return true;
      case 0xF6:
      case 0xF7:
        if (!ReadOperands() || (group_ != 2 && group_ != 3)) return false;
        instruction_.operation = group_ == 2 ? Operation::kNot : Operation::kNegate;
        instruction_.reg = -1;
        return true;
      case 0xFE:
      case 0xFF:
        if (!ReadOperands() || group_ > 1) return false;
        instruction_.operation = group_ == 0 ? Operation::kIncrement : Operation::kDecrement;
        instruction_.operand = 1;
        instruction_.reg = -1;
        return true;
      default:
        return false;
    }
  }

  bool DecodeTwoBytes(uint8_t opcode) {
    SetSize(opcode);
    switch (opcode) {
      case 0xAB:  // bit string, register
      case 0xB3:
      case 0xBB:
        instruction_.size = WordSize();
        if (!ReadOperands()) return false;
        instruction_.operation = opcode == 0xAB   ? Operation::kSetBit
                                 : opcode == 0xB3 ? Operation::kResetBit
                                                  : Operation::kComplementBit;
        instruction_.operand = RegisterValue();
        instruction_.reg = -1;
        of_bit_string_ = true;
        return true;
      case 0xBA:  // word, constant
        instruction_.size = WordSize();
        if (!ReadOperands() || group_ < 5) return false;
        instruction_.operation = group_ == 5   ? Operation::kSetBit
                                 : group_ == 6 ? Operation::kResetBit
                                               : Operation::kComplementBit;
        instruction_.operand = ReadConstant(1) & (8u * instruction_.size - 1);
        instruction_.reg = -1;
        return true;
      case 0xB0:
      case 0xB1:
        if (!ReadOperands()) return false;
        instruction_.operation = Operation::kCompareExchange;
        instruction_.operand = RegisterValue();
        instruction_.reg = kRax;
        instruction_.high_byte = false;
        return true;
      case 0xC0:
      case 0xC1:
        if (!ReadOperands()) return false;
        instruction_.operation = Operation::kExchangeAdd;
        instruction_.operand = RegisterValue();
        return true;
      case 0xC7:
        if (!ReadOperands() || group_ != 1) return false;
        instruction_.operation = Operation::kCompareExchangePair;
        instruction_.size = (rex_ & 8) != 0 ? 16 : 8;
        return true;
      default:
        return false;
    }
  }

  bool IsAtomicWithoutPrefix() const {
    return instruction_.operation == Operation::kExchange ||
           instruction_.operation == Operation::kLoad ||
           instruction_.operation == Operation::kStore;
  }

  uint8_t WordSize() const { return (rex_ & 8) != 0 ? 8 : short_ ? 2 : 4; }
  void SetSize(uint8_t opcode) { instruction_.size = (opcode & 1) == 0 ? 1 : WordSize(); }

  // What follows the opcode: a register and a place in memory. False if that is a register, too.
  bool ReadOperands() {
    const uint8_t byte = *at_++;
    const int mode = byte >> 6;
    group_ = byte >> 3 & 7;
    instruction_.reg = group_ | (rex_ & 4) << 1;
    instruction_.high_byte = instruction_.size == 1 && rex_ == 0 && group_ >= 4;
    if (mode == 3) return false;
    int base = (byte & 7) | (rex_ & 1) << 3;
    if ((byte & 7) == 4) {
      const uint8_t scaled = *at_++;
      const int index = (scaled >> 3 & 7) | (rex_ & 2) << 2;
      if (index != 4) instruction_.address += Value(index) << (scaled >> 6);
      base = (scaled & 7) | (rex_ & 1) << 3;
      if ((scaled & 7) == 5 && mode == 0) {
        instruction_.address += ReadConstant(4);
        return true;
      }
    } else if ((byte & 7) == 5 && mode == 0) {
      relative_ = true;
      instruction_.address = ReadConstant(4);
      return true;
    }
    instruction_.address += Value(base);
    if (mode != 0) instruction_.address += ReadConstant(mode == 1 ? 1 : 4);
    return true;
  }

  // With its sign.
  uint64_t ReadConstant(int size) {
    uint64_t value = ReadBytes(at_, static_cast<uint8_t>(size));
    at_ += size;
    const int shift = 64 - 8 * size;
    return static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift);
  }

  uint64_t Value(int number) const {
    return number == kRsp ? registers_.rsp() : registers_.general[number];
  }
  uint64_t RegisterValue() const {
    return instruction_.high_byte ? Value(instruction_.reg - 4) >> 8 : Value(instruction_.reg);
  }

  // The bit's number goes beyond the word, in either direction.
  void SelectWord() {
    const int bits = 8 * instruction_.size;
    const int shift = 64 - bits;
    const int64_t bit = static_cast<int64_t>(instruction_.operand << shift) >> shift;
    const int64_t word = bit >= 0 ? bit / bits : -((-bit + bits - 1) / bits);
    instruction_.address += static_cast<uint64_t>(word * instruction_.size);
    instruction_.operand = static_cast<uint64_t>(bit - word * bits);
  }

  const SavedRegisters& registers_;
  const uint8_t* at_;
  uint8_t rex_ = 0;
  int group_ = 0;           // of three bits that say more about the operation
  const bool locked_;       // the instruction has a lock prefix, which is not there any more
  bool short_ = false;      // 16 bits
  bool elsewhere_ = false;  // the address is not what it looks like
  bool relative_ = false;   // it counts from the instruction's end
  bool of_bit_string_ = false;
  Instruction instruction_;
};

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
                instruction.operation != Operation::kStore),
        pc_(registers.rip) {}

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
        SetRegister(LoadObject(object_, size_, MemoryOrder::kAcquire, pc_));
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
    registers_.rip = instruction_.end;
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
    uint64_t& whole = registers_.general[number];
    if (size_ >= 4) {
      whole = Truncated(value, size_);
      return;
    }
    const int shift = instruction_.high_byte ? 8 : 0;
    const uint64_t mask = Truncated(~uint64_t{0}, size_) << shift;
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

// As hooks.S does it.
void SaveEntryRegisters(const SavedRegisters& registers) {
  if (!engine.Simulates()) return;
  const uint64_t* const general = registers.general;
  jacquard_entry_registers = {general[3],
                              general[5],
                              general[12],
                              general[13],
                              general[14],
                              general[15],
                              reinterpret_cast<uint64_t>(&registers.rip)};
}

// The instruction that follows the call. An exchange that has a prefix has a call of its own.
void CarryOut(SavedRegisters& registers, bool locked) {
  const std::optional<Instruction> instruction = Decoder(registers, locked).Decode();
  // The bare stack pointer may be exchanged with: then there is another stack.
  if (!instruction || instruction->reg == kRsp) return;
  SaveEntryRegisters(registers);
  if (IsMereFence(*instruction)) return Fence(MemoryOrder::kSeqCst, registers.rip);
  Execution(registers, *instruction).Run();
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::SavedRegisters;

// Called by inline_assembly.S.
extern "C" {

[[gnu::visibility("hidden")]] void jacquard_carry_out_locked(SavedRegisters* registers) {
  jacquard::sim::CarryOut(*registers, true);
}

[[gnu::visibility("hidden")]] void jacquard_carry_out_access(SavedRegisters* registers) {
  jacquard::sim::CarryOut(*registers, false);
}

[[gnu::visibility("hidden")]] void jacquard_carry_out_mfence(SavedRegisters* registers) {
  jacquard::sim::SaveEntryRegisters(*registers);
  jacquard::sim::Fence(jacquard::MemoryOrder::kSeqCst, registers->rip);
}

// As for memory that is nothing but memory x86 orders loads, and stores, anyway.
[[gnu::visibility("hidden")]] void jacquard_carry_out_lfence(SavedRegisters* registers) {
  jacquard::sim::SaveEntryRegisters(*registers);
  jacquard::sim::Fence(jacquard::MemoryOrder::kAcquire, registers->rip);
}

[[gnu::visibility("hidden")]] void jacquard_carry_out_sfence(SavedRegisters* registers) {
  jacquard::sim::SaveEntryRegisters(*registers);
  jacquard::sim::Fence(jacquard::MemoryOrder::kRelease, registers->rip);
}

[[gnu::visibility("hidden")]] void jacquard_carry_out_rdtsc(SavedRegisters* registers) {
  const uint64_t now = jacquard::sim::ReadTimeStamp(registers->rip);
  registers->general[jacquard::sim::kRax] = now & UINT32_MAX;
  registers->general[jacquard::sim::kRdx] = now >> 32;
}

[[gnu::visibility("hidden")]] void jacquard_carry_out_rdtscp(SavedRegisters* registers) {
  jacquard_carry_out_rdtsc(registers);
  registers->general[jacquard::sim::kRcx] = 0;  // the processor
}

}  // extern "C"
