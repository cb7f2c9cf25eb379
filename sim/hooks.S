// The entries of the atomic hooks, and of what locks or tries to. Each saves its caller's registers, as they are at the call,
// for the spin detector (spin.h) and for who looks for livelocks (recurrence.h), and goes on in a C++ function jacquard_...
// (atomic_hooks.cc, mutexes.cc ...), which returns to the caller. Only on the stacks of simulated threads: all others are
// real threads, who would be in each other's way.

        .text

.macro ENTRY name, target
        .globl  \name
        .type   \name, @function
        .p2align 4
\name:
        .cfi_startproc
        movq    %rsp, %rax
        shrq    $34, %rax
        cmpl    $0x400, %eax                    # kStackArea, of kStackAreaBits (fiber.h)
        jne     1f
        movq    %rbx, jacquard_entry_registers+0(%rip)
        movq    %rbp, jacquard_entry_registers+8(%rip)
        movq    %r12, jacquard_entry_registers+16(%rip)
        movq    %r13, jacquard_entry_registers+24(%rip)
        movq    %r14, jacquard_entry_registers+32(%rip)
        movq    %r15, jacquard_entry_registers+40(%rip)
        movq    %rsp, jacquard_entry_registers+48(%rip)
1:
        jmp     \target
        .cfi_endproc
        .size   \name, .-\name
.endm

.macro HOOK name
        ENTRY __tsan_\name, jacquard_\name
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

        ENTRY jacquard_weak_compare_exchange_fails, jacquard_fail_weak_compare_exchange

// Plain accesses that are steps: plain_hooks.cc comes here with the registers still the caller's.
.macro PLAIN_STEPS size
        ENTRY jacquard_enter_plain_read\size, jacquard_plain_read\size
        ENTRY jacquard_enter_plain_write\size, jacquard_plain_write\size
.endm

        PLAIN_STEPS 1
        PLAIN_STEPS 2
        PLAIN_STEPS 4
        PLAIN_STEPS 8
        PLAIN_STEPS 16

        ENTRY pthread_mutex_lock, jacquard_mutex_lock
        ENTRY pthread_mutex_trylock, jacquard_mutex_trylock
        ENTRY pthread_mutex_unlock, jacquard_mutex_unlock
        ENTRY pthread_rwlock_rdlock, jacquard_rwlock_rdlock
        ENTRY pthread_rwlock_tryrdlock, jacquard_rwlock_tryrdlock
        ENTRY pthread_rwlock_wrlock, jacquard_rwlock_wrlock
        ENTRY pthread_rwlock_trywrlock, jacquard_rwlock_trywrlock
        ENTRY pthread_rwlock_unlock, jacquard_rwlock_unlock
        ENTRY pthread_spin_lock, jacquard_spin_lock
        ENTRY pthread_spin_trylock, jacquard_spin_trylock
        ENTRY pthread_spin_unlock, jacquard_spin_unlock
        ENTRY pthread_cond_signal, jacquard_cond_signal
        ENTRY pthread_cond_broadcast, jacquard_cond_broadcast
        ENTRY sem_wait, jacquard_sem_wait
        ENTRY sem_trywait, jacquard_sem_trywait
        ENTRY sem_post, jacquard_sem_post
        ENTRY mtx_lock, jacquard_mtx_lock
        ENTRY mtx_trylock, jacquard_mtx_trylock
        ENTRY mtx_unlock, jacquard_mtx_unlock
        ENTRY sched_yield, jacquard_sched_yield
        ENTRY thrd_yield, jacquard_thrd_yield
        ENTRY thrd_sleep, jacquard_thrd_sleep
        ENTRY nanosleep, jacquard_nanosleep
        ENTRY clock_nanosleep, jacquard_clock_nanosleep
        ENTRY usleep, jacquard_usleep
        ENTRY sleep, jacquard_sleep

        .section .note.GNU-stack,"",@progbits
