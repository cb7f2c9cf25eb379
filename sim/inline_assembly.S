// What inline assembly calls in the place of instructions that matter to the simulation, or in front of them
// (tools/install/inline_assembly.h). Each saves all registers, also the extended ones, which other threads may use that run
// in the meantime, and goes on in a C++ function (inline_assembly.cc), which may change what was saved: an instruction that
// has been carried out is skipped.
.section .note.GNU-stack, "", @progbits

.data
.balign 4
// How many bytes XSAVE wants; 0: not asked yet; 1: there is no XSAVE, and so no more than FXSAVE knows.
state_size:
  .long 0

.text
// On the stack: what a SavedRegisters ends with, from the function on that it goes on in.
.type save_and_call, @function
save_and_call:
  pushq %r15
  pushq %r14
  pushq %r13
  pushq %r12
  pushq %r11
  pushq %r10
  pushq %r9
  pushq %r8
  pushq %rdi
  pushq %rsi
  pushq (%rbp)
  pushq %rsp  // not what the instruction sees: the C++ function knows better
  pushq %rbx
  pushq %rdx
  pushq %rcx
  pushq %rax
  pushq $0
  pushq 8(%rbp)
  cld
  movq %rsp, %r12
  andq $-16, %rsp
  leaq jacquard_carry_out_access(%rip), %rax
  cmpq %rax, 144(%r12)
  jne .Lmatters
  movq %r12, %rdi
  call jacquard_may_access_memory
  movzbl %al, %eax
  testl %eax, %eax
  jnz .Lmatters
  movq %rax, 144(%r12)
  jmp .Lreturn
.Lmatters:
  movl state_size(%rip), %r13d
  testl %r13d, %r13d
  jnz .Lsave
  movl $1, %eax
  xorl %ecx, %ecx
  cpuid
  movl $1, %r13d
  btl $27, %ecx  // OSXSAVE
  jnc .Lknown
  movl $0xd, %eax
  xorl %ecx, %ecx
  cpuid
  movl %ebx, %r13d
.Lknown:
  movl %r13d, state_size(%rip)
.Lsave:
  movl %r13d, %eax
  cmpl $576, %eax  // at least for what FXSAVE writes, and the header
  jae .Lenough
  movl $576, %eax
.Lenough:
  subq %rax, %rsp
  andq $-64, %rsp
  cmpl $1, %r13d
  je .Lfxsave
  xorl %eax, %eax
  leaq 512(%rsp), %rdi
  movl $8, %ecx
  rep stosq
  movl $-1, %eax
  movl $-1, %edx
  xsave64 (%rsp)
  jmp .Lcall
.Lfxsave:
  fxsave64 (%rsp)
.Lcall:
  movq %r12, %rdi
  movq %rsp, %rsi
  call *144(%r12)
  movzbl %al, %eax
  movq %rax, 144(%r12)
  cmpl $1, %r13d
  je .Lfxrstor
  movl $-1, %eax
  movl $-1, %edx
  xrstor64 (%rsp)
  jmp .Lreturn
.Lfxrstor:
  fxrstor64 (%rsp)
.Lreturn:
  leaq 16(%r12), %rsp
  popq %rax
  popq %rcx
  popq %rdx
  popq %rbx
  leaq 8(%rsp), %rsp
  popq %rbp
  popq %rsi
  popq %rdi
  popq %r8
  popq %r9
  popq %r10
  popq %r11
  popq %r12
  popq %r13
  popq %r14
  popq %r15
  cmpq $0, (%rsp)
  leaq 8(%rsp), %rsp
  jne .Lcarried_out
  popfq
  leaq 8(%rsp), %rsp
  ret
.Lcarried_out:
  popfq
  leaq 8(%rsp), %rsp
  ret $128  // kBelowStack: behind the instruction
.size save_and_call, . - save_and_call

.macro ENTRY name
  .globl jacquard_inline_\name
  .type jacquard_inline_\name, @function
jacquard_inline_\name:
  pushq %rbp  // a frame, for those who look how far the program's functions reach
  movq %rsp, %rbp
  pushfq
  pushq %rax
  leaq jacquard_carry_out_\name(%rip), %rax
  xchgq %rax, (%rsp)
  jmp save_and_call
  .size jacquard_inline_\name, . - jacquard_inline_\name
.endm

ENTRY locked
ENTRY access
ENTRY mfence
ENTRY lfence
ENTRY sfence
ENTRY rdtsc
ENTRY rdtscp
