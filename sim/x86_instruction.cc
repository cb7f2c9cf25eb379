#include "sim/x86_instruction.h"

#include <algorithm>

#include "sim/spin.h"

namespace jacquard::sim {
namespace {

// Reads an instruction byte by byte.
class Decoder {
 public:
  Decoder(const uint8_t* code, const GeneralRegisters& registers, uint64_t fs_base, bool locked)
      : registers_(registers), fs_base_(fs_base), at_(code), locked_(locked) {}

  std::optional<Instruction> Decode() {
    ReadPrefixes();
    const uint8_t opcode = *at_++;
    const bool known = opcode == 0x0F ? DecodeTwoBytes(*at_++) : DecodeOneByte(opcode);
    if (!known || elsewhere_) return std::nullopt;
    if (locked_ ? OnlyLooks() : !IsKnownWithoutPrefix()) return std::nullopt;
    if (instruction_.reg_size == 0) instruction_.reg_size = instruction_.size;
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
      } else if (prefix == 0x64 && fs_base_ != 0) {
        instruction_.address = fs_base_;
        instruction_.of_thread = true;
      } else if (prefix == 0x64 || prefix == 0x65 || prefix == 0x67) {
        elsewhere_ = true;  // by a segment that is not known, or with half an address
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
        if (!ReadOperands()) return false;
        instruction_.operation = group_ == 7 ? Operation::kCompare : static_cast<Operation>(group_);
        instruction_.operand =
            ReadConstant(opcode == 0x81 ? std::min<int>(instruction_.size, 4) : 1);
        instruction_.reg = -1;
        return true;
      case 0x38:
      case 0x39:
      case 0x3A:
      case 0x3B:
        return DecodeLook(Operation::kCompare, opcode >= 0x3A);
      case 0x84:
      case 0x85:
        return DecodeLook(Operation::kTest, false);
      case 0x63:
        return DecodeWideningLoad(4, true);
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
        if (!ReadOperands() || group_ == 1 || group_ > 3) return false;
        instruction_.reg = -1;
        if (group_ == 0) {
          instruction_.operation = Operation::kTest;
          instruction_.operand = ReadConstant(std::min<int>(instruction_.size, 4));
          return true;
        }
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
      case 0xB6:
      case 0xB7:
      case 0xBE:
      case 0xBF:
        return DecodeWideningLoad((opcode & 1) + 1, opcode >= 0xBE);
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

  bool DecodeLook(Operation operation, bool reversed) {
    if (!ReadOperands()) return false;
    instruction_.operation = operation;
    instruction_.operand = RegisterValue();
    instruction_.reg = -1;
    instruction_.reversed = reversed;
    return true;
  }

  // Of `size` bytes into a register of the whole size.
  bool DecodeWideningLoad(int size, bool is_signed) {
    instruction_.reg_size = WordSize();
    instruction_.size = static_cast<uint8_t>(size);
    if (!ReadOperands()) return false;
    instruction_.operation = Operation::kLoad;
    instruction_.is_signed = is_signed;
    instruction_.high_byte = false;  // it is what is read that may be a byte
    return true;
  }

  bool OnlyLooks() const {
    return instruction_.operation == Operation::kCompare ||
           instruction_.operation == Operation::kTest;
  }
  bool IsKnownWithoutPrefix() const {
    return OnlyLooks() || instruction_.operation == Operation::kExchange ||
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
      instruction_.address += ReadConstant(4);
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

  uint64_t Value(int number) const { return registers_[number]; }
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

  const GeneralRegisters& registers_;
  const uint64_t fs_base_;
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

}  // namespace

std::optional<Instruction> DecodeInstruction(const uint8_t* code, const GeneralRegisters& registers,
                                             uint64_t fs_base, bool locked) {
  return Decoder(code, registers, fs_base, locked).Decode();
}

}  // namespace jacquard::sim
