// Instructions of x86-64 that access memory in one go, taken apart: those that a lock prefix goes
// with, exchanges, moves, and those that only look. Encodings are those of Intel's "Software
// Developer's Manual", volume 2.
#ifndef JACQUARD_SIM_X86_INSTRUCTION_H_
#define JACQUARD_SIM_X86_INSTRUCTION_H_

#include <cstdint>
#include <optional>

namespace jacquard::sim {

// By number: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ...
enum Register : uint8_t { kRax, kRcx, kRdx, kRbx, kRsp };
using GeneralRegisters = uint64_t[16];

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
  kCompare,
  kTest,
};

// One instruction that accesses memory.
struct Instruction {
  Operation operation = Operation::kAdd;
  uint8_t size = 0;  // of the object, in bytes: 1, 2, 4, 8 or 16
  uintptr_t address = 0;
  uint64_t operand = 0;    // what is added, the bit's number, ...
  int reg = -1;            // the register that gets the old value, if one does
  uint8_t reg_size = 0;    // in bytes; a load may be into more of it than there is in memory
  bool is_signed = false;  // by the sign, if it is
  bool of_thread = false;  // in the thread's storage, by FS
  bool high_byte = false;  // the register is ah, ch, dh or bh
  bool reversed = false;   // the operand is compared with the object, not the object with it
  uintptr_t end = 0;       // behind it
};

// The instruction at `code`, as it accesses memory where the registers have these values, and the
// segment FS, of thread-local variables, this base (0: not known). `locked`: it has a lock prefix,
// which is not there any more. Nothing if it is another one, accesses registers only, or memory
// that is not known.
std::optional<Instruction> DecodeInstruction(const uint8_t* code, const GeneralRegisters& registers,
                                             uint64_t fs_base, bool locked);

// The low `size` bytes.
inline uint64_t Truncated(uint64_t value, int size) {
  return size >= 8 ? value : value & ((uint64_t{1} << (8 * size)) - 1);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_X86_INSTRUCTION_H_
