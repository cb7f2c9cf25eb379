// The entries of the atomic hooks. Each saves its caller's registers, as they are at the call, for the spin detector
// (spin.h), and goes on in the C++ function jacquard_atomic... (atomic_hooks.cc), which returns to the caller.

        .text

.macro HOOK name
        .globl  __tsan_\name
        .type   __tsan_\name, @function
        .p2align 4
__tsan_\name:
        .cfi_startproc
        movq    %rbx, jacquard_entry_registers+0(%rip)
        movq    %rbp, jacquard_entry_registers+8(%rip)
        movq    %r12, jacquard_entry_registers+16(%rip)
        movq    %r13, jacquard_entry_registers+24(%rip)
        movq    %r14, jacquard_entry_registers+32(%rip)
        movq    %r15, jacquard_entry_registers+40(%rip)
        movq    %rsp, jacquard_entry_registers+48(%rip)
        jmp     jacquard_\name
        .cfi_endproc
        .size   __tsan_\name, .-__tsan_\name
.endm

.macro HOOKS bits
        HOOK atomic\bits\()_load
        HOOK atomic\bits\()_store
        HOOK atomic\bits\()_exchange
        HOOK atomic\bits\()_fetch_add
        HOOK atomic\bits\()_fetch_sub
        HOOK atomic\bits\()_fetch_and
        HOOK atomic\bits\()_fetch_or
        HOOK atomic\bits\()_fetch_xor
        HOOK atomic\bits\()_fetch_nand
        HOOK atomic\bits\()_compare_exchange_strong
        HOOK atomic\bits\()_compare_exchange_weak
        HOOK atomic\bits\()_compare_exchange_val
.endm

        HOOKS 8
        HOOKS 16
        HOOKS 32
        HOOKS 64
        HOOKS 128

        .section .note.GNU-stack,"",@progbits
