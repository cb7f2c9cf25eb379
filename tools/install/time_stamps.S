// What time_stamps.h puts in the place of the instructions RDTSC and RDTSCP: they leave all registers but those of their
// result as they are, also those that belong to whoever is called and the extended ones, which other threads may use that run
// in the meantime.
.section .note.GNU-stack, "", @progbits

.data
.balign 4
// How many bytes XSAVE wants; 0: not asked yet; 1: there is no XSAVE, and so no more than FXSAVE knows.
state_size:
  .long 0

.text
.globl jacquard_rdtscp
.type jacquard_rdtscp, @function
jacquard_rdtscp:
  call jacquard_rdtsc
  movl $0, %ecx  // the processor; the flags stay
  ret
.size jacquard_rdtscp, . - jacquard_rdtscp

.globl jacquard_rdtsc
.type jacquard_rdtsc, @function
jacquard_rdtsc:
  pushq %rbp
  movq %rsp, %rbp
  pushfq
  pushq %rbx
  pushq %rcx
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  cld
  movl state_size(%rip), %ebx
  testl %ebx, %ebx
  jnz .Lsave
  movl $1, %eax
  xorl %ecx, %ecx
  cpuid
  movl $1, %ebx
  btl $27, %ecx  // OSXSAVE
  jnc .Lknown
  movl $0xd, %eax
  xorl %ecx, %ecx
  cpuid
.Lknown:
  movl %ebx, state_size(%rip)
.Lsave:
  movl %ebx, %eax
  cmpl $576, %eax  // at least for what FXSAVE writes, and the header
  jae .Lenough
  movl $576, %eax
.Lenough:
  subq %rax, %rsp
  andq $-64, %rsp
  cmpl $1, %ebx
  je .Lfxsave
  xorl %eax, %eax
  leaq 512(%rsp), %rdi
  movl $8, %ecx
  rep stosq
  movl $-1, %eax
  movl $-1, %edx
  xsave64 (%rsp)
  jmp .Lask
.Lfxsave:
  fxsave64 (%rsp)
.Lask:
  subq $64, %rsp  // a timespec; the stack stays aligned
  movl $1, %edi  // CLOCK_MONOTONIC
  movq %rsp, %rsi
  call clock_gettime@PLT
  imulq $1000000000, (%rsp), %rsi
  addq 8(%rsp), %rsi
  addq $64, %rsp
  cmpl $1, %ebx
  je .Lfxrstor
  movl $-1, %eax
  movl $-1, %edx
  xrstor64 (%rsp)
  jmp .Lreturn
.Lfxrstor:
  fxrstor64 (%rsp)
.Lreturn:
  movl %esi, %eax
  movq %rsi, %rdx
  shrq $32, %rdx
  leaq -72(%rbp), %rsp
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rcx
  popq %rbx
  popfq
  popq %rbp
  ret
.size jacquard_rdtsc, . - jacquard_rdtsc
