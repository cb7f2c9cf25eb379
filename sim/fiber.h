// Fibers: one machine stack per simulated thread, and the switch from one to another.
#ifndef JACQUARD_SIM_FIBER_H_
#define JACQUARD_SIM_FIBER_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// A fiber that is not running: its stack pointer. There lie, upwards, the floating-point control
// registers (8 bytes), the frame pointer, and where it goes on. The registers that a function must
// preserve are on the stack above, where the compiler of SwitchContext's caller puts them.
using Context = void*;

// Stacks lie at fixed addresses and are reused from execution to execution, so that addresses of
// locals are the same every time. Each has an inaccessible range below it, which even a function
// with large arrays does not step over: an overflow faults instead of corrupting its neighbour.
inline constexpr uintptr_t kStackArea = 0x1000'0000'0000;
inline constexpr int kStackAreaBits = 34;  // all of them, and where else nothing lies
inline constexpr size_t kStackStride = 32 << 20;
inline constexpr size_t kStackGuard = 17 << 20;  // what is left is more than Linux's 8 MiB
inline constexpr size_t kStackSize = kStackStride - kStackGuard;

// The lowest address of stack `index` and the first one above it.
inline uintptr_t StackBottom(int index) { return kStackArea + index * kStackStride + kStackGuard; }
inline uintptr_t StackTop(int index) { return kStackArea + (index + 1) * kStackStride; }
// Where the first frame ends. Not at the same place in each page, or the stacks of a few threads
// would share few lines of the cache.
inline uintptr_t FirstFrame(int index) {
  return StackTop(index) - static_cast<uintptr_t>(index) % 8 * 448;
}

// Reserves the stacks 0 to `count` - 1. Call once. Ends the process with a message if the addresses
// are taken.
void ReserveStacks(int count);

// Gives signal handlers of the calling thread that ask for it (SA_ONSTACK) a stack of their own, so
// that they can report the overflow of another.
void ReserveSignalStack();

// Whether each thread has a floating-point environment of its own. False where the program has no
// use for one (floating_point.h): then the registers, which are slow to read, are left alone. Not
// to be changed while there are contexts.
extern bool fibers_have_floating_point_environments;

// The floating-point control registers, as they are in most threads. That of the x87 is only read
// where the other one is not the default: the C library sets both.
inline constexpr uint32_t kDefaultMxcsr = 0x1F80;
inline constexpr uint32_t kMxcsrControl = 0xFFC0;  // without the flags of what has happened
inline constexpr uint16_t kDefaultX87Control = 0x037F;

// Stands before the runtime's own instructions for MXCSR: they are no use of it by the program. An
// instruction that does nothing, with a number that nobody else would write.
#define JACQUARD_OWN_MXCSR ".byte 0x0F, 0x1F, 0x40, 0x4A\n\t"
inline constexpr uint8_t kOwnMxcsrMarkerBytes[] = {0x0F, 0x1F, 0x40, 0x4A};

// A context that will call `entry`, which must not return, on the empty stack `index`, with the
// floating-point environment of whoever asks. Whatever was on that stack is dropped: not to be
// called on it.
inline Context FreshContext(int index, void (*entry)()) {
  struct Frame {
    uint32_t mxcsr;
    uint16_t x87_control;
    uint64_t frame_pointer;
    void (*entry)();
    uint64_t return_address;  // none: here the walk over the stack ends
  };
  auto* const frame = reinterpret_cast<Frame*>(FirstFrame(index)) - 1;
  if (fibers_have_floating_point_environments) [[unlikely]] {
    asm volatile(JACQUARD_OWN_MXCSR "stmxcsr (%0)" : : "r"(&frame->mxcsr) : "memory");
    frame->x87_control = kDefaultX87Control;
    if ((frame->mxcsr & kMxcsrControl) != kDefaultMxcsr)
      asm volatile("fnstcw %0" : "=m"(frame->x87_control));
  }
  frame->frame_pointer = 0;
  frame->entry = entry;
  frame->return_address = 0;
  return frame;
}

// The frame pointer of a fiber that is not running.
inline uintptr_t FramePointerOf(Context context) {
  return static_cast<const uintptr_t*>(context)[1];
}

#define JACQUARD_CLOBBERED_BY_A_SWITCH                                                          \
  "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",     \
      "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
      "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory"

// The same as SwitchContext for threads with floating-point environments of their own, which are
// only loaded if they differ.
[[gnu::always_inline]] inline void SwitchFloatingPointContext(Context* from, Context to) {
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n\t"  // the red zone is the compiler's
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "pushq %%rbp\n\t"
      "subq $8, %%rsp\n\t" JACQUARD_OWN_MXCSR
      "stmxcsr (%%rsp)\n\t"
      "movl (%%rsp), %%eax\n\t"
      "movl %%eax, %%ecx\n\t"
      "movw %2, 4(%%rsp)\n\t"
      "andl %3, %%ecx\n\t"
      "cmpl %4, %%ecx\n\t"
      "jne 4f\n"
      "5:\n\t"
      "movq %%rsp, (%0)\n\t"
      "movq %1, %%rsp\n\t"
      "cmpl %%eax, (%%rsp)\n\t"
      "jne 2f\n"
      "3:\n\t"
      "addq $8, %%rsp\n\t"
      "popq %%rbp\n\t"
      "popq %%rax\n\t"
      "jmpq *%%rax\n"
      "2:\n\t" JACQUARD_OWN_MXCSR
      "ldmxcsr (%%rsp)\n\t"
      "fldcw 4(%%rsp)\n\t"
      "jmp 3b\n"
      "4:\n\t"
      "fnstcw 4(%%rsp)\n\t"
      "jmp 5b\n"
      "1:\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "+D"(from), "+S"(to)
      : "i"(kDefaultX87Control), "i"(kMxcsrControl), "i"(kDefaultMxcsr)
      : JACQUARD_CLOBBERED_BY_A_SWITCH);
}

// Saves the running fiber in `from`, and goes on with `to`. Inlined into few functions, best into
// one: the processor then knows where the jump goes, and where the returns after it do, if both
// fibers came the same way.
[[gnu::always_inline]] inline void SwitchContext(Context* from, Context to) {
  if (fibers_have_floating_point_environments) [[unlikely]]
    return SwitchFloatingPointContext(from, to);
  asm volatile(
      "leaq -128(%%rsp), %%rsp\n\t"  // the red zone is the compiler's
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "pushq %%rbp\n\t"
      "leaq -8(%%rsp), %%rax\n\t"
      "movq %%rax, (%0)\n\t"
      "leaq 8(%1), %%rsp\n\t"
      "popq %%rbp\n\t"
      "popq %%rax\n\t"
      "jmpq *%%rax\n"
      "1:\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "+D"(from), "+S"(to)
      :
      : JACQUARD_CLOBBERED_BY_A_SWITCH);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FIBER_H_
